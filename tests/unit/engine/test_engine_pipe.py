"""The pipe, with a real engine process whose handler is a small one of this test's."""

import io
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from workbench.engine import protocol
from workbench.engine.client import EngineClient
from workbench.engine.messages import AnyReply, Arrays, GetMachine, MachineReply, Preview, Scan, ScanReply
from workbench.spec.dataset import ScanReport
from workbench.spec.errors import EngineError
from workbench.spec.experiment import DataSpec

SECONDS = 20.0

ENGINE = """
    import os, sys, time
    import numpy as np
    from workbench.engine.messages import GetMachine, MachineReply, Preview, PreviewReply, Scan, ScanReply
    from workbench.engine.server import serve
    from workbench.spec.dataset import ScanReport
    from workbench.spec.errors import DataError

    def handle(request, report):
        if isinstance(request, GetMachine):
            return MachineReply(devices=(), versions={"pid": str(os.getpid())}), {}
        if isinstance(request, Preview):
            print("a library prints into the pipe")
            n = len(request.paths)
            return PreviewReply(names=("v",), drawn=()), {
                "pixels": np.arange(n * 12, dtype=np.uint8).reshape(n, 2, 2, 3),
                "none": np.zeros((0, 4), np.float32),
                "numbers": np.linspace(0, 1, 5),
            }
        assert isinstance(request, Scan)
        what = request.folder
        if what.startswith("work"):
            for step in range(4000):
                report("working", step, 4000)
                time.sleep(0.005)
        if what == "chatter":
            for step in range(20_000):
                report("chattering", step, 20_000)
        if what == "bad":
            raise DataError("There are no images.", hint="Choose another folder.")
        if what == "fault":
            raise KeyError("oops")
        if what == "stuck":
            report("stuck", 0, 0)
            time.sleep(600)
        if what == "die":
            sys.stderr.write("last words\\n")
            sys.stderr.flush()
            os._exit(7)
        if what == "odd name":
            return ScanReply(report=ScanReport(folder=chr(0xDCFF))), {}
        return ScanReply(report=ScanReport(folder=what)), {}

    serve(handle)
"""


class Asked:
    """One request, and what came of it."""

    def __init__(self, client: EngineClient, request: Any, *, topic: str = "") -> None:
        self.over = threading.Event()
        self.began = threading.Event()
        self.reply: AnyReply | None = None
        self.arrays: Arrays = {}
        self.failure: protocol.Failed | None = None
        self.told: list[tuple[str, int, int]] = []
        self.calls = 0
        self.number = client.ask(request, done=self._done, failed=self._failed, progress=self._progress, topic=topic)

    def _done(self, reply: AnyReply, arrays: Arrays) -> None:
        self.calls += 1
        self.reply, self.arrays = reply, arrays
        self.over.set()

    def _failed(self, failure: protocol.Failed) -> None:
        self.calls += 1
        self.failure = failure
        self.over.set()

    def _progress(self, what: str, done: int, total: int) -> None:
        self.told.append((what, done, total))
        self.began.set()

    def wait(self) -> "Asked":
        assert self.over.wait(SECONDS), "no answer"
        return self

    def why(self) -> protocol.Failed:
        self.wait()
        assert self.failure is not None
        return self.failure


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    script = tmp_path_factory.mktemp("engine") / "engine.py"
    script.write_text(textwrap.dedent(ENGINE), encoding="utf-8")
    return [sys.executable, str(script)]


@pytest.fixture
def client(command: list[str]) -> Iterator[EngineClient]:
    client = EngineClient(command)
    yield client
    client.close()


def test_arrays_arrive_as_they_were_sent_whatever_is_printed(client: EngineClient) -> None:
    request = Preview(data=DataSpec(folder="x"), views=(), paths=("a", "b"), seed=0, epoch=0)
    asked = Asked(client, request).wait()
    np.testing.assert_array_equal(asked.arrays["pixels"], np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3))
    assert asked.arrays["none"].shape == (0, 4)
    np.testing.assert_array_equal(asked.arrays["numbers"], np.linspace(0, 1, 5))


def test_an_error_is_a_sentence_with_a_hint_and_the_engine_lives_on(client: EngineClient) -> None:
    bad = Asked(client, Scan(folder="bad")).why()
    assert (bad.reason, bad.message, bad.hint) == ("error", "There are no images.", "Choose another folder.")
    fault = Asked(client, Scan(folder="fault")).why()
    assert fault.message == "KeyError: 'oops'"
    assert "Traceback" in fault.details
    assert isinstance(Asked(client, Scan(folder="fine")).wait().reply, ScanReply)


def test_a_name_that_is_no_text_fails_its_request_and_nothing_else(client: EngineClient) -> None:
    assert "not valid text" in Asked(client, Scan(folder="odd name")).why().message
    engine = client.pid
    assert "not valid text" in Asked(client, Scan(folder="\udcff")).why().message
    assert Asked(client, Scan(folder="next")).wait().reply is not None
    assert client.pid == engine


def test_a_running_request_is_cancelled_at_its_next_report(client: EngineClient) -> None:
    asked = Asked(client, Scan(folder="work"))
    assert asked.began.wait(SECONDS)
    client.cancel(asked.number)
    assert asked.why().reason == "cancelled"


def test_a_waiting_request_is_cancelled_before_it_begins(client: EngineClient) -> None:
    first = Asked(client, Scan(folder="work"))
    assert first.began.wait(SECONDS)
    waiting = Asked(client, Scan(folder="work too"))
    client.cancel(waiting.number)
    assert waiting.why().reason == "cancelled"
    assert not waiting.told
    client.cancel(first.number)
    assert first.why().reason == "cancelled"


def test_a_newer_request_of_a_topic_drops_the_older_ones(client: EngineClient) -> None:
    first = Asked(client, Scan(folder="work 1"), topic="scan")
    assert first.began.wait(SECONDS)
    second = Asked(client, Scan(folder="work 2"), topic="scan")
    third = Asked(client, Scan(folder="fine"), topic="scan")
    other = Asked(client, Scan(folder="also fine"), topic="another")
    assert [first.why().reason, second.why().reason] == ["dropped", "dropped"]
    assert third.wait().reply == ScanReply(report=ScanReport(folder="fine"))
    assert isinstance(other.wait().reply, ScanReply)
    assert [asked.calls for asked in (first, second, third, other)] == [1, 1, 1, 1]


def test_lanes_do_not_wait_for_each_other(client: EngineClient) -> None:
    slow = Asked(client, Scan(folder="work"))
    assert slow.began.wait(SECONDS)
    assert isinstance(Asked(client, GetMachine()).wait().reply, MachineReply)
    assert not slow.over.is_set()
    client.cancel(slow.number)
    slow.wait()


def test_progress_is_thinned_out(client: EngineClient) -> None:
    asked = Asked(client, Scan(folder="chatter")).wait()
    assert asked.told[0] == ("chattering", 0, 20_000)
    assert len(asked.told) < 2_000


def test_death_fails_what_was_open_and_the_next_request_restarts(client: EngineClient) -> None:
    stuck = Asked(client, Scan(folder="stuck"))
    assert stuck.began.wait(SECONDS)
    assert client.pid is not None
    psutil.Process(client.pid).kill()
    failure = stuck.why()
    assert failure.reason == "error"
    assert "ended unexpectedly" in failure.message
    assert isinstance(Asked(client, Scan(folder="fine")).wait().reply, ScanReply)


def test_an_engine_killed_while_idle_is_not_noticed_by_whoever_asks_next(client: EngineClient) -> None:
    before = Asked(client, GetMachine()).wait().reply
    assert client.pid is not None
    psutil.Process(client.pid).kill()
    after = Asked(client, GetMachine()).wait()
    # Where the request reached the pipe of the dying engine, it may fail; it never hangs.
    if after.failure is not None:
        after = Asked(client, GetMachine()).wait()
    assert isinstance(before, MachineReply)
    assert isinstance(after.reply, MachineReply)
    assert before.versions["pid"] != after.reply.versions["pid"]


def test_last_words_are_kept_and_deaths_in_a_row_end_it(client: EngineClient) -> None:
    first = Asked(client, Scan(folder="die")).why()
    assert "exit code 7" in first.message
    assert "last words" in first.details
    for _ in range(3):
        Asked(client, Scan(folder="die")).why()
    assert "not started again" in Asked(client, Scan(folder="fine")).why().message


def test_a_command_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    client = EngineClient([str(tmp_path / "nothing")])
    assert Asked(client, GetMachine()).why().reason == "error"
    client.close()
    assert "closed" in Asked(client, GetMachine()).why().message


def test_a_callback_that_raises_stops_nobody_else(client: EngineClient, caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()

    def broken(reply: AnyReply, arrays: Arrays) -> None:
        failed.set()
        raise RuntimeError("a view's fault")

    client.ask(GetMachine(), done=broken, failed=lambda failure: None)
    assert failed.wait(SECONDS)
    assert isinstance(Asked(client, GetMachine()).wait().reply, MachineReply)
    assert "a view's fault" in caplog.text


def test_the_engine_ends_with_its_pipe_also_while_stuck(client: EngineClient) -> None:
    stuck = Asked(client, Scan(folder="stuck"))
    assert stuck.began.wait(SECONDS)
    assert client.pid is not None
    process = psutil.Process(client.pid)
    client.close()
    assert not process.is_running()
    assert stuck.calls == 0


def test_the_engine_ends_when_the_window_was_killed(command: list[str]) -> None:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    assert protocol.read_frame(process.stdout) is not None
    protocol.write_frame(process.stdin, protocol.Ask(id=1, topic="", request=Scan(folder="stuck")))
    assert protocol.read_frame(process.stdout) is not None
    process.stdin.close()
    assert process.wait(SECONDS) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    "damage", [lambda frame: b"nonsense on the pipe" + frame, lambda frame: frame[:4] + b"\xff" * 12 + frame[16:]]
)
def test_garbage_is_an_engine_error(damage: Callable[[bytes], bytes]) -> None:
    pipe = io.BytesIO()
    protocol.write_frame(pipe, protocol.Cancel(id=3))
    with pytest.raises(EngineError):
        protocol.read_frame(io.BytesIO(damage(pipe.getvalue())))


def test_a_torn_frame_is_the_end() -> None:
    pipe = io.BytesIO()
    protocol.write_frame(pipe, protocol.Cancel(id=3), [np.zeros(100)])
    assert protocol.read_frame(io.BytesIO(pipe.getvalue()[:-1])) is None


@pytest.mark.parametrize("module", ["workbench.engine.client", "workbench.gui.bridge"])
def test_the_windows_side_imports_no_torch(module: str) -> None:
    heavy = ("torch", "torchvision", "timm", "umap", "sklearn")
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
