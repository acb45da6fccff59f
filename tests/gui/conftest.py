"""What all tests of the window share: an application with the theme, a fake engine, and a small run on disk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import shiboken6
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from workbench.engine import messages as m
from workbench.engine.client import Done, EngineClient, Fail, Progress
from workbench.engine.protocol import Failed
from workbench.gui import theme
from workbench.gui.bridge import Engine
from workbench.gui.pages.page import Page
from workbench.gui.session import Session
from workbench.runs.events import (
    AnyEvent,
    CheckpointSaved,
    Derived,
    EventLog,
    Health,
    Phase,
    Probe,
    Scalars,
    SnapshotTaken,
    Started,
    Verdict,
)
from workbench.runs.folder import RunFolder
from workbench.runs.results import Evaluation, ExportRecord, ProbeResult, save_evaluation
from workbench.runs.snapshot import Snapshot, write_snapshot
from workbench.runs.split import SplitTable, write_split
from workbench.spec.catalog import BackboneCard, Catalog, Family, MethodCard, OpCard, PresetCard
from workbench.spec.dataset import BrokenFile, LabelTable, ScanReport
from workbench.spec.experiment import DataSpec, Experiment, MethodSpec, OpSpec, TrainSpec, ViewSpec
from workbench.spec.machine import Device, Finding, Measurement
from workbench.spec.params import ParamInfo
from workbench.spec.viewfacts import ViewFacts

_P = ParamInfo(name="p", title="probability", kind="float", default=0.5, low=0.0, high=1.0, help="How often.")
_SCALE = ParamInfo(
    name="scale", title="area", kind="range", default=(0.2, 1.0), low=0.01, high=1.0, help="Share of the image kept."
)
_MODE = ParamInfo(
    name="mode", title="edges", kind="choice", default="zero", choices=("zero", "mirror"), help="Beyond the image.",
    advanced=True,
)  # fmt: skip
_CHAIN = (
    OpSpec(op="random_resized_crop", params={"scale": (0.2, 1.0)}),
    OpSpec(op="horizontal_flip", params={"p": 0.5}),
)


def fake_catalog() -> Catalog:
    """A small catalog with every kind of parameter."""
    temperature = ParamInfo(
        name="temperature", title="temperature", kind="float", default=0.5, low=0.01, high=2.0, logarithmic=True,
        help="Lower is stricter.",
    )  # fmt: skip
    dim = ParamInfo(name="dim", title="projection", kind="int", default=128, low=8, high=4096, help="Width.")
    symmetric = ParamInfo(
        name="symmetric", title="symmetric", kind="bool", default=True, help="Both ways.", advanced=True
    )
    families: tuple[tuple[str, str, Family], ...] = (
        ("simclr", "SimCLR", "contrastive"),
        ("byol", "BYOL", "distillation"),
        ("rotation", "Rotation", "puzzle"),
        ("supervised", "Supervised", "baseline"),
    )
    methods = tuple(
        MethodCard(
            name=name, title=title, family=family, paper="arXiv:2002.05709", year=2020, summary=f"{title} in a line.",
            explanation=f"{title} explained at length.", when="Often.", collapse="No.", tags=("large batch",),
            uses_labels=name == "supervised", exhibits=name == "rotation", params=(temperature, dim, symmetric),
        )
        for name, title, family in families
    )  # fmt: skip
    backbones = tuple(
        BackboneCard(
            name=name, title=title, family="cnn", summary="A network.", dim=dim_, million_parameters=size, min_size=16
        )
        for name, title, dim_, size in (("tinyconv", "Tiny ConvNet", 128, 0.1), ("resnet18", "ResNet-18", 512, 11.2))
    )
    ops = (
        OpCard(
            name="random_resized_crop", title="Random resized crop", group="geometry", help="Cuts.", params=(_SCALE,)
        ),
        OpCard(name="horizontal_flip", title="Horizontal flip", group="geometry", help="Mirrors.", params=(_P,)),
        OpCard(name="solarize", title="Solarize", group="color", help="Inverts.", params=(_P, _MODE)),
    )
    presets = (
        PresetCard(name="simclr", title="SimCLR", help="Strong.", views=(ViewSpec(chain=_CHAIN),)),
        PresetCard(name="gentle", title="Gentle", help="Weak.", views=(ViewSpec(chain=_CHAIN[:1]),)),
    )
    return Catalog(methods=methods, backbones=backbones, ops=ops, presets=presets)


def fake_experiment(folder: str) -> Experiment:
    """What the fake engine suggests."""
    return Experiment(
        name=f"simclr on {Path(folder).name}",
        data=DataSpec(folder=folder, labels="folders", size=32),
        views=(ViewSpec(size=32, chain=_CHAIN),),
        method=MethodSpec(name="simclr", params={"temperature": 0.5}),
        train=TrainSpec(epochs=4, batch_size=8),
    )


def _pictures(count: int, side: int, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    shades = (np.arange(count) * 37 % 200 + 40).astype(np.uint8)
    pixels = np.repeat(shades, side * side * channels).reshape(count, side, side, channels)
    if channels == 4:
        pixels[..., 3] = 255
    return pixels


class FakeClient(EngineClient):
    """Answers every request from canned values. `asked` records the requests.

    `replies[RequestType] = function(request) -> (reply, arrays) or Failed` overrides an answer;
    `hold.add(RequestType)` keeps requests of a kind open until `release()`.
    """

    def __init__(self) -> None:
        super().__init__(["false"])
        self.asked: list[m.AnyRequest] = []
        self.replies: dict[type[Any], Callable[[Any], tuple[m.AnyReply, m.Arrays] | Failed]] = {}
        self.hold: set[type[Any]] = set()
        self.cancelled: list[int] = []
        self._held: list[tuple[int, m.AnyRequest, Done, Fail]] = []
        self._number = 0

    def ask(
        self, request: m.AnyRequest, *, done: Done, failed: Fail, progress: Progress | None = None, topic: str = ""
    ) -> int:
        self._number += 1
        self.asked.append(request)
        if type(request) in self.hold:
            self._held.append((self._number, request, done, failed))
        else:
            if progress:
                progress("working", 1, 2)
            self._answer(request, done, failed)
        return self._number

    def last(self, kind: type[Any]) -> Any:
        """The newest request of a kind."""
        return [request for request in self.asked if isinstance(request, kind)][-1]

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)
        for held in [held for held in self._held if held[0] == number]:
            self._held.remove(held)
            held[3](Failed(id=number, reason="cancelled"))

    def release(self) -> None:
        """Answers what was held back."""
        held, self._held = self._held, []
        self.hold.clear()
        for _, request, done, failed in held:
            self._answer(request, done, failed)

    def close(self) -> None:
        self._held.clear()

    def _answer(self, request: m.AnyRequest, done: Done, failed: Fail) -> None:
        outcome = self.replies.get(type(request), canned)(request)
        if isinstance(outcome, Failed):
            failed(outcome)
        else:
            done(*outcome)


_PLAIN: dict[type[Any], m.AnyReply] = {
    m.Check: m.CheckReply(findings=(Finding(level="note", message="A note."),)),
    m.CheckViews: m.CheckViewsReply(),
    m.PixelStatistics: m.PixelStatisticsReply(mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.25), images=24),
    m.MeasureViews: m.ViewFactsReply(facts=ViewFacts(images=24)),
    m.ViewsAsPython: m.ViewsAsPythonReply(text="import torchvision", missing=("Erasing",)),
}
"""Answers that are the same whatever was asked, and hold no arrays."""


def canned(request: m.AnyRequest) -> tuple[m.AnyReply, m.Arrays]:
    """The fake engine's answers."""
    if type(request) in _PLAIN:
        return _PLAIN[type(request)], {}
    match request:
        case m.GetCatalog():
            return m.CatalogReply(catalog=fake_catalog()), {}
        case m.GetMachine():
            device = Device(name="cpu", title="2 CPU cores", memory=8 * 1024**3)
            return m.MachineReply(devices=(device,), versions={"torch": "2.15"}), {}
        case m.Scan():
            return m.ScanReply(report=fake_scan(Path(request.folder))), {}
        case m.Thumbnails():
            pixels = _pictures(len(request.paths), request.size, 4)
            return m.ThumbnailsReply(paths=request.paths), {"pixels": pixels}
        case m.Suggest():
            experiment = fake_experiment(request.scan.folder)
            return m.SuggestReply(experiment=experiment, reasons=("Few images: a small batch.",)), {}
        case m.PlanSplit():
            return _split(request)
        case m.Measure():
            measured = Measurement(
                device="cpu", images_per_second=100.0, seconds_per_epoch=2.0, memory=10**8, memory_total=8 * 10**9,
                making_views=0.1,
            )  # fmt: skip
            return m.MeasureReply(measurement=measured), {}
        case m.Preview() | m.ShowTask():
            return _preview(request) if isinstance(request, m.Preview) else _task(request)
        case m.Project():
            return m.ProjectReply(kind="umap", epoch=request.epoch, seconds=1.0), {"positions": _positions(24)}
        case m.Evaluate():
            return m.EvaluateReply(evaluation=fake_evaluation(request.column)), {}
        case m.Export():
            records = tuple(
                ExportRecord(
                    format=name, file=f"{request.folder}/encoder.{name}", size=1000, difference=1e-7, tolerance=1e-5,
                    images=16, verified=True,
                )
                for name in request.formats
            )  # fmt: skip
            return m.ExportReply(records=records), {}
        case m.MakeReport():
            return m.ReportReply(file=request.file or f"{request.run}/report.html"), {}
    raise AssertionError(f"the fake engine has no answer to {type(request).__name__}")


def _split(request: m.PlanSplit) -> tuple[m.AnyReply, m.Arrays]:
    """Every fifth image is for testing; labels are the folders, or three kinds in turn from a table."""
    count = request.scan.count
    parts = (np.arange(count) % 5 == 0).astype(np.uint8)
    names = {
        "none": np.full(count, ""),
        "folders": np.array(request.scan.classes),
        "csv": np.array(["ring", "square", "star"])[np.arange(count) % 3],
    }[request.data.labels]
    classes = sorted(set(names.tolist()) - {""})
    labels = np.array([classes.index(name) if name else -1 for name in names.tolist()], np.int32)
    train, test = ([int(((labels == c) & (parts == side)).sum()) for c in range(len(classes))] for side in (0, 1))
    reply = m.SplitReply(
        classes=tuple(classes), train=tuple(train), test=tuple(test), train_images=int((parts == 0).sum()),
        test_images=int(parts.sum()),
    )  # fmt: skip
    return reply, {"labels": labels, "parts": parts}


def _preview(request: m.Preview) -> tuple[m.AnyReply, m.Arrays]:
    count = len(request.paths)
    arrays: m.Arrays = {"originals": _pictures(count, request.data.size, 3)}
    names: list[str] = []
    for view in request.views:
        for number in range(view.count):
            arrays[f"view-{len(names)}"] = _pictures(count, view.size, 3)
            names.append(f"{view.name} {number + 1}")
    steps = []
    if request.steps_of >= 0:
        for step, op in enumerate(op for op in request.views[0].chain if op.enabled):
            arrays[f"step-{step}"] = _pictures(1, request.views[0].size, 3)[0]
            steps.append(m.OpDrawn(op=op.op, title=op.op.replace("_", " "), text="drawn"))
    corners = ((0.1, 0.1), (0.8, 0.1), (0.8, 0.8), (0.1, 0.8))
    drawn = m.ViewDrawn(corners=corners, ops=(m.OpDrawn(op="crop", title="crop", text="0.5"),))
    reply = m.PreviewReply(
        names=tuple(names), drawn=tuple((drawn,) * count for _ in names), steps=tuple(steps), milliseconds=12.0
    )
    return reply, arrays


def _task(request: m.ShowTask) -> tuple[m.AnyReply, m.Arrays]:
    """The images, turned by captions, and a target; brighter where the temperature is higher."""
    count, side = len(request.paths), request.experiment.views[0].size
    turns = tuple(f"{90 * (row % 4)}°" for row in range(count))
    shade = round(100 * request.experiment.method.params.get("temperature", 0.5))
    target = np.full((count, side, side, 3), shade, np.uint8)
    arrays: m.Arrays = {
        "originals": _pictures(count, request.experiment.data.size, 3),
        "panel-0": _pictures(count, side, 3),
        "panel-1": target,
    }
    panels = (
        m.TaskPanel(part="input", title="Turned", captions=turns), m.TaskPanel(part="target", title="Upright"),
    )  # fmt: skip
    return m.ShowTaskReply(panels=panels, milliseconds=12.0), arrays


def fake_scan(folder: Path) -> ScanReport:
    """Lists the PNG files of a folder."""
    paths = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")))
    count = len(paths)
    table = LabelTable(
        file="labels.csv", path_column="path", columns=("shape", "color"), distinct=(3, 4), matched=count
    )
    return ScanReport(
        folder=str(folder),
        paths=paths,
        widths=(32,) * count,
        heights=(32,) * count,
        modes=("RGB",) * count,
        sizes=(900,) * count,
        planes=(3,) * count,
        bits=(8,) * count,
        classes=tuple(path.split("/")[0] if "/" in path else "" for path in paths),
        parts=("",) * count,
        broken=(BrokenFile(path="cats/torn.png", reason="the file is cut off"),),
        tables=(table,) if (folder / "labels.csv").exists() else (),
        notes=(),
        seconds=0.1,
    )


def _positions(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)


def fake_evaluation(column: str = "label") -> Evaluation:
    """Two classes, three subjects, two probes."""
    kinds: tuple[Literal["knn", "linear"], ...] = ("knn", "linear")
    subjects: tuple[tuple[Literal["encoder", "untrained", "pixels"], float], ...] = (
        ("encoder", 0.75),
        ("untrained", 0.6),
        ("pixels", 0.5),
    )
    results = tuple(
        ProbeResult(
            kind=kind, subject=subject, accuracy=accuracy, low=accuracy - 0.05, high=accuracy + 0.05,
            confusion=((5, 1), (2, 4)), seconds=0.5,
        )
        for kind in kinds
        for subject, accuracy in subjects
    )  # fmt: skip
    return Evaluation(
        epoch=4, column=column, classes=("cats", "dogs"), train_images=24, test_images=12, results=results,
        encoder_hash="abc", frozen=True, time=1_700_000_100.0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "SETTINGS", "RUNS"):
        monkeypatch.setenv(f"WORKBENCH_{name}", str(tmp_path / name.lower()))


@pytest.fixture(autouse=True)
def _themed(request: pytest.FixtureRequest) -> None:
    if "qapp" in request.fixturenames or "qtbot" in request.fixturenames:
        app = request.getfixturevalue("qapp")
        if not app.styleSheet():
            theme.install(app, "light")
        theme.set_mode("light")


@pytest.fixture
def client() -> FakeClient:
    """The fake engine's client."""
    return FakeClient()


@pytest.fixture
def engine(qtbot: QtBot, client: FakeClient) -> Iterator[Engine]:
    """The door of the views, with the fake behind it."""
    made = Engine(client)
    yield made
    made.close()
    _delete(made)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    """An empty session with the fake's catalog and an own runs folder."""
    made = Session(tmp_path / "runs")
    made.set_catalog(fake_catalog())
    made.set_devices((Device(name="cpu", title="2 CPU cores", memory=8 * 1024**3),))
    yield made
    made.set_run(None)
    made.run_list.close()
    _delete(made)


@pytest.fixture
def show_page(qtbot: QtBot, session: Session, engine: Engine) -> Callable[[type[Page]], Page]:
    """`show_page(TrainPage)` makes a page of the session and shows it."""

    def show(kind: type[Page]) -> Page:
        made = kind(session, engine)
        qtbot.addWidget(made)
        made.resize(1200, 800)
        made.show()
        made.entered()
        return made

    return show


def _delete(root: QObject) -> None:
    """Now, and in this thread: garbage collection would take it apart at any time, in the midst of its own events."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    shiboken6.delete(root)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """36 images of 32 px in two class folders, with a label table."""
    folder = tmp_path / "pets"
    rows = ["path,shape,color"]
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(18):
            Image.new("RGB", (32, 32), (number * 10, 80, 160)).save(folder / name / f"{number:02d}.png")
            rows.append(f"{name}/{number:02d}.png,round,red")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture
def opened(session: Session, images: Path) -> Session:
    """A session on the images, with a draft."""
    session.set_scan(fake_scan(images))
    session.set_draft(fake_experiment(str(images)), ("Few images: a small batch.",))
    return session


def build_run(runs: Path, folder: Path, *, name: str = "simclr on pets", finished: bool = True) -> RunFolder:
    """A run folder with events, snapshots at epochs 0, 2 and 4, a split and an evaluation."""
    experiment = fake_experiment(str(folder))
    run = RunFolder.create(runs, Experiment(**{**_fields(experiment), "name": name}))
    paths = fake_scan(folder).paths
    parts = tuple("test" if row % 3 == 0 else "train" for row in range(len(paths)))
    labels = tuple(path.split("/")[0] for path in paths)
    shapes = tuple("round" if row % 2 else "square" for row in range(len(paths)))
    write_split(run.split_file, SplitTable(paths=paths, parts=parts, labels=labels, factors={"shape": shapes}))
    indices = np.arange(min(24, len(paths)))
    with EventLog(run.events_file) as log:
        for event in _events(finished=finished):
            log.append(event)
            if isinstance(event, SnapshotTaken):
                embeddings = np.random.default_rng(event.epoch).normal(size=(len(indices), 8)).astype(np.float32)
                snapshot = Snapshot(
                    epoch=event.epoch, embeddings=embeddings, indices=indices, pca=_positions(len(indices))
                )
                write_snapshot(run.path / event.file, snapshot)
    save_evaluation(run, fake_evaluation())
    return run


def _fields(experiment: Experiment) -> dict[str, Any]:
    return {field: getattr(experiment, field) for field in experiment.__struct_fields__}


def _events(*, finished: bool) -> list[AnyEvent]:
    t = 1_700_000_000.0
    events: list[AnyEvent] = [
        Phase(phase="preparing", time=t),
        Started(
            pid=1, host="elsewhere", device="cpu", total_epochs=4, steps_per_epoch=3, train_images=24, test_images=12,
            time=t,
        ),
        Derived(values={"learning_rate": 0.0019}, time=t),
        Phase(phase="training", time=t),
        Probe(epoch=0, kind="knn", subject="pixels", accuracy=0.5, low=0.4, high=0.6, images=12, time=t),
        Probe(epoch=0, kind="knn", subject="untrained", accuracy=0.6, low=0.5, high=0.7, images=12, time=t),
    ]  # fmt: skip
    for epoch in range(5):
        t += 10
        for step in range(3 if epoch else 0):
            values = {"loss": 3.0 / (1 + epoch + step / 3), "learning_rate": 0.001, "images_per_second": 120.0}
            events.append(Scalars(step=3 * (epoch - 1) + step, epoch=epoch - 1 + step / 3, values=values, time=t))
        if epoch % 2 == 0:
            figures = {
                "embedding_std": 0.03,
                "embedding_std_healthy": 0.0442,
                "rankme": 4.0 + epoch,
                "mean_cosine": 0.1,
            }
            events.append(Health(epoch=epoch, values=figures, spectrum=(1.0, 0.5, 0.2), dim=8, images=24, time=t))
            accuracy = 0.6 + 0.05 * epoch
            events.append(
                Probe(
                    epoch=epoch, kind="knn", subject="encoder", accuracy=accuracy, low=accuracy - 0.1,
                    high=accuracy + 0.1, images=12, time=t,
                )
            )  # fmt: skip
            file = f"snapshots/epoch-{epoch:04d}.h5"
            events.append(SnapshotTaken(epoch=epoch, file=file, images=24, dim=8, time=t))
    events.append(Verdict(epoch=4, level="good", title="Learning, healthy", text="It spreads.", time=t))
    events.append(CheckpointSaved(epoch=4, step=12, file="checkpoints/last.pt", time=t))
    if finished:
        events.append(Phase(phase="finished", time=t))
    return events


@pytest.fixture
def finished_run(session: Session, images: Path) -> RunFolder:
    """A finished run in the session's runs folder."""
    return build_run(session.runs_folder, images)


@pytest.fixture
def make_run(images: Path) -> Callable[..., RunFolder]:
    """`make_run(runs, name=..., finished=...)` writes a run on the images."""

    def make(runs: Path, *, name: str = "simclr on pets", finished: bool = True) -> RunFolder:
        return build_run(runs, images, name=name, finished=finished)

    return make
