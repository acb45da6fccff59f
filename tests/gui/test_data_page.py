from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from workbench.engine.messages import PlanSplit, Scan, ScanReply, Suggest
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.opening import FolderOpener
from workbench.gui.pages.data import DataPage, facts
from workbench.gui.sample import SamplePainter
from workbench.gui.session import Session
from workbench.gui.widgets.fields import ChoiceField
from workbench.spec.dataset import BrokenFile, ScanReport


@pytest.fixture
def opener(session: Session, engine: Engine) -> FolderOpener:
    return FolderOpener(session, engine)


@pytest.fixture
def page(qtbot: QtBot, session: Session, engine: Engine, opener: FolderOpener) -> DataPage:
    made = DataPage(session, engine)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.entered()
    return made


def _open(qtbot: QtBot, page: DataPage, engine: Engine, folder: Path) -> None:
    page.session.open_folder(folder)
    qtbot.waitUntil(lambda: page.session.draft is not None and page.division.reply is not None)
    qtbot.waitUntil(lambda: engine.open_requests == 0)


def _choose(page: DataPage, form: int, name: str, value: str) -> None:
    field = page.inspector.forms[form].field(name)
    assert isinstance(field, ChoiceField)
    field.combo.set_value(value)
    field.combo.chosen.emit(value)


def test_a_folder_becomes_pictures_and_a_draft(qtbot: QtBot, page: DataPage, engine: Engine, images: Path) -> None:
    assert "needs" in page.why
    assert not page.go_on.isVisible()
    _open(qtbot, page, engine, images)
    assert page.state == "ready"
    assert page.go_on.isEnabled()
    assert page.pictures.gallery.count == 36
    assert page.division.classes == ("cats", "dogs")
    assert page.session.settings.recent == (images,)
    with qtbot.waitSignal(page.session.page_wanted) as wanted:
        page.go_on.click()
    assert wanted.args == ["views"]


def test_pictures_are_filtered(qtbot: QtBot, page: DataPage, engine: Engine, images: Path) -> None:
    _open(qtbot, page, engine, images)
    pictures = page.pictures
    pictures.label_choice.set_value("dogs")
    pictures.label_choice.chosen.emit("dogs")
    assert pictures.gallery.count == 18
    pictures.side_choice.set_value("test")
    pictures.side_choice.chosen.emit("test")
    assert 0 < pictures.gallery.count < 18
    assert all(page.division.part(int(row)) == "test" for row in pictures.rows)
    pictures.search.setText("nothing is named so")
    qtbot.waitUntil(lambda: pictures.gallery.count == 0)
    assert pictures.none_found.isVisible()


@pytest.mark.parametrize(
    ("paths", "captions"),
    [
        (("a/1.jpg", "b/2.jpg"), ["1", "2"]),
        (("a/1.jpg", "b/2.png"), ["1.jpg", "2.png"]),
        (("scan", "plan"), ["scan", "plan"]),
    ],
)
def test_an_ending_that_all_files_have_is_left_out_below_the_pictures(
    paths: tuple[str, ...], captions: list[str]
) -> None:
    assert [facts.caption(path, facts.common_ending(paths)) for path in paths] == captions


def test_a_picture_tells_its_details(qtbot: QtBot, page: DataPage, engine: Engine, images: Path) -> None:
    _open(qtbot, page, engine, images)
    page.pictures.order_choice.set_value("name")
    page.pictures.order_choice.chosen.emit("name")
    with qtbot.waitSignal(page.pictures.row_chosen) as chosen:
        page.pictures.gallery.chosen.emit(20)
    assert chosen.args == [20]
    assert page.pictures.line.text() == "dogs/02.png · 32 × 32 · color · 900 B · dogs · test"


def test_labels_from_a_table_can_be_undone(qtbot: QtBot, page: DataPage, engine: Engine, images: Path) -> None:
    _open(qtbot, page, engine, images)
    _choose(page, 0, "labels", "csv")
    draft = page.session.draft
    assert draft
    assert (draft.data.labels, draft.data.csv, draft.data.column) == ("csv", "labels.csv", "shape")
    qtbot.waitUntil(lambda: page.division.classes == ("ring", "square", "star"))
    assert page.inspector.forms[0].field("column").isVisibleTo(page)
    page.session.undo.undo()
    qtbot.waitUntil(lambda: page.division.classes == ("cats", "dogs"))
    assert not page.inspector.forms[0].field("column").isVisibleTo(page)


def test_a_split_that_cannot_be_is_said(
    qtbot: QtBot, page: DataPage, engine: Engine, client: Any, images: Path
) -> None:
    _open(qtbot, page, engine, images)
    client.replies[PlanSplit] = lambda request: Failed(id=1, reason="error", message="Patients on both sides.")
    with qtbot.assertNotEmitted(engine.failed):
        _choose(page, 1, "group", "shape")
        qtbot.waitUntil(lambda: page.division.problem is not None)
    assert page.inspector.problem.isVisibleTo(page)
    assert page.inspector.problem.title == "Patients on both sides."


def test_broken_files_have_a_tab_of_their_own(qtbot: QtBot, page: DataPage, engine: Engine, images: Path) -> None:
    _open(qtbot, page, engine, images)
    assert page.pictures.tabs.tabText(1) == "Broken (1)"
    page.pictures.tabs.setCurrentIndex(1)
    item = page.pictures.broken.table.item(0, 1)
    assert item is not None
    assert item.text() == "the file is cut off"


@pytest.mark.parametrize(
    ("broken", "words"),
    [((), "No images here"), ((BrokenFile(path="a.png", reason="it is empty"),), "No readable images")],
)
def test_a_folder_without_images_is_said(
    qtbot: QtBot, page: DataPage, engine: Engine, client: Any, tmp_path: Path, broken: Any, words: str
) -> None:
    report = ScanReport(folder=str(tmp_path), broken=broken)
    client.replies[Scan] = lambda request: (ScanReply(report=report), {})
    page.session.open_folder(tmp_path)
    qtbot.waitUntil(page.nothing.isVisible)
    assert page.nothing.title == words
    assert page.state == "needs"
    assert not any(isinstance(request, Suggest) for request in client.asked)


def test_reading_can_be_cancelled(qtbot: QtBot, page: DataPage, client: Any, images: Path) -> None:
    client.hold.add(Scan)
    page.session.open_folder(images)
    assert page.reading.isVisible()
    assert page.state == "running"
    page.reading.button.click()
    assert page.session.opening is None
    assert page.welcome.isVisible()
    assert client.cancelled


def test_an_older_experiment_is_taken_up_on_its_own_images(
    qtbot: QtBot, page: DataPage, client: Any, finished_run: Any
) -> None:
    experiment = finished_run.experiment()
    page.session.open_again(experiment)
    qtbot.waitUntil(lambda: page.session.draft == experiment)
    assert not any(isinstance(request, Suggest) for request in client.asked)


def test_the_sample_is_painted_and_opened(qtbot: QtBot, tmp_path: Path) -> None:
    painter = SamplePainter(count=6)
    with qtbot.waitSignal(painter.painted, timeout=60_000) as painted:
        painter.paint()
        assert painter.busy
    assert (painted.args[0] / "labels.csv").is_file()
    assert len(list((painted.args[0] / "images").iterdir())) == 6
    assert not painter.busy


def test_a_sample_that_cannot_be_painted_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    painter = SamplePainter(count=6)
    painter.folder.parent.mkdir(parents=True, exist_ok=True)
    painter.folder.write_text("in the way", encoding="utf-8")
    with qtbot.waitSignal(painter.failed, timeout=60_000) as failed:
        painter.paint()
    assert "could not be painted" in failed.args[0].message


def test_planes_are_chosen_with_their_count_depth_and_scale(
    qtbot: QtBot, page: DataPage, engine: Engine, images: Path
) -> None:
    _open(qtbot, page, engine, images)
    session = page.session
    scan, draft = session.scan, session.draft
    assert scan is not None
    assert draft is not None
    count = scan.count
    deep = replace(scan, modes=("I;16",) * count, planes=(5,) * count, bits=(16,) * count)
    session.set_scan(deep)
    session.set_draft(replace(draft, data=replace(draft.data, normalize="imagenet")))
    form = page.inspector.forms[2]
    assert form.field("white").isHidden()
    _choose(page, 2, "channels", "planes")
    assert session.draft is not None
    assert (session.draft.data.channels, session.draft.data.planes) == ("planes", 5)
    assert session.draft.data.normalize == "dataset", "ImageNet's numbers are of colors"
    channels = form.field("channels")
    assert isinstance(channels, ChoiceField)
    assert "planes (5)" in [channels.combo.itemText(row) for row in range(channels.combo.count())]
    assert not form.field("white").isHidden()
    _choose(page, 2, "depth", "16")
    form.edited.emit("white", 4095, "typed")
    data = session.draft.data
    assert (data.depth, data.white, type(data.white)) == ("16", 4095.0, float)
    assert "4095 white" in page.inspector.scale.text()
    assert "planes 1, 2, 3 of 5" in page.pictures._note.text()
    _choose(page, 2, "channels", "gray")
    assert session.draft.data.planes == 0
