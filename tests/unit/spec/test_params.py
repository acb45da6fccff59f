"""A parameter is declared once: its description and its checks come from the declaration."""

from typing import Annotated, Literal

import pytest

from workbench.spec.errors import SpecError, UnknownKeyError
from workbench.spec.params import Params, convert, describe, param


class _Sample(Params, frozen=True):
    count: Annotated[int, param("How many.", ge=1, le=10, unit="px")] = 2
    rate: Annotated[float, param("Rate.", ge=0, le=1, logarithmic=True, title="step size", advanced=True)] = 0.5
    span: Annotated[tuple[float, float], param("From and to.", ge=0, le=1)] = (0.2, 1.0)
    kind: Annotated[Literal["one", "two"], param("Which.")] = "one"
    on: Annotated[bool, param("Whether.")] = True
    text: Annotated[str, param("Words.")] = ""


def test_a_declaration_becomes_plain_data() -> None:
    infos = {info.name: info for info in describe(_Sample)}
    assert [info.kind for info in infos.values()] == ["int", "float", "range", "choice", "bool", "text"]
    assert (infos["count"].low, infos["count"].high, infos["count"].unit) == (1, 10, "px")
    assert infos["rate"].title == "step size"
    assert infos["rate"].logarithmic
    assert infos["rate"].advanced
    assert infos["kind"].choices == ("one", "two")
    assert infos["span"].default == (0.2, 1.0)
    assert infos["count"].help == "How many."


def test_good_values_pass() -> None:
    assert convert({"count": 3, "rate": 1, "span": [0.1, 0.2]}, _Sample) == _Sample(count=3, rate=1.0, span=(0.1, 0.2))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"count": 0}, "p.count: 0 is below 1"),
        ({"count": 11}, "p.count: 11 is above 10"),
        ({"count": 2.5}, "p.count"),
        ({"count": True}, "p.count: expected a whole number, got true or false"),
        ({"rate": float("nan")}, "not a number"),
        ({"rate": float("inf")}, "above 1"),
        ({"span": [0.5, 0.2]}, "larger than the second"),
        ({"span": [0.5]}, "p.span"),
        ({"span": [0.5, 3]}, "p.span: 3 is above 1"),
        ({"kind": "three"}, "p.kind"),
    ],
)
def test_bad_values_are_refused_with_their_path(values: dict[str, object], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        convert(values, _Sample, where="p")
    assert words in str(caught.value)


def test_an_unknown_key_names_the_closest() -> None:
    with pytest.raises(UnknownKeyError, match=r"unknown key 'cuont' in p; did you mean 'count'\?"):
        convert({"cuont": 3}, _Sample, where="p")
