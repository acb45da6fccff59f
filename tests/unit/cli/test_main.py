"""The command line as a whole: every promised command, exit codes, errors in one line."""

import json
from pathlib import Path

import pytest

from workbench import cli
from workbench.cli import console
from workbench.spec.errors import DataError, UnknownKeyError

PROMISED = (
    "demo", "sample", "scan", "new", "train", "resume", "stop", "pause", "status", "evaluate", "embed", "export",
    "report", "methods", "backbones", "ops", "presets", "bench", "screenshots",
)  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_every_promised_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    assert left.value.code == 0
    assert f"workbench {name}" in capsys.readouterr().out.split("example:")[1]


def test_no_command_takes_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["scan", "--colour"])
    assert left.value.code == 2


def test_an_error_is_one_line_on_stderr_and_says_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    usage = UnknownKeyError("tempreature", ("temperature",), where="method.params")
    assert console.fail(usage, json=False) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == "workbench: unknown key 'tempreature' in method.params; did you mean 'temperature'?\n"
    assert console.fail(DataError("All images are broken."), json=False) == 1


def test_with_json_an_error_is_also_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    console.fail(DataError("All images are broken.", hint="Look at them."), json=True)
    assert json.loads(capsys.readouterr().out) == {"error": "All images are broken.", "hint": "Look at them."}


def test_a_fault_of_the_program_leaves_its_traceback_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    fault = ZeroDivisionError("division by zero")
    assert console.crash(fault, json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert "ZeroDivisionError: division by zero" in Path(told["log"]).read_text(encoding="utf-8")
