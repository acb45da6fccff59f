"""Finds and loads plugins, and builds what they declare."""
