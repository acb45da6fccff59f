"""Every error that the workbench raises on purpose.

    WorkbenchError                 exit 1   something went wrong
    ├── UsageError                 exit 2   what was asked cannot be done as asked
    │   ├── SpecError                       a bad value in an experiment
    │   │   └── UnknownKeyError             a key that does not exist, with the closest one
    │   ├── NotFoundError                   a folder, a file, a run or a catalog name
    │   └── CheckError                      values that are fine alone but not together
    ├── DataError                           the images cannot be used
    ├── RunError                            a run folder cannot be read or written
    ├── TrainingError                       training cannot go on
    ├── PluginError                         a plugin cannot be loaded
    ├── ExportError                         a file was not written or does not match
    ├── EngineError                         the engine process failed or died
    └── Cancelled                           the user asked for it

A message says what happened and where; the hint says what to do about it.
"""

import difflib
from collections.abc import Iterable
from typing import Self


class WorkbenchError(Exception):
    """Base of all errors that are meant for a person."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def within(self, place: object) -> Self:
        """The same error, saying first where it was found (a file)."""
        self.message = f"{place}: {self.message}"
        return self


class UsageError(WorkbenchError):
    """What was asked cannot be done as asked."""

    exit_code = 2


class SpecError(UsageError):
    """A bad value in an experiment; `where` is its dotted path."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.where = where


class UnknownKeyError(SpecError):
    """A key that does not exist."""

    def __init__(self, key: str, allowed: Iterable[str], *, where: str) -> None:
        place = f" in {where}" if where else ""
        super().__init__(f"unknown key '{key}'{place}{suggestion(key, allowed)}")
        self.key = key
        self.where = where


class NotFoundError(UsageError):
    """A folder, a file, a run or a catalog name that does not exist."""

    @classmethod
    def named(cls, kind: str, name: str, allowed: Iterable[str]) -> "NotFoundError":
        """An unknown catalog name, with the closest known one."""
        names = sorted(allowed)
        return cls(f"unknown {kind} '{name}'{suggestion(name, names)}", hint=f"Known: {', '.join(names)}.")


class CheckError(UsageError):
    """Values that are fine alone but not together."""


class DataError(WorkbenchError):
    """The images cannot be used."""


class RunError(WorkbenchError):
    """A run folder cannot be read or written."""


class TrainingError(WorkbenchError):
    """Training cannot go on."""


class PluginError(WorkbenchError):
    """A plugin cannot be loaded."""


class ExportError(WorkbenchError):
    """A file was not written, or does not give what the original gives."""


class EngineError(WorkbenchError):
    """The engine process failed or died."""


class Cancelled(WorkbenchError):
    """The user asked for it."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)


def why(error: OSError) -> str:
    """Why the system refused, in words: 'a file is where a folder should be'."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return "a file is where a folder should be"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return error.strerror or str(error)


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """'; did you mean …?' with the closest allowed word, '.' where none is close."""
    close = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else "."
