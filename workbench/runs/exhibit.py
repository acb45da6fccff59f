"""Exhibits: what a method is given, is asked and answers at an epoch, as pictures in HDF5 that never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from workbench.runs.folder import write_whole
from workbench.spec.errors import NotFoundError, RunError

_PARTS_IN_WORDS = {
    "original": "the image as it is stored",
    "input": "what the network is given",
    "target": "what it should say",
    "answer": "what it says",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ShownPanel:
    """One column. pictures: (n, h, w, 3) uint8; part: input, target, answer, or original.

    captions: a word or two under each picture, n of them, or none. right: whether each answer is right, or none.
    """

    part: str
    title: str
    pictures: NDArray[np.uint8]
    captions: tuple[str, ...] = ()
    right: tuple[bool, ...] = ()

    @property
    def part_in_words(self) -> str:
        """'what the network is given'."""
        return _PARTS_IN_WORDS.get(self.part, self.part)


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
    """The columns of an epoch, with one row for each of these images (paths in the data folder)."""

    epoch: int
    paths: tuple[str, ...]
    panels: tuple[ShownPanel, ...]

    @property
    def score(self) -> tuple[int, int] | None:
        """(right answers, answers), where the method tells right from wrong."""
        told = [right for panel in self.panels for right in panel.right]
        return (sum(told), len(told)) if told else None


def write_exhibit(path: Path, exhibit: Exhibit) -> None:
    """Writes it whole or not at all; the folder is made where it is missing."""

    def write(beside: Path) -> None:
        with h5py.File(beside, "w") as file:
            file.attrs["epoch"] = exhibit.epoch
            _put_texts(file, "paths", exhibit.paths)
            for number, panel in enumerate(exhibit.panels):
                group = file.create_group(f"panels/{number:02d}")
                group.attrs["part"], group.attrs["title"] = panel.part, panel.title
                group.create_dataset("pictures", data=panel.pictures.astype(np.uint8, copy=False), compression="gzip")
                group["right"] = np.array(panel.right, dtype=bool)
                _put_texts(group, "captions", panel.captions)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, write)


def read_exhibit(path: Path) -> Exhibit:
    """Reads it. Raises `NotFoundError`, or `RunError` where it is damaged."""
    try:
        with h5py.File(path, "r") as file:
            panels = [file["panels"][name] for name in sorted(file["panels"])]
            return Exhibit(
                epoch=int(file.attrs["epoch"]),
                paths=_texts(file["paths"]),
                panels=tuple(
                    ShownPanel(
                        part=str(panel.attrs["part"]),
                        title=str(panel.attrs["title"]),
                        pictures=panel["pictures"][:],
                        captions=_texts(panel["captions"]),
                        right=tuple(bool(one) for one in panel["right"][:]),
                    )
                    for panel in panels
                ),
            )
    except FileNotFoundError as error:
        raise NotFoundError(f"There are no pictures of the task in {path}.") from error
    except (OSError, KeyError) as error:
        raise RunError(
            f"The pictures of the task in {path} are damaged: {error}.", hint="Delete it; another epoch can be shown."
        ) from error


def _put_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> None:
    """Paths may have bytes that are no text."""
    kind = h5py.string_dtype("utf-8")
    block = np.array([text.encode("utf-8", "surrogateescape") for text in texts], dtype=object)
    group.create_dataset(name, data=block, shape=(len(texts),), dtype=kind)


def _texts(stored: h5py.Dataset) -> tuple[str, ...]:
    return tuple(bytes(text).decode("utf-8", "surrogateescape") for text in stored[:])
