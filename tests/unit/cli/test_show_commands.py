"""`workbench show` and `workbench views --task`: a method's task as one picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.cli import main
from workbench.data.sample import paint_sample
from workbench.export.exhibit_sheet import exhibit_sheet
from workbench.export.report import make_report
from workbench.runs.events import EventLog, ExhibitTaken
from workbench.runs.exhibit import Exhibit, ShownPanel, write_exhibit
from workbench.runs.folder import RunFolder


def panels(shade: int = 200, count: int = 6, side: int = 32) -> tuple[ShownPanel, ...]:
    pictures = np.full((count, side, side, 3), shade, np.uint8)
    right = tuple(row % 2 == 0 for row in range(count))
    return (
        ShownPanel(part="input", title="Cut up", pictures=pictures // 2, captions=("a",) * count),
        ShownPanel(part="answer", title="Put together as it thinks it was", pictures=pictures, right=right),
    )


@pytest.fixture
def shown(run: RunFolder) -> RunFolder:
    """A run with pictures of epochs 0 and 2."""
    with EventLog(run.events_file) as log:
        for epoch in (0, 2):
            file = run.exhibit_file(epoch)
            paths = tuple(f"<b>{row}</b>.png" for row in range(6))
            write_exhibit(file, Exhibit(epoch=epoch, paths=paths, panels=panels(100 + 50 * epoch)))
            log.append(ExhibitTaken(epoch=epoch, file=f"exhibits/{file.name}", images=6))
    return run


def test_the_newest_or_a_chosen_epoch_is_written(
    shown: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked, shade in (([], 200), (["--epoch", "0"], 100)):
        file = tmp_path / "answers.png"
        assert main(["show", str(shown.path), *asked, "-o", str(file)]) == 0
        streams = capsys.readouterr()
        assert streams.out.strip() == str(file)
        assert "3 of 6 answers right" in streams.err
        with Image.open(file) as picture:
            colors = {color for _, color in picture.getcolors(100_000) or ()}
            assert (shade, shade, shade) in colors
            assert (shade // 2,) * 3 in colors
    sizes = []
    for images in (1, 6):
        assert main(["show", str(shown.path), "--images", str(images), "-o", str(file)]) == 0
        with Image.open(file) as picture:
            sizes.append(picture.width * picture.height)
    assert sizes[0] < sizes[1] / 3


def test_what_is_not_there_is_told_in_words(
    run: RunFolder, shown: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "x.png")
    assert main(["show", str(shown.path), "--epoch", "1", "-o", file]) == 2
    assert "There are some of 0, 2." in capsys.readouterr().err
    assert main(["show", str(shown.path), "--images", "-1", "-o", file]) == 2
    assert main(["show", str(shown.path), "-o", str(tmp_path / "none" / "x.png")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    (shown.exhibit_file(2)).write_bytes(b"torn")
    assert main(["show", str(shown.path), "-o", file]) == 1
    assert "damaged" in capsys.readouterr().err


def test_a_run_without_pictures_says_who_has_some(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(run.path), "-o", str(tmp_path / "x.png")]) == 2
    assert "has no pictures of its task. Puzzles" in capsys.readouterr().err


def test_the_task_of_an_untrained_method(tmp_path: Path, places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paint_sample(tmp_path / "sample", count=12, size=32)
    file = tmp_path / "turned.toml"
    chosen = ["--method", "rotation", "--backbone", "tinyconv", "-o", str(file)]
    assert main(["new", str(tmp_path / "sample"), *chosen]) == 0
    picture = tmp_path / "task.png"
    assert main(["views", str(file), "--task"]) == 2
    assert "-o FILE.png" in capsys.readouterr().err
    assert main(["views", str(file), "--task", "-o", str(picture)]) == 0
    assert capsys.readouterr().out.strip().endswith(str(picture))
    with Image.open(picture) as sheet:
        assert len(sheet.getcolors(1_000_000) or ()) > 200


def test_large_and_small_pictures_and_odd_shapes_fit() -> None:
    small, large = exhibit_sheet(panels(side=16)), exhibit_sheet(panels(side=300))
    assert large.width > 1.5 * small.width
    assert exhibit_sheet(panels(count=1)).height < small.height
    wide = ShownPanel(part="input", title="Wide", pictures=np.zeros((2, 10, 40, 3), np.uint8))
    assert exhibit_sheet([wide]).width > 0
    with pytest.raises(ValueError, match="no panels"):
        exhibit_sheet([])


def test_a_title_that_is_too_long_for_a_line_has_more_of_them() -> None:
    def sheet(title: str) -> Image.Image:
        return exhibit_sheet([ShownPanel(part="input", title=title, pictures=np.full((1, 8, 8, 3), 255, np.uint8))])

    def inked(picture: Image.Image, top: int) -> bool:
        return bool(np.asarray(picture.convert("L"))[top : top + 18].min() < 128)

    short, long = sheet("Colored"), sheet("Filled in, shades given")
    assert long.height == short.height + 18
    assert long.width == short.width
    assert [inked(short, 12), inked(long, 12), inked(long, 30)] == [True, True, True]


def test_the_report_shows_the_newest(shown: RunFolder) -> None:
    text = make_report(shown).read_text(encoding="utf-8")
    assert "What the network was asked, and its answers" in text
    assert "epoch 2, 6 images; 3 of 6 answers right" in text
    assert "Put together as it thinks it was (what it says)" in text
    assert "&lt;b&gt;1&lt;/b&gt;.png · Cut up: a · Put together as it thinks it was: wrong" in text
    shown.exhibit_file(2).unlink()
    assert "There are no pictures of the task in" in make_report(shown).read_text(encoding="utf-8")
