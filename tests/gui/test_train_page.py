"""The Train page: a run in words, its buttons, and what happens when it is in trouble."""

import os
import socket
import time
from collections.abc import Callable

import msgspec
import psutil
import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from workbench.gui import words
from workbench.gui.pages.train import TrainPage, facts
from workbench.gui.pages.train import page as train_page
from workbench.gui.pages.train.history import History
from workbench.gui.session import Session
from workbench.runs import control
from workbench.runs.events import (
    AnyEvent,
    Clusters,
    EventLog,
    Exam,
    Failure,
    Health,
    Phase,
    Probe,
    Progressed,
    Scalars,
    Started,
    Warned,
)
from workbench.runs.folder import RunFolder
from workbench.runs.state import RunState, fold


def _scalars(step: int, epoch: float, *, loss: float = 1.0, at: float = 0.0) -> Scalars:
    return Scalars(step=step, epoch=epoch, values={"loss": loss, "loss/same": loss / 2}, time=at)


@pytest.fixture
def page(show_page: Callable[[type[TrainPage]], TrainPage]) -> TrainPage:
    """The page, shown."""
    return show_page(TrainPage)


@pytest.fixture
def live(session: Session, make_run: Callable[..., RunFolder]) -> RunFolder:
    """A run whose trainer is this process."""
    run = make_run(session.runs_folder, finished=False)
    control.beat(run)
    return run


def _tell(run: RunFolder, *events: AnyEvent) -> None:
    with EventLog(run.events_file) as log:
        for event in events:
            log.append(event)


def test_a_resumed_run_draws_its_curve_anew_from_where_it_went_on() -> None:
    history = History()
    history.add([_scalars(step, step / 4, loss=9.0) for step in range(1, 9)])
    before = history.scalars["loss"].y
    history.add([Started(pid=1, host="h", device="cpu", epoch=1, step=4, total_epochs=4)])
    history.add([_scalars(step, step / 4, loss=1.0) for step in range(5, 7)])
    assert history.scalars["loss"].y.tolist() == [9.0] * 4 + [1.0] * 2
    assert history.scalars["loss"].x.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    assert before.tolist() == [9.0] * 8


def test_long_series_grow() -> None:
    history = History()
    history.add(_scalars(step, step / 100, loss=float(step)) for step in range(2000))
    assert history.scalars["loss"].y.tolist() == [float(step) for step in range(2000)]


def test_time_left_follows_the_pace() -> None:
    history = History()
    history.add([Started(pid=1, host="h", device="cpu", total_epochs=10)])
    assert history.seconds_left() is None
    history.add([_scalars(step, step / 10, at=100.0 + step) for step in range(21)])
    assert history.seconds_left() == pytest.approx(80.0)
    shares = [Scalars(step=30 + n, epoch=3.0, values={"progress": 0.3 + n / 100}, time=130.0 + n) for n in range(3)]
    fresh = History()
    fresh.add(shares)
    assert fresh.seconds_left() == pytest.approx(68.0)


def test_accuracy_begins_with_the_untrained_encoder() -> None:
    history = History()
    for epoch, accuracy in ((2, 0.6), (4, 0.7)):
        history.add([Probe(epoch=epoch, kind="knn", subject="encoder", accuracy=accuracy, low=0, high=1, images=9)])
    history.add([Probe(epoch=0, kind="knn", subject="pixels", accuracy=0.4, low=0, high=1, images=9)])
    history.add([Probe(epoch=0, kind="knn", subject="untrained", accuracy=0.5, low=0, high=1, images=9)])
    x, y = history.probe_curve("knn")
    assert (x.tolist(), y.tolist()) == ([0, 2, 4], [0.5, 0.6, 0.7])


def test_health_says_what_healthy_looks_like() -> None:
    values = {"embedding_std": 0.0418, "embedding_std_healthy": 0.0442, "rankme": 214.2, "uniformity": -3.42}
    rows = facts.health_rows(Health(epoch=60, values=values, dim=512))
    assert rows == [
        ("embedding std", "0.0418", "≈ 0.0442"), ("RankMe", "214", "↑ of 512"), ("uniformity", "−3.42", "↓"),
    ]  # fmt: skip


def test_sentence_names_what_is_trained(opened: Session) -> None:
    experiment, catalog = opened.draft, opened.catalog
    assert experiment
    state = fold([Started(pid=1, host="h", device="cpu", total_epochs=200), _scalars(9, 60.5)])
    said = facts.sentence(experiment, catalog, state, "training", 4320.0)
    assert said == "SimCLR, ResNet-18 on pets · epoch 61 of 200 · 1 h 12 min left"


def test_a_run_that_its_time_has_ended_says_where(opened: Session) -> None:
    experiment = opened.draft
    assert experiment
    started = Started(pid=1, host="h", device="cpu", total_epochs=12)
    ended = fold([started, _scalars(9, 6.01), Phase(phase="finished")])
    assert "finished within epoch 7 of 12" in facts.sentence(experiment, opened.catalog, ended, "finished", None)
    whole = fold([started, _scalars(9, 12.0), Phase(phase="finished")])
    assert "finished 12 epochs" in facts.sentence(experiment, opened.catalog, whole, "finished", None)


def test_what_to_try_stands_by_itself() -> None:
    said = (
        "It was solved. Try: raise 'gap' (now 0.15), so that lines end; center_crop. Or the labels are odd. It spreads."
    )
    assert facts.verdict_lines(said) == (
        "It was solved.\n\nTry:\n· raise 'gap' (now 0.15), so that lines end\n· center_crop\n\n"
        "Or the labels are odd. It spreads."
    )
    assert facts.verdict_lines("It spreads.") == "It spreads."
    assert facts.verdict_lines("Solved. Try: a; b.") == "Solved.\n\nTry:\n· a\n· b"


def test_before_the_first_step_there_are_words_in_place_of_empty_axes(
    page: TrainPage, session: Session, make_run: Callable[..., RunFolder]
) -> None:
    run = make_run(session.runs_folder, finished=False)
    run.events_file.write_text("", encoding="utf-8")
    session.set_run(run)
    assert not page.loss.plot.isVisibleTo(page.loss)
    _tell(run, _scalars(1, 0.25))
    session.set_run(run)
    assert page.loss.plot.isVisibleTo(page.loss)


def test_a_finished_run_without_a_map_leads_to_the_probes(
    page: TrainPage, session: Session, finished_run: RunFolder, qtbot: QtBot
) -> None:
    lines = finished_run.events_file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if '"snapshot"' not in line]
    finished_run.events_file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    session.set_run(finished_run)
    assert not page.explore.isVisible()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page.evaluate.click()
    assert wanted.args == ["evaluate"]


def test_without_a_run_the_next_step_is_images(page: TrainPage, session: Session, qtbot: QtBot) -> None:
    assert page.state == "needs"
    assert page._empty.button.text() == "Choose images"
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page._empty.button.click()
    assert wanted.args == ["data"]


def test_with_images_the_next_step_is_a_method(page: TrainPage, opened: Session, qtbot: QtBot) -> None:
    assert page._empty.button.text() == "Choose a method"
    with qtbot.waitSignal(opened.page_wanted) as wanted:
        page._empty.button.click()
    assert wanted.args == ["method"]


def test_a_finished_run(page: TrainPage, session: Session, finished_run: RunFolder, qtbot: QtBot) -> None:
    session.set_run(finished_run)
    assert page.state == "ready"
    assert "finished" in page._purpose.text()
    assert page.explore.isVisible()
    assert not page.pause.isVisible()
    assert page.side.verdict.title == "Learning, healthy"
    assert ("RankMe", "8", "↑ of 8") in page.side.health.rows
    assert [curve.label for curve in page.loss.plot.curves] == ["loss"]
    assert [level.label for level in page.accuracy.plot.levels] == ["untrained", "raw pixels"]
    assert [curve.label for curve in page.spectrum.plot.curves] == ["epoch 4", "untrained"]
    assert "checkpoint, epoch 4" in page.side.events.text()
    page.grab()
    with qtbot.waitSignal(session.page_wanted) as wanted:
        page.explore.click()
    assert wanted.args == ["explore"]


def test_clusters_are_shown_against_the_labels(page: TrainPage, session: Session, finished_run: RunFolder) -> None:
    session.set_run(finished_run)
    assert not page.side.clusters.isVisible()
    assert [curve.label for curve in page.accuracy.plot.curves] == ["encoder"]
    _tell(
        finished_run,
        Clusters(epoch=0, accuracy=0.2, nmi=0.1, ari=-0.02, used=5, images=90),
        Clusters(epoch=4, accuracy=0.8125, nmi=0.714, ari=0.6, used=4, images=90),
    )
    session.set_run(finished_run)
    assert page.side.clusters.isVisible()
    assert page.side.clusters.rows == (
        ("accuracy", "81.2 %", "↑"),
        ("NMI", "0.71", "↑ to 1"),
        ("ARI", "0.60", "↑ to 1"),
        ("in use", "4", ""),
    )
    curve = page.accuracy.plot.curves[1]
    assert (curve.note, list(curve.x), list(curve.y)) == ("clusters 81.2 %", [0, 4], [0.2, 0.8125])
    assert page.accuracy.title == "Accuracy of kNN and clusters"
    page.grab()


def test_answers_to_its_own_questions_are_shown_beside_guessing(
    page: TrainPage, session: Session, finished_run: RunFolder
) -> None:
    session.set_run(finished_run)
    assert not page.side.exams.isVisible()
    _tell(
        finished_run,
        Exam(epoch=0, task="rotation", accuracy=0.25, low=0.2, high=0.3, chance=0.25, images=300),
        Exam(epoch=4, task="rotation", accuracy=0.75, low=0.7, high=0.79, chance=0.25, images=300),
    )
    session.set_run(finished_run)
    assert page.side.exams.rows == (("rotation", "75.0 %", "25.0 %"),)
    curve = page.accuracy.plot.curves[1]
    assert (curve.note, list(curve.x), list(curve.y)) == ("rotation 75.0 %", [0, 4], [0.25, 0.75])
    assert ("by chance", 0.25) in [(level.label, level.y) for level in page.accuracy.plot.levels]
    assert page.accuracy.title == "Accuracy of kNN and rotation"
    assert page.side._exams_card.title == "Its own task"
    page.grab()
    _tell(finished_run, Exam(epoch=4, task="jigsaw", accuracy=0.5, low=0.4, high=0.6, chance=0.01, images=300))
    session.set_run(finished_run)
    assert page.side._exams_card.title == "Its own tasks"


def test_a_live_run_grows_and_is_steered(page: TrainPage, session: Session, live: RunFolder, qtbot: QtBot) -> None:
    session.set_run(live)
    assert page.state == "running"
    points = len(page.history.scalars["loss"].x)
    _tell(live, Scalars(step=99, epoch=3.9, values={"loss": 0.1}), Warned(message="The disk is nearly full."))
    qtbot.waitUntil(lambda: len(page.loss.plot.curves[0].x) == points + 1)
    assert "The disk is nearly full." in page.side.events.text().splitlines()[0]
    steering: tuple[tuple[QPushButton, control.Request], ...] = (
        (page.snapshot, "snapshot"), (page.pause, "pause"), (page.stop, "stop"),
    )  # fmt: skip
    for button, request in steering:
        button.click()
        assert control.asked(live, request)
    assert not page.stop.isEnabled()
    assert page.stop.text() == "Stopping…"


def test_pause_becomes_resume(page: TrainPage, session: Session, live: RunFolder, qtbot: QtBot) -> None:
    session.set_run(live)
    page.pause.click()
    assert page.pause.text() == "Pausing…"
    _tell(live, Phase(phase="paused"))
    qtbot.waitUntil(lambda: page.pause.text() == "Resume")
    page.pause.click()
    assert not control.asked(live, "pause")


def test_images_being_read(page: TrainPage, opened: Session) -> None:
    assert opened.draft
    run = RunFolder.create(opened.runs_folder, opened.draft)
    control.beat(run)
    _tell(run, Phase(phase="preparing"), Progressed(what="Decoding images", done=1200, total=9469))
    opened.set_run(run)
    assert "Decoding images: 1,200 of 9,469" in page._purpose.text()
    assert page.progress.value() == round(1000 * 1200 / 9469)


def test_a_failed_run_says_why_and_can_be_resumed(
    page: TrainPage, session: Session, live: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.silence(live)
    live.log_file.write_text("step 12\nout of memory\n", encoding="utf-8")
    failure = Failure(message="The GPU is out of memory.", hint="A batch of 128 would fit.", details="Traceback …")
    _tell(live, failure, Phase(phase="failed"))
    session.set_run(live)
    assert page.trouble.isVisible()
    assert (page.trouble.title, page.trouble.text) == ("The GPU is out of memory.", "A batch of 128 would fit.")
    for part in ("Traceback …", "out of memory", live.name):
        assert part in page.trouble.details
    launched: list[RunFolder] = []
    monkeypatch.setattr(train_page, "launch_trainer", launched.append)
    control.ask(live, "stop")
    page.resume.click()
    assert launched == [live]
    assert not control.asked(live, "stop")
    assert "starting the trainer" in page._purpose.text()
    assert not page.trouble.isVisible()


def test_a_killed_trainer_is_noticed(page: TrainPage, session: Session, live: RunFolder, qtbot: QtBot) -> None:
    session.set_run(live)
    assert not page.trouble.isVisible()
    born = psutil.Process().create_time() - 999  # the process id now belongs to another process
    gone = control.Heartbeat(pid=os.getpid(), created=born, host=socket.gethostname(), time=time.time())
    (live.control / "heartbeat").write_bytes(msgspec.json.encode(gone))
    qtbot.waitUntil(lambda: page.trouble.isVisible(), timeout=6000)
    assert "gone" in page.trouble.title
    assert page.resume.isVisible()


def test_the_load_of_the_device_is_told() -> None:
    rows = facts.machine_rows(RunState(scalars={"load": 0.5}))
    assert ("device load", words.percent(0.5), "") in rows
