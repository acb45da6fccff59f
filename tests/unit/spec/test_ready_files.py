from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from workbench.spec.errors import SpecError, UnknownKeyError
from workbench.spec.experiment import DataSpec, Experiment, MethodSpec, OpSpec, TrainSpec, ViewSpec
from workbench.spec.ready import applied, follows, load_ready, parse_ready

HEAD = """
title = "Without the part"
shows = "What the part is for."
expect = "A collapse."
"""
WHOLE = (
    HEAD
    + """
preset = "byol"
beside = "with"

[method]
name = "byol"
params = { momentum = 0.5 }

[backbone]
name = "tinyconv"

[train]
epochs = 7
"""
)


def suggested(**changes: Any) -> Experiment:
    base = Experiment(
        name="byol on pets",
        seed=3,
        data=DataSpec(folder="/somewhere/pets", size=32),
        method=MethodSpec(name="byol"),
        train=TrainSpec(epochs=100, batch_size=64),
    )
    return replace(base, **changes)


def test_only_what_it_names_is_changed() -> None:
    card = parse_ready(WHOLE, name="without")
    made = applied(card, suggested())
    assert made.name == "without on pets"
    assert made.method == MethodSpec(name="byol", params={"momentum": 0.5})
    assert (made.backbone.name, made.backbone.stem) == ("tinyconv", "auto")
    assert (made.train.epochs, made.train.batch_size) == (7, 64)
    assert (made.seed, made.data, made.views, made.watch) == (3, *(getattr(suggested(), p) for p in _REST))


_REST = ("data", "views", "watch")


def test_views_of_its_own_are_fitted_to_the_data() -> None:
    text = f'{HEAD}\n[method]\nname = "byol"\n[[views]]\ncount = 3\nchain = [{{ op = "horizontal_flip" }}]\n'
    views = applied(parse_ready(text, name="own"), suggested()).views
    assert views == (ViewSpec(count=3, size=32, chain=(OpSpec(op="horizontal_flip"),)),)


def test_an_experiment_follows_until_a_value_that_counts_is_changed() -> None:
    card = parse_ready(WHOLE, name="without")
    made = applied(card, suggested())
    assert follows(card, replace(made, seed=8, train=replace(made.train, batch_size=16)))
    assert not follows(card, replace(made, train=replace(made.train, epochs=8)))
    assert not follows(card, replace(made, method=MethodSpec(name="byol")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WHOLE.replace("title =", "titel ="), "unknown key 'titel'; did you mean 'title'?"),
        (WHOLE.replace("epochs =", "epoch ="), "unknown key 'epoch' in train; did you mean 'epochs'?"),
        (WHOLE.replace("epochs = 7", "epochs = 0"), "train.epochs: 0 is below 1"),
        (WHOLE.replace('[backbone]\nname = "tinyconv"', "[backbone]\nwidth = 3"), "unknown key 'width' in backbone"),
        (WHOLE.replace("[method]", "[methods]"), "unknown key 'methods'; did you mean 'method'?"),
        (HEAD, "method: must be a table, written [method]"),
        (f"{HEAD}\n[method]\nparams = {{ a = 1 }}", "method: 'name' is missing"),
        (WHOLE.replace('expect = "A collapse."', ""), "'expect' is missing"),
        (f"version = 9\n{WHOLE}", "version 9, and this program knows 1 Update"),
        (f'{WHOLE}\n[[views]]\nname = "global"\n', "leave one of them out"),
        ("title = ", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_ready(text, name="mine")
    assert words in str(caught.value)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(f"order = 2\n{WHOLE}", encoding="utf-8")
    (tmp_path / "first.toml").write_text(f"order = 1\n{WHOLE}", encoding="utf-8")
    (tmp_path / "bad.toml").write_text(f"{WHOLE}\ncolor = 3", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    cards, failed = load_ready(tmp_path)
    assert [card.name for card in cards] == ["first", "good"]
    assert [Path(entry.file).name for entry in failed] == ["bad.toml", "binary.toml"]
    assert "unknown key 'color'" in failed[0].message
    assert load_ready(tmp_path / "none") == ((), ())


def test_an_unknown_key_is_an_error_of_its_own_kind() -> None:
    with pytest.raises(UnknownKeyError):
        parse_ready(WHOLE + "\nwarmpu = 3", name="mine")
