import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from pyarrow import parquet

from workbench.export.embeddings import (
    SUFFIXES,
    EmbeddingTable,
    difference,
    embedding_table,
    names_file,
    read_embeddings,
    write_embeddings,
)
from workbench.runs.split import SplitTable
from workbench.spec.errors import ExportError, UsageError


def table(count: int = 7, width: int = 5) -> EmbeddingTable:
    split = SplitTable(
        paths=tuple(f'a,"{row}"\n.png' for row in range(count)),
        parts=("train",) * count,
        labels=tuple("" if row == 1 else f"<b>{row % 2}</b>" for row in range(count)),
        factors={"path": ("x",) * count, "f0": ("1",) * count, "embedding": ("",) * count, "µ/σ": ("größe",) * count},
    )
    features = np.random.default_rng(0).normal(scale=1e3, size=(count, width)).astype(np.float32)
    return embedding_table(split, features, '{"run": "x"}')


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("count", "width"), [(7, 5), (1, 1), (0, 3)])
def test_what_is_read_again_is_what_was_written(suffix: str, count: int, width: int, tmp_path: Path) -> None:
    original = table(count, width)
    file = write_embeddings(tmp_path / "new" / f"features{suffix}", original)
    again = read_embeddings(file)
    assert again.columns == original.columns
    np.testing.assert_array_equal(again.features, original.features)
    assert again.features.dtype == np.float32
    assert difference(file, original) == 0.0
    expected = {file.name, names_file(file).name} if suffix == ".npy" else {file.name}
    assert {path.name for path in file.parent.iterdir()} == expected


def test_a_difference_is_seen(tmp_path: Path) -> None:
    original = table()
    file = write_embeddings(tmp_path / "features.parquet", original)
    moved = EmbeddingTable(features=original.features + np.float32(0.5), columns=original.columns)
    assert difference(file, moved) == pytest.approx(0.5, abs=1e-3)
    renamed = EmbeddingTable(features=original.features, columns={"path": original.columns["path"]})
    assert difference(file, renamed) == float("inf")


def test_other_programs_find_what_they_expect(tmp_path: Path) -> None:
    original = table()
    with h5py.File(write_embeddings(tmp_path / "e.h5", original)) as file:
        assert file["embeddings"].shape == (7, 5)
        assert file["columns/label"].asstr()[0] == "<b>0</b>"
        assert file.attrs["about"] == '{"run": "x"}'
    rows = parquet.read_table(write_embeddings(tmp_path / "e.parquet", original))
    assert rows.column_names == ["path", "part", "label", "path_", "f0", "embedding_", "µ/σ", "embedding"]
    assert len(rows.column("embedding")[0].as_py()) == 5
    with write_embeddings(tmp_path / "e.csv", original).open(encoding="utf-8", newline="") as text:
        header = next(csv.reader(text))
    assert header[-5:] == ["_f0", "_f1", "_f2", "_f3", "_f4"]
    assert np.load(write_embeddings(tmp_path / "e.npy", original)).shape == (7, 5)


def test_names_that_are_no_text_are_replaced() -> None:
    split = SplitTable(paths=("bad\udcff.png",), parts=("test",), labels=("",))
    assert embedding_table(split, np.zeros((1, 2), np.float32)).columns["path"] == ("bad�.png",)


def test_what_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no known ending"):
        write_embeddings(tmp_path / "features.xlsx", table())
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be written"):
        write_embeddings(tmp_path / "file" / "features.csv", table())
