"""Many runs in a folder: the list that the Runs page and `workbench status` show."""

from dataclasses import dataclass
from pathlib import Path

from workbench.runs.folder import RunFolder
from workbench.runs.state import RunState, StatusName, status
from workbench.spec.errors import NotFoundError, UsageError, WorkbenchError
from workbench.spec.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """One run in a list. `problem` says why a folder could not be read (then the rest is empty)."""

    path: Path
    status: StatusName
    state: RunState
    experiment: Experiment | None
    problem: str = ""


def read_entry(path: Path) -> RunEntry:
    """One run; damage becomes `problem`, never an exception."""
    run = RunFolder(path)
    try:
        name, state = status(run)
        return RunEntry(path=path, status=name, state=state, experiment=run.experiment())
    except (WorkbenchError, OSError) as error:
        return RunEntry(path=path, status="failed", state=RunState(), experiment=None, problem=str(error))


def list_runs(runs: Path) -> list[RunEntry]:
    """Every run of a folder, newest first. A folder that does not exist has none."""
    if not runs.is_dir():
        return []
    folders = [path for path in runs.iterdir() if (path / "experiment.toml").is_file()]
    return sorted((read_entry(path) for path in folders), key=lambda entry: entry.state.created, reverse=True)


def find_run(text: str, runs: Path) -> RunFolder:
    """A run by its path, or by (a distinct part of) its name in `runs`. 'latest' is the newest."""
    if (Path(text) / "experiment.toml").is_file():
        return RunFolder.open(Path(text))
    entries = list_runs(runs)
    if text == "latest" and entries:
        return RunFolder.open(entries[0].path)
    matching = [entry.path for entry in entries if entry.path.name == text] or [
        entry.path for entry in entries if text in entry.path.name
    ]
    if len(matching) > 1:
        names = ", ".join(path.name for path in matching[:5])
        raise UsageError(f"'{text}' is the name of {len(matching)} runs in {runs}: {names}.")
    if not matching:
        raise NotFoundError(f"There is no run '{text}', neither as a folder nor in {runs}.")
    return RunFolder.open(matching[0])
