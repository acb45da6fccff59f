"""The Export page: what is asked, and what it says of the files that come back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from workbench.engine.messages import Export, ExportReply, MakeReport
from workbench.engine.protocol import Failed
from workbench.export import formats as offered
from workbench.gui.pages.export import ExportPage, formats
from workbench.gui.pages.export import page as export_page
from workbench.gui.session import Session
from workbench.runs.folder import RunFolder
from workbench.runs.results import ExportRecord, save_exports


@pytest.fixture
def page(show_page: Callable[[type[ExportPage]], ExportPage]) -> ExportPage:
    """The page, shown."""
    return show_page(ExportPage)


@pytest.fixture
def ready(page: ExportPage, session: Session, finished_run: RunFolder) -> ExportPage:
    """The page on a finished run."""
    session.set_run(finished_run)
    return page


def test_every_format_of_the_engine_is_offered() -> None:
    assert [one.name for one in formats.ENCODERS] == [one.name for one in offered.FORMATS if one.kind == "encoder"]
    assert [one.name for one in formats.EMBEDDINGS] == [one.name for one in offered.FORMATS if one.kind == "embeddings"]


def test_a_check_in_words() -> None:
    record = ExportRecord(format="onnx", file="e.onnx", difference=9.5e-7, tolerance=1e-5, images=32, verified=True)
    words = formats.check_words(record)
    assert words == "loaded again: differs by 9.5 × 10⁻⁷ at most on 32 images (1 × 10⁻⁵ allowed)"
    assert formats.check_words(ExportRecord(format="csv", file="e", difference=0.0, images=1)).endswith("1 image")
    assert formats.check_words(ExportRecord(format="csv", file="", problem="No space.")) == "No space."


def test_loading_code_is_the_script_beside_an_encoder_and_a_few_lines_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "load_torch_export.py").write_text("import torch\n", encoding="utf-8")
    encoder = ExportRecord(format="torch-export", file=str(tmp_path / "encoder.pt2"))
    assert formats.loading_code(encoder) == "import torch\n"
    for one in formats.EMBEDDINGS:
        code = formats.loading_code(ExportRecord(format=one.name, file="/data/it's {here}"))
        compile(code, one.name, "exec")
        assert "{here}" in code


def test_without_a_run(page: ExportPage, session: Session, qtbot: QtBot) -> None:
    assert page.state == "needs"
    assert not page.start.isVisible()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page._empty.button.click()
    assert wanted.args == ["data"]  # A method is chosen for images, and there are none.


def test_a_run_without_a_checkpoint(page: ExportPage, opened: Session) -> None:
    assert opened.draft
    opened.set_run(RunFolder.create(opened.runs_folder, opened.draft))
    assert page._empty.button.text() == "Watch the training"


def test_export_asks_for_what_is_ticked(ready: ExportPage, client: Any, session: Session, qtbot: QtBot) -> None:
    assert session.run
    assert ready.folder.text() == str(session.run.exports)
    ready.boxes["parquet"].setChecked(False)
    ready.boxes["csv"].setChecked(True)
    ready.start.click()
    assert client.last(Export).formats == ("safetensors", "onnx", "csv")
    assert client.last(Export).folder == str(session.run.exports)
    qtbot.waitUntil(lambda: len(ready.records.records) == 3)
    assert ready._results._note.text() == "3 of 3 verified"
    ready.grab()


def test_earlier_exports_are_shown_and_replaced(
    page: ExportPage, session: Session, finished_run: RunFolder, client: Any, qtbot: QtBot
) -> None:
    older = tuple(ExportRecord(format=name, file=f"old.{name}", verified=True) for name in ("h5", "onnx"))
    save_exports(finished_run, older)
    session.set_run(finished_run)
    assert page.records.records == older
    page.start.click()
    qtbot.waitUntil(lambda: len(page.records.records) == 4)
    assert [record.format for record in page.records.records] == ["safetensors", "onnx", "parquet", "h5"]


def test_a_format_that_fails_is_told_beside_the_others(ready: ExportPage, client: Any, qtbot: QtBot) -> None:
    problem = ExportRecord(format="onnx", file="", problem="This network cannot be written as ONNX: <op>.")
    client.replies[Export] = lambda _request: (ExportReply(records=(problem,)), {})
    ready.start.click()
    qtbot.waitUntil(lambda: len(ready.records.records) == 1)
    assert ready._results._note.text() == "0 of 1 verified"
    assert not [button for button in ready.records.findChildren(QPushButton) if button.isVisible()]


def test_copy_puts_the_code_on_the_clipboard(ready: ExportPage, qtbot: QtBot) -> None:
    ready.records.show_records((ExportRecord(format="npy", file="f.npy", verified=True, difference=0.0, images=3),))
    [button] = ready.records.findChildren(QPushButton)
    button.click()
    assert "np.load('f.npy')" in QGuiApplication.clipboard().text()


def test_cancel_and_failure(ready: ExportPage, client: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    client.hold.add(Export)
    ready.start.click()
    assert ready.state == "running"
    ready._cancel.click()
    qtbot.waitUntil(lambda: ready.start.isEnabled())
    failures: list[Failed] = []
    monkeypatch.setattr(export_page, "show_failure", lambda _parent, failure: failures.append(failure))
    client.hold.clear()
    client.replies[Export] = lambda _request: Failed(id=1, reason="error", message="Nothing can be written to X.")
    ready.start.click()
    qtbot.waitUntil(lambda: len(failures) == 1)


def test_the_report_opens_in_the_browser(
    ready: ExportPage, client: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    ready.report.click()
    qtbot.waitUntil(lambda: len(opened) == 1)
    assert opened[0] == f"{client.last(MakeReport).run}/report.html"


def test_nothing_ticked_or_no_folder_cannot_be_asked(ready: ExportPage) -> None:
    ready.folder.setText(" ")
    assert not ready.start.isEnabled()
    ready.folder.setText("/somewhere")
    assert ready.start.isEnabled()
    for box in ready.boxes.values():
        box.setChecked(False)
    assert not ready.start.isEnabled()
