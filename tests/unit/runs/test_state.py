"""A run's state is a pure fold over its events."""

import os
import socket
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runs import control
from workbench.runs.control import Heartbeat
from workbench.runs.events import (
    AnyEvent,
    CheckpointSaved,
    Clusters,
    Derived,
    EventLog,
    Exam,
    Failure,
    Health,
    Phase,
    PhaseName,
    Probe,
    Progressed,
    Scalars,
    SnapshotTaken,
    Started,
    Verdict,
    Warned,
)
from workbench.runs.folder import RunFolder
from workbench.runs.index import find_run, list_runs, read_entry
from workbench.runs.state import RunState, fold, status
from workbench.spec.errors import NotFoundError, UsageError
from workbench.spec.experiment import DataSpec, Experiment


def _probe(epoch: int, accuracy: float, time: float = 0.0) -> Probe:
    return Probe(time=time, epoch=epoch, kind="knn", subject="encoder", accuracy=accuracy, low=0.0, high=1.0, images=10)


def _clusters(epoch: int, time: float = 0.0) -> Clusters:
    return Clusters(time=time, epoch=epoch, accuracy=0.5, nmi=0.4, ari=0.3, used=3, images=10)


def _exam(epoch: int, task: str = "rotation", time: float = 0.0) -> Exam:
    return Exam(time=time, epoch=epoch, task=task, accuracy=0.5, low=0.4, high=0.6, chance=0.25, images=10)


_TIMES = st.floats(1, 1e6)
_EPOCHS = st.integers(0, 20)
_PHASES: tuple[PhaseName, ...] = ("created", "preparing", "training", "paused", "finished", "stopped", "failed")
_EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(Phase, time=_TIMES, phase=st.sampled_from(_PHASES)),
    st.builds(Started, time=_TIMES, pid=st.just(1), host=st.just("h"), device=st.just("cpu"), epoch=_EPOCHS),
    st.builds(Scalars, time=_TIMES, step=_EPOCHS, epoch=st.floats(0, 20), values=st.just({"loss": 1.0})),
    st.builds(_probe, _EPOCHS, st.floats(0, 1), _TIMES),
    st.builds(_clusters, _EPOCHS, _TIMES),
    st.builds(_exam, _EPOCHS, st.sampled_from(["rotation", "jigsaw"]), _TIMES),
    st.builds(SnapshotTaken, time=_TIMES, epoch=_EPOCHS, file=st.just("f"), images=st.just(3), dim=st.just(2)),
    st.builds(Warned, time=_TIMES, message=st.just("m")),
    st.builds(Progressed, time=_TIMES, what=st.just("w"), done=st.just(1), total=st.just(2)),
    st.builds(Derived, time=_TIMES, values=st.just({"a": 1})),
    st.builds(CheckpointSaved, time=_TIMES, epoch=_EPOCHS, step=_EPOCHS, file=st.just("f")),
    st.builds(Failure, time=_TIMES, message=st.just("m")),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(_EVENTS, max_size=25), st.integers(0, 25))
def test_folding_in_parts_is_folding_at_once(events: list[AnyEvent], cut: int) -> None:
    assert fold(events[cut:], fold(events[:cut])) == fold(events)


def test_time_in_pauses_and_between_trainers_does_not_count() -> None:
    state = fold(
        [
            Phase(time=100, phase="created"),
            Phase(time=110, phase="training"),
            Phase(time=120, phase="paused"),
            Phase(time=500, phase="training"),
            Scalars(time=505, step=1, epoch=1, values={}),
            # killed here; someone resumes an hour later
            Phase(time=4000, phase="preparing"),
            Phase(time=4010, phase="training"),
            Phase(time=4030, phase="finished"),
        ]
    )
    assert state.seconds == pytest.approx(10 + 5 + 20)
    assert state.created == 100
    assert state.updated == 4030


def test_the_newest_clusters_count_and_a_run_without_them_has_none() -> None:
    assert fold([Phase(phase="created"), _probe(5, 0.5)]).clusters is None
    state = fold([_clusters(0), _clusters(5)])
    assert state.clusters is not None
    assert state.clusters.epoch == 5
    assert fold([Started(pid=1, host="h", device="cpu", epoch=3)], state).clusters is None
    assert fold([Started(pid=1, host="h", device="cpu", epoch=5)], state).clusters == state.clusters


def test_exams_are_kept_by_task_and_epoch_and_taken_back_with_it() -> None:
    state = fold([_exam(0), _exam(0, "jigsaw"), _exam(4), _exam(4), _exam(4, "jigsaw")])
    assert [(exam.task, exam.epoch) for exam in state.exams] == [
        ("rotation", 0),
        ("jigsaw", 0),
        ("rotation", 4),
        ("jigsaw", 4),
    ]
    assert [exam.epoch for exam in state.last_exams()] == [4, 4]
    back = fold([Started(pid=1, host="h", device="cpu", epoch=3)], state)
    assert [exam.epoch for exam in back.last_exams()] == [0, 0]


def test_a_resume_forgets_what_lies_beyond_it() -> None:
    state = fold(
        [
            _probe(5, 0.5),
            _probe(10, 0.9),
            SnapshotTaken(epoch=10, file="f", images=1, dim=1),
            Failure(message="m"),
            Started(pid=1, host="h", device="cpu", epoch=5, total_epochs=20),
        ]
    )
    assert [probe.epoch for probe in state.probes] == [5]
    assert state.snapshots == ()
    assert state.failure is None
    assert state.total_epochs == 20


def test_the_best_probe_is_the_newest_of_the_most_accurate() -> None:
    state = fold([_probe(1, 0.5), _probe(2, 0.7), _probe(3, 0.7), _probe(4, 0.6)])
    best, last = state.best("knn"), state.last("knn")
    assert best is not None
    assert last is not None
    assert (best.epoch, last.epoch) == (3, 4)
    assert state.best("linear") is None


def test_how_far_a_run_is() -> None:
    start: list[AnyEvent] = [
        Started(pid=1, host="h", device="cpu", total_epochs=10),
        Scalars(step=1, epoch=2.5, values={}),
    ]
    assert RunState().fraction() == 0
    assert fold(start).fraction() == 0.25
    assert fold([*start, Scalars(step=1, epoch=2.5, values={"progress": 0.6})]).fraction() == 0.6
    assert fold([*start, Phase(phase="finished")]).fraction() == 1


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", Experiment(name="Blätter & Co", data=DataSpec(folder="x")))


def _enter(run: RunFolder, phase: PhaseName) -> None:
    with EventLog(run.events_file) as log:
        log.append(Phase(phase=phase))


def test_a_run_at_work_without_a_trainer_is_interrupted(run: RunFolder) -> None:
    assert status(run)[0] == "created"
    _enter(run, "training")
    assert status(run)[0] == "interrupted"
    control.beat(run)
    assert status(run)[0] == "training"
    control.silence(run)
    assert status(run)[0] == "interrupted"
    _enter(run, "finished")
    assert status(run)[0] == "finished"


def test_a_heartbeat_of_another_process_with_the_same_number_is_not_ours(run: RunFolder) -> None:
    control.beat(run)
    sign = control.heartbeat(run)
    assert sign is not None
    assert sign.pid == os.getpid()
    older = msgspec.structs.replace(sign, created=sign.created - 1000)
    (run.control / "heartbeat").write_bytes(msgspec.json.encode(older))
    assert not control.is_alive(run)


def test_on_another_host_the_time_of_the_heartbeat_decides(run: RunFolder) -> None:
    def beat(age: float) -> None:
        control.beat(run)
        sign = control.heartbeat(run)
        assert sign is not None
        there = Heartbeat(pid=sign.pid, created=1.0, host=socket.gethostname() + "-2", time=sign.time - age)
        (run.control / "heartbeat").write_bytes(msgspec.json.encode(there))

    beat(0)
    assert control.is_alive(run)
    beat(control.STALE_AFTER + 5)
    assert not control.is_alive(run)


def test_a_damaged_heartbeat_is_none(run: RunFolder) -> None:
    (run.control / "heartbeat").write_bytes(b'{"pid": 3')
    assert control.heartbeat(run) is None
    assert not control.is_alive(run)


def test_requests_are_left_and_withdrawn(run: RunFolder) -> None:
    control.ask(run, "stop")
    assert control.asked(run, "stop")
    control.withdraw(run, "stop")
    control.withdraw(run, "stop")
    assert not control.asked(run, "stop")


def test_a_damaged_run_is_listed_with_its_problem(run: RunFolder) -> None:
    other = RunFolder.create(run.path.parent, Experiment(name="other", data=DataSpec(folder="x")))
    other.experiment_file.write_text("[data", encoding="utf-8")
    (run.path.parent / "not a run").mkdir()
    entries = {entry.path.name: entry for entry in list_runs(run.path.parent)}
    assert set(entries) == {run.name, other.name}
    assert entries[run.name].problem == ""
    assert "not valid TOML" in entries[other.name].problem
    assert read_entry(other.path).status == "failed"


def test_a_run_is_found_by_path_name_part_or_latest(run: RunFolder, tmp_path: Path) -> None:
    runs = run.path.parent
    assert find_run(str(run.path), runs).path == run.path
    assert find_run(run.name, runs).path == run.path
    assert find_run("bl-tter", runs).path == run.path
    assert find_run("latest", runs).path == run.path
    RunFolder.create(runs, Experiment(name="Blätter", data=DataSpec(folder="x")))
    with pytest.raises(UsageError, match="2 runs"):
        find_run("bl-tter", runs)
    with pytest.raises(NotFoundError):
        find_run("none", runs)
    with pytest.raises(NotFoundError):
        find_run("latest", tmp_path / "empty")


def test_the_time_of_a_phase_that_goes_on_is_counted_until_the_last_event() -> None:
    state = fold([Phase(time=10.0, phase="training"), Warned(time=25.0, message="warm")])
    assert state.seconds == 0
    assert state.trained_seconds() == 15
    assert fold([Phase(time=30.0, phase="finished")], state).trained_seconds() == 20


def test_a_resume_goes_back_to_where_its_checkpoint_stands() -> None:
    before: list[AnyEvent] = [
        _probe(0, 0.1),
        Scalars(step=60, epoch=6.0, values={"loss": 0.5, "progress": 0.6}),
        Health(epoch=6, values={"rankme": 3.0}),
        Verdict(epoch=6, level="good", title="t", text="t"),
    ]
    resumed = Started(pid=1, host="h", device="cpu", epoch=4, step=43, steps_per_epoch=10, total_epochs=10)
    state = fold([*before, resumed])
    assert (state.step, state.epoch, state.scalars) == (43, 4.3, {})
    assert state.health is None
    assert state.verdict is None
    assert state.fraction() == pytest.approx(0.43)


def test_a_probe_that_is_made_again_counts_once() -> None:
    state = fold([_probe(0, 0.1), _probe(2, 0.3), _probe(0, 0.2)])
    assert [(probe.epoch, probe.accuracy) for probe in state.probes] == [(2, 0.3), (0, 0.2)]
