from typing import Any

import pytest

from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Method, MethodInfo, Setting, Symptom
from workbench.spec.params import Params

SETTING = Setting(train_images=100, classes=0, batch_size=8, image_size=32, channels=3)


class NoParams(Params, frozen=True, kw_only=True):
    """None."""


def chance(params: Params, setting: Setting) -> float:
    return 2.0 + setting.batch_size


def fingerprint(*symptoms: Symptom[Any], knows_chance: bool = True) -> Fingerprint:
    info = MethodInfo(
        name="any",
        title="Any",
        family="contrastive",
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
    )
    return Fingerprint(info=info, params=NoParams(), setting=SETTING)


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
