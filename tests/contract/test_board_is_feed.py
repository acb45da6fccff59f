"""What the board shows is what training feeds, to the bit: for random chains of the whole catalog.

The real handler reads real files, and the real feed a real pixel store; nothing in between is replaced.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image
from torch import Tensor, nn

from workbench.augment.normalize import normalization_for
from workbench.augment.op import OpInfo
from workbench.catalog.registry import load_registry
from workbench.data.identity import image_ids
from workbench.data.store import open_store
from workbench.engine.handlers import handle
from workbench.engine.messages import Preview, PreviewReply
from workbench.method.contract import Batch, Loss, Method, Progress
from workbench.runs.split import SplitTable
from workbench.spec.experiment import DataSpec, Experiment, MethodSpec, OpSpec, TrainSpec, ViewSpec
from workbench.spec.params import ParamInfo
from workbench.spec.pixels import channels_of
from workbench.spec.progress import ignore
from workbench.training.feed import Feed
from workbench.training.step import Stepper, make_stepper

REGISTRY = load_registry()
OPS = sorted(REGISTRY.ops.values(), key=lambda info: info.name)
COUNT = 7
EXAMPLES = 25


class _Nothing(Method):
    """No method: only what a stepper asks of one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        raise AssertionError("views are all that is wanted here")


class Case(NamedTuple):
    """One experiment's views, and which of the images are looked at in which batches."""

    data: DataSpec
    views: tuple[ViewSpec, ...]
    seed: int
    epoch: int
    used: tuple[int, ...]
    batches: tuple[int, int]
    shown: tuple[int, ...]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of several sizes and modes, in two folders."""
    root = tmp_path_factory.mktemp("board")
    rng = np.random.default_rng(5)
    for number in range(COUNT):
        place = root / ("a" if number % 2 else "b")
        place.mkdir(exist_ok=True)
        side = (20, 33, 48)[number % 3]
        shape = (side, side + number) if number == 4 else (side, side + number, 3)
        pixels = rng.integers(0, 256, shape).astype(np.uint8) // (1 + number % 2)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return root


def paths_of(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")))


def _value(info: ParamInfo) -> st.SearchStrategy[Any]:
    """Any value that the declared bounds allow, the bounds themselves among them."""
    low, high = info.low, info.high
    if info.kind == "choice":
        return st.sampled_from(info.choices)
    if info.kind == "bool":
        return st.booleans()
    assert low is not None, f"{info.name} declares no bounds"
    assert high is not None, f"{info.name} declares no bounds"
    if info.kind == "int":
        return st.integers(int(low), int(high))
    number = st.floats(low, high)
    return number if info.kind == "float" else st.tuples(number, number).map(sorted)


@st.composite
def op_specs(draw: st.DrawFn) -> OpSpec:
    """An op with some of its parameters given; its probability is high, so that something happens."""
    info: OpInfo[Any] = draw(st.sampled_from(OPS))
    params = {}
    for param in info.card().params:
        if param.name == "p":
            params["p"] = draw(st.sampled_from((1.0, 0.5, 0.9, 0.0)))
        elif draw(st.booleans()):
            params[param.name] = draw(_value(param))
    return OpSpec(op=info.name, enabled=draw(st.sampled_from((True, True, True, False))), params=params)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    views = tuple(
        ViewSpec(
            name=f"kind {number}",
            role=draw(st.sampled_from(("global", "local"))),
            count=draw(st.integers(1, 2)),
            size=draw(st.sampled_from((8, 15, 24, 80))),
            chain=tuple(draw(st.lists(op_specs(), max_size=5))),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    used = draw(st.lists(st.integers(0, COUNT - 1), min_size=4, max_size=COUNT, unique=True))
    return Case(
        data=DataSpec(
            folder="",
            size=draw(st.sampled_from((16, 21, 32))),
            channels=draw(st.sampled_from(("rgb", "gray"))),
            depth=draw(st.sampled_from(("8", "16"))),
            fit=draw(st.sampled_from(("crop", "pad"))),
            normalize=draw(st.sampled_from(("dataset", "imagenet"))),
        ),
        views=views,
        seed=draw(st.integers(0, 2**31 - 1)),
        epoch=draw(st.integers(0, 3)),
        used=tuple(used),
        batches=(draw(st.integers(1, 2)), draw(st.integers(3, 4))),
        shown=tuple(draw(st.permutations(used))),
    )


def stepper_of(case: Case, normalization: nn.Module | None) -> Stepper:
    experiment = Experiment(
        data=case.data,
        views=case.views,
        seed=case.seed,
        method=MethodSpec(name="simclr"),
        train=TrainSpec(device="cpu", precision="float32"),
    )
    method = _Nothing()
    return make_stepper(experiment, method, device=torch.device("cpu"), registry=REGISTRY, normalization=normalization)


def fed(
    case: Case, folder: Path, cache: Path, *, batch_size: int, normalization: nn.Module | None = None
) -> dict[str, list[Tensor]]:
    """By path, the views that the method gets in an epoch: global ones first, as in a batch."""
    paths = tuple(paths_of(folder)[row] for row in sorted(case.used))
    table = SplitTable(paths=paths, parts=("train",) * len(paths), labels=("",) * len(paths))
    store, table, broken = open_store(folder, table, case.data, cache)
    assert broken == ()
    feed = Feed(
        store.pixels,
        rows=np.arange(len(table)),
        ids=image_ids(table.paths),
        labels=np.full(len(table), -1),
        batch_size=batch_size,
        seed=case.seed,
        device=torch.device("cpu"),
    )
    stepper = stepper_of(case, normalization)
    found: dict[str, list[Tensor]] = {}
    for drawn in feed.epoch(case.epoch):
        batch = stepper.views(drawn, case.epoch)
        for place, index in enumerate(drawn.indices.tolist()):
            found[table.paths[index]] = [view[place] for view in (*batch.views, *batch.local_views)]
    return found


def shown(case: Case, folder: Path) -> dict[str, list[np.ndarray[Any, np.dtype[np.uint8]]]]:
    """By path, the views on the board, in the same order."""
    paths = tuple(paths_of(folder)[row] for row in case.shown)
    request = Preview(data=case.data, views=case.views, paths=paths, seed=case.seed, epoch=case.epoch)
    reply, arrays = handle(request, ignore)
    assert isinstance(reply, PreviewReply)
    roles = [view.role for view in case.views for _ in range(view.count)]
    order = sorted(range(len(roles)), key=lambda view: roles[view] == "local")
    return {path: [arrays[f"view-{view}"][place] for view in order] for place, path in enumerate(paths)}


def as_bytes(view: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(C, h, w) in [0, 1] as the nearest of 256 levels, (h, w, 3)."""
    levels = (view * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    return np.broadcast_to(levels, (*levels.shape[:2], 3))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=cases())
def test_the_board_shows_what_training_feeds(
    case: Case, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    case = case._replace(data=replace(case.data, folder=str(folder)))
    note(str(case))
    cache = folder.parent / "cache"
    few, many = (fed(case, folder, cache, batch_size=size) for size in case.batches)
    board = shown(case, folder)
    assert set(few) | set(many) <= set(board)
    assert len(many) >= 3
    for batches in (few, many):
        for path, views in batches.items():
            for view, picture in zip(views, board[path], strict=True):
                np.testing.assert_array_equal(as_bytes(view), picture, err_msg=path)
    for path in set(few) & set(many):
        assert all(torch.equal(*pair) for pair in zip(few[path], many[path], strict=True)), path


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=cases())
def test_the_method_gets_them_normalized_and_otherwise_the_same(case: Case, folder: Path) -> None:
    case = case._replace(data=replace(case.data, folder=str(folder)))
    note(str(case))
    cache = folder.parent / "cache"
    channels = channels_of(case.data)
    normalization = normalization_for(case.data, [0.3] * channels, [0.2] * channels)
    raw = fed(case, folder, cache, batch_size=case.batches[0])
    ready = fed(case, folder, cache, batch_size=case.batches[1], normalization=normalization)
    for path in set(raw) & set(ready):
        for plain, normalized in zip(raw[path], ready[path], strict=True):
            assert torch.equal(normalization(plain[None])[0], normalized), path
