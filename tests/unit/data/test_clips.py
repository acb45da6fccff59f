"""Folders of frames: what is taken for a film, in which order, and how films are split."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tests.films import paint_films
from workbench.data.clips import clips_of, count_clips, films_in, numbered_clips, positions
from workbench.data.scan import scan_folder
from workbench.data.split import plan_split
from workbench.runs.split import SplitTable
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError
from workbench.spec.experiment import DataSpec
from workbench.training.suggest_data import suggest_data

CLIPS, FRAMES = 5, 24


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    folder = tmp_path_factory.mktemp("films")
    paint_films(folder, clips=CLIPS, frames=FRAMES, size=24)
    return scan_folder(folder)


def test_frames_are_in_the_natural_order_of_their_names() -> None:
    paths = ["b/2.png", "a/frame-10.png", "a/frame-9.png", "b/10.png", "b/1.png", "a/frame-100.png"]
    assert clips_of(paths) == {"a": [2, 1, 5], "b": [4, 0, 3]}
    clip, place = positions(paths)
    assert clip.tolist() == [1, 0, 0, 1, 1, 0]
    assert place.tolist() == [1, 1, 0, 2, 0, 2]


def test_a_clip_has_names_that_differ_by_a_number() -> None:
    film = [f"film/{number:03d}.png" for number in range(6)]
    holiday = [f"holiday/{name}.jpg" for name in ("beach", "boat", "hotel", "cat", "dog", "sun")]
    twice = [f"twice/{name}{number}.png" for number in range(4) for name in "ab"]
    short = [f"short/{number}.png" for number in range(4)]
    assert list(numbered_clips(film + holiday + twice + short)) == ["film"]


def test_films_are_told_from_numbered_pictures(scan: ScanReport, tmp_path: Path) -> None:
    assert scan.clips == CLIPS
    draw = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for number in range(12):
            content = draw.integers(0, 255, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(content).resize((24, 24)).save(tmp_path / name / f"{number:04d}.png")
    other = scan_folder(tmp_path)
    assert other.clips == 0
    assert films_in(tmp_path) == 0
    assert films_in(Path(scan.folder)) == CLIPS
    assert count_clips(Path(scan.folder), [path for path in scan.paths if path.startswith("clip-0")]) == 1


def table_of(scan: ScanReport, **changes: object) -> SplitTable:
    return plan_split(scan, replace(DataSpec(folder=scan.folder), **changes), 0)


def test_whole_clips_are_held_out(scan: ScanReport) -> None:
    table = table_of(scan, split="clips", test_fraction=0.4)
    sides = {
        part: {path.split("/")[0] for path, side in zip(table.paths, table.parts, strict=True) if side == part}
        for part in ("train", "test")
    }
    assert len(sides["test"]) == 2
    assert not sides["train"] & sides["test"]
    assert len(table) == CLIPS * FRAMES


def test_the_end_of_every_clip_is_held_out_behind_a_gap(scan: ScanReport) -> None:
    table = table_of(scan, split="stretches", test_fraction=0.25)
    for clip in range(CLIPS):
        side = {
            int(path.split("/")[1][6:-4]): part
            for path, part in zip(table.paths, table.parts, strict=True)
            if path.startswith(f"clip-{clip}/")
        }
        train, test = ([number for number, part in side.items() if part == wanted] for wanted in ("train", "test"))
        assert sorted(test) == list(range(FRAMES - 6, FRAMES))
        assert sorted(train) == list(range(FRAMES - 7))
    short = table_of(scan, split="stretches", test_fraction=0.8)
    assert set(short.parts) == {"train"}, "a clip that leaves too few frames to train on is not cut"


def test_a_limit_keeps_the_beginning_of_each_clip(scan: ScanReport) -> None:
    table = table_of(scan, split="clips", limit=CLIPS * 10)
    assert {path.split("/")[1] for path in table.paths} == {f"frame-{number}.png" for number in range(10)}


def test_one_clip_or_a_group_beside_clips_is_refused_in_words(scan: ScanReport, tmp_path: Path) -> None:
    paint_films(tmp_path, clips=1, frames=8, size=24)
    (tmp_path / "labels.csv").write_text(
        "file,animal\n" + "".join(f"clip-0/frame-{n}.png,a{n % 2}\n" for n in range(8)), encoding="utf-8"
    )
    one = scan_folder(tmp_path)
    with pytest.raises(CheckError, match="All images are in one folder"):
        table_of(one, split="clips")
    with pytest.raises(CheckError, match="both say which images stay together"):
        table_of(one, split="stretches", group="animal")


def test_what_is_suggested_for_films(scan: ScanReport, tmp_path: Path) -> None:
    data, reasons = suggest_data(scan)
    assert (data.split, data.labels) == ("clips", "none")
    assert f"{CLIPS} clips, {CLIPS * FRAMES} frames" in " ".join(reasons)
    paint_films(tmp_path, clips=2, frames=8, size=24)
    assert suggest_data(scan_folder(tmp_path))[0].split == "stretches"
