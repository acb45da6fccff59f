"""Which images an encoder is judged on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.data.prepare import evenly, prepare
from workbench.runs.split import SplitTable
from workbench.spec.experiment import DataSpec, Experiment


@pytest.mark.parametrize(("count", "expected"), [(1, [2]), (2, [2, 30]), (3, [2, 18, 30]), (8, list(range(2, 32, 4)))])
def test_a_few_rows_reach_from_the_first_to_the_last(count: int, expected: list[int]) -> None:
    assert evenly(np.arange(2, 32, 4), count).tolist() == expected
    assert evenly(np.arange(2, 32, 4), 100).tolist() == list(range(2, 32, 4))


def test_an_encoder_is_judged_on_test_images_where_there_are_enough(tmp_path: Path) -> None:
    paths = tuple(f"{number}.png" for number in range(4))
    for path in paths:
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / path)
    table = SplitTable(paths=paths, parts=("train", "test", "train", "train"), labels=("",) * 4, factors={})
    data = prepare(Experiment(data=DataSpec(folder=str(tmp_path), size=8)), cache=tmp_path / "cache", table=table)
    assert data.unseen_rows().tolist() == [1]
    assert data.unseen_rows(least=2).tolist() == [0, 1, 2, 3]
