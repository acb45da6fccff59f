"""Loads one plugin file by its path, without touching `sys.path`."""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from workbench.spec import places
from workbench.spec.catalog import Broken
from workbench.spec.errors import PluginError


def plugin_files(folder: Path, kind: str) -> Iterator[Path]:
    """The plugin files of a kind ('methods', 'ops', 'backbones') in a plugin folder, sorted."""
    if (folder / kind).is_dir():
        yield from sorted(path for path in (folder / kind).glob("*.py") if not path.name.startswith(("_", ".")))


def load_file(path: Path, kind: str) -> ModuleType:
    """Runs a plugin file as a module of its own. Raises `PluginError` with the traceback as its cause."""
    name = _module_name(path, kind)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and msgspec look a class's module up by name.
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a plugin may raise anything, and must not take the program down.
        sys.modules.pop(name, None)
        raise PluginError(f"{path.name} failed while it was loaded: {_first_line(error)}") from error
    return module


def broken(path: Path, error: BaseException) -> Broken:
    """A failed plugin as plain data, with the traceback of what it raised."""
    cause = error.__cause__ or error
    details = "".join(traceback.format_exception(cause))
    return Broken(file=str(path), message=str(error), details=details)


def _module_name(path: Path, kind: str) -> str:
    name = f"workbench_plugins.{kind}.{path.stem}"
    if path.parent.parent.resolve() == places.bundled("plugins").resolve():
        return name
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    return f"workbench_plugins.at_{place}.{kind}.{path.stem}"  # two folders may hold files of the same name.


def _first_line(error: BaseException) -> str:
    text = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
