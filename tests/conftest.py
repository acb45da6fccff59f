"""Before any test: no window needs a display, and nothing touches the user's own runs, caches and settings."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if not os.environ.get("WORKBENCH_TEST_GPU"):
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # What is expected must not depend on the machine; see tests/gpu.

_HOME = tempfile.TemporaryDirectory(prefix="workbench-tests-", ignore_cleanup_errors=True)
for _name in ("RUNS", "CACHE", "SETTINGS"):
    os.environ[f"WORKBENCH_{_name}"] = str(Path(_HOME.name) / _name.lower())
