"""The split by its properties: deterministic, stratified, whole groups, nothing lost."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.labels import find_tables
from workbench.data.split import plan_split
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import CheckError, DataError, NotFoundError, SpecError
from workbench.spec.experiment import DataSpec

_QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
_COUNTS = st.dictionaries(st.sampled_from(["", "a", "b", "c", "d"]), st.integers(1, 40), min_size=1)
_FRACTIONS = st.floats(0.02, 0.9)


def scanned(classes: list[str], *, folder: Path = Path("images"), parts: list[str] | None = None) -> ScanReport:
    paths = tuple(f"{name}/{number}.png" for number, name in enumerate(classes))
    tables = find_tables(folder, paths)[0] if folder.is_dir() else ()
    return ScanReport(
        folder=str(folder),
        paths=paths,
        classes=tuple(classes),
        parts=tuple(parts or [""] * len(classes)),
        tables=tables,
    )


def spread(counts: dict[str, int]) -> list[str]:
    return [name for name, count in counts.items() for _ in range(count)]


@_QUICK
@given(_COUNTS, _FRACTIONS, st.integers(0, 2**31 - 1))
def test_every_class_is_split_by_the_fraction(counts: dict[str, int], fraction: float, seed: int) -> None:
    spec = DataSpec(folder="images", test_fraction=fraction, labels="folders" if set(counts) - {""} else "none")
    table = plan_split(scanned(spread(counts)), spec, seed)
    tested = Counter(path.split("/")[0] for path, part in zip(table.paths, table.parts) if part == "test")
    strata = counts if spec.labels == "folders" else {"": sum(counts.values())}
    for name, count in strata.items():
        if count == 1:
            assert tested[name] == 0
        else:
            assert 1 <= tested[name] <= count - 1
            assert tested[name] in (1, count - 1) or abs(tested[name] - fraction * count) <= 0.5


@_QUICK
@given(_COUNTS, st.integers(0, 100))
def test_it_depends_on_names_and_seed_alone(counts: dict[str, int], seed: int) -> None:
    report = scanned(spread(counts))
    spec = DataSpec(folder="images")
    table = plan_split(report, spec, seed)
    assert plan_split(report, spec, seed) == table
    turned = ScanReport(
        folder=report.folder, paths=report.paths[::-1], classes=report.classes[::-1], parts=report.parts[::-1]
    )
    other = plan_split(turned, spec, seed)
    assert dict(zip(other.paths, other.parts)) == dict(zip(table.paths, table.parts))


def test_another_seed_splits_otherwise() -> None:
    report = scanned(["a"] * 100)
    splits = {plan_split(report, DataSpec(folder="images"), seed).parts for seed in range(5)}
    assert len(splits) == 5


@_QUICK
@given(_COUNTS, st.integers(1, 200), st.integers(0, 100))
def test_the_limit_takes_from_every_class_by_its_share(counts: dict[str, int], limit: int, seed: int) -> None:
    labels: Literal["none", "folders"] = "folders" if set(counts) - {""} else "none"
    table = plan_split(scanned(spread(counts)), DataSpec(folder="images", limit=limit, labels=labels), seed)
    total = sum(counts.values())
    assert len(table) == min(limit, total)
    assert list(table.paths) == sorted(table.paths, key=scanned(spread(counts)).paths.index)
    taken = Counter(path.split("/")[0] for path in table.paths)
    for name, count in counts.items():
        assert abs(taken[name] - count * len(table) / total) < 1


@_QUICK
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), min_size=13, max_size=60),
    _FRACTIONS,
    st.integers(0, 5),
)
def test_a_group_is_never_torn(tmp_path: Path, images: list[tuple[str, int]], fraction: float, seed: int) -> None:
    classes = [name for name, _ in images]
    rows = [f"{name}/{row}.png,{name},{f'p{group}' if group else ''}" for row, (name, group) in enumerate(images)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,kind,patient", *rows]), encoding="utf-8")
    spec = DataSpec(folder=str(tmp_path), labels="csv", column="kind", group="patient", test_fraction=fraction)
    if len({group or (row,) for row, (_, group) in enumerate(images)}) < 2:
        return
    table = plan_split(scanned(classes, folder=tmp_path), spec, seed)
    sides = defaultdict(set)
    for patient, part in zip(table.factors["patient"], table.parts):
        sides[patient].add(part)
    assert all(len(found) == 1 for patient, found in sides.items() if patient)
    assert set(table.parts) == {"train", "test"}
    assert list(table.factors) == ["patient"]
    assert table.labels == tuple(classes)


def test_groups_keep_the_fraction_where_there_are_many(tmp_path: Path) -> None:
    rows = [f"{'ab'[row % 2]}/{row}.png,{row // 3}" for row in range(600)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,patient", *rows]), encoding="utf-8")
    spec = DataSpec(folder=str(tmp_path), labels="folders", group="patient", test_fraction=0.25)
    table = plan_split(scanned(["ab"[row % 2] for row in range(600)], folder=tmp_path), spec, 0)
    tested = Counter(label for label, part in zip(table.labels, table.parts) if part == "test")
    assert all(abs(count - 75) <= 2 for count in tested.values())


def test_folders_decide_where_they_exist() -> None:
    report = scanned(["a", "a", "a", "b"], parts=["train", "test", "", "test"])
    table = plan_split(report, DataSpec(folder="images", labels="folders"), 0)
    assert table.parts == ("train", "test", "train", "test")
    drawn = plan_split(report, DataSpec(folder="images", split="random", test_fraction=0.25), 0)
    assert Counter(drawn.parts) == {"train": 3, "test": 1}
    with pytest.raises(CheckError, match="no folders train/ and test/"):
        plan_split(scanned(["a", "b"]), DataSpec(folder="images", split="folders"), 0)


def test_folders_that_tear_a_group_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,patient\na/0.png,p\na/1.png,p\n", encoding="utf-8")
    report = scanned(["a", "a"], folder=tmp_path, parts=["train", "test"])
    with pytest.raises(CheckError, match=r"1 values of 'patient'.*\(p\)"):
        plan_split(report, DataSpec(folder=str(tmp_path), group="patient"), 0)


def test_labels_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,site,label\na/0.png,x,cat\na/1.png,y,dog\n", encoding="utf-8")
    report = scanned(["a", "a", "a"], folder=tmp_path)
    table = plan_split(report, DataSpec(folder=str(tmp_path), labels="csv"), 0)
    assert table.labels == ("cat", "dog", "")
    assert table.factors == {"site": ("x", "y", "")}
    other = plan_split(report, DataSpec(folder=str(tmp_path), labels="csv", column="site"), 0)
    assert other.labels == ("x", "y", "")
    assert other.factors == {"label (table)": ("cat", "dog", "")}
    unlabeled = plan_split(report, DataSpec(folder=str(tmp_path)), 0)
    assert unlabeled.labels == ("", "", "")
    assert set(unlabeled.factors) == {"site", "label (table)"}


def test_what_the_folder_does_not_have_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,shape,color\na/0.png,x,red\na/1.png,y,blue\n", encoding="utf-8")
    (tmp_path / "wrong.csv").write_text("file,shape\nother.png,x\n", encoding="utf-8")
    report = scanned(["a", "a"], folder=tmp_path)

    def plan(**values: str) -> None:
        plan_split(report, DataSpec(folder=str(tmp_path), **values), 0)  # type: ignore[arg-type]

    with pytest.raises(SpecError, match=r"data.column: labels.csv has several columns: shape, color"):
        plan(labels="csv")
    with pytest.raises(NotFoundError, match="did you mean 'shape'"):
        plan(labels="csv", column="shap")
    with pytest.raises(NotFoundError, match=r"no label file .*gone\.csv"):
        plan(labels="csv", csv="gone.csv")
    with pytest.raises(SpecError, match="does not name the images"):
        plan(labels="csv", csv="wrong.csv")
    with pytest.raises(SpecError, match="no column 'patient'"):
        plan(group="patient")
    with pytest.raises(SpecError, match="no sub-folders"):
        plan_split(scanned(["", ""]), DataSpec(folder="images", labels="folders"), 0)
    with pytest.raises(DataError, match="no readable images"):
        plan_split(scanned([]), DataSpec(folder="images"), 0)


def test_one_group_cannot_be_split(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,patient\na/0.png,p\na/1.png,p\n", encoding="utf-8")
    with pytest.raises(CheckError, match="one group"):
        plan_split(scanned(["a", "a"], folder=tmp_path), DataSpec(folder=str(tmp_path), group="patient"), 0)
