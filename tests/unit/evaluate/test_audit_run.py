"""The audit of a real run: kept, compared, said in words; and its command."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.evaluate.audit import audit_run, probed_columns
from workbench.evaluate.probe import evaluate_run
from workbench.export.audit_picture import Named, audit_svg
from workbench.runs.audit import Audit, FactorResult, LadderResult, Rung, compared, differences, in_words, load_audits
from workbench.runs.folder import RunFolder
from workbench.runs.split import SplitTable
from workbench.spec.errors import RunError, UsageError


def audit(**cosines: float) -> Audit:
    """One ladder per name, and a probe for color."""
    ladders = tuple(
        LadderResult(
            key=name, title=name.capitalize(), group="color",
            rungs=(Rung(label="most", cosine=value, low=value - 0.01, high=value + 0.01, raw=value),),
        )
        for name, value in cosines.items() if name != "color"
    )  # fmt: skip
    color = cosines.get("color", 0.5)
    factor = FactorResult(
        column="color", classes=6, test_images=100, accuracy=color, low=color - 0.05, high=color + 0.05, guessing=0.2
    )
    return Audit(
        subject="trained", epoch=3, images=50, image_size=32, between=0.4, ladders=ladders, factors=(factor,),
        encoder_hash="a" * 64, frozen=True, time=0.0,
    )  # fmt: skip


def test_words_name_the_extremes_and_what_is_lost() -> None:
    assert in_words(audit(hue=0.97, rotation=0.2, blur=0.7, color=0.22)) == (
        "Blind to hue (0.97). Most sensitive to rotation (0.20). “color” cannot be read from its features better "
        "than by guessing."
    )
    assert in_words(audit(blur=0.7)) == "Neither blind to any change nor thrown off by one."


def test_differences_are_only_the_clear_ones() -> None:
    first, second = audit(hue=0.95, blur=0.7, flip=0.3, color=0.3), audit(hue=0.2, blur=0.75, flip=0.9, color=0.9)
    assert [(one.title, one.kind) for one in differences(first, second)] == [
        ("Hue", "change"), ("Flip", "change"), ("color", "factor")
    ]  # fmt: skip
    words = compared(first, second, ("A", "B"))
    assert "A sees less than B of hue (0.95 against 0.20)." in words
    assert "B sees less than A of flip (0.90 against 0.30)." in words
    assert "“color” 30 % against 90 %" in words
    assert "answer alike" in compared(first, first, ("A", "B"))


def test_columns_that_repeat_their_values() -> None:
    values = ("a", "b") * 10
    table = SplitTable(
        paths=tuple(map(str, range(20))), parts=("train",) * 20, labels=values,
        factors={"same": values, "name": tuple(map(str, range(20))), "flat": ("x",) * 20},
    )  # fmt: skip
    assert probed_columns(table) == ("same",)


def test_a_run_is_audited(run: RunFolder) -> None:
    made = audit_run(run, images=12)
    assert load_audits(run) == (made,)
    assert made.images == 12
    assert made.frozen
    assert {ladder.key.split("/")[0] for ladder in made.ladders} >= {"color_jitter", "rotation", "elastic"}
    untrained = audit_run(run, subject="untrained", images=12)
    assert {kept.subject for kept in load_audits(run)} == {"trained", "untrained"}
    assert untrained.encoder_hash != made.encoder_hash
    assert audit_run(run, images=12).ladders == made.ladders, "the same draws every time"


def test_its_probes_are_those_of_an_evaluation(run: RunFolder) -> None:
    made = audit_run(run, images=4, columns=["shape"]).factors
    theirs = evaluate_run(run, probes=("linear",), column="label").result("linear")
    assert theirs is not None
    assert [(factor.column, factor.accuracy, factor.low, factor.high) for factor in made] == [
        ("shape", theirs.accuracy, theirs.low, theirs.high)
    ]


def test_what_cannot_be_audited_is_said(run: RunFolder) -> None:
    with pytest.raises(UsageError, match="two at least"):
        audit_run(run, images=1)
    with pytest.raises(Exception, match="column"):
        audit_run(run, images=4, columns=["no such"])
    run.audit_file.write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match="audit the run again"):
        load_audits(run)


def test_the_picture_is_one(tmp_path: Path) -> None:
    first, second = audit(hue=0.95, blur=0.7), audit(hue=0.2, blur=0.75)
    text = audit_svg([Named(name="with <jitter>", audit=first), Named(name="without", audit=second)])
    root = ET.fromstring(text)  # our own
    words = [element.text for element in root.iter() if element.text and element.text.strip()]
    assert "with <jitter>" in words
    assert "0.95" in words
    assert "0.20" in words
    assert words.index("Hue") < words.index("Blur"), "the most different first"


def test_the_command(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "audit.svg"
    arguments = ["audit", str(run.path), "--beside", "untrained", "--images", "6", "-o", str(picture)]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "guessing:" in said
    assert str(picture) in said
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert main(["audit", str(run.path), "--images", "6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["subject"] == "trained"
    assert main(["audit", str(run.path), "-o", "x.png"]) == 2
    assert "svg" in capsys.readouterr().err
    assert main(["audit", str(run.path), "other", "--beside", "untrained"]) == 2
