"""Scores against masks: kept in the run's folder, and said in words that the intervals bear out."""

from pathlib import Path

import pytest

from workbench.runs.folder import RunFolder
from workbench.runs.masks import MaskComparison, MaskScore, Outline, in_words, load_comparison, save_comparison
from workbench.spec.errors import RunError

Interval = tuple[float, float]


def comparison(trained: Interval, untrained: Interval, box: Interval) -> MaskComparison:
    def score(subject: Outline, interval: Interval) -> MaskScore:
        low, high = interval
        return MaskScore(subject=subject, images=40, jaccard=(low + high) / 2, low=low, high=high)

    scores = (score("trained", trained), score("untrained", untrained), score("box in the middle", box))
    return MaskComparison(folder="/masks", epoch=3, by="saliency", scores=scores, time=1.0)


@pytest.mark.parametrize(
    ("untrained", "box", "words"),
    [
        ((0.2, 0.3), (0.1, 0.3), "Better than the untrained encoder and than a box in the middle"),
        ((0.2, 0.3), (0.3, 0.45), "Better than the untrained encoder, not than a box in the middle"),
        ((0.3, 0.5), (0.6, 0.7), "Not better than the untrained encoder or a box in the middle"),
    ],
)
def test_only_intervals_that_do_not_meet_are_better(untrained: Interval, box: Interval, words: str) -> None:
    assert in_words(comparison((0.4, 0.5), untrained, box)).startswith(words)


def test_the_last_one_is_kept_and_damage_is_said(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert load_comparison(run) is None
    for trained in ((0.1, 0.2), (0.4, 0.5)):
        save_comparison(run, comparison(trained, (0.2, 0.3), (0.2, 0.3)))
    assert load_comparison(run) == comparison((0.4, 0.5), (0.2, 0.3), (0.2, 0.3))
    run.masks_file.write_text("{")
    with pytest.raises(RunError, match="compare with the masks again"):
        load_comparison(run)
