"""Probes of a run: the frozen encoder, the same encoder untrained, and raw pixels, side by side."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.catalog.registry import Registry
from workbench.data.prepare import Prepared, prepare
from workbench.evaluate.baseline import pixel_features
from workbench.evaluate.interval import wilson
from workbench.evaluate.knn import knn_predict
from workbench.evaluate.linear import linear_probe
from workbench.inspect.embed import embed
from workbench.inspect.encoder import LoadedEncoder, encoder_hash, load_encoder
from workbench.runs.folder import RunFolder
from workbench.runs.results import Evaluation, ProbeResult, save_evaluation
from workbench.runs.split import read_split
from workbench.spec import places
from workbench.spec.errors import DataError, UsageError
from workbench.spec.progress import Report, ignore

Kind = Literal["knn", "linear"]
Subject = Literal["encoder", "untrained", "pixels"]
_Features = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of the train and of the test side."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels that are not in the run: `values` by image path; `name` says where they are from."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Rows of the pixel store that have a label, and their class numbers."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    train_labels: NDArray[np.int64]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]


def evaluate_run(
    run: RunFolder,
    *,
    probes: Sequence[Kind] = ("knn", "linear"),
    column: str = "label",
    labels: Labels | None = None,
    neighbors: int = 20,
    limit: int = 0,
    known: Sequence[ProbeResult] = (),
    device: torch.device | None = None,
    registry: Registry | None = None,
    report: Report = ignore,
) -> Evaluation:
    """Probes the encoder of a run on one label column, and keeps the result in the run folder.

    `column` is 'label', or what the label table calls it, or a factor of the run's split; `labels`, where given,
    stands in its place. Images
    without a label are left out; `limit` uses at most that many train and that many test images. The
    probes are fitted to the train side of the run's own split and counted on its test side. known: results of raw
    pixels or of the untrained encoder that are known from a run with the same split (and the same first weights).

    Raises `UsageError` where there are fewer than two classes, or a side is empty.
    """
    if not probes:
        raise UsageError("There is nothing to evaluate without a probe.", hint="Choose knn, linear or both.")
    place = device or torch.device("cpu")
    trained = load_encoder(run, registry=registry)
    table = read_split(run.split_file)
    prepared = prepare(trained.experiment, cache=places.cache_folder(), table=table, report=report)
    if column == trained.experiment.data.title_of("label"):
        column = "label"
    name = labels.name if labels else column
    values = _values(prepared, column, labels)
    sides = _limited(labeled_sides(prepared, values, name), limit)
    before = encoder_hash(trained.encoder)

    def embedded(loaded: LoadedEncoder, words: str) -> _Features:
        return _embedded(loaded, prepared, sides, device=place, report=_about(words, report))

    making: dict[Subject, Callable[[], _Features]] = {
        "encoder": lambda: embedded(trained, "the encoder"),
        "untrained": lambda: embedded(load_encoder(run, registry=registry, trained=False), "the untrained encoder"),
        "pixels": lambda: _pixels(prepared, sides, report=_about("raw pixels", report)),
    }
    found = {(result.kind, result.subject): result for result in known}
    for subject, made in making.items():
        missing = [kind for kind in probes if (kind, subject) not in found]
        if missing:
            features = made()
            for kind in missing:
                found[kind, subject] = _probe(
                    kind, subject, features, sides, neighbors=neighbors, device=place, report=report
                )
    results = tuple(found[kind, subject] for kind in probes for subject in making)
    evaluation = Evaluation(
        epoch=trained.epoch,
        column=name,
        classes=sides.classes,
        train_images=len(sides.train),
        test_images=len(sides.test),
        results=results,
        encoder_hash=before,
        frozen=encoder_hash(trained.encoder) == before,
        time=time.time(),
    )
    save_evaluation(run, evaluation)
    return evaluation


def _values(prepared: Prepared, column: str, labels: Labels | None) -> tuple[str, ...]:
    if labels is None:
        return prepared.table.column(column)
    return tuple(labels.values.get(path, "") for path in prepared.table.paths)


def labeled_sides(prepared: Prepared, values: Sequence[str], name: str) -> Sides:
    """Splits the labeled rows; refuses labels that cannot be probed, in words."""
    classes = tuple(sorted(set(values) - {""}))
    labeled = sum(value != "" for value in values)
    if len(classes) < 2:
        found = f"only one class ('{classes[0]}')" if classes else "no label at all"
        raise UsageError(
            f"A probe needs two classes or more, and '{name}' has {found} for the images of this run.",
            hint="Choose another column, or give labels with --labels CSV:COLUMN.",
        )
    if len(classes) > labeled / 2:
        raise UsageError(
            f"'{name}' has {len(classes)} different values for {labeled} images: too many to be classes.",
            hint="Choose a column that repeats its values.",
        )
    number_of = {value: number for number, value in enumerate(classes)}
    numbers = np.array([number_of.get(value, -1) for value in values], dtype=np.int64)
    train = prepared.train_rows[numbers[prepared.train_rows] >= 0]
    test = prepared.test_rows[numbers[prepared.test_rows] >= 0]
    if len(np.unique(numbers[train])) < 2 or not len(test):
        raise UsageError(
            f"Of the images with a value for '{name}', {len(train)} are train images and {len(test)} test images: "
            "a probe needs train images of two classes, and test images to count on.",
            hint="Label more images, or use another column.",
        )
    return Sides(train=train, test=test, train_labels=numbers[train], test_labels=numbers[test], classes=classes)


def _limited(sides: Sides, limit: int) -> Sides:
    """At most `limit` images a side: always the same ones, drawn evenly."""
    if limit <= 0:
        return sides
    draw = np.random.Generator(np.random.PCG64(0))
    train = np.sort(draw.permutation(len(sides.train))[:limit])
    test = np.sort(draw.permutation(len(sides.test))[:limit])
    if len(np.unique(sides.train_labels[train])) < 2:
        raise UsageError(
            f"The {len(train)} train images that are left by the limit have one class.", hint="Raise the limit."
        )
    return Sides(
        train=sides.train[train],
        test=sides.test[test],
        train_labels=sides.train_labels[train],
        test_labels=sides.test_labels[test],
        classes=sides.classes,
    )


def _embedded(
    loaded: LoadedEncoder, prepared: Prepared, sides: Sides, *, device: torch.device, report: Report
) -> _Features:
    """Features of the train and of the test side. Raises `DataError` where they are not numbers."""
    rows = np.concatenate([sides.train, sides.test])
    features = embed(
        loaded.encoder,
        loaded.normalization,
        prepared.store.pixels,
        rows=rows,
        image_size=loaded.image_size,
        device=device,
        report=report,
    )
    if not np.isfinite(features).all():
        raise DataError(
            "The encoder gives values that are not finite, so there is nothing to probe.",
            hint="Its training diverged: train again with a lower learning rate.",
        )
    return features[: len(sides.train)], features[len(sides.train) :]


def _pixels(prepared: Prepared, sides: Sides, *, report: Report) -> _Features:
    """Centered on the train side, because the cosine of raw pixels tells little but brightness."""
    train = pixel_features(prepared.store.pixels, sides.train, report=report)
    test = pixel_features(prepared.store.pixels, sides.test, report=report)
    mean = train.mean(axis=0)
    return train - mean, test - mean


def _probe(
    kind: Kind,
    subject: Subject,
    features: _Features,
    sides: Sides,
    *,
    neighbors: int,
    device: torch.device,
    report: Report,
) -> ProbeResult:
    began = time.perf_counter()
    train, test = features
    told = _about(_WORDS[subject], report)
    if kind == "knn":
        predicted = knn_predict(train, sides.train_labels, test, k=neighbors, device=device, report=told)
    else:
        predicted = linear_probe(train, sides.train_labels, test, device=device, report=told)
    confusion = np.zeros((len(sides.classes), len(sides.classes)), dtype=np.int64)
    np.add.at(confusion, (sides.test_labels, predicted), 1)
    correct = int(np.trace(confusion))
    low, high = wilson(correct, len(test))
    return ProbeResult(
        kind=kind,
        subject=subject,
        accuracy=correct / len(test),
        low=low,
        high=high,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        seconds=time.perf_counter() - began,
    )


_WORDS: dict[Subject, str] = {"encoder": "the encoder", "untrained": "the untrained encoder", "pixels": "raw pixels"}


def _about(subject: str, report: Report) -> Report:
    return lambda what, done, total: report(f"{what}: {subject}", done, total)
