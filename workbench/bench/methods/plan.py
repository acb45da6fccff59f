"""From what was asked to an experiment per method and seed: the method's own recipe and views, the same budget."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from workbench.bench.methods.asked import Asked
from workbench.catalog.registry import Registry
from workbench.data.split import plan_split
from workbench.runs.split import SplitTable
from workbench.spec import toml
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError
from workbench.spec.experiment import DataSpec, Experiment, TrainSpec, WatchSpec
from workbench.training.suggest import length_of, suggest
from workbench.training.suggest_data import suggest_data

START = "simclr"
"""Whose run a method starts from that needs one."""

JUDGE = "supervised"
"""What an encoder is fine-tuned with."""

Work = tuple[str, int]
"""What a bench does: a method, and a seed."""

_LOOKS = 5
_CHECKPOINTS = 10
_ROOM = 1.2
"""More epochs than a time limit has room for by the measured speed, so that the clock ends the run."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to train. `data` is the same for all; only the seed differs, and with it the split."""

    scan: ScanReport
    data: DataSpec
    asked: Asked
    registry: Registry

    def experiment(self, method: str, seed: int, *, rate: float = 0.0, start: Path | None = None) -> Experiment:
        """The experiment of a method: suggested for the data, its own preset scaled to them, the budget fitted.

        rate: images per second, where the budget is time. start: the run that it starts from, where it needs one.
        Raises `UsageError`s for what does not go together.
        """
        budget = self.asked.budget
        images = budget.images or round(60 * budget.minutes * rate)
        experiment = self._suggested(method, seed, images)
        if start is not None and self.registry.method(method).starts_from_run:
            experiment = from_encoder(experiment, start)
        return self._fitted(experiment, images, minutes=budget.minutes)

    def fine_tuning(self, seed: int, *, of: str, start: Path | None) -> Experiment:
        """`JUDGE` from the encoder of the run in `start`, which `of` names; from the first weights where it is None."""
        images = self.asked.fine_tuning
        experiment = replace(self._suggested(JUDGE, seed, images), name=f"{of} seed {seed}, fine-tuned")
        return self._fitted(experiment if start is None else from_encoder(experiment, start), images)

    def _suggested(self, method: str, seed: int, images: int) -> Experiment:
        card = self.registry.method(method).card()
        experiment, _ = suggest(
            self.scan,
            data=self.data,
            method=method,
            backbone=self.asked.backbone,
            preset=card.preset,
            length=replace(length_of(self.data, self.asked.changes), images=images, epochs=0),
            registry=self.registry,
        )
        views = experiment.views
        if not card.local_views:
            views = tuple(view for view in views if view.role == "global")
        experiment = replace(experiment, name=f"{method} seed {seed}", seed=seed, views=views)
        return toml.set_values(experiment, self.asked.changes)

    def split(self, experiment: Experiment) -> SplitTable:
        """Which images train, and which test: drawn here from the one scan, so that no run has to scan again."""
        return plan_split(self.scan, experiment.data, experiment.seed)

    def _fitted(self, experiment: Experiment, images: int, *, minutes: float = 0.0) -> Experiment:
        """Whole epochs: as many as come nearest to the images that may be seen, one at least."""
        train = experiment.train
        there = self.split(experiment).parts.count("train")
        steps = there // train.batch_size
        if steps == 0:
            raise CheckError(
                f"A batch of {train.batch_size} is more than the {there:,} training images.",
                hint="Use more images, or --set train.batch_size=N.",
            )
        seen = steps * train.batch_size
        epochs = max(1, math.ceil(_ROOM * images / seen) if minutes else round(images / seen))
        warmup = self.registry.method(experiment.method.name).recipe.warmup
        return replace(
            experiment,
            train=_trained(train, epochs, warmup=warmup, minutes=minutes),
            watch=_watched(experiment.watch, epochs),
        )


def make_plan(scan: ScanReport, asked: Asked, registry: Registry) -> Plan:
    """Reads the folder as `suggest_data` does, with what was asked. Raises `CheckError` where it has no labels."""
    data, _ = suggest_data(scan)
    about = tuple(change for change in asked.changes if change.strip().startswith("data."))
    data = toml.set_values(Experiment(data=replace(data, limit=asked.limit)), about).data
    if data.labels == "none":
        raise CheckError(
            f"There are no labels in {scan.folder}, so nothing can be probed.",
            hint="Sort the images into a folder per class, put a label table beside them, or name one: "
            "--set data.labels=csv --set data.csv=FILE --set data.column=NAME.",
        )
    return Plan(scan=scan, data=data, asked=asked, registry=registry)


def from_encoder(experiment: Experiment, start: Path) -> Experiment:
    """The experiment, begun with the encoder of a run."""
    return replace(experiment, backbone=replace(experiment.backbone, weights=str(start)))


def in_order(methods: tuple[str, ...], seeds: int, cost: Mapping[str, float], registry: Registry) -> list[Work]:
    """(method, seed): seed after seed, each from the cheapest to the dearest, those that start from a run last.

    So every method has one result before any has two. What has no cost (it could not be measured) comes late.
    """

    def place(method: str) -> tuple[bool, float, str]:
        info = registry.methods.get(method)
        return info is not None and info.starts_from_run, cost.get(method, math.inf), method

    return [(method, seed) for seed in range(seeds) for method in sorted(methods, key=place)]


def _trained(train: TrainSpec, epochs: int, *, warmup: float, minutes: float) -> TrainSpec:
    return replace(train, epochs=epochs, warmup=min(warmup, epochs / 10), max_minutes=minutes)


def _watched(watch: WatchSpec, epochs: int) -> WatchSpec:
    """A few looks, for the verdict; snapshots of the start and the end."""
    return replace(
        watch,
        probe_every=max(1, epochs // _LOOKS),
        snapshot_every=epochs,
        checkpoint_every=max(1, epochs // _CHECKPOINTS),
    )
