"""The audit of a run: what its encoder is blind to, and which factors can still be read from its features."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.catalog.registry import Registry, load_registry
from workbench.data.prepare import Prepared, evenly, prepare
from workbench.evaluate.interval import wilson
from workbench.evaluate.linear import linear_probe
from workbench.evaluate.probe import labeled_sides
from workbench.inspect.embed import embed
from workbench.inspect.encoder import LoadedEncoder, encoder_hash, load_encoder, load_pretrained
from workbench.inspect.invariance import invariance
from workbench.runs.audit import Audit, FactorResult, Subject, save_audit
from workbench.runs.folder import RunFolder
from workbench.runs.split import SplitTable, read_split
from workbench.spec import places
from workbench.spec.errors import DataError, UsageError
from workbench.spec.progress import Report, ignore

IMAGES = 256
"""Images that are changed; more hardly move the means."""

_PROBED = 6000
_MOST_CLASSES = 200


def audit_run(
    run: RunFolder,
    *,
    subject: Subject = "trained",
    images: int = IMAGES,
    columns: Sequence[str] | None = None,
    device: torch.device | None = None,
    registry: Registry | None = None,
    report: Report = ignore,
) -> Audit:
    """Audits one encoder of a run on at most `images` of its test images, and keeps the result in its folder.

    columns: label columns to probe; without them, all that have classes. Raises `UsageError` for fewer than two
    images and for a column that cannot be probed, and what loading the encoder raises.
    """
    if images < 2:
        raise UsageError("An audit compares images with each other, so it needs two at least.")
    known = registry or load_registry()
    place = device or torch.device("cpu")
    loaded = _load(run, subject, known)
    table = read_split(run.split_file)
    prepared = prepare(loaded.experiment, cache=places.cache_folder(), table=table, report=report)
    before = encoder_hash(loaded.encoder)
    rows = evenly(prepared.unseen_rows(least=2), images)
    if len(rows) < 2:
        raise UsageError("An audit compares images with each other, and this run has fewer than two.")
    moved = invariance(
        loaded, prepared.store.pixels[rows], prepared.ids[rows], ops=known.ops, device=place, report=report
    )
    factors = _factors(_Probing(loaded, prepared, place, report), columns)
    audit = Audit(
        subject=subject,
        epoch=loaded.epoch,
        images=len(rows),
        image_size=loaded.image_size,
        between=moved.between,
        ladders=moved.ladders,
        factors=factors,
        skipped=moved.skipped,
        encoder_hash=before,
        frozen=encoder_hash(loaded.encoder) == before,
        time=time.time(),
    )
    save_audit(run, audit)
    return audit


def probed_columns(table: SplitTable) -> tuple[str, ...]:
    """The columns of a split that name classes: two or more, and few enough to repeat. 'label' comes first, and
    only where no other column says the same.
    """
    names = [name for name in table.factors if _has_classes(table.factors[name])]
    if _has_classes(table.labels) and not any(table.factors[name] == table.labels for name in names):
        names.insert(0, "label")
    return tuple(names)


def _has_classes(values: Sequence[str]) -> bool:
    classes = set(values) - {""}
    labeled = sum(value != "" for value in values)
    return 2 <= len(classes) <= min(_MOST_CLASSES, labeled / 4)


def _load(run: RunFolder, subject: Subject, registry: Registry) -> LoadedEncoder:
    match subject:
        case "trained":
            return load_encoder(run, registry=registry)
        case "best":
            return load_encoder(run, registry=registry, which="best")
        case "untrained":
            return load_encoder(run, registry=registry, trained=False)
        case "pretrained":
            return load_pretrained(run, registry=registry)


@dataclass(frozen=True)
class _Probing:
    loaded: LoadedEncoder
    prepared: Prepared
    device: torch.device
    report: Report


def _factors(probing: _Probing, columns: Sequence[str] | None) -> tuple[FactorResult, ...]:
    """One linear probe per column, on features that are made once."""
    prepared = probing.prepared
    data = probing.loaded.experiment.data
    wanted = tuple(columns) if columns is not None else probed_columns(prepared.table)
    wanted = tuple("label" if name == data.title_of("label") else name for name in wanted)
    if not wanted:
        return ()
    rows = np.sort(np.concatenate([evenly(side, _PROBED) for side in (prepared.train_rows, prepared.test_rows)]))
    features = embed(
        probing.loaded.encoder,
        probing.loaded.normalization,
        prepared.store.pixels,
        rows=rows,
        image_size=probing.loaded.image_size,
        device=probing.device,
        report=probing.report,
    )
    if not np.isfinite(features).all():
        raise DataError(
            "The encoder gives values that are not finite, so there is nothing to probe.",
            hint="Its training diverged: train again with a lower learning rate.",
        )
    place = np.full(len(prepared.table), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    found = []
    for column in wanted:
        try:
            found.append(_factor(probing, column, features, place))
        except UsageError:
            if columns is not None:  # It was asked for by name.
                raise
    return tuple(found)


def _factor(probing: _Probing, column: str, features: NDArray[np.float32], place: NDArray[np.int64]) -> FactorResult:
    sides = labeled_sides(probing.prepared, probing.prepared.table.column(column), column)
    train, test = place[sides.train] >= 0, place[sides.test] >= 0

    def told(what: str, done: int, total: int) -> None:
        probing.report(f"{what}: {column}", done, total)

    predicted = linear_probe(
        features[place[sides.train[train]]],
        sides.train_labels[train],
        features[place[sides.test[test]]],
        device=probing.device,
        report=told,
    )
    truth = sides.test_labels[test]
    correct = int((predicted == truth).sum())
    low, high = wilson(correct, len(truth))
    usual = np.bincount(sides.train_labels[train]).argmax()
    return FactorResult(
        column=probing.loaded.experiment.data.title_of(column),
        classes=len(sides.classes),
        test_images=len(truth),
        accuracy=correct / len(truth),
        low=low,
        high=high,
        guessing=float((truth == usual).mean()),
    )
