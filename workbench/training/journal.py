"""What the trainer says of a run: events, with a full disk told in words."""

import contextlib
import errno
from types import TracebackType
from typing import Self

from workbench.runs.events import AnyEvent, EventLog
from workbench.runs.folder import RunFolder
from workbench.spec.errors import RunError


class Journal:
    """Appends events of a run; silent where `active` is false (every rank but the first)."""

    def __init__(self, run: RunFolder, *, active: bool = True) -> None:
        self._run = run
        self._log: EventLog | None = None
        if active:
            try:
                self._log = EventLog(run.events_file)
            except OSError as error:
                raise disk_words(error, run) from error

    def tell(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Writes an event; `durable` ones survive a power cut. Raises `RunError` where they cannot be written."""
        if self._log is None:
            return
        try:
            self._log.append(event)
            if durable:
                self._log.sync()
        except OSError as error:
            raise disk_words(error, self._run) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.close()


def disk_words(error: OSError, run: RunFolder) -> RunError:
    """What is wrong with the disk, and what to do."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return RunError(
            f"There is no space left for the run in {run.path}.",
            hint="Free some space, then resume: the run goes on from its last checkpoint.",
        )
    return RunError(
        f"The run folder {run.path} cannot be written: {error.strerror or error}.",
        hint="When it can be again, resume: the run goes on from its last checkpoint.",
    )
