"""The report's parts: each module turns facts of a run into a few cards of HTML."""
