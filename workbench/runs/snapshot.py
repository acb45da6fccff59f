"""Snapshots: the embeddings of some images at an epoch, as HDF5 that never changes once written."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from workbench.runs.folder import write_whole
from workbench.spec.errors import NotFoundError, RunError


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """embeddings: (N, d) float32; indices: (N,) int64 rows of split.csv; pca: (N, 2) float32."""

    epoch: int
    embeddings: NDArray[np.float32]
    indices: NDArray[np.int64]
    pca: NDArray[np.float32]


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Writes it whole or not at all."""

    def write(beside: Path) -> None:
        with h5py.File(beside, "w") as file:
            file.attrs["epoch"] = snapshot.epoch
            file["embeddings"] = snapshot.embeddings.astype(np.float32, copy=False)
            file["indices"] = snapshot.indices.astype(np.int64, copy=False)
            file["layout/pca"] = snapshot.pca.astype(np.float32, copy=False)

    write_whole(path, write)


def read_snapshot(path: Path, *, embeddings: bool = True) -> Snapshot:
    """Reads it; without `embeddings` that array is empty (0, d), which is quick."""
    try:
        with h5py.File(path, "r") as file:
            stored = file["embeddings"]
            return Snapshot(
                epoch=int(file.attrs["epoch"]),
                embeddings=stored[:] if embeddings else np.empty((0, stored.shape[1]), np.float32),
                indices=file["indices"][:],
                pca=file["layout/pca"][:],
            )
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no snapshot {path.name} in {path.parent}.") from error
    except (OSError, KeyError) as error:
        raise RunError(
            f"The snapshot {path} is damaged: {error}.", hint="Delete it; another epoch can be shown."
        ) from error


def write_layout(path: Path, positions: NDArray[np.float32], indices: NDArray[np.int64]) -> None:
    """positions: (N, 2), in the order of `indices`."""

    def write(beside: Path) -> None:
        with h5py.File(beside, "w") as file:
            file["positions"] = positions.astype(np.float32, copy=False)
            file["indices"] = indices.astype(np.int64, copy=False)

    write_whole(path, write)


def read_layout(path: Path) -> NDArray[np.float32] | None:
    """positions (N, 2), or None where it was not computed yet or is damaged (it can be made again)."""
    try:
        with h5py.File(path, "r") as file:
            positions: NDArray[np.float32] = file["positions"][:]
            return positions
    except (OSError, KeyError):
        return None
