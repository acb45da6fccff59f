from dataclasses import replace

import numpy as np
import pytest

from workbench.evaluate.probe import Labels, evaluate_run
from workbench.runs.folder import RunFolder
from workbench.runs.results import load_evaluations
from workbench.runs.split import read_split, write_split
from workbench.spec.errors import Cancelled, NotFoundError, UsageError


def test_every_probe_of_every_subject_counts_the_test_side(run: RunFolder) -> None:
    told: list[str] = []
    evaluation = evaluate_run(run, report=lambda what, done, total: told.append(what))
    table = read_split(run.split_file)
    assert evaluation.classes == table.classes()
    assert (evaluation.train_images, evaluation.test_images) == (len(table.rows("train")), len(table.rows("test")))
    assert evaluation.epoch == 2
    assert evaluation.frozen
    assert len(evaluation.encoder_hash) == 64
    assert [(one.kind, one.subject) for one in evaluation.results] == [
        (kind, subject) for kind in ("knn", "linear") for subject in ("encoder", "untrained", "pixels")
    ]
    true = [table.labels[row] for row in table.rows("test")]
    for result in evaluation.results:
        confusion = np.array(result.confusion)
        assert confusion.sum(axis=1).tolist() == [true.count(name) for name in evaluation.classes]
        assert result.accuracy == pytest.approx(np.trace(confusion) / len(true))
        assert result.low < result.accuracy < result.high
    assert load_evaluations(run) == (evaluation,)
    assert any("untrained" in what for what in told)
    again = evaluate_run(run)
    assert [one.confusion for one in again.results] == [one.confusion for one in evaluation.results]
    assert len(load_evaluations(run)) == 1


def test_factors_external_labels_and_a_limit(run: RunFolder) -> None:
    color = evaluate_run(run, probes=("knn",), column="color")
    assert len(color.results) == 3
    table = read_split(run.split_file)
    half = {path: "even" if row % 2 else "odd" for row, path in enumerate(table.paths) if row < 40}
    given = evaluate_run(run, probes=("knn",), labels=Labels(name="mine.csv:parity", values=half))
    assert given.classes == ("even", "odd")
    assert given.train_images + given.test_images == 40
    limited = evaluate_run(run, probes=("linear",), column="texture", limit=12)
    assert (limited.train_images, limited.test_images) == (12, 12)
    assert [one.column for one in load_evaluations(run)] == ["color", "mine.csv:parity", "texture"]


def test_labels_that_cannot_be_probed_are_refused_in_words(run: RunFolder) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'color'"):
        evaluate_run(run, column="colour")
    with pytest.raises(UsageError, match="without a probe"):
        evaluate_run(run, probes=())
    table = read_split(run.split_file)
    alone = Labels(name="one", values=dict.fromkeys(table.paths, "same"))
    with pytest.raises(UsageError, match=r"only one class \('same'\)"):
        evaluate_run(run, labels=alone)
    with pytest.raises(UsageError, match="no label at all"):
        evaluate_run(run, labels=Labels(name="none", values={}))
    every = Labels(name="id", values={path: path for path in table.paths})
    with pytest.raises(UsageError, match="too many to be classes"):
        evaluate_run(run, labels=every)
    train_only = {table.paths[row]: str(row % 2) for row in table.rows("train")}
    with pytest.raises(UsageError, match="0 test images"):
        evaluate_run(run, labels=Labels(name="train", values=train_only))
    assert load_evaluations(run) == ()


def test_images_without_a_label_are_left_out(run: RunFolder) -> None:
    table = read_split(run.split_file)
    labels = tuple("" if row % 3 == 0 else label for row, label in enumerate(table.labels))
    write_split(run.split_file, replace(table, labels=labels))
    evaluation = evaluate_run(run, probes=("knn",))
    assert evaluation.train_images + evaluation.test_images == 40


def test_an_evaluation_can_be_stopped(run: RunFolder) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if "raw pixels" in what:
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate_run(run, report=stop)
    assert load_evaluations(run) == ()
