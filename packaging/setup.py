"""Sets up a machine: uv, the pinned environment in .venv, and on Debian-likes the system libraries of Qt.

Standard library only, and for any Python 3 that happens to be there: uv finds or fetches the right one.
Does nothing (in a tenth of a second) where everything is in place.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "packaging" / "requirements.lock"
STAMP = ENVIRONMENT / "set-up"
WINDOWS = os.name == "nt"
SYSTEM_LIBRARIES = (
    "libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 "
    "fonts-dejavu-core fonts-inter"
).split(" ")
PROBE = (
    "from PySide6.QtWidgets import QApplication; from PySide6.QtGui import QFontDatabase; import sys; "
    "app = QApplication([]); sys.exit(0 if QFontDatabase.families() else 3)"
)


def main() -> int:
    """Returns 0 when the environment is ready."""
    if "--lock" in sys.argv:
        return lock()
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == fingerprint():
        return 0
    uv = find_uv() or install_uv()
    if uv is None:
        return stop(
            "uv could not be installed: neither a virtual environment nor pip works with this Python.",
            "Install uv by hand (https://docs.astral.sh/uv), or on Debian: apt-get install python3-venv",
        )
    environment = dict(os.environ, UV_COMPILE_BYTECODE="1", VIRTUAL_ENV=str(ENVIRONMENT))
    if not python_of(ENVIRONMENT).exists():
        say("Making .venv")
        call([uv, "venv", "--quiet", "--python", ">=3.11,<3.14", str(ENVIRONMENT)], environment)
    say("Installing the pinned packages (PyTorch is large: some minutes on a slow line)")
    call([uv, "pip", "sync", "--quiet", str(LOCK)], environment)
    call([uv, "pip", "install", "--quiet", "--no-deps", "--editable", str(ROOT)], environment)
    problem = check_qt()
    if problem:
        return stop(*problem)
    STAMP.write_text(fingerprint(), encoding="utf-8")
    return 0


def lock() -> int:
    """Resolves everything anew, for every platform and Python that is supported."""
    uv = find_uv()
    if uv is None:
        return stop("uv is missing.", "Run this script without --lock first.")
    command = [uv, "pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.11", "--upgrade"]
    call([*command, "pyproject.toml", "--group", "dev", "--no-header", "--quiet", "-o", str(LOCK)], dict(os.environ))
    return 0


def fingerprint() -> str:
    """Changes when the environment must be made anew."""
    content = LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(content + str(ROOT).encode()).hexdigest()


def find_uv() -> "str | None":
    """uv on the PATH, or the one that an earlier run put into .uv."""
    name = "uv.exe" if WINDOWS else "uv"
    for place in (ROOT / ".uv" / ("Scripts" if WINDOWS else "bin") / name, ROOT / ".uv" / "site" / "bin" / name):
        if place.exists():
            return str(place)
    return shutil.which("uv")


def install_uv() -> "str | None":
    """Into .uv, by a virtual environment where this Python can make one, by pip's --target where not.

    Neither touches the system's packages, so this also works where pip refuses to (PEP 668).
    """
    say("Installing uv into .uv")
    folder = ROOT / ".uv"
    if attempt([sys.executable, "-m", "venv", str(folder)]):
        if attempt([str(python_of(folder)), "-m", "pip", "install", "--quiet", "uv"]):
            return find_uv()
    shutil.rmtree(folder, ignore_errors=True)
    target = ["--target", str(folder / "site")]
    if attempt([sys.executable, "-m", "pip", "install", "--quiet", *target, "uv"]):
        return find_uv()
    if can_apt() and apt(["python3-venv"]) and attempt([sys.executable, "-m", "venv", str(folder)]):
        if attempt([str(python_of(folder)), "-m", "pip", "install", "--quiet", "uv"]):
            return find_uv()
    return None


def check_qt() -> "tuple[str, str] | None":
    """Whether Qt starts and has a font; on Debian-likes installs what is missing, or says what that is."""
    if qt_starts():
        return None
    if not shutil.which("apt-get"):
        return (
            "Qt does not start: a system library or a font is missing.",
            f"`QT_QPA_PLATFORM=offscreen {python_of(ENVIRONMENT)} -c 'import PySide6.QtWidgets'` says which.",
        )
    command = f"apt-get install {' '.join(SYSTEM_LIBRARIES)}"
    if not can_apt():
        return ("Qt needs some system libraries.", f"Run: sudo {command}")
    say("Installing the system libraries of Qt")
    if apt(SYSTEM_LIBRARIES) and qt_starts():
        return None
    return ("Qt does not start although its system libraries were installed.", f"Try: {command}")


def qt_starts() -> bool:
    """Tries it without a display."""
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    run = subprocess.run(
        [str(python_of(ENVIRONMENT)), "-c", PROBE],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return run.returncode == 0


def can_apt() -> bool:
    """Whether we may install Debian packages."""
    return shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


def apt(packages: "list[str]") -> bool:
    """Installs Debian packages, with fresh lists. A name that this release does not have is tried as its successor."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "-qq"], env=environment)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    if subprocess.run([*install, *packages], env=environment, stdout=subprocess.DEVNULL).returncode == 0:
        return True
    renamed = ["libglib2.0-0t64" if name == "libglib2.0-0" else name for name in packages]
    return subprocess.run([*install, *renamed], env=environment, stdout=subprocess.DEVNULL).returncode == 0


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if WINDOWS else "bin/python")


def attempt(command: "list[str]") -> bool:
    """Whether a command succeeds; quiet when it does not."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def call(command: "list[str]", environment: "dict[str, str]") -> None:
    """A command that must succeed."""
    code = subprocess.run(command, env=environment, cwd=ROOT).returncode
    if code:
        sys.exit(
            stop(
                f"`{' '.join(command)}` failed.", "Its message is above; running the command again goes on from there."
            )
        )


def say(text: str) -> None:
    """What is being done, for whoever waits."""
    sys.stderr.write(f"set-up: {text}\n")
    sys.stderr.flush()


def stop(problem: str, remedy: str) -> int:
    """What is wrong and what to do."""
    sys.stderr.write(f"set-up: {problem}\n        {remedy}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
