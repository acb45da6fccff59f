"""Every check of `make test`, in the order of what fails fastest: format, lint, imports, types, tests."""

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

STEPS: dict[str, list[str]] = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
    "types": ["-m", "mypy"],
    "tests": ["-m", "pytest", "-n", "2", "--dist", "loadfile"],
}


def main(wanted: list[str]) -> int:
    """Runs the steps that were named, or all; stops at the first that fails."""
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        sys.stderr.write(f"unknown step {unknown[0]}; there are {', '.join(STEPS)}\n")
        return 2
    scripts = sysconfig.get_path("scripts")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",  # Two test processes share the cores; threads of each would fight over them.
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
    }
    for name in wanted or STEPS:
        started = time.monotonic()
        sys.stdout.write(f"── {name}\n")
        sys.stdout.flush()
        code = subprocess.run([sys.executable, *STEPS[name]], cwd=ROOT, env=environment, check=False).returncode
        if code:
            sys.stderr.write(f"{name} failed\n")
            return code
        sys.stdout.write(f"   {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
