"""What can be done with runs. Everything here raises `WorkbenchError` with a sentence where it cannot."""

from collections.abc import Sequence
from pathlib import Path

from send2trash import send2trash

from workbench.gui.run_rows import RunRow
from workbench.runs import control
from workbench.runs.folder import RunFolder
from workbench.runs.launch import launch_trainer
from workbench.spec.errors import RunError, UsageError

_FORBIDDEN = '<>:"/\\|?*'


def rename(row: RunRow, name: str) -> RunFolder:
    """Another name for a run's folder. Not while a trainer writes into it."""
    name = name.strip()
    if control.is_alive(RunFolder(row.folder)):
        raise UsageError(f"{row.name} is at work and cannot be renamed.", hint="Stop it first.")
    if not name or name in (".", "..") or any(sign in _FORBIDDEN or ord(sign) < 32 for sign in name):
        raise UsageError(f"'{name}' cannot be the name of a folder.", hint=f"Leave out {' '.join(_FORBIDDEN)}.")
    target = row.folder.with_name(name)
    if target == row.folder:
        return RunFolder(target)
    if target.exists():
        raise UsageError(f"There is a run named {name} already.")
    try:
        row.folder.rename(target)
    except OSError as error:
        raise RunError(f"{row.name} cannot be renamed: {error.strerror or error}.") from error
    return RunFolder(target)


def delete(rows: Sequence[RunRow]) -> None:
    """Puts runs into the trash. None of them, where one is at work."""
    busy = [row.name for row in rows if control.is_alive(RunFolder(row.folder))]
    if busy:
        raise UsageError(f"{busy[0]} is at work and cannot be deleted.", hint="Stop it first.")
    for row in rows:
        try:
            send2trash(str(row.folder))
        except OSError as error:
            raise RunError(
                f"{row.name} cannot be put into the trash: {error}.",
                hint=f"It is still in {row.folder.parent}; delete the folder yourself where there is no trash.",
            ) from error


def resume(row: RunRow) -> RunFolder:
    """Continues a run: a paused one by taking the pause back, any other with a new trainer."""
    run = RunFolder.open(row.folder)
    control.withdraw(run, "pause")
    control.withdraw(run, "stop")
    if not control.is_alive(run):
        launch_trainer(run)
    return run


def stop(row: RunRow) -> None:
    """Asks the trainer to write a checkpoint and leave."""
    control.ask(RunFolder(row.folder), "stop")


def can_resume(row: RunRow) -> bool:
    """Whether there is something to continue."""
    return not row.unreadable and row.status in ("created", "paused", "stopped", "interrupted", "failed")


def folder_of(rows: Sequence[RunRow], runs: Path) -> Path:
    """What the file manager is to show."""
    return rows[0].folder if len(rows) == 1 else runs
