"""Widgets that pages share: each shows a value and emits intentions, and knows nothing of the session."""
