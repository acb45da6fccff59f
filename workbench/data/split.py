"""The split: which image is for training and which for testing, decided once and the same every time.

Every choice ranks images by a hash of (seed, path), so it depends on nothing but the seed and the
names: not on the order of files, the platform or a library's random numbers, and an image that
is added later moves few of the others.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from pathlib import Path

from workbench.data.clips import LEAST_FRAMES, clips_of, positions
from workbench.data.kinds import KNOWN_KINDS
from workbench.data.labels import Labels, label_column, read_labels
from workbench.runs.split import SplitTable
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError, DataError, SpecError
from workbench.spec.experiment import DataSpec

_GAP = 0.05
"""Share of a clip that is left out between the stretch to train on and the one to test on."""


def plan_split(scan: ScanReport, spec: DataSpec, seed: int) -> SplitTable:
    """Labels, factors and a side for every image of a scan, in its order (`spec.limit` of them, where set).

    Labels come from the folders or the label table; the table's other columns become factors, also
    where labels are not taken from it. With "auto" and "folders" the folders train/ and test/
    decide where they exist (other images train); otherwise `test_fraction` of each class is drawn,
    at least one of every class that has two, and equal values of `spec.group` stay together. With "clips" whole
    folders are drawn; with "stretches" the last part of each folder's images, in their natural order, is for testing,
    and some images before it are left out, as they hardly differ from it.

    Raises `DataError` without images, and `UsageError`s for what the folder does not have.
    """
    if not scan.count:
        raise DataError(f"There are no readable images in {scan.folder}.", hint=f"Read are {KNOWN_KINDS}.")
    table = _label_table(scan, spec)
    labels, used = _labels(scan, spec, table)
    groups = _groups(spec, table)
    by_clip = spec.split in ("clips", "stretches")
    by_folder = _folders_decide(scan, spec)
    if by_clip and groups is not None:
        raise CheckError(
            f"data.split '{spec.split}' and data.group '{spec.group}' both say which images stay together.",
            hint="Clear data.group, or split at random with it.",
        )
    if by_folder and groups is not None:
        _check_apart(scan, groups, spec.group)
    rows = list(range(scan.count))
    if 0 < spec.limit < scan.count:
        strata = list(zip(scan.parts if by_folder else scan.classes, labels))
        # Of a clip the first frames are kept, so that none is missing between them.
        ranks = positions(scan.paths)[1].tolist() if by_clip else [_rank(seed, path, "limit") for path in scan.paths]
        rows = _subset(rows, strata, ranks, spec.limit)
    if by_folder:
        parts = ["test" if scan.parts[row] == "test" else "train" for row in rows]
    elif by_clip:
        rows, parts = _draw_clips(rows, scan.paths, spec, seed)
    else:
        parts = _draw(rows, scan, labels, groups, fraction=spec.test_fraction, seed=seed)
    columns = table.columns if table is not None else {}
    return SplitTable(
        paths=tuple(scan.paths[row] for row in rows),
        parts=tuple(parts),
        labels=tuple(labels[row] for row in rows),
        factors={
            _factor_name(name): tuple(values[row] for row in rows) for name, values in columns.items() if name != used
        },
    )


def _label_table(scan: ScanReport, spec: DataSpec) -> Labels | None:
    needed = spec.labels == "csv" or bool(spec.group)
    if not needed and all(table.file != spec.csv for table in scan.tables):
        return None
    return read_labels(Path(scan.folder) / spec.csv, scan.paths)


def _labels(scan: ScanReport, spec: DataSpec, table: Labels | None) -> tuple[Sequence[str], str]:
    """The labels, and the column of the table that they are, if any."""
    if spec.labels == "csv":
        assert table is not None
        column = label_column(table, spec.column, spec.csv)
        return table.columns[column], column
    if spec.labels == "folders":
        if not any(scan.classes):
            raise SpecError(
                "the images are in no sub-folders that could be classes", where="data.labels", hint="Use 'none'."
            )
        return scan.classes, ""
    return ("",) * scan.count, ""


def _factor_name(column: str) -> str:
    """The columns of split.csv have fixed names that a factor must leave free."""
    return f"{column} (table)" if column in ("index", "path", "part", "label") else column


def _groups(spec: DataSpec, table: Labels | None) -> Sequence[str] | None:
    if not spec.group:
        return None
    assert table is not None
    if spec.group not in table.columns:
        raise SpecError(
            f"{spec.csv} has no column '{spec.group}'; it has {', '.join(table.columns)}", where="data.group"
        )
    return table.columns[spec.group]


def _folders_decide(scan: ScanReport, spec: DataSpec) -> bool:
    if spec.split in ("random", "clips", "stretches"):
        return False
    both = {"train", "test"} <= set(scan.parts)
    if spec.split == "folders" and not both:
        raise CheckError(
            f"{scan.folder} has no folders train/ and test/ to split by.", hint="Set data.split to 'random'."
        )
    return both


def _check_apart(scan: ScanReport, groups: Sequence[str], column: str) -> None:
    sides: dict[str, set[bool]] = defaultdict(set)
    for group, part in zip(groups, scan.parts):
        sides[group].add(part == "test")
    torn = sorted(group for group, found in sides.items() if group and len(found) > 1)
    if torn:
        raise CheckError(
            f"{len(torn):,} values of '{column}' are both in the training and in the test folders ({torn[0]}).",
            hint="Set data.split to 'random', which keeps them together, or clear data.group.",
        )


def _rank(seed: int, name: str, purpose: str) -> int:
    """A number from a hash: the same on every machine, and without pattern over the names."""
    text = f"{purpose}\0{seed}\0{name}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _subset(rows: list[int], strata: Sequence[Hashable], ranks: Sequence[int], limit: int) -> list[int]:
    """`limit` of the rows, each stratum by its share (largest remainders), in their old order."""
    members = _members(rows, strata, ranks)
    shares = {stratum: limit * len(inside) / len(rows) for stratum, inside in members.items()}
    counts = {stratum: int(share) for stratum, share in shares.items()}
    left = limit - sum(counts.values())
    by_remainder = sorted(shares, key=lambda stratum: (counts[stratum] - shares[stratum], ranks[members[stratum][0]]))
    for stratum in by_remainder[:left]:
        counts[stratum] += 1
    return sorted(row for stratum, inside in members.items() for row in inside[: counts[stratum]])


def _members(rows: Sequence[int], strata: Sequence[Hashable], ranks: Sequence[int]) -> dict[Hashable, list[int]]:
    members: dict[Hashable, list[int]] = defaultdict(list)
    for row in sorted(rows, key=ranks.__getitem__):
        members[strata[row]].append(row)
    return members


def _draw(
    rows: list[int],
    scan: ScanReport,
    labels: Sequence[str],
    groups: Sequence[str] | None,
    *,
    fraction: float,
    seed: int,
) -> list[str]:
    if groups is None:
        ranks = [_rank(seed, path, "split") for path in scan.paths]
        test = _draw_images(_members(rows, labels, ranks), fraction)
    else:
        names = [groups[row] or f"\0{scan.paths[row]}" for row in range(scan.count)]  # no value: a group of its own
        test = _draw_groups(rows, labels, names, fraction=fraction, seed=seed)
    return ["test" if row in test else "train" for row in rows]


def _draw_clips(rows: list[int], paths: Sequence[str], spec: DataSpec, seed: int) -> tuple[list[int], list[str]]:
    """The rows that are used, and their sides: whole clips, or the last stretch of each behind a gap."""
    if spec.split == "clips":
        names = [path.rpartition("/")[0] for path in paths]
        if len({names[row] for row in rows}) < 2:
            raise CheckError(
                "All images are in one folder, so that no whole clip can be kept for testing.",
                hint="Set data.split to 'stretches', or put the frames of every clip into a folder of their own.",
            )
        test = _draw_groups(rows, [""] * len(paths), names, fraction=spec.test_fraction, seed=seed)
        return rows, ["test" if row in test else "train" for row in rows]
    side: dict[int, str] = {}
    for places in clips_of([paths[row] for row in rows]).values():
        kept = max(LEAST_FRAMES, round(spec.test_fraction * len(places)))
        gap = max(1, round(_GAP * len(places)))
        train = len(places) - kept - gap
        if train < LEAST_FRAMES:  # Too short to be cut.
            train, kept = len(places), 0
        side.update((rows[place], "train") for place in places[:train])
        side.update((rows[place], "test") for place in places[len(places) - kept :])
    used = [row for row in rows if row in side]
    return used, [side[row] for row in used]


def _draw_images(members: dict[Hashable, list[int]], fraction: float) -> set[int]:
    """The first of every class by rank. One image alone trains; of two or more, one at least is kept on each side."""
    test: set[int] = set()
    for inside in members.values():
        if len(inside) > 1:
            test.update(inside[: min(len(inside) - 1, max(1, round(fraction * len(inside))))])
    return test


def _draw_groups(
    rows: Sequence[int], labels: Sequence[str], names: Sequence[str], *, fraction: float, seed: int
) -> set[int]:
    """Whole groups, so that every class comes as close to its share as they allow.

    In the order of their ranks, each goes to the test side if that brings the classes closer to
    their targets: the sum over classes of ((count - target) / size)² must fall.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        members[names[row]].append(row)
    if len(members) < 2:
        raise CheckError(
            "All images belong to one group, so they cannot be split.", hint="Clear data.group or choose another."
        )
    sizes = Counter(labels[row] for row in rows)
    missing = {label: fraction * size for label, size in sizes.items()}
    test: set[int] = set()
    taken = 0
    for name in sorted(members, key=lambda name: _rank(seed, name, "group")):
        inside = Counter(labels[row] for row in members[name])
        change = sum(
            ((missing[label] - count) ** 2 - missing[label] ** 2) / sizes[label] ** 2 for label, count in inside.items()
        )
        if change < 0 and taken < len(members) - 1:
            test.update(members[name])
            taken += 1
            for label, count in inside.items():
                missing[label] -= count
    smallest = min(members.values(), key=len)
    return test or set(smallest)
