"""Experiments as TOML: what is written is what is read, and mistakes are told in words."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.spec import toml
from workbench.spec.errors import NotFoundError, SpecError, UnknownKeyError, UsageError
from workbench.spec.experiment import (
    BackboneSpec,
    DataSpec,
    Experiment,
    MethodSpec,
    OpSpec,
    TrainSpec,
    ViewSpec,
    WatchSpec,
)

_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_FLOAT = st.floats(allow_nan=False, allow_infinity=False)
_VALUE = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    _FLOAT,
    _TEXT,
    st.lists(_FLOAT, min_size=2, max_size=2),
)
_OPS = st.builds(
    OpSpec,
    op=_NAME,
    enabled=st.booleans(),
    params=st.dictionaries(_NAME.filter(lambda name: name not in ("op", "enabled")), _VALUE, max_size=3),
)
_VIEWS = st.builds(
    ViewSpec,
    name=_TEXT,
    role=st.sampled_from(["global", "local"]),
    count=st.integers(1, 32),
    size=st.integers(8, 1024),
    chain=st.lists(_OPS, max_size=3).map(tuple),
)
_EXPERIMENTS = st.builds(
    Experiment,
    name=_TEXT,
    seed=st.integers(0, 2**31 - 1),
    data=st.builds(
        DataSpec,
        folder=_TEXT,
        labels=st.sampled_from(["none", "folders", "csv"]),
        column=_TEXT,
        test_fraction=st.floats(0.02, 0.9),
        size=st.integers(8, 1024),
    ),
    views=st.lists(_VIEWS, max_size=3).map(tuple),
    method=st.builds(MethodSpec, name=_TEXT, params=st.dictionaries(_NAME, _VALUE, max_size=3)),
    backbone=st.builds(BackboneSpec, name=_TEXT, weights=_TEXT),
    train=st.builds(
        TrainSpec, epochs=st.integers(1, 100_000), learning_rate=st.floats(1e-7, 100), max_minutes=st.floats(0, 1e6)
    ),
    watch=st.builds(WatchSpec, images=st.integers(50, 1_000_000)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_EXPERIMENTS)
def test_what_is_written_is_read(experiment: Experiment) -> None:
    assert toml.loads(toml.dumps(experiment)) == experiment


def _experiment(**values: Any) -> Experiment:
    return msgspec.structs.replace(Experiment(data=DataSpec(folder="leaves")), **values)


def test_the_file_is_complete() -> None:
    tree = tomllib.loads(toml.dumps(_experiment()))
    assert set(tree) == set(Experiment.__struct_fields__)
    assert set(tree["train"]) == set(TrainSpec.__struct_fields__)


def test_a_file_from_before_a_value_was_there_gets_what_was_done_then() -> None:
    """AdamW had torch's own second beta."""
    old = "\n".join(line for line in toml.dumps(_experiment()).splitlines() if not line.startswith("beta2"))
    assert toml.loads(old).train.beta2 == 0.999
    assert toml.loads(old) == _experiment()


def test_parameters_of_an_op_stand_beside_its_name() -> None:
    text = """
    [data]
    folder = "leaves"
    [[views]]
    chain = [{op = "solarize", p = 0.2}, {op = "flip", enabled = false}]
    """
    view = toml.loads(text).views[0]
    assert view.chain == (OpSpec(op="solarize", params={"p": 0.2}), OpSpec(op="flip", enabled=False))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 1", "'data' is missing"),
        ("[data]", "data: 'folder' is missing"),
        ("[data]\nfolder = 'x'\n[train]\nepoch = 3", "unknown key 'epoch' in train; did you mean 'epochs'?"),
        ("[data]\nfolder = 'x'\n[trian]\nepochs = 3", "did you mean 'train'?"),
        ("[data]\nfolder = 'x'\n[train]\nepochs = 0", "train.epochs: 0 is below 1"),
        ("[data]\nfolder = 'x'\n[train]\nepochs = 'three'", "train.epochs: expected a whole number, got text"),
        ("[data]\nfolder = 'x'\n[train]\nlearning_rate = nan", "is not a number"),
        ("[data]\nfolder = 'x'\n[train]\nbeta2 = 1", "train.beta2: 1 is above 0.9999"),
        ("[data]\nfolder = 'x'\nsize = 4096", "data.size: 4096 is above 1024"),
        ("views = 3\n[data]\nfolder = 'x'", "views"),
        ("train = 3\n[data]\nfolder = 'x'", "[train]"),
        ("version = 99\n[data]\nfolder = 'x'", "Update"),
        ("[data\nfolder = 'x'", "not valid TOML"),
        ("[data]\nfolder = 'x'\n[[views]]\nchain = [{p = 1}]", "views[0].chain[0]: needs a name"),
    ],
)
def test_mistakes_are_told_in_words(text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        toml.loads(text)
    assert words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="workbench new"):
        toml.load(tmp_path / "none.toml")


def test_a_mark_at_the_start_of_a_file_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "notepad.toml"
    path.write_text("\ufeff" + toml.dumps(_experiment()), encoding="utf-8")
    assert toml.load(path) == _experiment()


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("train.epochs=5", "train.epochs", 5),
        ("train.learning_rate=1", "train.learning_rate", 1.0),
        ("train.device=cuda:1", "train.device", "cuda:1"),
        ("data.column=2020", "data.column", "2020"),
        ("data.column=true", "data.column", "true"),
        ('data.column="quoted"', "data.column", "quoted"),
        ("data.folder=C:\\images", "data.folder", "C:\\images"),
        (" name = two words ", "name", "two words"),
    ],
)
def test_a_value_is_set(assignment: str, path: str, value: object) -> None:
    place: Any = toml.set_value(_experiment(), assignment)
    for part in path.split("."):
        place = getattr(place, part)
    assert place == value
    assert type(place) is type(value)


def test_values_of_methods_and_of_ops_are_set() -> None:
    experiment = _experiment(views=(ViewSpec(chain=(OpSpec(op="crop"),)),))
    changed = toml.set_value(experiment, "method.params.temperature=0.2")
    changed = toml.set_value(changed, "views.0.chain.0.scale=[0.2, 1.0]")
    assert changed.method.params == {"temperature": 0.2}
    assert changed.views[0].chain[0].params == {"scale": [0.2, 1.0]}


@pytest.mark.parametrize(
    "assignment",
    [
        "train.epoch=5",
        "trian.epochs=5",
        "train.epochs",
        "seed.x=5",
        "views.7.size=32",
        "views.x.size=32",
        "=5",
        "train=5",
    ],
)
def test_a_wrong_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(UsageError):
        toml.set_value(_experiment(), assignment)


def test_the_closest_key_is_named() -> None:
    with pytest.raises(UnknownKeyError, match="did you mean 'epochs'"):
        toml.set_value(_experiment(), "train.epoch=5")


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "leaves.toml"
    for text, words in (
        ("", "'data' is missing"),
        ("[data]\nfolder = 'x'\n[train]\noptimizer = 'adam'", "did you mean 'adamw'? Possible: adamw, lars, sgd"),
        ("[data", "not valid TOML"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SpecError) as caught:
            toml.load(path)
        assert str(caught.value).count(str(path)) == 1
        assert words in str(caught.value)
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SpecError, match=r"leaves\.toml is not an experiment file: it is not text"):
        toml.load(path)
    with pytest.raises(SpecError, match="is a folder, not an experiment file"):
        toml.load(tmp_path)
