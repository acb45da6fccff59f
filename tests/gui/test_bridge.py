from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from workbench.engine.messages import CatalogReply, CheckReply, GetCatalog, GetMachine, Scan
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job


class Listener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def on_done(self, reply: Any, arrays: Any) -> None:
        self.heard.append(reply)


def test_answers_come_later_and_in_this_thread(qtbot: QtBot, engine: Engine) -> None:
    listener = Listener()
    with qtbot.waitSignal(engine.settled):
        engine.ask(GetCatalog(), done=listener.on_done)
        assert listener.heard == []
        assert engine.open_requests == 1
    assert isinstance(listener.heard[0], CatalogReply)
    assert engine.open_requests == 0


def test_a_widget_that_is_gone_is_not_called(qtbot: QtBot, engine: Engine, client: Any) -> None:
    client.hold.add(GetCatalog)
    listener = Listener()
    heard = listener.heard
    engine.ask(GetCatalog(), done=listener.on_done)
    shiboken6.delete(listener)
    with qtbot.waitSignal(engine.settled):
        client.release()
    assert heard == []


def test_failures_go_to_the_window_unless_somebody_listens(qtbot: QtBot, engine: Engine, client: Any) -> None:
    client.replies[GetMachine] = lambda request: Failed(id=1, reason="error", message="No luck.")
    with qtbot.waitSignal(engine.failed) as told:
        engine.ask(GetMachine(), done=lambda reply, arrays: None)
    assert told.args[0].message == "No luck."
    own: list[Failed] = []
    with qtbot.assertNotEmitted(engine.failed), qtbot.waitSignal(engine.settled):
        engine.ask(GetMachine(), done=lambda reply, arrays: None, failed=own.append)
    assert [failure.message for failure in own] == ["No luck."]


@pytest.mark.parametrize("reason", ["dropped", "cancelled"])
def test_what_nobody_wants_any_more_is_no_error(qtbot: QtBot, engine: Engine, client: Any, reason: Any) -> None:
    client.replies[GetMachine] = lambda request: Failed(id=1, reason=reason)
    with qtbot.assertNotEmitted(engine.failed), qtbot.waitSignal(engine.settled):
        engine.ask(GetMachine(), done=lambda reply, arrays: None)


def test_a_titled_request_is_a_job_with_progress_and_cancel(qtbot: QtBot, engine: Engine, client: Any) -> None:
    jobs: list[Job] = []
    engine.job_started.connect(jobs.append)
    engine.ask(GetCatalog(), done=lambda reply, arrays: None)
    client.hold.add(Scan)
    ends: list[Failed] = []
    job = engine.ask(Scan(folder="x"), done=lambda reply, arrays: None, failed=ends.append, title="Scanning x")
    assert jobs == [job]
    with qtbot.waitSignal(job.ended):
        job.cancel()
    qtbot.waitUntil(lambda: bool(ends))
    assert ends[0].reason == "cancelled"


def test_a_fault_in_a_callback_does_not_hang_the_count(qtbot: QtBot, engine: Engine) -> None:
    def fault(reply: CheckReply, arrays: Any) -> None:
        raise LookupError("a fault")

    with qtbot.captureExceptions() as faults, qtbot.waitSignal(engine.settled):
        engine.ask(GetCatalog(), done=fault)
    assert [kind for kind, _, _ in faults] == [LookupError]
    assert engine.open_requests == 0
