import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main
from workbench.spec.presets import parse_preset


def run(*arguments: str) -> int:
    return main(arguments)


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_methods_as_json_describe_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("methods", "--json") == 0
    methods = {card["name"]: card for card in answer(capsys)["methods"]}
    temperature = methods["simclr"]["params"][0]
    assert temperature["name"] == "temperature"
    assert (temperature["default"], temperature["low"], temperature["high"]) == (0.5, 0.01, 5)
    assert temperature["help"]
    assert methods["supervised"]["uses_labels"] is True


def test_a_method_says_which_backbones_it_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    for method, backbones in (("simclr", "any"), ("mae", "vit_nano, vit_small, vit_tiny")):
        assert run("methods", method) == 0
        shown = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if "backbones  " in line]
        assert shown == [["backbones", backbones]]


@pytest.mark.parametrize("kind", ["methods", "backbones", "ops", "presets", "experiments"])
def test_every_list_names_what_there_is(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(kind, "--json") == 0
    document = answer(capsys)
    assert document["broken"] == []
    assert run(kind) == 0
    text = capsys.readouterr().out
    for card in document[kind]:
        assert f"{card['name']} " in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("methods", "moco_v2", ("arXiv:2003.04297", "queue = 4096 vectors  (1 to 1048576)", "symmetric = true")),
        ("methods", "rotation", ("It has no parameters of its own.", "1 of each image; preset rotation")),
        (
            "methods",
            "dino",
            (
                "weight decay 0.04 rising to 0.4, second beta 0.999",
                "gradient clipped at 3",
                "2 large ones of each image, and small ones (multi-crop); preset dino",
                "freeze = 1 epoch (",
            ),
        ),
        ("methods", "scan", ("starts from the encoder of a finished run", "batch in parts")),
        ("methods", "consistency", ("--also consistency=0.5",)),
        ("methods", "order_prediction", ("frames of films",)),
        ("backbones", "resnet18", ("512", "11.18 million", "16 px")),
        ("ops", "color_jitter", ("brightness", "hue")),
        (
            "experiments",
            "moco-with-momentum-0",
            ("method.params.momentum = 0", "What to expect.", "moco-with-momentum\n"),
        ),
    ],
)
def test_one_is_described(kind: str, name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(kind, name) == 0
    text = capsys.readouterr().out
    for word in words:
        assert word in text or word in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= 100
    assert run(kind, name, "--json") == 0
    assert [card["name"] for card in answer(capsys)[kind]] == [name]


def test_an_unknown_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("methods", "simlcr") == 2
    assert "did you mean 'simclr'" in capsys.readouterr().err


def test_a_broken_plugin_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "mine.py").write_text("raise RuntimeError('oh')", encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(tmp_path))
    assert run("methods") == 0
    captured = capsys.readouterr()
    assert "simclr" in captured.out
    assert "mine.py failed while it was loaded: RuntimeError: oh" in captured.err
    assert run("methods", "--json") == 0
    assert answer(capsys)["broken"][0]["file"].endswith("mine.py")


def test_a_preset_is_printed_as_the_file_that_new_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("presets", "dino") == 0
    card = parse_preset(capsys.readouterr().out, name="dino", source="the text")
    assert [view.name for view in card.views] == ["global A", "global B", "local"]
    assert "arXiv:2104.14294" in card.source
