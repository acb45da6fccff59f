"""What the window can ask of the engine, and what comes back. Plain data, no torch.

A reply's arrays travel beside its message, by name (`Reply.arrays`); their shapes are said here.
"""

from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.runs.audit import Audit, Subject
from workbench.runs.masks import MaskComparison
from workbench.runs.results import Evaluation, ExportRecord
from workbench.spec.catalog import Catalog
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec, Experiment, TaskSpec, ViewSpec
from workbench.spec.inside import InsideKind
from workbench.spec.machine import Device, Finding, Measurement
from workbench.spec.viewfacts import ViewFacts

Arrays = dict[str, NDArray[np.generic]]


class Request(Struct, frozen=True, kw_only=True, tag_field="request"):
    """Base of all requests."""


class GetCatalog(Request, frozen=True, kw_only=True, tag="catalog"):
    """→ CatalogReply. Every plugin, described."""


class GetMachine(Request, frozen=True, kw_only=True, tag="machine"):
    """→ MachineReply. Devices and memory."""


class Scan(Request, frozen=True, kw_only=True, tag="scan"):
    """→ ScanReply. Reads the headers of every image below a folder; reports progress."""

    folder: str


class Thumbnails(Request, frozen=True, kw_only=True, tag="thumbnails"):
    """→ ThumbnailsReply, arrays 'pixels' (n, size, size, 4) uint8 RGBA, letterboxed (transparent).

    A file that cannot be read gives a fully transparent picture.
    """

    folder: str
    paths: tuple[str, ...]
    size: int


class Suggest(Request, frozen=True, kw_only=True, tag="suggest"):
    """→ SuggestReply. An experiment with defaults scaled to the data, the method and this machine.

    also: the tasks beside the method's own. preset: a name or a file; "" chooses one for the images and the method.
    Unless `scaled`, its views are as published but for their sizes. ready: a ready experiment, which brings its
    method and views; runs: the folder in which the run of its first round is looked for.
    """

    scan: ScanReport
    data: DataSpec | None = None
    method: str = "simclr"
    also: tuple[TaskSpec, ...] = ()
    backbone: str = ""
    preset: str = ""
    scaled: bool = True
    ready: str = ""
    runs: str = ""


class CheckViews(Request, frozen=True, kw_only=True, tag="check_views"):
    """→ CheckViewsReply. Fails, saying where and why in words, where these views cannot be made."""

    views: tuple[ViewSpec, ...]


class ViewsAsPython(Request, frozen=True, kw_only=True, tag="views_as_python"):
    """→ ViewsAsPythonReply. The views as code that runs with torchvision alone, where its ops allow it."""

    views: tuple[ViewSpec, ...]
    data: DataSpec


class PlanSplit(Request, frozen=True, kw_only=True, tag="split"):
    """→ SplitReply, arrays 'labels' (N,) int32 numbers into `classes` (-1 unknown) and 'parts' (N,) uint8
    (0 train, 1 test, 2 left out), in the order of the scan. The split that a run of (data, seed) would have.
    """

    scan: ScanReport
    data: DataSpec
    seed: int


class Check(Request, frozen=True, kw_only=True, tag="check"):
    """→ CheckReply. Everything that would stop or spoil this experiment, in words."""

    experiment: Experiment
    images: int


class Measure(Request, frozen=True, kw_only=True, tag="measure"):
    """→ MeasureReply. Runs a few real steps (in the engine) for the time and the memory of a run."""

    experiment: Experiment
    images: int


class Preview(Request, frozen=True, kw_only=True, tag="preview"):
    """→ PreviewReply, arrays 'originals' (n, S, S, 3) uint8 and, for each view v in order,
    'view-V' (n, h, w, 3) uint8; with `steps_of` >= 0 also 'step-K' (h, w, 3) uint8: image `steps_of`
    after op K of view `steps_view` (numbered as in `PreviewReply.names`).

    The pixels are those that training feeds for (seed, epoch, image), before normalization, at 8 bits; of planes the
    first three are red, green and blue. `held`: the name
    (`PreviewReply.originals`) of originals that the asker has; they are not sent again while they are the same.
    """

    data: DataSpec
    views: tuple[ViewSpec, ...]
    paths: tuple[str, ...]
    seed: int
    epoch: int
    steps_of: int = -1
    steps_view: int = 0
    held: str = ""


class ShowTask(Request, frozen=True, kw_only=True, tag="show_task"):
    """→ ShowTaskReply, arrays 'originals' (n, S, S, 3) uint8 and, for each panel p in order, 'panel-P' (n, h, w, 3)
    uint8: what the method of this experiment, untrained, gives a network and asks of it for these images, on the views
    of (its seed, epoch, image). Never what it answers.

    images: how many the folder holds. Fails in words where the method cannot be built as asked, or has no pictures.
    """

    experiment: Experiment
    images: int
    paths: tuple[str, ...]
    epoch: int


class PixelStatistics(Request, frozen=True, kw_only=True, tag="pixel_statistics"):
    """→ PixelStatisticsReply. What `data.normalize` takes out of every view; the set's own numbers are measured on
    these images.
    """

    data: DataSpec
    paths: tuple[str, ...]


class MeasureViews(Request, frozen=True, kw_only=True, tag="measure_views"):
    """→ ViewFactsReply. What a plan does to these images. `classes` are the names of their folders, where they
    are classes; columns of the label table are read here.
    """

    data: DataSpec
    views: tuple[ViewSpec, ...]
    paths: tuple[str, ...]
    seed: int
    classes: tuple[str, ...] = ()


class Project(Request, frozen=True, kw_only=True, tag="project"):
    """→ ProjectReply, arrays 'positions' (N, 2) float32 in the order of the snapshot. Kept in the run folder."""

    run: str
    epoch: int
    kind: Literal["umap"] = "umap"
    neighbors: int = 15
    min_distance: float = 0.1


class Evaluate(Request, frozen=True, kw_only=True, tag="evaluate"):
    """→ EvaluateReply. Probes of the frozen encoder, the untrained one and raw pixels. Kept in the run folder."""

    run: str
    probes: tuple[Literal["knn", "linear"], ...] = ("knn", "linear")
    column: str = "label"
    neighbors: int = 20
    limit: int = 0


class LookInside(Request, frozen=True, kw_only=True, tag="look_inside"):
    """→ LookInsideReply, arrays 'originals' (n, S, S, 3) uint8 and, for each panel p in order, 'panel-P' (n, S, S, 3)
    uint8: where an encoder of a run looks, on some of its test images.

    kind: see `INSIDE_KINDS`. at: (x, y) from 0 to 1 in image number `image`, for "match". scale: how much
    larger than in training the images go in. Fails in words where the backbone has nothing of the kind.
    """

    run: str
    kind: InsideKind
    images: int = 12
    trained: bool = True
    scale: int = 1
    image: int = 0
    at: tuple[float, float] = (0.5, 0.5)


class CompareMasks(Request, frozen=True, kw_only=True, tag="compare_masks"):
    """→ CompareMasksReply. How well the encoder outlines what the masks in a folder do. Kept in the run folder."""

    run: str
    folder: str


class RunAudit(Request, frozen=True, kw_only=True, tag="audit"):
    """→ AuditReply. How far an encoder moves when its images are changed. Kept in the run folder."""

    run: str
    subject: Subject = "trained"
    images: int = 256


class Export(Request, frozen=True, kw_only=True, tag="export"):
    """→ ExportReply. Writes each format, loads it again, compares; a failed format is a record with `problem`."""

    run: str
    formats: tuple[str, ...]
    folder: str


class MakeReport(Request, frozen=True, kw_only=True, tag="report"):
    """→ ReportReply. One self-contained HTML page."""

    run: str
    file: str = ""


AnyRequest = (
    GetCatalog
    | GetMachine
    | Scan
    | Thumbnails
    | Suggest
    | CheckViews
    | ViewsAsPython
    | PlanSplit
    | Check
    | Measure
    | Preview
    | ShowTask
    | PixelStatistics
    | MeasureViews
    | Project
    | Evaluate
    | LookInside
    | CompareMasks
    | RunAudit
    | Export
    | MakeReport
)


class OpDrawn(Struct, frozen=True, kw_only=True):
    """What one op drew for one image, in words ('0.39 of the area')."""

    op: str
    title: str
    text: str


class ViewDrawn(Struct, frozen=True, kw_only=True):
    """One view of one image: where its corners lie on the original (4 points, from 0 to 1), and its draws."""

    corners: tuple[tuple[float, float], ...]
    ops: tuple[OpDrawn, ...]


class Reply(Struct, frozen=True, kw_only=True, tag_field="reply"):
    """Base of all replies."""


class CatalogReply(Reply, frozen=True, kw_only=True, tag="catalog"):
    """The catalog."""

    catalog: Catalog


class MachineReply(Reply, frozen=True, kw_only=True, tag="machine"):
    """Devices, best first, and versions of what matters."""

    devices: tuple[Device, ...]
    versions: dict[str, str]


class ScanReply(Reply, frozen=True, kw_only=True, tag="scan"):
    """What was found."""

    report: ScanReport


class ThumbnailsReply(Reply, frozen=True, kw_only=True, tag="thumbnails"):
    """Array 'pixels'."""

    paths: tuple[str, ...]


class SuggestReply(Reply, frozen=True, kw_only=True, tag="suggest"):
    """The suggestion, and why (one sentence per decision); `view_reasons` are those about the views."""

    experiment: Experiment
    reasons: tuple[str, ...] = ()
    view_reasons: tuple[str, ...] = ()


class CheckViewsReply(Reply, frozen=True, kw_only=True, tag="check_views"):
    """They can be made."""


class ViewsAsPythonReply(Reply, frozen=True, kw_only=True, tag="views_as_python"):
    """The code, and the titles of the ops that torchvision has nothing for; the code says where they are left out."""

    text: str
    missing: tuple[str, ...] = ()


class SplitReply(Reply, frozen=True, kw_only=True, tag="split"):
    """Images per class on either side; images of unknown class are counted in `train_images`, `test_images` only."""

    classes: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]
    train_images: int
    test_images: int


class CheckReply(Reply, frozen=True, kw_only=True, tag="check"):
    """Findings, worst first; none means ready."""

    findings: tuple[Finding, ...] = ()


class MeasureReply(Reply, frozen=True, kw_only=True, tag="measure"):
    """Measured, not guessed."""

    measurement: Measurement


class PreviewReply(Reply, frozen=True, kw_only=True, tag="preview"):
    """`names[v]` is view v's name ('global 1'); `drawn[v][i]` what it drew for image i. `originals` names these
    images as they are now: it changes with any of the files.
    """

    names: tuple[str, ...]
    drawn: tuple[tuple[ViewDrawn, ...], ...]
    steps: tuple[OpDrawn, ...] = ()
    originals: str = ""
    milliseconds: float = 0.0


class TaskPanel(Struct, frozen=True, kw_only=True):
    """One column: input or target, its title, and a word or two under each picture, or none."""

    part: str
    title: str
    captions: tuple[str, ...] = ()


class ShowTaskReply(Reply, frozen=True, kw_only=True, tag="show_task"):
    """The columns, left to right."""

    panels: tuple[TaskPanel, ...]
    milliseconds: float = 0.0


class PixelStatisticsReply(Reply, frozen=True, kw_only=True, tag="pixel_statistics"):
    """Per channel, in [0, 1], from so many images; 0 where the numbers are fixed (ImageNet's, or none)."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    images: int = 0


class ViewFactsReply(Reply, frozen=True, kw_only=True, tag="view_facts"):
    """Measured figures, and what they say."""

    facts: ViewFacts


class ProjectReply(Reply, frozen=True, kw_only=True, tag="project"):
    """Array 'positions'."""

    kind: str
    epoch: int
    seconds: float


class EvaluateReply(Reply, frozen=True, kw_only=True, tag="evaluate"):
    """The evaluation, as it is kept in the run folder."""

    evaluation: Evaluation


class LookInsideReply(Reply, frozen=True, kw_only=True, tag="look_inside"):
    """The columns, left to right, a row for each of these images; the epoch of the encoder, 0 untrained."""

    epoch: int
    paths: tuple[str, ...]
    panels: tuple[TaskPanel, ...]


class CompareMasksReply(Reply, frozen=True, kw_only=True, tag="compare_masks"):
    """The scores, as they are kept in the run folder."""

    comparison: MaskComparison


class AuditReply(Reply, frozen=True, kw_only=True, tag="audit"):
    """The audit, as it is kept in the run folder."""

    audit: Audit


class ExportReply(Reply, frozen=True, kw_only=True, tag="export"):
    """One record per format."""

    records: tuple[ExportRecord, ...]


class ReportReply(Reply, frozen=True, kw_only=True, tag="report"):
    """Where the page is."""

    file: str


AnyReply = (
    CatalogReply
    | MachineReply
    | ScanReply
    | ThumbnailsReply
    | SuggestReply
    | CheckViewsReply
    | ViewsAsPythonReply
    | SplitReply
    | CheckReply
    | MeasureReply
    | PreviewReply
    | ShowTaskReply
    | PixelStatisticsReply
    | ViewFactsReply
    | ProjectReply
    | EvaluateReply
    | LookInsideReply
    | CompareMasksReply
    | AuditReply
    | ExportReply
    | ReportReply
)

Lane = Literal["quick", "checks", "tasks", "inside", "pictures", "scan", "slow"]
"""Each lane is a thread of the engine: what may take seconds never holds up what must not."""

LANES: dict[type[Any], Lane] = {
    Thumbnails: "pictures",
    Scan: "scan",
    PlanSplit: "scan",
    PixelStatistics: "scan",
    MeasureViews: "checks",
    ShowTask: "tasks",
    Measure: "slow",
    Project: "slow",
    Evaluate: "slow",
    LookInside: "inside",
    CompareMasks: "slow",
    RunAudit: "slow",
    Export: "slow",
    MakeReport: "slow",
}
"""All others are 'quick'. Thumbnails and scans stand apart because they need no torch, whose import takes seconds."""
