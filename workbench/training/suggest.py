"""A first experiment: defaults scaled to the data, the method and this machine, each with its reason."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from workbench.augment.plan import ViewPlan
from workbench.catalog.build import SMALL_IMAGE
from workbench.catalog.registry import Registry
from workbench.catalog.tasks import method_of
from workbench.method.backbone import BackboneInfo
from workbench.spec import toml
from workbench.spec.catalog import MethodCard, PresetCard, Recipe
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import (
    BackboneSpec,
    DataSpec,
    Experiment,
    MethodSpec,
    TaskSpec,
    TrainSpec,
    ViewSpec,
    WatchSpec,
)
from workbench.spec.fitting import fit_reasons, fit_to
from workbench.spec.machine import Device
from workbench.spec.needs import unmet_backbone, unmet_need
from workbench.spec.presets import SUFFIX, load_preset
from workbench.training.devices import list_devices
from workbench.training.suggest_data import CPU_LARGEST, is_named, is_painted, refuse_empty, suggest_data

_KINDS = (
    (
        "chest-xray",
        ("xray", "x-ray", "x_ray", "chest", "radiograph", "cxr"),
        "The X-ray views: a tilt, a flip and some perspective, nothing that hides a finding.",
    ),
    (
        "microscopy",
        ("microscop", "histolog", "patholog", "cells", "tissue", "fluoresc"),
        "The microscopy views: every quarter turn and flip, because a slide has no up, and mild changes of tone.",
    ),
    (
        "satellite",
        ("satellite", "aerial", "eurosat", "sentinel", "landsat", "remote-sensing", "remote_sensing"),
        "The satellite views: quarter turns and flips, because the ground has no up, and moderate crops.",
    ),
)
"""(preset, words in a folder's name, why): images that want other views than photos do."""
_SHAPES = "shapes"
_MANY_CORES = 8
_MANY_IMAGES = 100_000
"""From which on a transformer of 22 million weights has enough to learn from."""
_GPU_IMAGES = 10_000_000
_CPU_IMAGES = 400_000
_CPU_MILLION = 0.5
"""Millions of parameters up to which a network takes that many images of 32 px in minutes."""
_LEAST_EPOCHS = 10
_SHORT_STEPS = 3000
"""Steps of a run below which a method's `short_rate` is suggested in place of a recipe for long ones."""
_ENOUGH_STEPS = 1500
_LEAST_BATCH = 64
"""Between it and the usual batch, the one with which a run has enough steps."""
_SHORT_DECAY = 1e-4
_TRANSFORMER_RATE = 5e-4
_TRANSFORMER_DECAY = 0.05
"""Per 256 images: the rate of DINO (arXiv:2104.14294, section 3.2), the decay of DeiT (arXiv:2012.12877, table 9)."""
_WATCH_IMAGES = 2000
_WATCH_SHARE = 0.02


class Length(Struct, frozen=True, kw_only=True):
    """How long a run shall be, as far as that was said: 0 leaves it to `suggest`.

    images: those that it sees in all, which says how many epochs where `epochs` does not.
    """

    images: int = 0
    epochs: int = 0
    batch_size: int = 0


SUGGESTED = Length()
_LENGTH = {"train.epochs": "epochs", "train.batch_size": "batch_size"}


def length_of(data: DataSpec, assignments: Iterable[str]) -> Length:
    """What 'KEY=VALUE's say of how long a run is. Raises `SpecError`."""
    said = {key: text for text in assignments if (key := text.partition("=")[0].strip()) in _LENGTH}
    train = toml.set_values(Experiment(data=data), said.values()).train
    return Length(**{_LENGTH[key]: getattr(train, _LENGTH[key]) for key in said})


def suggest(
    scan: ScanReport,
    *,
    data: DataSpec | None = None,
    method: str = "simclr",
    also: tuple[TaskSpec, ...] = (),
    backbone: str = "",
    preset: str = "",
    scaled: bool = True,
    length: Length = SUGGESTED,
    registry: Registry,
) -> tuple[Experiment, tuple[str, ...]]:
    """An experiment for a scanned folder, and a sentence per decision. `data` keeps what was chosen already; also: the
    tasks beside the method's own; length: what was said of how long it trains, which the recipe follows.

    preset, scaled: see `suggest_views`. Raises `CheckError` for a folder without images, `NotFoundError` for an
    unknown method, backbone or preset.
    """
    refuse_empty(scan)
    asked = MethodSpec(name=method, also=also)
    card = method_of(asked, registry).card()
    device = list_devices()[0]
    reasons: list[str] = []
    if data is None:
        data, about_data = suggest_data(scan)
        reasons.extend(about_data)
    images = _train_images(scan, data)
    views, about_views = suggest_views(
        scan, data, method=method, also=also, preset=preset, scaled=scaled, registry=registry
    )
    reasons.extend(about_views)
    chosen = _backbone(images, data, card, device, backbone, registry, reasons)
    stem = _stem(registry.backbone(chosen), data, device, reasons)
    train = _train(images, data, card, device, registry.backbone(chosen), length, reasons)
    copies = sum(view.count * view.size**2 for view in views) / data.size**2
    watch = _watch(images, scan.count, train.epochs, copies, reasons)
    experiment = Experiment(
        name=f"{asked.words} on {Path(scan.folder).name or 'images'}",
        data=data,
        views=views,
        method=asked,
        backbone=BackboneSpec(name=chosen, stem=stem),
        train=train,
        watch=watch,
    )
    return experiment, tuple(reasons)


def suggest_views(
    scan: ScanReport,
    data: DataSpec,
    *,
    method: str,
    also: tuple[TaskSpec, ...] = (),
    preset: str = "",
    scaled: bool = True,
    registry: Registry,
) -> tuple[tuple[ViewSpec, ...], tuple[str, ...]]:
    """Views for these images, and a sentence per decision.

    preset: the name of one, or a TOML file with one; without it, one that suits the images and the method.
    Unless `scaled`, only its sizes are fitted to the images (`fit_to`). Raises `NotFoundError` for an unknown
    method, preset or file, and `SpecError` for a file that is not a preset.
    """
    card = method_of(MethodSpec(name=method, also=also), registry).card()
    if preset:
        plan = _asked_preset(preset, registry)
        why = f"The views of '{plan.title}', fitted to {data.size} px."
    else:
        plan, why = _preset(scan, data, card, registry)
    reasons = []
    if scaled:
        reasons.append(why)
        reasons.extend(fit_reasons(plan, size=data.size, channels=data.channels))
    else:
        reasons.append(f"The views of '{plan.title}' as published: only their sizes are fitted to {data.size} px.")
    need = unmet_need(plan.views, card)
    if need is not None:
        reasons.append(str(need))
    return fit_to(plan, size=data.size, channels=data.channels, scaled=scaled), tuple(reasons)


def _train_images(scan: ScanReport, data: DataSpec) -> int:
    count = min(scan.count, data.limit) if data.limit else scan.count
    if data.split in ("auto", "folders") and "test" in scan.parts and "train" in scan.parts:
        return max(1, round(count * (1 - scan.parts.count("test") / scan.count)))
    return max(1, round(count * (1 - data.test_fraction)))


def _preset(scan: ScanReport, data: DataSpec, card: MethodCard, registry: Registry) -> tuple[PresetCard, str]:
    """The preset for these images, and why: by what the folder is called, else the one that the method is used with."""
    if is_painted(scan) and card.global_views > 1:
        return registry.preset(_SHAPES), (
            "The views of 'Shapes': on the painted sample color is chance, and would alone tell two pictures apart."
        )
    is_gray = data.channels == "gray"
    for name, words, why in _KINDS:
        known = any(preset.name == name for preset in registry.presets)
        if known and card.global_views > 1 and is_named(Path(scan.folder).name, words):
            if name == "chest-xray" and not is_gray:
                continue
            return registry.preset(name), why
    plan = registry.preset(card.preset)
    return plan, f"The views of '{plan.title}', which {card.title} is used with, fitted to {data.size} px."


def _asked_preset(asked: str, registry: Registry) -> PresetCard:
    """By its name, or from a file."""
    if asked.endswith(SUFFIX) or Path(asked).is_file():
        plan = load_preset(Path(asked).expanduser())
        ViewPlan(plan.views, registry.ops)  # Whatever is wrong with a file is said before it is fitted.
        return plan
    return registry.preset(asked)


def _backbone(
    images: int, data: DataSpec, card: MethodCard, device: Device, asked: str, registry: Registry, reasons: list[str]
) -> str:
    if asked:
        info = registry.backbone(asked)
        need = unmet_backbone(card, info.card(), [one.card() for one in registry.backbones.values()])
        if need is not None:
            reasons.append(str(need))
        return info.name
    if "tokens" in card.needs:
        return _transformer(images, card, device, registry, reasons)
    if device.name == "cpu":
        name = "resnet10t" if (os.cpu_count() or 1) >= _MANY_CORES else "tinyconv"
        reasons.append(f"{registry.backbone(name).title}, because this machine has no GPU.")
        return name
    name = "resnet18" if data.size <= CPU_LARGEST else "resnet50"
    reasons.append(f"{registry.backbone(name).title} on {device.title}, for images of {data.size} px.")
    return name


def _transformer(images: int, card: MethodCard, device: Device, registry: Registry, reasons: list[str]) -> str:
    """The one with patches that this machine can train on so many images."""
    why = f"{card.title} works on patches of the image"
    if device.name == "cpu":
        reasons.append(f"{registry.backbone('vit_nano').title}, because {why}, and this machine has no GPU.")
        return "vit_nano"
    name = "vit_small" if images >= _MANY_IMAGES else "vit_tiny"
    reasons.append(
        f"{registry.backbone(name).title} on {device.title}: {why}, and there are {images:,} images to train on."
    )
    return name


def _stem(info: BackboneInfo, data: DataSpec, device: Device, reasons: list[str]) -> Literal["auto", "standard"]:
    """What auto says, but on a CPU a ResNet at full resolution is six times as slow and more."""
    if device.name != "cpu" or info.family != "ResNet" or data.size > SMALL_IMAGE:
        return "auto"
    reasons.append(
        "The standard stem, because the small one, though better for small images, takes several times as long."
    )
    return "standard"


def _budget(data: DataSpec, device: Device, info: BackboneInfo) -> float:
    """Images that a first result may cost: on a CPU fewer for large images and large networks."""
    if device.name != "cpu":
        return _GPU_IMAGES
    return _CPU_IMAGES * (32 / data.size) ** 2 * min(1.0, _CPU_MILLION / info.million_parameters)


def _train(
    images: int,
    data: DataSpec,
    card: MethodCard,
    device: Device,
    info: BackboneInfo,
    length: Length,
    reasons: list[str],
) -> TrainSpec:
    if length.epochs:
        epochs = length.epochs
    elif length.images:
        epochs = max(1, round(length.images / images))
        reasons.append(f"{epochs} epochs, which come nearest to {length.images:,} images seen.")
    else:
        epochs = _first_epochs(images, data, device, info, reasons)
    batch = length.batch_size or _batch(images, epochs, data, card)
    steps = images // batch
    reasons.append(
        f"A batch of {batch}, so that an epoch over {images:,} training images has {steps:,} steps, and the run "
        f"{epochs * steps:,}."
    )
    warmup = min(card.recipe.warmup, epochs // 10)
    recipe = _recipe(card, info, epochs * max(1, steps), batch, reasons)
    return TrainSpec(
        epochs=epochs,
        batch_size=batch,
        optimizer=recipe.optimizer,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        weight_decay_factor=recipe.weight_decay_factor,
        clip_gradient=recipe.clip_gradient,
        beta2=recipe.beta2,
        warmup=float(warmup),
    )


def _batch(images: int, epochs: int, data: DataSpec, card: MethodCard) -> int:
    """As large as is usual, but where a run then had few steps, smaller: steps teach it more than large batches do."""
    most = 256 if data.size <= CPU_LARGEST else 128
    enough = max(_LEAST_BATCH, min(most, images * epochs // _ENOUGH_STEPS))
    return min(max(card.min_batch, 2, _power_of_two(min(enough, images // 4))), max(1, images))


def _power_of_two(number: int) -> int:
    """The largest up to a number; 1 at least."""
    power: int = 2 ** (max(1, number).bit_length() - 1)
    return power


def _first_epochs(images: int, data: DataSpec, device: Device, info: BackboneInfo, reasons: list[str]) -> int:
    budget = _budget(data, device, info)
    epochs = max(_LEAST_EPOCHS, min(400, round(budget / images / 10) * 10))
    where = "on this machine's CPU" if device.name == "cpu" else f"on {device.title}"
    if epochs * images > 2 * budget:
        reasons.append(
            f"{epochs} epochs, the least that shows something; {where} they take long: data.limit uses fewer images, "
            "and train.max_minutes ends in time."
        )
    else:
        reasons.append(f"{epochs} epochs, which is a first result in reasonable time {where}; more are better.")
    return epochs


def _recipe(card: MethodCard, info: BackboneInfo, steps: int, batch: int, reasons: list[str]) -> Recipe:
    """The method's recipe; AdamW for a transformer, and for a convolutional network in a short run where it helps."""
    recipe = card.recipe
    if info.is_transformer and recipe.optimizer != "adamw":
        reasons.append(
            f"AdamW at {_TRANSFORMER_RATE:g}, because transformers learn badly with {recipe.optimizer.upper()}, which "
            f"{card.title} was published with."
        )
        return replace(
            recipe,
            optimizer="adamw",
            learning_rate=_TRANSFORMER_RATE,
            weight_decay=_TRANSFORMER_DECAY,
            weight_decay_factor=1.0,
        )
    if recipe.short_rate > 0 and steps < _SHORT_STEPS and not info.is_transformer:
        rate = _short_rate(recipe, batch)
        reasons.append(
            f"AdamW at {rate:g}, because {steps:,} steps are few: the published recipe of {card.title} "
            f"({recipe.optimizer} at {recipe.learning_rate:g}) is for tens of thousands, and learns little in so few."
        )
        return replace(
            recipe,
            optimizer="adamw",
            learning_rate=rate,
            weight_decay=_SHORT_DECAY,
            weight_decay_factor=1.0,
        )
    source = f": {recipe.source}" if recipe.source else ""
    reasons.append(f"The optimizer and its learning rate are the recipe of {card.title}{source}.")
    return recipe


def _short_rate(recipe: Recipe, batch: int) -> float:
    """For Adam the rate goes with the square root of the batch (Malladi et al. 2022, arXiv:2205.10287); that of an
    experiment is per 256 images, and goes with the batch itself.
    """
    return float(f"{recipe.short_rate * (256 / batch) ** 0.5:.2g}")


def _watch(images: int, count: int, epochs: int, copies: float, reasons: list[str]) -> WatchSpec:
    """Probes as often as the eye wants them, but not beyond 2 % of the time.

    Embedding an image is one forward pass; training on it is a forward and a backward pass (about
    three) of each of its `copies`.
    """
    watched = max(50, min(_WATCH_IMAGES, count))
    cheap = watched / (_WATCH_SHARE * 3 * copies * images)
    every = max(1, round(epochs / 20), round(cheap))
    every = min(every, epochs)
    often = "epoch" if every == 1 else f"{every} epochs"
    reasons.append(f"A look at the representation every {often} costs about 2 % of the time at most.")
    return WatchSpec(
        probe_every=every,
        snapshot_every=min(epochs, every * 2),
        checkpoint_every=min(5, every) if epochs < 100 else 5,
        images=watched,
    )
