"""The images of a run, read for its training: the pixel store, the split, films, and what is to be said of them."""

import time

from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of
from workbench.data.prepare import Prepared, prepare
from workbench.method.frames import Frames
from workbench.runs.events import Progressed, Warned
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split, write_split
from workbench.spec import places
from workbench.spec.errors import Cancelled, CheckError
from workbench.spec.experiment import Experiment
from workbench.spec.needs import films_torn
from workbench.spec.progress import Report
from workbench.training.frames import frames_of
from workbench.training.journal import Journal
from workbench.training.pulse import Pulse
from workbench.training.ranks import Ranks

_TELL_SECONDS = 0.25


def read_images(
    run: RunFolder, experiment: Experiment, *, ranks: Ranks, report: Report, journal: Journal, pulse: Pulse
) -> Prepared:
    """The pixel store and the split: drawn once, at the first start, and read from split.csv ever after.

    Raises `CheckError` where the batch does not suit them, and what `prepare` raises.
    """
    if not ranks.leads:
        ranks.wait()  # The first rank builds the store; the others open it.
    table = read_split(run.split_file) if run.split_file.is_file() else None
    data = prepare(experiment, cache=places.cache_folder(), table=table, report=_telling(report, journal, pulse))
    if ranks.leads:
        if table is None:
            write_split(run.split_file, data.table)
        for line in _warnings(experiment, data):
            journal.tell(Warned(message=line))
        ranks.wait()
    _check_batch(experiment, data, ranks)
    return data


def films_of(experiment: Experiment, data: Prepared, registry: Registry) -> Frames | None:
    """The training images as frames, where a task learns from films. Raises `CheckError` where the split tears them."""
    info = method_of(experiment.method, registry)
    if not info.uses_frames:
        return None
    torn = films_torn(experiment.data, info.title)
    if torn:
        raise CheckError(torn)
    return frames_of(data.store.pixels, data.table.paths, data.train_rows)


def _warnings(experiment: Experiment, data: Prepared) -> list[str]:
    """What a person should know of the images."""
    lines = []
    if data.broken:
        first, count = data.broken[0], len(data.broken)
        files = "1 file was" if count == 1 else f"{count:,} files were"
        lines.append(f"{files} left out, being unreadable ({first.path}: {first.reason}).")
    lost = data.planned_train - len(data.train_rows)
    if lost:
        lines.append(
            f"{lost:,} of the {data.planned_train:,} images that this run was trained on can no longer be read: it "
            "goes on with the others, and not exactly as it would have."
        )
    if experiment.data.labels != "none" and len(data.classes) < 2:
        what = f"All images have the same label ({data.classes[0]})" if data.classes else "No image has a label"
        lines.append(f"{what}, so that kNN is not measured.")
    if len(data.test_rows) == 0:
        lines.append("There are no test images, so that kNN is not measured.")
    return lines


def _check_batch(experiment: Experiment, data: Prepared, ranks: Ranks) -> None:
    images, batch = len(data.train_rows), experiment.train.batch_size
    if batch > images:
        raise CheckError(
            f"The batch of {batch} is larger than the training set of {images} images.",
            hint=f"Set train.batch_size to {max(1, 2 ** (max(1, images // 4).bit_length() - 1))} or less.",
        )
    if batch % ranks.world:
        raise CheckError(f"The batch of {batch} cannot be shared evenly by {ranks.world} processes.")
    parts = experiment.train.accumulate
    if batch % (ranks.world * parts):
        each = "" if ranks.world == 1 else f" in each of {ranks.world} processes"
        raise CheckError(f"The batch of {batch} cannot be taken in {parts} equal parts{each} (train.accumulate).")


def _telling(report: Report, journal: Journal, pulse: Pulse) -> Report:
    """A report that also tells the run's readers, and that a request to stop cancels."""
    told = 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told
        report(what, done, total)
        if pulse.stop:
            raise Cancelled
        now = time.monotonic()
        if now - told >= _TELL_SECONDS or (total and done >= total):
            told = now
            journal.tell(Progressed(what=what, done=done, total=total))

    return tell
