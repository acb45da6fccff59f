"""From an experiment to decoded images, labels and a split: everything that training and evaluation need."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.fit import Pixels, read_squares, stored_type
from workbench.data.identity import image_ids
from workbench.data.planes import counted
from workbench.data.scan import scan_folder
from workbench.data.split import plan_split
from workbench.data.store import PixelStore, open_store
from workbench.runs.split import SplitTable
from workbench.spec.dataset import BrokenFile
from workbench.spec.errors import DataError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.pixels import channels_of, of_planes
from workbench.spec.progress import Report, ignore


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Row i of `store.pixels`, of `table` and of `labels` is the same image.

    `ids` (N,) int64 say who the images are, whatever their rows; `labels` (N,) int64 index `classes`,
    -1 where unknown; `train_rows` and `test_rows` are int64;
    `broken` lists the files that could not be read, by the scan or by the decoder.
    `split_rows` (N,) int64 are their rows in the split of the run: others only where a run goes on and
    images of it can no longer be read. `planned_train` counts the training images of that split.
    """

    store: PixelStore
    table: SplitTable
    broken: tuple[BrokenFile, ...]
    classes: tuple[str, ...]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    split_rows: NDArray[np.int64]
    planned_train: int

    def unseen_rows(self, least: int = 1) -> NDArray[np.int64]:
        """Rows to judge an encoder on: the test images, or all images where there are fewer than `least` of those."""
        return self.test_rows if len(self.test_rows) >= least else np.arange(len(self.table))


def evenly(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` of the rows (n,), from the first to the last, as evenly as can be."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def prepare(
    experiment: Experiment, *, cache: Path, table: SplitTable | None = None, report: Report = ignore
) -> Prepared:
    """Scans, splits and decodes the images of an experiment, or takes them from the cache.

    With `table` (that of a run that goes on) the folder is not scanned and the split never redrawn;
    the images need not even be there, where the cache has them. Raises `DataError` and `UsageError`s
    that say what is wrong with the folder, and what `report` raises.
    """
    spec = experiment.data
    folder = Path(spec.folder)
    unread: tuple[BrokenFile, ...] = ()
    given = table
    if table is None:
        scan = scan_folder(folder, report)
        unread = scan.broken
        if unread and not scan.count:
            raise DataError(
                f"None of the {len(unread):,} images in {folder} can be read: {unread[0].path}: {unread[0].reason}"
            )
        table = plan_split(scan, spec, experiment.seed)
        spec = spec if spec.planes else of_planes(spec, scan.usual_planes)
    store, table, undecoded = open_store(folder, table, spec, cache, report)
    split = given or table
    row_of = {path: row for row, path in enumerate(split.paths)}
    classes = split.classes()
    number = {name: position for position, name in enumerate(classes)}
    return Prepared(
        store=store,
        table=table,
        broken=(*unread, *undecoded),
        classes=classes,
        ids=image_ids(table.paths),
        labels=np.asarray([number.get(label, -1) for label in table.labels], dtype=np.int64),
        train_rows=np.asarray(table.rows("train"), dtype=np.int64),
        test_rows=np.asarray(table.rows("test"), dtype=np.int64),
        split_rows=np.asarray([row_of[path] for path in table.paths], dtype=np.int64),
        planned_train=len(split.rows("train")),
    )


def read_images(folder: Path, paths: Sequence[str], spec: DataSpec) -> Pixels:
    """A few files as the store would hold them: (n, C, S, S). Raises `DataError` that names the first broken one."""
    pixels, _, broken = readable_images(folder, paths, spec)
    if broken:
        raise DataError(f"{broken[0].path} cannot be read: {broken[0].reason}")
    return pixels


def readable_images(
    folder: Path, paths: Sequence[str], spec: DataSpec, report: Report = ignore
) -> tuple[Pixels, tuple[int, ...], tuple[BrokenFile, ...]]:
    """As `read_images`, without the broken ones: (pixels, the positions in `paths` that they have, the broken)."""
    pixels: list[Pixels] = []
    positions: list[int] = []
    broken: list[BrokenFile] = []
    done = 0
    folder = folder.expanduser()
    spec = counted(spec, folder, paths)
    with closing(read_squares(folder, paths, spec)) as chunks:
        for chunk in chunks:
            for position, image in enumerate(chunk, start=done):
                if isinstance(image, DataError):
                    broken.append(BrokenFile(path=paths[position], reason=image.message))
                else:
                    pixels.append(image)
                    positions.append(position)
            done += len(chunk)
            report("Decoding images", done, len(paths))
    if pixels:
        return np.stack(pixels), tuple(positions), tuple(broken)
    channels = spec.planes if spec.channels == "planes" else channels_of(spec)
    return np.zeros((0, channels, spec.size, spec.size), stored_type(spec)), (), tuple(broken)
