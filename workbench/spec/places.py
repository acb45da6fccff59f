"""Where things are on this machine: bundled files, the user's runs, and caches."""

import os
from pathlib import Path

import platformdirs

_APP = "pretext-workbench"


def bundled(name: str) -> Path:
    """A folder that ships with the program ('resources', 'plugins'), in a checkout or an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_bundled" / name
    return installed if installed.is_dir() else package.parent / name


def plugin_folders() -> tuple[Path, ...]:
    """The bundled plugins, then the folders that the user has trusted in WORKBENCH_PLUGINS."""
    trusted = os.environ.get("WORKBENCH_PLUGINS", "")
    return (bundled("plugins"), *(Path(part) for part in trusted.split(os.pathsep) if part))


def default_runs() -> Path:
    """Where runs are kept unless a command or the window says otherwise (WORKBENCH_RUNS overrides)."""
    chosen = os.environ.get("WORKBENCH_RUNS")
    return Path(chosen) if chosen else Path(platformdirs.user_documents_dir()) / "Pretext Workbench" / "runs"


def cache_folder() -> Path:
    """Where things that can be made again are kept (WORKBENCH_CACHE overrides)."""
    chosen = os.environ.get("WORKBENCH_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir(_APP, appauthor=False))


def settings_folder() -> Path:
    """Where the window keeps its settings (WORKBENCH_SETTINGS overrides)."""
    chosen = os.environ.get("WORKBENCH_SETTINGS")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir(_APP, appauthor=False))


def presets_folder() -> Path:
    """Where the user's own view presets are, one TOML file each."""
    return settings_folder() / "presets"
