from pathlib import Path

import msgspec
import pytest

from workbench.catalog.registry import Registry, load_registry
from workbench.spec import places
from workbench.spec.catalog import Catalog
from workbench.spec.errors import NotFoundError

METHOD = """
from typing import Annotated

from workbench.method.contract import Method, MethodInfo
from workbench.spec.params import Params, param


class P(Params):
    {field}


METHOD = MethodInfo(
    name="{name}", title="T", family="contrastive", paper="", year=2026, summary="S", explanation="E", when="W",
    collapse="C", params=P, build=lambda encoder, params, setting: None,
)
"""
FIELD = 'rate: Annotated[float, param("Help.", ge=0, le=1)] = 0.5'


def folder_with(folder: Path, **files: str) -> Path:
    (folder / "methods").mkdir(parents=True)
    for name, text in files.items():
        (folder / "methods" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def only(folder: Path) -> Registry:
    return load_registry([folder])


def test_the_bundled_catalog_has_this_slice_and_nothing_broken() -> None:
    registry = load_registry([places.bundled("plugins")])
    assert registry.broken == ()
    assert set(registry.methods) >= {
        "simclr", "moco_v2", "byol", "simsiam", "barlow_twins", "rotation", "supervised"
    }  # fmt: skip
    assert set(registry.backbones) >= {
        "resnet18", "resnet34", "resnet50", "tinyconv", "resnet10t", "vit_tiny", "vit_small"
    }  # fmt: skip
    assert registry.presets
    assert load_registry([places.bundled("plugins")]) is registry


def test_the_cards_travel_as_plain_data() -> None:
    cards = load_registry().cards()
    assert msgspec.json.decode(msgspec.json.encode(cards), type=Catalog) is not None
    assert cards.method("simclr").params[0].name == "temperature"


def test_a_plugin_of_the_user_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_with(tmp_path, mine=METHOD.format(name="mine", field=FIELD))
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(tmp_path))
    registry = load_registry()
    assert {"mine", "simclr"} <= set(registry.methods)
    assert registry.method("mine").params().rate == 0.5


def test_broken_files_are_entries_and_the_rest_works(tmp_path: Path) -> None:
    folder_with(
        tmp_path,
        crashes="raise RuntimeError('first line\\nsecond')",
        exits="import sys; sys.exit(3)",
        garbled="def (:",
        empty="",
        good=METHOD.format(name="good", field=FIELD),
        _private="raise RuntimeError('not a plugin')",
    )
    registry = only(tmp_path)
    assert list(registry.methods) == ["good"]
    messages = {Path(entry.file).stem: entry.message for entry in registry.broken}
    assert messages["crashes"] == "crashes.py failed while it was loaded: RuntimeError: first line"
    assert "SystemExit" in messages["exits"]
    assert "SyntaxError" in messages["garbled"]
    assert "METHOD = MethodInfo" in messages["empty"]
    assert set(messages) == {"crashes", "exits", "garbled", "empty"}
    assert "second" in next(entry.details for entry in registry.broken if "crashes" in entry.file)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("rate: float = 0.5", "not described"),
        ('rate: Annotated[float, param("Help.", ge=0, le=1)] = 2.0', "2 is above 1"),
        ('rate: Annotated[float, param("Help.")]', "'rate' is missing"),
        ('rate: Annotated[list[int], param("Help.")] = []', "no form can show"),
    ],
)
def test_a_parameter_that_no_form_can_show_is_refused(tmp_path: Path, field: str, words: str) -> None:
    folder_with(tmp_path, bad=METHOD.format(name="bad", field=field))
    registry = only(tmp_path)
    assert not registry.methods
    assert words in registry.broken[0].message


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path, bad=METHOD.format(name="Not a name", field=FIELD))
    assert "lower-case" in only(tmp_path).broken[0].message


def test_two_of_a_name_name_both_files(tmp_path: Path) -> None:
    text = METHOD.format(name="twin", field=FIELD)
    first, second = folder_with(tmp_path / "a", one=text), folder_with(tmp_path / "b", one=text)
    registry = load_registry([first, second])
    assert list(registry.methods) == ["twin"]
    message = registry.broken[0].message
    assert str(first / "methods" / "one.py") in message
    assert str(second / "methods" / "one.py") in message


def test_an_unknown_name_has_a_suggestion() -> None:
    registry = load_registry()
    with pytest.raises(NotFoundError, match="did you mean 'simclr'"):
        registry.method("simlcr")
    with pytest.raises(NotFoundError, match="did you mean 'resnet18'"):
        registry.backbone("resnet81")
    with pytest.raises(NotFoundError, match="unknown op"):
        registry.op("zzz")
    with pytest.raises(NotFoundError, match="unknown preset"):
        registry.preset("zzz")
    assert registry.preset(registry.presets[0].name) is registry.presets[0]


def test_the_presets_of_the_user_stand_beside_the_bundled_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_SETTINGS", str(tmp_path))
    before = load_registry()
    folder = places.presets_folder()
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("[[views]]\nsize = 16\n", encoding="utf-8")
    (folder / "torn.toml").write_text("[[views", encoding="utf-8")
    after = load_registry()
    assert after.preset("mine").own
    assert len(after.presets) == len(before.presets) + 1
    assert [Path(entry.file).name for entry in after.broken] == ["torn.toml"]
    assert after.methods is before.methods, "plugins are not loaded anew"
    (folder / "torn.toml").unlink()
    assert load_registry().broken == ()
