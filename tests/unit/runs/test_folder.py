"""A run folder: whole files or none, and clear words where it cannot be written."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.runs import control
from workbench.runs.events import Phase, read_events
from workbench.runs.folder import RunFolder, slug, write_whole
from workbench.runs.launch import last_log_lines, launch_trainer
from workbench.runs.snapshot import Snapshot, read_layout, read_snapshot, write_layout, write_snapshot
from workbench.runs.split import SplitTable, read_split, write_split
from workbench.spec.errors import NotFoundError, RunError
from workbench.spec.experiment import DataSpec, Experiment

EXPERIMENT = Experiment(name="SimCLR on leaves", data=DataSpec(folder="leaves"))


def test_a_new_run_holds_what_was_asked(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "a" / "b", EXPERIMENT)
    assert run.experiment() == EXPERIMENT
    assert run.name.endswith("simclr-on-leaves")
    assert [event.phase for event in read_events(run.events_file) if isinstance(event, Phase)] == ["created"]
    assert all(folder.is_dir() for folder in (run.control, run.snapshots, run.checkpoints, run.exports))


def test_runs_of_the_same_minute_get_different_folders(tmp_path: Path) -> None:
    assert len({RunFolder.create(tmp_path, EXPERIMENT).path for _ in range(3)}) == 3


def test_a_folder_that_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"experiment\.toml"):
        RunFolder.open(tmp_path)


def test_an_unwritable_place_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="--runs DIR"):
        RunFolder.create(tmp_path / "file" / "runs", EXPERIMENT)


def test_a_folder_name_that_is_no_text_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not valid text"):
        RunFolder.create(tmp_path, Experiment(name="x", data=DataSpec(folder="leaves\udcff")))


@pytest.mark.parametrize(("name", "expected"), [("A b/c", "a-b-c"), ("…", "run"), ("../../x", "x"), ("é" * 80, "run")])
def test_names_as_parts_of_paths(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, b"old")

    def fails(beside: Path) -> None:
        beside.write_bytes(b"half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, fails)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, b"old")

    def write(beside: Path) -> None:
        beside.write_bytes(b"new")

    write_whole(path, write)
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX")
def test_others_may_read_what_the_user_lets_them(tmp_path: Path) -> None:
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    plain.write_bytes(b"")
    write_whole(whole, b"")
    assert stat.S_IMODE(whole.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_split_table_comes_back(tmp_path: Path) -> None:
    table = SplitTable(
        paths=("a, b.png", 'q"uote\n.png', "ü\udcff.png"),
        parts=("train", "test", "train"),
        labels=("x", "", "=1+1"),
        factors={"color": ("red", "", "blue"), "size, px": ("1", "2", "3")},
    )
    write_split(tmp_path / "split.csv", table)
    assert read_split(tmp_path / "split.csv") == table
    assert table.rows("train") == [0, 2]
    assert table.classes() == ("=1+1", "x")
    assert table.column("color")[0] == "red"
    with pytest.raises(NotFoundError, match="did you mean 'color'"):
        table.column("colour")


def test_a_damaged_split_is_told(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    with pytest.raises(NotFoundError):
        read_split(path)
    for text in ("", "a,b\n", "index,path,part,label\n0,x\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RunError):
            read_split(path)


def test_a_snapshot_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "epoch-0001.h5"
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    snapshot = Snapshot(epoch=1, embeddings=values, indices=np.array([2, 0, 1]), pca=values[:, :2])
    write_snapshot(path, snapshot)
    back, quick = read_snapshot(path), read_snapshot(path, embeddings=False)
    assert back.epoch == 1
    assert np.array_equal(back.embeddings, values)
    assert np.array_equal(back.indices, snapshot.indices)
    assert np.array_equal(quick.pca, snapshot.pca)
    assert quick.embeddings.shape == (0, 4)


def test_a_damaged_snapshot_is_told_and_a_damaged_layout_is_none(tmp_path: Path) -> None:
    path = tmp_path / "epoch-0001.h5"
    with pytest.raises(NotFoundError):
        read_snapshot(path)
    path.write_bytes(b"not hdf5")
    with pytest.raises(RunError, match="damaged"):
        read_snapshot(path)
    assert read_layout(path) is None
    positions = np.zeros((2, 2), np.float32)
    write_layout(path, positions, np.array([0, 1]))
    layout = read_layout(path)
    assert layout is not None
    assert np.array_equal(layout, positions)


def test_the_last_log_lines(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, EXPERIMENT)
    assert last_log_lines(run) == []
    run.log_file.write_bytes(b"\xff start\n" + b"".join(b"line %d\n" % number for number in range(50)))
    assert last_log_lines(run, 2) == ["line 48", "line 49"]


def test_launching_withdraws_old_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class _Process:
        pid = 7
        returncode: int | None = None

    commands: list[list[str]] = []

    def start(command: list[str], **rest: object) -> _Process:
        commands.append(command)
        return _Process()

    monkeypatch.setattr("workbench.runs.launch.subprocess.Popen", start)
    run = RunFolder.create(tmp_path, EXPERIMENT)
    control.ask(run, "stop")
    control.ask(run, "pause")
    assert launch_trainer(run) == 7
    assert not control.asked(run, "stop")
    assert not control.asked(run, "pause")
    assert commands[0][1:] == ["-P", "-m", "workbench", "resume", str(run.path), "--quiet"]


def test_a_file_that_is_being_read_on_windows_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = 2
    really = Path.replace

    def replace(beside: Path, path: Path) -> Path:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise PermissionError(13, "in use")
        return really(beside, path)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr("workbench.runs.folder._PATIENCE", (0.0, 0.0, 0.0))
    write_whole(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    refusals = 4
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "f", b"newer")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_value_with_a_lone_carriage_return_survives(tmp_path: Path) -> None:
    table = SplitTable(paths=("a.png",), parts=("train",), labels=("x\ry",), factors={"note": ("1\r\n2",)})
    write_split(tmp_path / "split.csv", table)
    assert read_split(tmp_path / "split.csv") == table
