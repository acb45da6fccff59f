"""The engine: a long-lived process that answers the window's small requests, and its client (no torch)."""
