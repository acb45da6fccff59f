"""Everything that would stop or spoil an experiment, in words, before a minute is spent on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.augment.plan import ViewPlan
from workbench.catalog.build import backbone_request, fitting_run, image_size_of, missing_needs
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of, params_of
from workbench.data.clips import LEAST_FRAMES, films_in
from workbench.method.backbone import BackboneInfo
from workbench.method.contract import MethodInfo
from workbench.runs.events import read_events
from workbench.runs.state import fold
from workbench.spec.errors import WorkbenchError
from workbench.spec.experiment import DataSpec, Experiment
from workbench.spec.machine import Finding
from workbench.spec.needs import films_torn, global_count, unmet_color, unmet_need
from workbench.spec.normalization import fixed_statistics
from workbench.spec.pixels import channels_of, check_window
from workbench.training.devices import resolve_device, resolve_precision
from workbench.training.schedule import scaled_learning_rate

_ORDER = {"error": 0, "warning": 1, "note": 2}

# Above these (after scaling with the batch) a rate is more likely a slip than a choice.
_LARGEST_RATE = {"sgd": 3.0, "adamw": 0.02, "lars": 20.0}

_MANY_PARAMETERS = 8.0
"""Millions, from which on a backbone is slow without a GPU."""


def check(experiment: Experiment, images: int, registry: Registry) -> tuple[Finding, ...]:
    """Findings, errors first; none means ready. `images` is how many the folder holds, 0 for none."""
    found = [
        *_data(experiment, images),
        *_batch(experiment, images, registry),
        *_method(experiment, registry),
        *_views(experiment, registry),
        *_backbone(experiment, registry),
        *_recipe(experiment),
        *_machine(experiment, registry),
        *_watch(experiment, images),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.level]))


def train_images(experiment: Experiment, images: int) -> int:
    """About how many of the images train. Folders train/ and test/ may say otherwise."""
    data = experiment.data
    used = min(images, data.limit) if data.limit else images
    return round(used * (1 - data.test_fraction))


def _data(experiment: Experiment, images: int) -> Iterator[Finding]:
    data = experiment.data
    if not Path(data.folder).is_dir():
        yield _error(f"There is no folder {data.folder}.", "data.folder")
    elif images == 0:
        yield _error(f"There are no readable images in {data.folder}.", "data.folder")
    yield from _pixels(data)
    if data.labels == "csv" and not data.column:
        yield _error("Labels come from a table, but no column is chosen.", "data.column")
    if data.labels == "none":
        yield _note("Without labels kNN is not measured; the health of the representation is.", "data.labels")


def _pixels(data: DataSpec) -> Iterator[Finding]:
    try:
        check_window(data)
        if data.channels == "planes" and data.planes:
            fixed_statistics(data, data.planes)
    except WorkbenchError as error:
        yield _error(str(error), getattr(error, "where", "") or "data.normalize")
    if data.channels != "planes" and data.planes:
        yield _note("The number of planes counts only where channels is planes.", "data.planes")


def _batch(experiment: Experiment, images: int, registry: Registry) -> Iterator[Finding]:
    batch, field = experiment.train.batch_size, "train.batch_size"
    card = _info(experiment, registry)
    if batch == 1:
        yield _error("A batch of 1: batch norm needs two images to compare.", field)
    elif card and batch < card.min_batch:
        yield _error(f"{card.title} needs a batch of at least {card.min_batch} images.", field)
    parts = experiment.train.accumulate
    if batch % parts:
        yield _error(f"A batch of {batch} cannot be taken in {parts} equal parts.", "train.accumulate")
    elif parts > 1 and card and batch // parts < max(2, card.min_batch):
        yield _error(f"{parts} parts leave too few images in each: batch norm needs two.", "train.accumulate")
    training = train_images(experiment, images)
    if images and batch > training:
        yield _error(f"The batch of {batch:,} is larger than the training set of about {training:,} images.", field)
    elif images and batch * 4 > training:
        steps = training // batch
        words = "step" if steps == 1 else "steps"
        yield _warning(
            f"An epoch has only {steps} {words}: a smaller batch learns more from {training:,} images.", field
        )


def _method(experiment: Experiment, registry: Registry) -> Iterator[Finding]:
    try:
        info = method_of(experiment.method, registry)
    except WorkbenchError as error:
        yield _error(str(error), getattr(error, "where", "") or "method.name")
        return
    try:
        params_of(experiment.method, registry)
    except WorkbenchError as error:
        yield _error(str(error), getattr(error, "where", "method.params"))
    if info.no_accumulation and experiment.train.accumulate > 1:
        yield _error(info.no_accumulation, "train.accumulate")
    if info.starts_from_run and experiment.backbone.weights in ("none", "pretrained"):
        yield _error(
            f"{info.title} starts from the encoder of a finished run: choose that run under 'weights' in the recipe "
            "(backbone.weights takes its name).",
            "backbone.weights",
        )
    if info.uses_frames:
        yield from _films(info.title, experiment.data)
    if info.uses_labels and experiment.data.labels == "none":
        yield _error(f"{info.title} learns from labels: choose where they come from.", "data.labels")
    colorless = unmet_color(experiment.data, info.card())
    if colorless:
        yield _error(f"{colorless} Take them in color (channels rgb), or choose another method.", "data.channels")
    need = unmet_need(experiment.views, info.card())
    views = global_count(experiment.views)
    if need is not None:
        yield _error(str(need), "views")
    elif views > max(2, info.global_views):
        yield _note(f"{views} global views of each image cost {views / 2:g} times as much as two.", "views")


def _films(title: str, data: DataSpec) -> Iterator[Finding]:
    folder = Path(data.folder)
    if folder.is_dir() and not films_in(folder):
        yield _error(
            f"{title} learns from films, and {data.folder} holds none: put the frames of each film into a folder of "
            f"its own, numbered (frame_001.png, frame_002.png, …; {LEAST_FRAMES} at least), or choose another method.",
            "method.name",
        )
    torn = films_torn(data, title)
    if torn:
        yield _error(torn, "data.split")


def _views(experiment: Experiment, registry: Registry) -> Iterator[Finding]:
    try:
        ViewPlan(experiment.views, registry.ops)
    except WorkbenchError as error:
        yield _error(str(error), getattr(error, "where", "") or "views")
    for number, view in enumerate(experiment.views):
        if view.size > experiment.data.size:
            yield _warning(
                f"The view '{view.name}' of {view.size} px is larger than the stored images of "
                f"{experiment.data.size} px, which are enlarged for it.",
                f"views[{number}].size",
            )
        if not any(op.enabled for op in view.chain) and view.count > 1:
            yield _warning(
                f"The view '{view.name}' has no augmentation: all its copies of an image are the same.",
                f"views[{number}].chain",
            )


def _backbone(experiment: Experiment, registry: Registry) -> Iterator[Finding]:
    spec = experiment.backbone
    try:
        info = registry.backbone(spec.name)
    except WorkbenchError as error:
        yield _error(str(error), "backbone.name")
        return
    method = _info(experiment, registry)
    missing = missing_needs(method, info, registry) if method else None
    if missing is not None:
        yield _error(str(missing), "backbone.name")
    sizes = {view.size for view in experiment.views}
    if sizes and min(sizes) < info.min_size:
        yield _error(
            f"{info.title} needs images of at least {info.min_size} px, and a view has {min(sizes)} px.",
            "backbone.name",
        )
    if info.fixed_size and len(sizes) > 1:
        yield _error(f"{info.title} takes images of one size only, and the views have several.", "backbone.name")
    yield from _weights(experiment, info)


def _weights(experiment: Experiment, info: BackboneInfo) -> Iterator[Finding]:
    spec = experiment.backbone
    if spec.weights == "pretrained" and experiment.data.channels == "planes":
        yield _note(
            "The library's weights are of red, green and blue; the planes take these filters in turn, and other "
            "planes than colors may gain little from them.",
            "backbone.weights",
        )
    if spec.weights in ("none", "pretrained"):
        return
    if not (Path(spec.weights) / "experiment.toml").is_file():
        yield _error(f"There is no run in {spec.weights} to take weights from.", "backbone.weights")
        return
    try:
        size = image_size_of(experiment)
        request = backbone_request(spec, channels=channels_of(experiment.data), image_size=size)
        run = fitting_run(info, request, Path(spec.weights))
    except WorkbenchError as error:
        yield _error(str(error), "backbone.weights")
        return
    phase = fold(read_events(run.events_file)).phase
    if phase != "finished":
        yield _warning(f"The run {run.name}, which the weights are taken from, is not finished.", "backbone.weights")


def _recipe(experiment: Experiment) -> Iterator[Finding]:
    spec = experiment.train
    rate = scaled_learning_rate(spec.learning_rate, spec.batch_size)
    if rate > _LARGEST_RATE[spec.optimizer]:
        yield _warning(
            f"The learning rate of {rate:.3g} (after scaling with the batch) is very high for "
            f"{spec.optimizer.upper()}; training will probably diverge.",
            "train.learning_rate",
        )
    if spec.warmup >= spec.epochs:
        yield _warning(
            f"The warm-up of {spec.warmup:g} epochs takes the whole run of {spec.epochs}: the full learning rate "
            "is never reached.",
            "train.warmup",
        )
    if spec.max_minutes:
        yield _note(
            "With a time limit the schedule follows the clock: a run that is interrupted and resumed goes on "
            "well, but not exactly as it would have.",
            "train.max_minutes",
        )


def _machine(experiment: Experiment, registry: Registry) -> Iterator[Finding]:
    spec = experiment.train
    try:
        device = resolve_device(spec.device)
    except WorkbenchError as error:
        yield _error(str(error), "train.device")
        return
    try:
        resolve_precision(spec.precision, device)
    except WorkbenchError as error:
        yield _error(str(error), "train.precision")
    backbone = registry.backbones.get(experiment.backbone.name)
    if device.type == "cpu" and backbone and backbone.million_parameters > _MANY_PARAMETERS:
        info = _info(experiment, registry)
        made = "ViT-Nano is" if info and "tokens" in info.needs else "ResNet-10t or TinyConv are"
        yield _warning(
            f"There is no GPU in use: {backbone.title} with {backbone.million_parameters:.0f} million parameters "
            f"will be slow. {made} made for this.",
            "backbone.name",
        )


def _watch(experiment: Experiment, images: int) -> Iterator[Finding]:
    spec = experiment.watch
    if spec.probe_every == 0:
        yield _note("kNN and health are never measured, so that a collapse would go unseen.", "watch.probe_every")
    watched = min(spec.images, images) if images else spec.images
    if spec.neighbors * 2 > watched:
        yield _warning(f"{spec.neighbors} neighbors are too many for a probe of {watched} images.", "watch.neighbors")


def _info(experiment: Experiment, registry: Registry) -> MethodInfo[Any] | None:
    """None where `_method` says what is wrong."""
    try:
        return method_of(experiment.method, registry)
    except WorkbenchError:
        return None


def _error(message: str, field: str) -> Finding:
    return Finding(level="error", message=message, field=field)


def _warning(message: str, field: str) -> Finding:
    return Finding(level="warning", message=message, field=field)


def _note(message: str, field: str) -> Finding:
    return Finding(level="note", message=message, field=field)
