"""What the folders of images say: the class of each image, and on which side of a split it stands."""

from collections import defaultdict
from collections.abc import Sequence

_TRAIN = frozenset({"train", "training"})
_TEST = frozenset({"test", "testing", "val", "valid", "validation"})


def classes_and_parts(paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The class and the part ("train", "test", "") of each path, which has forward slashes.

    A folder train/ is a part only beside a folder test/ (or val/), and the other way round: alone,
    it may well hold pictures of trains. The class is what remains of an image's folder when its
    part is taken out, and then the first folders that all images share, save the last of each.
    """
    folders = [tuple(path.split("/")[:-1]) for path in paths]
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for folder in set(folders):
        for depth, name in enumerate(folder):
            beside[folder[:depth]].add(_part(name))
    split = {parent for parent, parts in beside.items() if {"train", "test"} <= parts}
    answers = {folder: _class_and_part(folder, split) for folder in set(folders)}
    shared = _shared({levels for levels, _ in answers.values()})
    return (
        tuple("/".join(answers[folder][0][shared:]) for folder in folders),
        tuple(answers[folder][1] for folder in folders),
    )


def _part(name: str) -> str:
    lowered = name.lower()
    return "train" if lowered in _TRAIN else "test" if lowered in _TEST else ""


def _class_and_part(folder: tuple[str, ...], split: set[tuple[str, ...]]) -> tuple[tuple[str, ...], str]:
    for depth, name in enumerate(folder):
        if folder[:depth] in split and _part(name):
            return folder[:depth] + folder[depth + 1 :], _part(name)
    return folder, ""


def _shared(classes: set[tuple[str, ...]]) -> int:
    """How many first levels are the same in all, leaving each at least its last."""
    count = 0
    while all(len(levels) > count + 1 for levels in classes) and len({levels[count] for levels in classes}) == 1:
        count += 1
    return count if classes else 0
