"""Pictures of the task while training: when they are taken, of what, and that they never stop a run."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.training.conftest import PROBED, Probed
from workbench.augment.normalize import Normalization
from workbench.catalog.registry import Registry
from workbench.inspect.exhibit import IMAGES, choose_images, show_task
from workbench.method.contract import Batch, Method, Progress
from workbench.method.exhibit import Panel
from workbench.runs.events import ExhibitTaken, Warned, read_events
from workbench.runs.exhibit import Exhibit, ShownPanel, read_exhibit, write_exhibit
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split
from workbench.runs.state import fold
from workbench.spec.errors import NotFoundError, PluginError, RunError
from workbench.training.trainer import train

MakeRun = Callable[..., RunFolder]


class Shown(Probed):
    """The method of these tests, with pictures. `problem` is raised where it is set."""

    problem: Exception | None = None

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        if Shown.problem is not None:
            raise Shown.problem
        torch.rand(3)  # A careless method must not change what training draws.
        assert not self.training
        assert not torch.is_grad_enabled()
        view = batch.views[0]
        words = tuple(f"image {row}" for row in range(len(view)))
        spread = self.head(self.encoder(view)).std(dim=1)
        gray = spread[:, None, None, None].expand(-1, 1, 4, 4).sigmoid()
        return (
            Panel(part="input", title="View", images=view, captions=words),
            Panel(part="answer", title="Spread", images=gray, normalized=False, right=(True, False) * (len(view) // 2)),
        )


@pytest.fixture
def shows(registry: Registry) -> Iterator[Registry]:
    """The catalog, with pictures of its method."""
    info = replace(PROBED, build=Shown, exhibits=True)
    yield Registry(
        methods=MappingProxyType({**registry.methods, "probed": info}),
        backbones=registry.backbones,
        ops=registry.ops,
        presets=registry.presets,
    )
    Shown.problem = None


def test_a_run_shows_the_same_images_at_every_snapshot(make_run: MakeRun, shows: Registry, registry: Registry) -> None:
    run, silent = make_run(), make_run()
    state = train(run, registry=shows)
    assert [taken.epoch for taken in state.exhibits] == [0, 2, 4]
    looks = [read_exhibit(run.path / taken.file) for taken in state.exhibits]
    table = read_split(run.split_file)
    test = {table.paths[row] for row in table.rows("test")}
    assert len(looks[0].paths) == IMAGES
    assert set(looks[0].paths) <= test
    assert [look.epoch for look in looks] == [0, 2, 4]
    for look in looks:
        assert look.paths == looks[0].paths
        given, answer = look.panels
        assert (given.part, given.title, given.captions[1]) == ("input", "View", "image 1")
        assert np.array_equal(given.pictures, looks[0].panels[0].pictures)
        assert given.pictures.shape == (IMAGES, 16, 16, 3)
        assert answer.pictures.shape == (IMAGES, 4, 4, 3)
        assert look.score == (IMAGES // 2, IMAGES)
    assert not np.array_equal(looks[0].panels[1].pictures, looks[2].panels[1].pictures), "it has learned"
    # Looking changes nothing: the same run without pictures ends with the same weights.
    assert train(silent, registry=registry).exhibits == ()
    assert not silent.exhibits.exists()
    ends = [torch.load(one.checkpoints / "last.pt", weights_only=True)["method"] for one in (run, silent)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_what_is_shown_is_the_view_before_normalization(make_run: MakeRun, shows: Registry) -> None:
    run = make_run(train={"epochs": 1})
    train(run, registry=shows)
    look = read_exhibit(run.exhibit_file(0))
    from PIL import Image

    experiment = run.experiment()
    for path, picture in zip(look.paths, look.panels[0].pictures, strict=True):
        with Image.open(f"{experiment.data.folder}/{path}") as file:
            stored = np.asarray(file.convert("RGB").resize((16, 16), Image.Resampling.BILINEAR), float)
        near = [np.abs(side - picture.astype(float)).mean() for side in (stored, stored[:, ::-1])]
        assert min(near) < 12, "the image, or its mirror image: the chain may flip it"


@pytest.mark.parametrize(
    ("problem", "words"),
    [(RuntimeError("shapes differ"), "RuntimeError: shapes differ"), (OSError(28, "No space left"), "OSError")],
)
def test_a_failing_method_is_a_warning(make_run: MakeRun, shows: Registry, problem: Exception, words: str) -> None:
    Shown.problem = problem
    run = make_run()
    state = train(run, registry=shows)
    assert state.phase == "finished"
    assert state.exhibits == ()
    told = [event.message for event in read_events(run.events_file) if isinstance(event, Warned)]
    assert len(told) == 1, "once for each reason"
    assert told[0].startswith("No pictures of the task were kept, and training goes on. Probed could not show its task")
    assert words in told[0]


def test_a_folder_that_cannot_be_written_is_a_warning(make_run: MakeRun, shows: Registry) -> None:
    run = make_run()
    run.exhibits.write_text("in the way")
    state = train(run, registry=shows)
    assert state.phase == "finished"
    assert "cannot be written" in state.warnings[-1].message


def test_stopped_and_resumed_shows_what_a_whole_run_shows(
    make_run: MakeRun, shows: Registry, hook: Callable[[Callable[[Batch, Progress], None] | None], None]
) -> None:
    def stop(batch: Batch, progress: Progress) -> None:
        if progress.step == 8:
            signal.raise_signal(signal.SIGTERM)

    whole, parted = make_run(), make_run()
    train(whole, registry=shows)
    hook(stop)
    train(parted, registry=shows)
    hook(None)
    state = train(parted, registry=shows)
    assert [taken.epoch for taken in state.exhibits] == [0, 2, 4]
    for epoch in (0, 2, 4):
        one, other = read_exhibit(whole.exhibit_file(epoch)), read_exhibit(parted.exhibit_file(epoch))
        assert one.paths == other.paths
        for mine, theirs in zip(one.panels, other.panels, strict=True):
            assert np.array_equal(mine.pictures, theirs.pictures)


def test_a_trainer_that_begins_earlier_takes_its_pictures_back() -> None:
    from workbench.runs.events import Started

    taken = [ExhibitTaken(epoch=epoch, file=f"{epoch}.h5", images=12) for epoch in (0, 1, 2, 2)]
    state = fold(taken)
    assert [one.epoch for one in state.exhibits] == [0, 1, 2]
    state = fold([Started(pid=1, host="h", device="cpu", epoch=1, step=6)], state)
    assert [one.epoch for one in state.exhibits] == [0, 1]


def test_each_class_has_its_turn_and_a_lost_file_moves_no_other() -> None:
    rows, ids = np.arange(40, dtype=np.int64), np.arange(100, 140, dtype=np.int64) ** 5
    labels = np.repeat(np.arange(4), 10)
    chosen = choose_images(rows, ids, labels, seed=3)
    assert len(chosen) == IMAGES
    assert [labels[row] for row in chosen] == [0, 1, 2, 3] * 3
    without = choose_images(np.delete(rows, chosen[5]), ids, labels, seed=3)
    assert len(set(chosen) & set(without)) == IMAGES - 1
    assert set(choose_images(rows, ids, labels, seed=4)) != set(chosen)
    assert len(choose_images(rows[:3], ids, labels, seed=3)) == 3


def test_an_exhibit_is_written_whole_and_read_as_it_was(tmp_path: Path) -> None:
    pictures = np.arange(2 * 5 * 4 * 3, dtype=np.uint8).reshape(2, 5, 4, 3)
    panels = (
        ShownPanel(part="input", title="Cut up", pictures=pictures, captions=("ä", "")),
        ShownPanel(part="answer", title="Put together", pictures=255 - pictures, right=(True, False)),
    )
    path = tmp_path / "exhibits" / "epoch-0003.h5"
    write_exhibit(path, Exhibit(epoch=3, paths=("a/ü.png", "b\udcff.png"), panels=panels))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    again = read_exhibit(path)
    assert (again.epoch, again.paths, again.score) == (3, ("a/ü.png", "b\udcff.png"), (1, 2))
    for one, other in zip(panels, again.panels, strict=True):
        assert (one.part, one.title, one.captions, one.right) == (other.part, other.title, other.captions, other.right)
        assert np.array_equal(one.pictures, other.pictures)
    path.write_bytes(b"torn")
    with pytest.raises(RunError, match="damaged"):
        read_exhibit(path)
    with pytest.raises(NotFoundError):
        read_exhibit(tmp_path / "none.h5")


class Fixed(Method):
    """Shows what it is told to show."""

    def __init__(self, *panels: Panel) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(1, 1).eval()
        self.panels = panels

    def loss(self, batch: Batch, progress: Progress) -> Any:
        raise NotImplementedError

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        return self.panels


def _show(*panels: Panel, channels: int, answers: bool = True) -> tuple[ShownPanel, ...]:
    scale = Normalization([0.5] * channels, [0.25] * channels)
    batch = Batch(views=(torch.zeros(2, channels, 8, 8),), indices=torch.arange(2))
    return show_task(PROBED, Fixed(*panels), batch, scale, answers=answers)


def test_panels_are_shown_as_a_person_sees_them() -> None:
    flat = Panel(part="input", title="Flat", images=torch.ones(2, 1, 4, 4))
    (gray,) = _show(flat, channels=1)
    assert gray.pictures.shape == (2, 4, 4, 3)
    assert (gray.pictures == 191).all(), "0.5 + 0.25 of 255"
    planes = Panel(part="target", title="Planes", images=torch.stack([torch.full((5, 4, 4), -9.0)] * 2))
    planes.images[:, 1] = 2.0
    (shown,) = _show(planes, channels=5)
    assert shown.pictures[0, 0, 0].tolist() == [0, 255, 0], "the first three are red, green and blue; all are clipped"
    plain = Panel(part="answer", title="Plain", images=torch.full((2, 3, 4, 4), float("nan")), normalized=False)
    assert (_show(plain, channels=3)[0].pictures == 0).all()
    lightness = Panel(part="input", title="L", images=torch.zeros(2, 1, 4, 4))
    assert (_show(lightness, channels=3)[0].pictures == 128).all()
    assert [panel.title for panel in _show(flat, plain, channels=3, answers=False)] == ["Flat"]


@pytest.mark.parametrize(
    "panel",
    [
        Panel(part="input", title="P", images=torch.zeros(3, 3, 4, 4)),
        Panel(part="input", title="P", images=torch.zeros(2, 3, 4, 4), captions=("one",)),
        Panel(part="answer", title="P", images=torch.zeros(2, 3, 4, 4), right=(True,)),
    ],
)
def test_panels_that_do_not_fit_are_refused_in_words(panel: Panel) -> None:
    with pytest.raises(PluginError, match="Probed could not show its task: ValueError: 'P' has"):
        _show(panel, channels=3)
