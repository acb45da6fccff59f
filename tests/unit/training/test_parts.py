"""The small parts around the loop: schedule, optimizers, feed, meter, checkpoints, devices, memory."""

import math
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from workbench.inspect.encoder import read_checkpoint
from workbench.runs.folder import RunFolder
from workbench.spec.errors import RunError, UsageError
from workbench.spec.experiment import DataSpec, Experiment, TrainSpec
from workbench.training.checkpoint import BEST, LAST, PREVIOUS, load_checkpoint, save_best, save_checkpoint
from workbench.training.clock import Clock
from workbench.training.devices import device_load, list_devices, resolve_device, resolve_precision
from workbench.training.feed import Feed, permutation
from workbench.training.memory import fitting_batch, is_out_of_memory
from workbench.training.meter import Meter
from workbench.training.optimizer import build_optimizer, parameter_groups, set_rates
from workbench.training.schedule import learning_rate, scaled_learning_rate

CPU = torch.device("cpu")


def test_the_schedule_is_that_of_torch() -> None:
    """Warm-up in a straight line, then half a cosine: against torch's own schedulers."""
    total, warmup, base = 100, 10, 0.3
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base)
    rise = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warmup)
    for step in range(total):
        ours = learning_rate(step, total=total, base=base, warmup=warmup, shape="cosine")
        if step == warmup:
            optimizer.param_groups[0]["lr"] = base
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6, abs=1e-9)
        optimizer.step()
        (rise if step < warmup else fall).step()


def test_the_schedule_at_its_ends() -> None:
    def rate(step: float, warmup: float = 0.0, shape: str = "cosine") -> float:
        return learning_rate(step, total=10, base=1.0, warmup=warmup, shape=shape)  # type: ignore[arg-type]

    assert rate(0) == 1.0
    assert rate(10) == pytest.approx(0.0)
    assert rate(20) == pytest.approx(0.0)
    assert rate(9, shape="constant") == 1.0
    assert rate(5, warmup=1000) == pytest.approx(0.6)
    assert scaled_learning_rate(0.06, 512) == pytest.approx(0.12)


def test_tokens_and_positions_of_a_transformer_do_not_decay() -> None:
    tokens, weight = nn.Parameter(torch.zeros(1, 5, 8)), nn.Parameter(torch.zeros(2, 5, 8))
    decaying, others = parameter_groups([tokens, weight], 0.1)
    assert [id(p) for p in decaying["params"]] == [id(weight)]
    assert [id(p) for p in others["params"]] == [id(tokens)]


@pytest.mark.parametrize("name", ["sgd", "adamw", "lars"])
def test_biases_and_norms_do_not_decay(name: str) -> None:
    convolution, linear = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
    net = nn.Sequential(convolution, nn.BatchNorm2d(4), nn.Flatten(), linear)
    linear.weight.requires_grad = False
    spec = TrainSpec(optimizer=name, weight_decay=0.1)  # type: ignore[arg-type]
    optimizer = build_optimizer(net, spec, learning_rate=0.5)
    weights, others = optimizer.param_groups
    assert [p.shape for p in weights["params"]] == [convolution.weight.shape]
    assert (weights["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert len(others["params"]) == 4
    set_rates(optimizer, 0.25, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
    net(torch.randn(2, 3, 3, 3)).sum().backward()
    before = convolution.weight.detach().clone()
    optimizer.step()
    assert not torch.equal(before, convolution.weight)


def test_lars_takes_steps_as_large_as_the_weights_allow() -> None:
    """You et al. 2017: lr × trust × |w| / (|g| + decay × |w|), whatever the scale of the gradient."""
    steps = []
    for scale in (1.0, 1000.0):
        weight = nn.Parameter(torch.full((4, 4), 2.0))
        holder = nn.ParameterList([weight])
        spec = TrainSpec(optimizer="lars", weight_decay=0.0, momentum=0.0)
        optimizer = build_optimizer(holder, spec, learning_rate=1.0)
        weight.grad = torch.full((4, 4), scale)
        optimizer.step()
        steps.append(2.0 - float(weight[0, 0].detach()))
    assert steps[0] == pytest.approx(0.02 * 2.0, rel=1e-3)
    assert steps[1] == pytest.approx(steps[0], rel=1e-3)


def test_adamw_averages_squares_as_its_second_beta_says() -> None:
    """Kingma & Ba 2015, algorithm 1: v ← beta2 · v + (1 − beta2) · g², from 0."""
    for spec, beta2 in ((TrainSpec(optimizer="adamw"), 0.999), (TrainSpec(optimizer="adamw", beta2=0.95), 0.95)):
        weight = nn.Parameter(torch.zeros(2, 2))
        optimizer = build_optimizer(nn.ParameterList([weight]), spec, learning_rate=0.1)
        weight.grad = torch.full((2, 2), 3.0)
        optimizer.step()
        assert optimizer.param_groups[0]["betas"] == (0.9, beta2)
        torch.testing.assert_close(optimizer.state[weight]["exp_avg_sq"], torch.full((2, 2), (1 - beta2) * 9.0))


def test_parameters_that_do_not_train_are_in_no_group() -> None:
    net = nn.Linear(2, 2).requires_grad_(False)
    assert [group["params"] for group in parameter_groups(net.parameters(), 0.1)] == [[], []]


def _feed(count: int = 20, batch: int = 6, **where: int) -> Feed:
    rows = np.arange(100, 100 + count)
    pixels = np.repeat(np.arange(256, dtype=np.uint8), 3 * 4 * 4).reshape(256, 3, 4, 4)
    labels = np.arange(count) % 3
    return Feed(pixels, rows=rows, ids=rows + 1000, labels=labels, batch_size=batch, seed=1, device=CPU, **where)


def test_the_feed_gives_whole_batches_of_every_image_once() -> None:
    feed = _feed()
    assert feed.steps == 3
    batches = list(feed.epoch(0))
    assert [batch.step for batch in batches] == [0, 1, 2]
    ids = torch.cat([batch.ids for batch in batches])
    indices = torch.cat([batch.indices for batch in batches])
    assert len(set(ids.tolist())) == 18
    assert torch.equal(ids, indices + 1100)
    assert torch.equal(torch.cat([batch.pixels for batch in batches])[:, 0, 0, 0].long(), indices + 100)
    assert torch.equal(torch.cat([batch.labels for batch in batches]), indices % 3)


def test_the_feed_can_begin_within_an_epoch() -> None:
    whole = [batch.ids.tolist() for batch in _feed().epoch(3)]
    assert [batch.ids.tolist() for batch in _feed().epoch(3, start=2)] == whole[2:]
    assert [batch.ids.tolist() for batch in _feed().epoch(4)] != whole


def test_ranks_share_a_batch() -> None:
    whole = [batch.ids.tolist() for batch in _feed().epoch(0)]
    parts = [[batch.ids.tolist() for batch in _feed(rank=rank, world=2).epoch(0)] for rank in range(2)]
    for step, rows in enumerate(whole):
        assert sorted(parts[0][step] + parts[1][step]) == sorted(rows)
        assert len(parts[0][step]) == 3


def test_the_feed_can_be_left_early_and_passes_faults_on() -> None:
    feed = _feed()
    for _ in feed.epoch(0):
        break
    broken = Feed(
        np.zeros((3, 3, 4, 4), np.uint8),
        rows=np.arange(9),
        ids=np.arange(9),
        labels=np.zeros(9, np.int64),
        batch_size=2,
        seed=0,
        device=CPU,
    )
    with pytest.raises(IndexError):
        list(broken.epoch(0))


def test_orders_are_permutations_of_seed_and_epoch() -> None:
    assert sorted(permutation(50, seed=1, epoch=2).tolist()) == list(range(50))
    assert permutation(50, seed=1, epoch=2).tolist() == permutation(50, seed=1, epoch=2).tolist()
    assert len({tuple(permutation(50, seed=seed, epoch=epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_the_meter_gives_means() -> None:
    meter = Meter(CPU)
    for value in (1.0, 2.0, 6.0):
        meter.add({"loss": torch.tensor(value), "loss/part": torch.tensor(2 * value)}, images=4)
    point = meter.take(waited=0.0)
    assert point["loss"] == pytest.approx(3.0)
    assert point["loss/part"] == pytest.approx(6.0)
    assert point["images_per_second"] > 0
    assert 0 <= point["waiting"] <= 1
    assert meter.take(waited=0.0) == {}
    meter.add({"loss": torch.tensor(11.0)}, images=4)
    assert meter.end_epoch() == pytest.approx(5.0)
    assert meter.whole_steps == 0


def test_images_of_before_a_pause_do_not_count_for_the_speed_after_it() -> None:
    meter = Meter(CPU)
    meter.add({"loss": torch.tensor(1.0)}, images=1_000_000)
    meter.forget_time()
    point = meter.take(waited=0.0)
    assert (point["images_per_second"], point["loss"]) == (0.0, 1.0)


def test_the_clock_stands_still_when_it_is_halted() -> None:
    clock = Clock(30.0, limit=60.0)
    assert clock.fraction >= 0.5
    assert not clock.is_up
    clock.halt()
    assert clock.seconds == clock.seconds
    clock.go_on()
    assert Clock(61.0, limit=60.0).is_up
    assert Clock(61.0).fraction == 0
    assert not Clock(61.0).is_up


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, Experiment(data=DataSpec(folder="x")))


def _state(epoch: int) -> dict[str, object]:
    weights = torch.full((100,), float(epoch))
    return {"method": {"w": weights}, "normalization": {"mean": [0.5], "std": [0.2]}, "epoch": epoch, "rng": {}}


def test_a_new_checkpoint_keeps_the_one_before(run: RunFolder) -> None:
    assert load_checkpoint(run) == (None, "")
    for epoch in (1, 2, 3):
        save_checkpoint(run, _state(epoch))
    save_best(run, {**_state(2), "accuracy": 0.5})
    state, warning = load_checkpoint(run)
    assert state is not None
    assert (state["epoch"], warning) == (3, "")
    assert read_checkpoint(run.checkpoints / PREVIOUS)["epoch"] == 2
    assert "rng" not in read_checkpoint(run.checkpoints / BEST)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == [BEST, LAST, PREVIOUS]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other", "pickle"])
def test_damage_of_any_kind_is_seen(run: RunFolder, damage: str) -> None:
    save_checkpoint(run, _state(1))
    save_checkpoint(run, _state(2))
    path = run.checkpoints / LAST
    content = bytearray(path.read_bytes())
    if damage == "flip":
        # Within the numbers of the tensor, where only its sum can tell.
        place = content.index(torch.full((100,), 2.0).numpy().tobytes())
        content[place + 3] ^= 1
    elif damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "empty":
        content.clear()
    elif damage == "other":
        content = bytearray(_zip({"a.txt": b"hello"}))
    else:
        content = bytearray(b"cos\nsystem\n(S'exit 1'\ntR.")
    path.write_bytes(content)
    with pytest.raises(RunError):
        read_checkpoint(path)
    state, warning = load_checkpoint(run)
    assert state is not None
    assert state["epoch"] == 1
    assert warning


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_kill_between_the_renames_loses_nothing(run: RunFolder) -> None:
    save_checkpoint(run, _state(1))
    (run.checkpoints / LAST).replace(run.checkpoints / PREVIOUS)
    state, _ = load_checkpoint(run)
    assert state is not None
    assert state["epoch"] == 1


def test_devices_are_named_and_missing_ones_told() -> None:
    names = [device.name for device in list_devices()]
    assert names[-1] == "cpu"
    assert str(resolve_device("auto")) == names[0]
    assert resolve_device("cpu") == CPU
    with pytest.raises(UsageError, match=r"no device 'cuda:63'.*cpu"):
        resolve_device("cuda:63")
    with pytest.raises(UsageError, match="'gpu' is not a device"):
        resolve_device("gpu")


def test_precisions_of_the_cpu() -> None:
    assert resolve_precision("auto", CPU) == "float32"
    assert resolve_precision("bfloat16", CPU) == "bfloat16"
    with pytest.raises(UsageError, match="needs a GPU"):
        resolve_precision("float16", CPU)


def test_auto_takes_bfloat16_only_where_the_gpu_itself_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # What torch says on a GPU that it would have to emulate bfloat16 on.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert resolve_precision("auto", torch.device("cuda")) == "float32"
    with pytest.raises(UsageError, match="no bfloat16"):
        resolve_precision("bfloat16", torch.device("cuda"))


@pytest.mark.parametrize(("room", "expected"), [(100, 32), (20, 16), (2, 2), (1, 0)])
def test_the_largest_batch_that_fits(room: int, expected: int) -> None:
    def attempt(size: int) -> None:
        if size > room:
            raise MemoryError

    assert fitting_batch(attempt, failed=64) == expected


def test_what_counts_as_out_of_memory() -> None:
    makers: list[Callable[[], BaseException]] = [
        MemoryError,
        lambda: torch.OutOfMemoryError("x"),
        lambda: RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
    ]
    assert all(is_out_of_memory(make()) for make in makers)
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert math.isfinite(1.0)


def test_the_load_of_the_processor_is_a_share_and_apples_is_not_known() -> None:
    load = device_load(CPU)
    assert load is not None
    assert 0 <= load <= 1
    assert device_load(torch.device("mps")) is None
