"""Health figures against what they must be, and the verdicts that follow."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.inspect.health import health
from workbench.inspect.symptoms import Sign, Solved
from workbench.inspect.verdict import Look, verdict

RNG = np.random.default_rng(0)


def _even(count: int = 4000, dim: int = 32) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return RNG.standard_normal((count, dim)).astype(np.float32)


def test_directions_spread_evenly() -> None:
    figures = health(_even())
    values = figures.values
    assert figures.dim == 32
    assert values["embedding_std_healthy"] == pytest.approx(1 / np.sqrt(32))
    assert values["embedding_std"] == pytest.approx(values["embedding_std_healthy"], rel=0.02)
    assert values["rankme"] == pytest.approx(32, rel=0.02)
    assert values["effective_rank"] == pytest.approx(32, rel=0.02)
    assert values["mean_cosine"] == pytest.approx(0, abs=0.01)
    assert figures.spectrum[0] == 1
    assert list(figures.spectrum) == sorted(figures.spectrum, reverse=True)
    assert len(figures.spectrum) == 32


def test_rankme_is_the_entropy_of_the_singular_values() -> None:
    """Garrido et al. 2023, eq. 1, from numpy's own decomposition."""
    rows = _even(300, 20) * np.geomspace(1, 0.01, 20).astype(np.float32)
    share = np.linalg.svd(rows.astype(np.float64), compute_uv=False)
    share /= share.sum()
    assert health(rows).values["rankme"] == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-6)


def test_uniformity_is_that_of_the_paper() -> None:
    """Wang and Isola 2020, their code: torch.pdist(x).pow(2).mul(-2).exp().mean().log()."""
    import torch

    rows = torch.nn.functional.normalize(torch.from_numpy(_even(500, 8)).double())
    expected = torch.pdist(rows).pow(2).mul(-2).exp().mean().log().item()
    assert health(rows.float().numpy()).values["uniformity"] == pytest.approx(expected, rel=1e-4)


def test_a_power_law_is_found_again() -> None:
    scale = np.arange(1, 65) ** -0.75  # deviations; the eigenvalues fall as i^-1.5
    assert health(_even(20_000, 64) * scale.astype(np.float32)).values["alpha_req"] == pytest.approx(1.5, abs=0.1)


def test_alignment_of_two_views() -> None:
    rows = _even(100, 8)
    assert health(rows, (rows, rows)).values["alignment"] == pytest.approx(0, abs=1e-12)
    assert health(rows, (rows, 3 * rows)).values["alignment"] == pytest.approx(0, abs=1e-12)
    assert health(rows, (rows, -rows)).values["alignment"] == pytest.approx(4)
    assert "alignment" not in health(rows).values


def test_collapse_shows() -> None:
    point = np.ones((50, 16), np.float32)
    figures = health(point)
    assert figures.values["rankme"] == pytest.approx(1)
    assert figures.values["mean_cosine"] == pytest.approx(1)
    assert figures.values["embedding_std"] == pytest.approx(0, abs=1e-9)
    assert "alpha_req" not in figures.values


def test_all_zero_and_few_images_give_finite_figures() -> None:
    for rows in (np.zeros((10, 4), np.float32), _even(2, 4), _even(3, 500)):
        figures = health(rows)
        assert all(np.isfinite(value) for value in figures.values.values())
        assert all(np.isfinite(value) for value in figures.spectrum)


@pytest.mark.parametrize("rows", [np.zeros((1, 4)), np.zeros(4), np.array([[np.nan, 1.0], [1.0, 1.0]])])
def test_what_has_no_health(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(ValueError, match=r"health needs|not finite"):
        health(rows.astype(np.float32))


def _look(
    epoch: int,
    *,
    rank: float = 20.0,
    cosine: float = 0.3,
    accuracy: float | None = None,
    sign: Sign | None = None,
) -> Look:
    return Look(
        epoch=epoch,
        values={"rankme": rank, "mean_cosine": cosine},
        dim=64,
        accuracy=accuracy,
        loss=1.0 / epoch if epoch else 3.0,
        sign=sign,
    )


def test_a_run_that_learns() -> None:
    said = verdict([_look(0, accuracy=0.2), _look(5, rank=30, accuracy=0.61)], untrained=0.2, pixels=0.6)
    assert (said.level, said.title) == ("good", "Learning, healthy")
    assert "30 of 64 directions and still grows" in said.text
    assert "41 points above the untrained encoder and 1 point above raw pixels" in said.text


def test_collapse_is_bad_news() -> None:
    said = verdict([_look(0), _look(5, rank=1.1, cosine=0.999)])
    assert (said.level, said.title) == ("bad", "Collapsed")
    assert "learning rate" in said.text


def test_an_untrained_encoder_that_sees_all_alike_may_still_learn() -> None:
    looks = [_look(0, rank=1.2, accuracy=0.1), _look(5, rank=1.4, accuracy=0.5)]
    assert verdict(looks, untrained=0.1).level == "good"


def test_losing_directions_is_watched() -> None:
    said = verdict([_look(0, rank=20), _look(5, rank=12), _look(10, rank=1.8)])
    assert (said.level, said.title) == ("watch", "Losing directions")


def test_little_gain_and_loss_are_said() -> None:
    assert verdict([_look(0), _look(5, accuracy=0.21)], untrained=0.2).title == "Too early to say"
    begun = verdict([_look(0), _look(5, accuracy=0.1)], untrained=0.2, start="at the start")
    assert begun.title == "Not better than at the start"
    assert "kNN is 10 points below the encoder at the start." in begun.text
    worse = verdict([_look(0), _look(5, accuracy=0.1)], untrained=0.2)
    assert (worse.level, worse.title) == ("watch", "Not better than untrained")


def test_a_task_that_is_only_guessed_is_not_called_learned() -> None:
    looks = [_look(0, accuracy=0.2), replace(_look(5, rank=30, accuracy=0.61), guessed=("jigsaw",))]
    said = verdict(looks, untrained=0.2)
    assert (said.level, said.title) == ("watch", "The task is not learned yet")
    assert "(jigsaw)" in said.text
    without_labels = [_look(0), replace(_look(5, rank=30), guessed=("jigsaw", "rotation"))]
    assert "jigsaw and rotation" in verdict(without_labels).text


def test_without_labels_only_the_spread_is_judged() -> None:
    said = verdict([_look(0), _look(5)])
    assert (said.level, said.title) == ("good", "Healthy")
    assert "kNN" not in said.text


SICK = Sign(title="One prototype takes everything", text="Sharpen less.", bad=True)
STILL = Sign(title="Nothing learned yet", text="The loss is 6.24.", bad=False)


def test_what_the_loss_says_is_said() -> None:
    said = verdict([_look(0), _look(5, sign=SICK)])
    assert (said.level, said.title) == ("bad", SICK.title)
    assert said.text.startswith(SICK.text)
    assert verdict([_look(0), _look(5, sign=STILL)]).level == "watch"


def test_a_collapse_names_its_reason() -> None:
    said = verdict([_look(0), _look(5, rank=1.1, cosine=0.999, sign=SICK)])
    assert (said.level, said.title) == ("bad", "Collapsed")
    assert f"{SICK.title}: {SICK.text}" in said.text


def test_a_clear_gain_outweighs_a_loss_that_stands() -> None:
    looks = [_look(0, accuracy=0.2), _look(5, accuracy=0.6, sign=STILL)]
    assert verdict(looks, untrained=0.2).level == "good"
    looks = [_look(0, accuracy=0.2), _look(5, accuracy=0.6, sign=SICK)]
    assert (verdict(looks, untrained=0.2).level, verdict(looks, untrained=0.2).title) == ("watch", SICK.title)


SHORTCUT = Sign(title="Solved, perhaps by a shortcut", text="Raise the gap.", bad=False)
SOLVED = Solved(sign=SHORTCUT, held_out=True)


def _solved(epoch: int, accuracy: float | None, solved: Solved | None = SOLVED, *, high: float | None = None) -> Look:
    """A look of a run whose untrained encoder has 0.3."""
    wide = None if accuracy is None else accuracy + 0.04
    return replace(_look(epoch, accuracy=accuracy), solved=solved, high=high or wide)


def test_a_puzzle_that_is_solved_at_once_and_teaches_nothing_is_taken_for_a_shortcut() -> None:
    looks = [_look(0, accuracy=0.3), _solved(1, 0.28), _solved(2, 0.29)]
    said = verdict(looks, untrained=0.3, pixels=0.4)
    assert (said.level, said.title) == ("watch", SHORTCUT.title)
    assert said.text.startswith(SHORTCUT.text)
    assert "kNN is 1 point below the untrained encoder" in said.text
    later = verdict([*looks, _solved(30, 0.25)], untrained=0.3)
    assert later.title == SHORTCUT.title, "it is said as long as it is so"


@pytest.mark.parametrize(
    ("looks", "untrained", "why"),
    [
        ([_solved(1, 0.31), _solved(2, 0.38)], 0.3, "an easy set that is honestly solved: kNN rises"),
        ([_solved(1, 0.35), _solved(2, 0.28)], 0.3, "kNN has risen once"),
        ([_solved(1, 0.29), _solved(2, 0.31)], 0.3, "kNN may be rising"),
        ([_solved(1, 0.28)], 0.3, "one look is not enough"),
        ([_solved(1, 0.28), _solved(2, 0.28, None)], 0.3, "it is not solved any more"),
        ([_solved(5, 0.28, None), _solved(12, 0.28), _solved(20, 0.28)], 0.3, "it took its time"),
        ([_solved(1, 0.93), _solved(2, 0.93)], 0.95, "kNN has no room to rise"),
        ([_solved(1, 0.28, high=0.45), _solved(2, 0.28, high=0.45)], 0.3, "so few test images show no gain"),
        ([_solved(1, None), _solved(2, None)], None, "there are no labels"),
    ],
)
def test_where_there_may_be_another_reason_nobody_is_accused(
    looks: list[Look], untrained: float | None, why: str
) -> None:
    assert verdict([_look(0, accuracy=untrained), *looks], untrained=untrained).title != SHORTCUT.title, why


def test_what_may_be_known_by_heart_must_be_solved_at_once() -> None:
    by_loss = Solved(sign=SHORTCUT, held_out=False)
    at_once = [_look(0, accuracy=0.3), _solved(2, 0.28, by_loss), _solved(4, 0.28, by_loss)]
    assert verdict(at_once, untrained=0.3).title == SHORTCUT.title
    later = [_look(0, accuracy=0.3), _solved(5, 0.28, by_loss), _solved(10, 0.28, by_loss)]
    assert verdict(later, untrained=0.3).title != SHORTCUT.title


def test_an_encoder_that_was_trained_before_may_solve_it_at_once() -> None:
    looks = [_look(0, accuracy=0.3), _solved(1, 0.28), _solved(2, 0.28)]
    assert verdict(looks, untrained=0.3, start="at the start").title != SHORTCUT.title


def test_a_shortcut_is_the_reason_of_a_collapse_unless_the_loss_tells_another() -> None:
    looks = [
        _look(0, accuracy=0.3),
        _solved(1, 0.28),
        replace(_solved(2, 0.28), values={"rankme": 1.1, "mean_cosine": 1}),
    ]
    said = verdict(looks, untrained=0.3)
    assert (said.level, said.title) == ("bad", "Collapsed")
    assert f"{SHORTCUT.title}: {SHORTCUT.text}" in said.text
    said = verdict([*looks[:2], replace(looks[2], sign=SICK)], untrained=0.3)
    assert f"{SICK.title}: {SICK.text}" in said.text
