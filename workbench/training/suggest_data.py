"""How to read a scanned folder: size, channels, depth, labels, groups, each with its reason."""

import statistics
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from workbench.data.kinds import KNOWN_KINDS
from workbench.data.sample import FACTORS
from workbench.data.window import suggest_window
from workbench.spec.dataset import LabelTable, ScanReport, is_planar
from workbench.spec.errors import CheckError
from workbench.spec.experiment import MOST_PLANES, DataSpec
from workbench.spec.machine import Device
from workbench.training.devices import list_devices

_SIZES = (32, 64, 96, 128, 224)
_LABEL_NAMES = ("label", "class", "category", "target", "diagnosis", "species", "type", "finding")
_GROUP_NAMES = ("patient", "subject", "plate", "donor", "slide", "animal", "participant", "video", "session")
_MOST_CLASSES = 200
_FEW_CLIPS = 4
CPU_LARGEST = 96
"""Side in px up to which images are trained without a GPU in reasonable time."""


def suggest_data(scan: ScanReport) -> tuple[DataSpec, tuple[str, ...]]:
    """How to read a scanned folder, and a sentence per decision. Raises `CheckError` where it holds no images."""
    refuse_empty(scan)
    reasons: list[str] = []
    return _data(scan, list_devices()[0], reasons), tuple(reasons)


def refuse_empty(scan: ScanReport) -> None:
    """Raises `CheckError` where there is no image to read."""
    if scan.count:
        return
    if scan.broken:
        first = scan.broken[0]
        raise CheckError(
            f"None of the {len(scan.broken):,} images in {scan.folder} can be read: {first.path}: {first.reason}"
        )
    raise CheckError(f"There are no readable images in {scan.folder}.", hint=f"Read are {KNOWN_KINDS}.")


def _data(scan: ScanReport, device: Device, reasons: list[str]) -> DataSpec:
    size = _size(scan, device, reasons)
    channels, planes = _channels(scan, reasons)
    spec = _deep(scan, DataSpec(folder=scan.folder, size=size, channels=channels, planes=planes), reasons)
    table = max(scan.tables, key=lambda table: table.matched, default=None)
    folders = scan.class_counts()
    classes = len(set(folders) - {""})
    if scan.clips:
        spec = _films(scan, spec, reasons)
    elif classes > 1 and (table is None or classes < scan.count / 2):
        reasons.append(f"Labels come from the {classes} sub-folders; training does not use them, probes do.")
        spec = replace(spec, labels="folders")
    elif table and (column := _label_column(table, scan.count)):
        reasons.append(f"Labels come from the column '{column}' of {table.file}; training does not use them.")
        spec = replace(spec, labels="csv", column=column)
    else:
        reasons.append("No labels were found: the map and the health figures work without them.")
    if table:
        spec = replace(spec, csv=table.file)
        if spec.split not in ("clips", "stretches") and (group := _group_column(table, scan.count)):
            reasons.append(f"Images of one '{group}' stay on one side of the split, or the test would be too easy.")
            spec = replace(spec, group=group)
    if "test" in scan.parts and "train" in scan.parts:
        reasons.append("The folders train and test decide which images are kept for testing.")
    return spec


def _films(scan: ScanReport, spec: DataSpec, reasons: list[str]) -> DataSpec:
    """Frames of films: no labels, and no frame for testing beside one that is trained on."""
    clips = "1 clip" if scan.clips == 1 else f"{scan.clips:,} clips"
    reasons.append(
        f"The folder holds {clips}, {scan.count:,} frames: each sub-folder is a film, its images the frames in order. "
        "Methods that learn from the order of frames can be used (shuffle_and_learn, order_prediction)."
    )
    if {"train", "test"} <= set(scan.parts):
        return spec
    if scan.clips < _FEW_CLIPS:
        reasons.append("The last stretch of every clip is kept for testing: there are too few clips to spare one.")
        return replace(spec, split="stretches")
    reasons.append("Whole clips are kept for testing, as neighboring frames are nearly the same image.")
    return replace(spec, split="clips")


def _size(scan: ScanReport, device: Device, reasons: list[str]) -> int:
    median = statistics.median(min(sides) for sides in zip(scan.widths, scan.heights, strict=True))
    size = max((step for step in _SIZES if step <= median), default=_SIZES[0])
    if device.name == "cpu" and size > CPU_LARGEST:
        reasons.append(
            f"{CPU_LARGEST} px, though the images have {median:.0f} px: without a GPU larger ones take too long."
        )
        return CPU_LARGEST
    reasons.append(f"{size} px, because the shorter side of the images is {median:.0f} px (median).")
    return size


def _channels(scan: ScanReport, reasons: list[str]) -> tuple[Literal["rgb", "gray", "planes"], int]:
    """The channels, and how many planes where they are planes."""
    usual = scan.usual_planes
    planar = sum(
        planes == usual and is_planar(mode, planes) for mode, planes in zip(scan.modes, scan.planes, strict=False)
    )
    if planar * 2 > scan.count and usual <= MOST_PLANES:
        reasons.append(f"{usual} planes, each a channel of its own, because the files hold so many.")
        return "planes", usual
    if planar * 2 > scan.count:
        reasons.append(f"The first page of each file: it has {usual}, and {MOST_PLANES} planes are the limit.")
    if all(mode in ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L") for mode in scan.modes):
        reasons.append("One gray channel, because no image has color.")
        return "gray", 0
    return "rgb", 0


def _deep(scan: ScanReport, data: DataSpec, reasons: list[str]) -> DataSpec:
    """16 bits and one scale where most images have more than 8."""
    if sum(bits > 8 for bits in scan.bits) * 2 <= scan.count:
        return data
    reasons.append("Stored at 16 bits, because the files have more than 8; all images keep one scale.")
    data = replace(data, depth="16")
    deep = tuple(path for path, bits in zip(scan.paths, scan.bits, strict=True) if bits > 8)
    window = suggest_window(Path(scan.folder), deep)
    if window is None:
        return data
    reasons.append(window.reason)
    return replace(data, black=window.black, white=window.white)


def _label_column(table: LabelTable, count: int) -> str:
    columns = [
        (name, distinct)
        for name, distinct in zip(table.columns, table.distinct, strict=True)
        if 2 <= distinct <= min(_MOST_CLASSES, max(2, count // 4)) and not is_named(name, _GROUP_NAMES)
    ]
    named = [name for name, _ in columns if is_named(name, _LABEL_NAMES)]
    return (named or [name for name, _ in columns] or [""])[0]


def _group_column(table: LabelTable, count: int) -> str:
    for name, distinct in zip(table.columns, table.distinct, strict=True):
        if is_named(name, _GROUP_NAMES) and 2 <= distinct < count:
            return name
    return ""


def is_painted(scan: ScanReport) -> bool:
    """Whether it is the painted sample, by its table."""
    return any(table.columns == tuple(FACTORS) and table.matched == scan.count for table in scan.tables)


def is_named(name: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words is part of a name."""
    return any(word in name.lower() for word in words)
