"""View plans in files: what is read, what is refused, and that nothing is lost on the way."""

from pathlib import Path

import pytest

from workbench.spec import toml
from workbench.spec.catalog import PresetCard
from workbench.spec.errors import NotFoundError, SpecError
from workbench.spec.experiment import DataSpec, Experiment, OpSpec, ViewSpec
from workbench.spec.presets import load_preset, load_presets, own_presets, parse_preset, preset_text

VIEWS = (
    ViewSpec(name="global", size=32, chain=(OpSpec(op="random_resized_crop", params={"scale": [0.2, 1.0]}),)),
    ViewSpec(name="small", role="local", count=6, size=14, chain=(OpSpec(op="solarize", enabled=False),)),
)
CARD = PresetCard(name="mine", title="Mine, “ä”", help="For leaves.", views=VIEWS, made_for=32, own=True)


def parse(text: str) -> PresetCard:
    return parse_preset(text, name="mine", source="The text")


def test_there_and_back() -> None:
    text = preset_text(CARD)
    assert parse(text) == CARD
    assert preset_text(parse(text)) == text
    assert '{ op = "solarize", enabled = false }' in text


def test_views_alone_are_enough(tmp_path: Path) -> None:
    file = tmp_path / "leaves.toml"
    file.write_bytes(b"\xef\xbb\xbf[[views]]\nsize = 24\n")
    card = load_preset(file)
    assert (card.name, card.title, card.made_for) == ("leaves", "leaves", 0)
    assert card.views == (ViewSpec(size=24),)


def test_the_views_of_an_experiment_can_be_taken() -> None:
    experiment = Experiment(name="leaves", data=DataSpec(folder="x", size=48), views=VIEWS)
    card = parse(toml.dumps(experiment))
    assert (card.title, card.views, card.made_for) == ("leaves", VIEWS, 48)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "The text is not valid TOML"),
        ('title = "Mine"', "'views' is missing"),
        ("views = []", "at least one kind of view"),
        ("views = 3", r"written \[\[views\]\]"),
        ("version = 9\n[[views]]", "this preset has version 9, and this program knows 1"),
        ("version = 'a'\n[[views]]", "version: expected a whole number"),
        ("titel = 'Mine'\n[[views]]", "did you mean 'title'"),
        ("[[views]]\nsize = 5", r"views\[0\].size: 5 is below 8"),
        ("[[views]]\nchain = [{p = 1}]", r"views\[0\].chain\[0\]: needs a name"),
        ("section = 'x'\n[[views]]", "section: 'x' is not possible"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse(text)


def test_files_that_cannot_be_read_name_themselves(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        load_preset(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"bytes\.toml is not a preset: it is not text"):
        load_preset(tmp_path / "bytes.toml")
    (tmp_path / "wrong.toml").write_text("size = 3", encoding="utf-8")
    with pytest.raises(SpecError, match=r"wrong\.toml: 'views' is missing"):
        load_preset(tmp_path / "wrong.toml")
    with pytest.raises(SpecError, match="cannot be read: it is a folder"):
        load_preset(tmp_path)


def test_a_folder_with_good_and_broken_ones(tmp_path: Path) -> None:
    assert load_presets(tmp_path / "nowhere") == ((), ())
    for name, title in (("b", "Zebra"), ("a", "apple"), ("simclr", "Not SimCLR")):
        (tmp_path / f"{name}.toml").write_text(f'title = "{title}"\n[[views]]\n', encoding="utf-8")
    (tmp_path / "torn.toml").write_text("[[views", encoding="utf-8")
    (tmp_path / ".hidden.toml").write_text("[[views", encoding="utf-8")
    cards, broken = own_presets(tmp_path, [PresetCard(name="simclr", title="SimCLR", help="", views=VIEWS)])
    assert [(card.name, card.title, card.own) for card in cards] == [("a", "apple", True), ("b", "Zebra", True)]
    assert [Path(entry.file).name for entry in broken] == ["torn.toml", "simclr.toml"]
    assert "not valid TOML" in broken[0].message
    assert "'simclr' is the name of the bundled preset SimCLR. Rename the file." in broken[1].message
