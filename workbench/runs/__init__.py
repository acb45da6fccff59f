"""The run folder: what a run is on disk, and nothing of how it is computed."""
