"""`workbench inside`: pictures of every kind, and the score against masks."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.catalog.registry import load_registry
from workbench.cli import main
from workbench.evaluate.inside import look_inside
from workbench.evaluate.masks import compare_with_masks
from workbench.inspect.encoder import load_encoder
from workbench.runs.folder import RunFolder
from workbench.runs.masks import load_comparison
from workbench.runs.split import read_split
from workbench.spec.errors import CheckError, DataError


@pytest.mark.parametrize(("kind", "columns"), [("saliency", 2), ("colors", 2), ("channels", 5), ("match", 3)])
def test_each_kind_is_a_picture(trained_run: RunFolder, tmp_path: Path, kind: str, columns: int) -> None:
    file = tmp_path / "inside.png"
    asked = ["inside", str(trained_run.path), "--kind", kind, "--images", "3", "--scale", "2", "-o", str(file)]
    assert main(asked) == 0
    with Image.open(file) as sheet:
        assert sheet.width > columns * 112
        assert len(np.unique(np.asarray(sheet))) > 20


def test_the_chosen_place_is_most_like_itself_and_framed(trained_run: RunFolder) -> None:
    found = look_inside(trained_run, "match", images=4, scale=4, place=(0.9, 0.1))
    original, _, marked = found.panels
    assert marked.captions[0] == "1.00"
    changed = (original.pictures[0] != marked.pictures[0]).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.max() < 16
    assert columns.min() >= 16
    other = look_inside(trained_run, "match", images=4, scale=4, place=(0.1, 0.9)).panels[2]
    assert not np.array_equal(marked.pictures[0], other.pictures[0])


def test_trained_and_untrained_differ(trained_run: RunFolder) -> None:
    trained, untrained = (
        look_inside(trained_run, "colors", images=3, trained=trained).panels[1].pictures for trained in (True, False)
    )
    assert not np.array_equal(trained, untrained)


def test_a_network_without_attention_says_what_it_has(trained_run: RunFolder) -> None:
    with pytest.raises(CheckError, match="has no attention"):
        look_inside(trained_run, "attention", images=2)


def test_masks_are_found_beside_fitted_and_scored(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = read_split(run.split_file)
    with pytest.raises(DataError, match="None of the test images has a mask"):
        compare_with_masks(run, tmp_path)
    for path in table.paths:
        mask = np.zeros((32, 32), np.uint8)
        mask[8:24, 8:24] = 255
        file = (tmp_path / path).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(file)
    assert main(["inside", str(run.path), "--masks", str(tmp_path), "--json"]) == 0
    scores = {score["subject"]: score for score in json.loads(capsys.readouterr().out)}
    assert set(scores) == {"trained", "untrained", "box in the middle"}
    assert scores["box in the middle"]["jaccard"] == pytest.approx(1)
    kept = load_comparison(run)
    assert kept is not None
    assert (kept.folder, kept.by) == (str(tmp_path), "saliency")
    assert kept.epoch == load_encoder(run, registry=load_registry()).epoch
    assert [score.subject for score in kept.scores] == ["trained", "untrained", "box in the middle"]
    assert kept.score("trained").jaccard == scores["trained"]["jaccard"]
    assert 0 <= scores["trained"]["low"] <= scores["trained"]["jaccard"] <= scores["trained"]["high"] < 1


@pytest.mark.parametrize("asked", [["--at", "left"], ["--at", "2,0"], []])
def test_what_is_asked_wrongly_is_said(trained_run: RunFolder, tmp_path: Path, asked: list[str]) -> None:
    output = ["-o", str(tmp_path / "x.png")] if asked else []
    assert main(["inside", str(trained_run.path), *asked, *output]) == 2
