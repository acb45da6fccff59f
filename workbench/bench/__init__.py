"""Benchmarks: what the program claims about speed, measured side by side in one run."""
