"""Pretext Workbench: from a folder of images to a trained, verified encoder."""

import os

__version__ = "0.1.0"

# Before torch is imported anywhere: its threads must not spin while they wait for each other. Where another
# program has one of the cores (the window, the engine, a second run), a spinning pool is ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
