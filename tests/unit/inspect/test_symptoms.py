from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from workbench.evaluate.interval import wilson
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Method, MethodInfo, Setting, Symptom
from workbench.method.precautions import Precaution, left_of
from workbench.runs.events import Exam
from workbench.spec.catalog import Family
from workbench.spec.params import Params

SETTING = Setting(train_images=100, classes=0, batch_size=8, image_size=32, channels=3)


class NoParams(Params, frozen=True, kw_only=True):
    """None."""


def chance(params: Params, setting: Setting) -> float:
    return 2.0 + setting.batch_size


def fingerprint(
    *symptoms: Symptom[Any],
    knows_chance: bool = True,
    family: Family = "contrastive",
    params: Params | None = None,
    precautions: Callable[[Any, Setting], tuple[str, ...]] | None = None,
) -> Fingerprint:
    info = MethodInfo(
        name="any",
        title="Any",
        family=family,
        paper="",
        year=2026,
        summary="",
        explanation="",
        when="",
        collapse="",
        params=NoParams,
        build=lambda encoder, params, setting: Method(),  # type: ignore[abstract]
        chance_loss=chance if knows_chance else None,
        symptoms=symptoms,
        precautions=precautions,
    )
    return Fingerprint(info=info, params=params or NoParams(), setting=SETTING)


SPREAD: Symptom[Any] = Symptom(
    part="spread", is_sick=lambda value, params, setting: value < 0.1, title="All vectors are the same", text="Do this."
)
LOSS: Symptom[Any] = Symptom(part="", is_sick=lambda value, params, setting: value > 100, title="Flies off", text="Do.")


def test_a_symptom_is_read_from_its_part() -> None:
    sign = fingerprint(SPREAD, LOSS).read({"loss": 5.0, "loss/spread": 0.05})
    assert sign is not None
    assert (sign.title, sign.text, sign.bad) == ("All vectors are the same", "Do this.", True)
    assert fingerprint(SPREAD, LOSS).read({"loss": 5.0, "loss/spread": 0.5}) is None
    sign = fingerprint(SPREAD, LOSS).read({"loss": 500.0})
    assert sign is not None
    assert sign.title == "Flies off"


@pytest.mark.parametrize(("loss", "stands"), [(10.0, True), (10.05, True), (9.5, False), (11.0, False)])
def test_a_loss_at_chance_has_learned_nothing(loss: float, stands: bool) -> None:
    sign = fingerprint(SPREAD).read({"loss": loss, "loss/spread": 1.0})
    assert (sign is not None) == stands
    if sign is not None:
        assert not sign.bad
        assert "10" in sign.text


def test_without_a_loss_or_a_chance_there_is_no_sign() -> None:
    assert fingerprint(SPREAD).read({}) is None
    assert fingerprint(knows_chance=False).read({"loss": 10.0}) is None


def exam(right: int, *, of: int = 200, chance: float = 0.25) -> Exam:
    low, high = wilson(right, of)
    return Exam(epoch=1, task="tiles", accuracy=right / of, low=low, high=high, chance=chance, images=of)


def test_a_puzzle_without_fault_and_with_a_loss_near_0_is_solved() -> None:
    """Guessing has a loss of 10 here."""
    puzzle = fingerprint(family="puzzle")
    solved = puzzle.solved({"loss": 0.4}, (exam(199),))
    assert solved is not None
    assert solved.held_out
    assert (solved.sign.title, solved.sign.bad) == ("Solved, perhaps by a shortcut", False)
    assert "tiles: 100 % right on held-out images" in solved.sign.text
    for way in ("center_crop", "gaussian_noise", "`workbench views`"):
        assert way in solved.sign.text


@pytest.mark.parametrize(
    ("loss", "exams", "why"),
    [
        (0.4, (exam(180),), "nine in ten are not without fault"),
        (0.4, (exam(20, of=20),), "twenty images prove nothing"),
        (0.4, (exam(199), exam(100)), "one of its tasks is not solved"),
        (1.5, (exam(199),), "the loss is not near 0"),
    ],
)
def test_less_is_not_solved(loss: float, exams: tuple[Exam, ...], why: str) -> None:
    assert fingerprint(family="puzzle").solved({"loss": loss}, exams) is None, why


def test_other_families_are_not_puzzles() -> None:
    assert fingerprint(family="contrastive").solved({"loss": 0.1}, (exam(200),)) is None


def test_without_an_exam_the_loss_alone_tells_and_without_a_chance_the_exam() -> None:
    solved = fingerprint(family="puzzle").solved({"loss": 0.4}, ())
    assert solved is not None
    assert not solved.held_out
    assert "a loss of 0.4, by guessing 10" in solved.sign.text
    assert fingerprint(family="puzzle").solved({}, ()) is None
    unknown = fingerprint(family="puzzle", knows_chance=False)
    assert unknown.solved({"loss": 0.001}, ()) is None
    assert unknown.solved({"loss": 70.0}, (exam(199),)) is not None


class Tiles(Params, frozen=True, kw_only=True):
    """As a jigsaw has them."""

    gap: float = 0.1
    noise: float = 0.5
    gray: bool = False
    colors: str = "keep"


def test_what_is_left_to_do_is_said_and_what_is_done_is_not() -> None:
    left = left_of(
        Precaution(parameter="gap", most=0.5, why="so that lines end"),
        Precaution(parameter="noise", least=0.1, why="so that it is seen"),
        Precaution(parameter="gray", choice=True, why="so that colors do not tell"),
        Precaution(parameter="colors", choice="drop", why="so that fringes do not tell", of_color=True),
    )
    assert left(Tiles(), SETTING) == (
        "raise 'gap' (now 0.1), so that lines end",
        "lower 'noise' (now 0.5), so that it is seen",
        "set 'gray' to on, so that colors do not tell",
        "set 'colors' to 'drop', so that fringes do not tell",
    )
    assert left(Tiles(gap=0.5, noise=0.1, gray=True, colors="drop"), SETTING) == ()
    assert len(left(Tiles(), replace(SETTING, channels=1))) == 3, "gray images have no colors to drop"
    solved = fingerprint(family="puzzle", params=Tiles(gray=True), precautions=left).solved({"loss": 0.1}, ())
    assert solved is not None
    assert "Try: raise 'gap' (now 0.1), so that lines end; lower 'noise'" in solved.sign.text
    assert "'gray'" not in solved.sign.text
