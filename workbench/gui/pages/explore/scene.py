"""What the map shows: positions of an epoch, classes of a column, neighbors of an image. numpy only, no Qt."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.runs.folder import RunFolder
from workbench.runs.snapshot import read_layout, read_snapshot
from workbench.runs.split import SplitTable

PART = "part"


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One epoch. positions: (N, 2); indices: (N,) rows of split.csv. `kind` is what was found: pca or umap."""

    epoch: int
    kind: str
    positions: NDArray[np.float32]
    indices: NDArray[np.int64]


def read_scene(run: RunFolder, epoch: int, kind: str, reference: NDArray[np.float32] | None) -> Scene:
    """The layout of an epoch: UMAP where it is wanted and was computed, else PCA, turned to lie on `reference`."""
    snapshot = read_snapshot(run.snapshot_file(epoch), embeddings=False)
    if kind != "pca":
        positions = read_layout(run.layout_file(epoch, kind))
        if positions is not None and len(positions) == len(snapshot.indices):
            return Scene(epoch=epoch, kind=kind, positions=positions, indices=snapshot.indices)
    positions = snapshot.pca
    if reference is not None and len(reference) == len(positions):
        positions = turned(positions, reference)
    return Scene(epoch=epoch, kind="pca", positions=positions, indices=snapshot.indices)


def turned(positions: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rotated and mirrored (distances stay) to lie best on `reference` (orthogonal Procrustes, Schönemann 1966).

    The signs and the order of principal components are arbitrary: without this, points jump between epochs.
    """
    center = positions.mean(axis=0)
    moved, fixed = positions - center, reference - reference.mean(axis=0)
    u, _, vt = np.linalg.svd(moved.T.astype(np.float64) @ fixed)
    return np.asarray(moved @ (u @ vt).astype(np.float32), np.float32)


def columns(table: SplitTable) -> tuple[str, ...]:
    """By what points can be colored, the label first; "part" is train or test."""
    label = ("label",) if table.classes() else ()
    return (*label, *(name for name in table.factors if name != PART), PART)


def classes_of(table: SplitTable, column: str, indices: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names of all classes of a column in the whole set, and the class of each index (-1 where empty)."""
    values = np.array(table.parts if column == PART else table.column(column), dtype=object)
    names = tuple(sorted(set(values.tolist()) - {""}, key=_natural))
    numbers = {name: number for number, name in enumerate(names)} | {"": -1}
    chosen = values[indices].tolist() if len(indices) else []
    return names, np.array([numbers[value] for value in chosen], np.int64)


def nearest(path: Path, position: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The positions of the most similar images of a snapshot, itself left out, and their cosines."""
    unit = _unit_embeddings(path)
    cosines = unit @ unit[position]
    cosines[position] = -np.inf
    count = min(count, len(cosines) - 1)
    if count <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    top = np.argpartition(-cosines, count - 1)[:count]
    top = top[np.argsort(-cosines[top], kind="stable")]
    return top.astype(np.int64), cosines[top].astype(np.float32)


@lru_cache(maxsize=2)
def _unit_embeddings(path: Path) -> NDArray[np.float32]:
    embeddings = read_snapshot(path).embeddings
    norms = np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    return np.asarray(embeddings / norms, np.float32)


def _natural(name: str) -> tuple[int, float, str]:
    """Numbers in order of value, before words."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name.lower()
