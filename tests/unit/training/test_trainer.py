"""The trainer as its readers see it: events, checkpoints, requests, and what goes wrong."""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
import torch

from workbench.catalog.registry import Registry
from workbench.inspect.embed import embed as embed_features
from workbench.inspect.encoder import encoder_hash, load_encoder, read_checkpoint
from workbench.method.contract import Batch, Progress
from workbench.runs import control
from workbench.runs.events import Failure, Phase, Scalars, Started, Warned, read_events
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.snapshot import read_layout, read_snapshot, write_layout
from workbench.runs.split import read_split
from workbench.runs.state import fold, status
from workbench.spec.errors import Cancelled, CheckError, NotFoundError, RunError, TrainingError, UsageError
from workbench.training.checkpoint import LAST, PREVIOUS
from workbench.training.trainer import train

STEPS = 6
MakeRun = Callable[..., RunFolder]
SetHook = Callable[[Callable[[Batch, Progress], None] | None], None]


def _phases(run: RunFolder) -> list[str]:
    return [event.phase for event in read_events(run.events_file) if isinstance(event, Phase)]


def _epoch_losses(run: RunFolder) -> dict[float, float]:
    events = read_events(run.events_file)
    points = [event for event in events if isinstance(event, Scalars) and "epoch_loss" in event.values]
    return {point.epoch: point.values["epoch_loss"] for point in points}


def _weights(run: RunFolder) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = read_checkpoint(run.checkpoints / LAST)["method"]
    return weights


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def _stop_at(step: int) -> Callable[[Batch, Progress], None]:
    def hook(batch: Batch, progress: Progress) -> None:
        if progress.step == step:
            signal.raise_signal(signal.SIGTERM)

    return hook


def test_a_whole_run(make_run: MakeRun, registry: Registry) -> None:
    run = make_run()
    told: list[tuple[str, int, int]] = []
    state = train(run, registry=registry, report=lambda *what: told.append(what))
    assert state.phase == "finished"
    assert _phases(run) == ["created", "preparing", "training", "finished"]
    assert state.fraction() == 1
    assert (state.step, state.epoch, state.total_epochs) == (4 * STEPS, 4, 4)
    assert {snapshot.epoch for snapshot in state.snapshots} == {0, 2, 4}
    assert [(probe.epoch, probe.subject) for probe in state.probes] == [
        (0, "pixels"),
        (0, "untrained"),
        (2, "encoder"),
        (4, "encoder"),
    ]
    assert state.health is not None
    assert state.verdict is not None
    assert {"loss", "loss/spread", "learning_rate", "images_per_second", "waiting", "watching", "memory"} <= set(
        state.scalars
    )
    assert told[-1][1:] == (4 * STEPS, 4 * STEPS)
    assert state.derived["learning_rate"] == 1.0 * 8 / 256
    assert not control.is_alive(run)
    assert msgspec.json.decode(run.environment_file.read_bytes())["versions"]["torch"] == torch.__version__
    table = read_split(run.split_file)
    snapshot = read_snapshot(run.snapshot_file(4))
    assert sorted(snapshot.indices.tolist()) == list(range(len(table)))
    assert snapshot.embeddings.shape == (60, 128)
    assert np.isfinite(snapshot.embeddings).all()


def test_the_last_encoder_is_in_the_checkpoint_and_the_first_can_be_drawn_again(
    make_run: MakeRun, registry: Registry
) -> None:
    run = make_run(train={"epochs": 2})
    train(run, registry=registry)
    trained, first = load_encoder(run, registry=registry), load_encoder(run, registry=registry, trained=False)
    assert (trained.epoch, first.epoch) == (2, 0)
    assert encoder_hash(trained.encoder) != encoder_hash(first.encoder)
    assert not any(parameter.requires_grad for parameter in trained.encoder.parameters())
    # What epoch 0's snapshot holds comes from that first encoder.
    from workbench.data.prepare import prepare
    from workbench.inspect.embed import embed
    from workbench.spec import places

    data = prepare(run.experiment(), cache=places.cache_folder(), table=read_split(run.split_file))
    for loaded, epoch in ((first, 0), (trained, 2)):
        snapshot = read_snapshot(run.snapshot_file(epoch))
        again = embed(
            loaded.encoder,
            loaded.normalization,
            data.store.pixels,
            image_size=loaded.image_size,
            device=torch.device("cpu"),
            rows=snapshot.indices,
        )
        assert np.allclose(again, snapshot.embeddings, atol=1e-5)


@pytest.mark.parametrize("step", [0, STEPS - 1, STEPS + 2])
def test_stopped_and_resumed_is_as_if_never_stopped(
    make_run: MakeRun, registry: Registry, hook: SetHook, step: int
) -> None:
    whole, parted = make_run(), make_run()
    train(whole, registry=registry)
    hook(_stop_at(step))
    state = train(parted, registry=registry)
    hook(None)
    assert state.phase == "stopped"
    assert state.checkpoint is not None
    assert state.checkpoint.step == step + 1
    assert train(parted, registry=registry).phase == "finished"
    assert _same(_weights(whole), _weights(parted))
    assert _epoch_losses(whole) == _epoch_losses(parted)
    assert int(_weights(parted)["count"]) == 4 * STEPS
    probes = [[(p.epoch, p.accuracy) for p in fold(read_events(r.events_file)).probes] for r in (whole, parted)]
    assert probes[0] == probes[1]
    started = [event for event in read_events(parted.events_file) if isinstance(event, Started)]
    assert [event.step for event in started] == [0, step + 1]


def test_another_seed_is_another_run(make_run: MakeRun, registry: Registry) -> None:
    one, other = make_run(train={"epochs": 1}), make_run(train={"epochs": 1})
    other.experiment_file.write_bytes(other.experiment_file.read_bytes().replace(b"seed = 0", b"seed = 1"))
    train(one, registry=registry)
    train(other, registry=registry)
    assert not _same(_weights(one), _weights(other))


def test_requests_in_the_control_folder(make_run: MakeRun, registry: Registry, hook: SetHook) -> None:
    run = make_run(train={"epochs": 500})
    seen: dict[str, Any] = {}

    def user() -> None:
        def until(true: Callable[[], bool]) -> None:
            end = time.monotonic() + 60
            while not true() and time.monotonic() < end:
                time.sleep(0.02)

        until(lambda: "training" in _phases(run))
        control.ask(run, "snapshot")
        until(lambda: not control.asked(run, "snapshot"))
        control.ask(run, "pause")
        until(lambda: _phases(run)[-1] == "paused")
        seen["paused"] = status(run)[0]
        seen["step"] = fold(read_events(run.events_file)).checkpoint
        time.sleep(0.3)
        seen["later"] = fold(read_events(run.events_file)).checkpoint
        control.withdraw(run, "pause")
        until(lambda: _phases(run)[-1] == "training")
        control.ask(run, "stop")

    hook(lambda batch, progress: time.sleep(0.01))
    thread = threading.Thread(target=user)
    thread.start()
    state = train(run, registry=registry)
    thread.join()
    assert state.phase == "stopped"
    assert seen["paused"] == "paused"
    assert seen["step"] == seen["later"]
    assert len(state.snapshots) > 1
    assert not control.asked(run, "stop")
    assert _phases(run)[-3:] == ["paused", "training", "stopped"]


def test_a_report_can_stop_it(make_run: MakeRun, registry: Registry) -> None:
    run = make_run()

    def report(what: str, done: int, total: int) -> None:
        if what.startswith("training"):
            raise Cancelled

    state = train(run, registry=registry, report=report)
    assert state.phase == "stopped"
    assert state.checkpoint is not None


def test_a_loss_that_is_not_finite_stops_before_the_step(make_run: MakeRun, registry: Registry, hook: SetHook) -> None:
    run = make_run(watch={"checkpoint_every": 1})
    before: dict[str, str] = {}

    def spoil(batch: Batch, progress: Progress) -> None:
        if progress.step == STEPS + 2:
            before["sum"] = hashlib.sha256((run.checkpoints / LAST).read_bytes()).hexdigest()
            batch.views[0].fill_(float("nan"))

    hook(spoil)
    with pytest.raises(TrainingError, match="epoch 2, step 3") as caught:
        train(run, registry=registry)
    assert "learning_rate" in caught.value.hint
    assert hashlib.sha256((run.checkpoints / LAST).read_bytes()).hexdigest() == before["sum"]
    state = fold(read_events(run.events_file))
    assert state.phase == "failed"
    assert state.failure is not None
    assert state.failure.message == caught.value.message
    hook(None)
    assert train(run, registry=registry).phase == "finished"


def test_out_of_memory_names_a_batch_that_fits(make_run: MakeRun, registry: Registry, hook: SetHook) -> None:
    run = make_run(train={"batch_size": 32})

    def crowd(batch: Batch, progress: Progress) -> None:
        if len(batch.indices) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")

    hook(crowd)
    with pytest.raises(TrainingError, match="batch of 32") as caught:
        train(run, registry=registry)
    assert "set train.batch_size to 8" in caught.value.hint
    assert _phases(run)[-1] == "failed"


def test_a_fault_is_written_down_with_its_traceback(make_run: MakeRun, registry: Registry, hook: SetHook) -> None:
    run = make_run()

    def fail(batch: Batch, progress: Progress) -> None:
        raise ZeroDivisionError("a fault of a plugin")

    hook(fail)
    with pytest.raises(TrainingError, match="ZeroDivisionError: a fault of a plugin"):
        train(run, registry=registry)
    failures = [event for event in read_events(run.events_file) if isinstance(event, Failure)]
    assert "in fail" in failures[0].details
    assert status(run)[0] == "failed"


def test_a_damaged_checkpoint_falls_back_to_the_one_before(make_run: MakeRun, registry: Registry) -> None:
    whole, run = make_run(), make_run()
    train(whole, registry=registry)
    _train_halfway(run, registry)
    last = run.checkpoints / LAST
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 0xFF  # a single byte of some weights, which torch itself would not notice
    last.write_bytes(content)
    assert train(run, registry=registry).phase == "finished"
    warnings = [event.message for event in read_events(run.events_file) if isinstance(event, Warned)]
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    assert "checkpoint before it" in warnings[0]
    assert _same(_weights(whole), _weights(run))


def test_without_a_whole_checkpoint_it_says_what_to_do(make_run: MakeRun, registry: Registry) -> None:
    run = make_run()
    _train_halfway(run, registry)
    for name in (LAST, PREVIOUS):
        (run.checkpoints / name).write_bytes(b"PK\x03\x04 half of a file")
    with pytest.raises(RunError, match="damaged") as caught:
        train(run, registry=registry)
    assert "Delete" in caught.value.hint
    assert status(run)[0] == "failed"


def test_a_checkpoint_of_another_network_is_refused(make_run: MakeRun, registry: Registry) -> None:
    run = make_run()
    _train_halfway(run, registry)
    run.experiment_file.write_bytes(run.experiment_file.read_bytes().replace(b"probed", b"simclr"))
    with pytest.raises(RunError, match="does not fit this experiment"):
        train(run, registry=registry)


def _train_halfway(run: RunFolder, registry: Registry) -> None:
    def report(what: str, done: int, total: int) -> None:
        if done >= 2 * STEPS and what.startswith("training"):
            raise Cancelled

    train(run, registry=registry, report=report)


def test_a_full_disk_ends_it_in_words_and_the_last_checkpoint_stays(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(watch={"checkpoint_every": 1})
    writes = {"count": 0}

    def write(path: Path, content: bytes) -> None:
        writes["count"] += 1
        if writes["count"] > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_whole(path, content)

    monkeypatch.setattr("workbench.training.checkpoint.write_whole", write)
    with pytest.raises(RunError, match="no space left"):
        train(run, registry=registry)
    assert status(run)[0] == "failed"
    kept = read_checkpoint(run.checkpoints / LAST)["step"]
    monkeypatch.undo()
    assert kept > 0
    assert train(run, registry=registry).phase == "finished"


def test_a_time_limit_ends_it_with_the_schedule_at_its_end(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"epochs": 100_000, "max_minutes": 0.02, "warmup": 0.0})
    state = train(run, registry=registry)
    assert state.phase == "finished"
    assert 0 < state.epoch < 100_000
    assert state.scalars["progress"] == 1
    assert state.scalars["learning_rate"] < 0.05 * float(state.derived["learning_rate"])
    assert not state.derived["exact_resume"]
    assert state.snapshots[-1].epoch == int(np.ceil(state.epoch))


def test_a_run_is_trained_by_one_process_and_once(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"epochs": 1})
    parent = psutil.Process(os.getppid())
    sign = control.Heartbeat(
        pid=parent.pid, created=parent.create_time(), host=__import__("socket").gethostname(), time=time.time()
    )
    (run.control / "heartbeat").write_bytes(msgspec.json.encode(sign))
    with pytest.raises(RunError, match=f"process {parent.pid}"):
        train(run, registry=registry)
    control.silence(run)
    train(run, registry=registry)
    with pytest.raises(UsageError, match="has finished"):
        train(run, registry=registry)


def test_a_batch_larger_than_the_data_is_refused(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"batch_size": 64})
    with pytest.raises(CheckError, match="larger than the training set") as caught:
        train(run, registry=registry)
    assert "train.batch_size" in caught.value.hint
    assert status(run)[0] == "failed"


def test_killed_at_any_moment_it_resumes(make_run: MakeRun, registry: Registry, tmp_path: Path) -> None:
    """A process is killed in the middle of its steps; another one goes on, to the same weights."""
    whole, run = make_run(train={"epochs": 8}), make_run(train={"epochs": 8})
    for made in (whole, run):
        text = made.experiment_file.read_bytes().replace(b'"probed"', b'"simclr"')
        made.experiment_file.write_bytes(text)
    process = subprocess.Popen(
        [sys.executable, "-c", f"from tests_train import go; go({str(run.path)!r})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_helper(tmp_path)), *sys.path])},
    )
    try:
        end = time.monotonic() + 120
        while fold(read_events(run.events_file)).epoch < 3 and time.monotonic() < end:
            assert process.poll() is None
            time.sleep(0.02)
        assert status(run)[0] == "training"
    finally:
        process.kill()
        process.wait()
    assert status(run)[0] == "interrupted"
    killed_at = fold(read_events(run.events_file)).step
    assert train(run).phase == "finished"
    assert train(whole).phase == "finished"
    assert 0 < killed_at < 8 * STEPS
    assert _same(_weights(whole), _weights(run))
    assert _epoch_losses(whole) == _epoch_losses(run)


def _helper(folder: Path) -> Path:
    """Each step of the process to be killed takes a while, so that it is killed in the midst of them."""
    lines = (
        "import time",
        "from pathlib import Path",
        "from workbench.runs.folder import RunFolder",
        "from workbench.training import step, trainer",
        "def go(path):",
        "    update = step.Stepper.update",
        "    def slow(self, progress):",
        "        time.sleep(0.1)",
        "        return update(self, progress)",
        "    step.Stepper.update = slow",
        "    trainer.train(RunFolder(Path(path)))",
    )
    (folder / "tests_train.py").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without distributed")
def test_two_processes_train_one_run(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(train={"epochs": 2})
    run.experiment_file.write_bytes(run.experiment_file.read_bytes().replace(b'"probed"', b'"simclr"'))
    with __import__("socket").socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    common |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(_helper(tmp_path)), *sys.path])}
    command = [sys.executable, "-c", f"from tests_train import go; go({str(run.path)!r})"]
    processes = [
        subprocess.Popen(command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=200) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    state = fold(read_events(run.events_file))
    assert state.phase == "finished"
    assert _phases(run) == ["created", "preparing", "training", "finished"]
    assert state.step == 2 * STEPS
    assert load_encoder(run).epoch == 2


def test_a_resume_without_some_of_its_images_says_so_and_keeps_the_rows_of_the_split(
    make_run: MakeRun, registry: Registry, hook: SetHook, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "images"
    shutil.copytree(images, copy)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    run = make_run(data={"folder": str(copy)}, train={"epochs": 2})
    hook(_stop_at(STEPS - 2))  # With fewer steps in an epoch than it has done already.
    train(run, registry=registry)
    hook(None)
    table = read_split(run.split_file)
    means = read_checkpoint(run.checkpoints / LAST)["normalization"]
    gone = [table.paths[row] for row in table.rows("train")[:20]]
    for path in gone:
        (copy / path).unlink()
    shutil.rmtree(tmp_path / "cache")
    assert train(run, registry=registry).phase == "finished"
    warnings = [event.message for event in read_events(run.events_file) if isinstance(event, Warned)]
    assert any(line.startswith("20 of the 48 images") for line in warnings)
    assert read_split(run.split_file) == table
    shown = {table.paths[row] for row in read_snapshot(run.snapshot_file(2)).indices}
    assert shown == set(table.paths) - set(gone)
    assert int(_weights(run)["count"]) == STEPS - 1 + 28 // 8
    assert read_checkpoint(run.checkpoints / LAST)["normalization"] == means


def test_an_encoder_that_diverged_is_told_in_words_and_does_not_end_the_run(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(train={"epochs": 2})

    def embed(*given: Any, **rest: Any) -> Any:
        features = embed_features(*given, **rest)
        features[0, 0] = np.nan if (run.checkpoints / LAST).exists() else 0.0
        return features

    monkeypatch.setattr("workbench.training.watcher.embed", embed)
    state = train(run, registry=registry)
    assert state.phase == "finished"
    assert state.verdict is not None
    assert (state.verdict.level, state.verdict.title) == ("bad", "Diverged")
    assert [snapshot.epoch for snapshot in state.snapshots] == [0]


def test_a_new_snapshot_takes_away_the_map_of_the_one_that_it_replaces(make_run: MakeRun, registry: Registry) -> None:
    run = make_run(train={"epochs": 2})
    write_layout(run.layout_file(2, "umap"), np.zeros((60, 2), np.float32), np.arange(60))
    train(run, registry=registry)
    assert read_layout(run.layout_file(2, "umap")) is None


def test_a_resumed_run_needs_the_weights_that_it_began_with_no_more(make_run: MakeRun, registry: Registry) -> None:
    run = make_run()
    _train_halfway(run, registry)
    shutil.copytree(run.path, run.path.with_name("fresh"))
    text = run.experiment_file.read_text(encoding="utf-8")
    for folder in (run.path, run.path.with_name("fresh")):
        gone = text.replace('weights = "none"', 'weights = "gone"')
        (folder / "experiment.toml").write_text(gone, encoding="utf-8")
    fresh = RunFolder.open(run.path.with_name("fresh"))
    for name in (LAST, PREVIOUS):
        (fresh.checkpoints / name).unlink(missing_ok=True)
    assert train(run, registry=registry).phase == "finished"
    with pytest.raises(NotFoundError, match="gone"):
        train(fresh, registry=registry)


def test_a_finished_run_whose_weights_were_damaged_can_be_trained_to_its_end_again(
    make_run: MakeRun, registry: Registry
) -> None:
    run = make_run()
    train(run, registry=registry)
    before = _weights(run)
    (run.checkpoints / LAST).write_bytes(b"PK\x03\x04 half of a file")
    assert train(run, registry=registry).phase == "finished"
    assert _same(before, _weights(run))


def test_a_disk_that_is_full_from_the_first_moment_is_told_in_words(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()

    def full(run: RunFolder) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(control, "beat", full)
    with pytest.raises(RunError, match="no space left"):
        train(run, registry=registry)


def test_weights_that_are_not_numbers_are_never_kept(
    make_run: MakeRun, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    probed = registry.method("probed").build
    really = probed.after_step  # type: ignore[attr-defined]

    def after_step(method: Any, progress: Progress) -> None:
        really(method, progress)
        if progress.step == 4 * STEPS - 1:  # As a gradient that overflows in the very last step would.
            next(method.encoder.parameters()).data.fill_(float("nan"))

    monkeypatch.setattr(probed, "after_step", after_step)
    with pytest.raises(TrainingError, match="weights are not finite"):
        train(run, registry=registry)
    assert fold(read_events(run.events_file)).phase == "failed"
    assert all(bool(torch.isfinite(value).all()) for value in _weights(run).values())
