"""Labels and sides of the images, as the engine has worked them out for the draft."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from workbench.engine.messages import Arrays, PlanSplit, SplitReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine
from workbench.gui.session import Session

_PARTS = ("train", "test", "left out")


class Division(QObject):
    """Asks again whenever what the split depends on has changed; `changed` says that there is news.

    `reply` is None while nothing is known, and then `problem` may say why.
    """

    changed = Signal()

    def __init__(self, session: Session, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._asked: PlanSplit | None = None
        self.reply: SplitReply | None = None
        self.problem: Failed | None = None
        self._labels: NDArray[np.generic] = np.empty(0, np.int32)
        self._parts: NDArray[np.generic] = np.empty(0, np.uint8)
        self._soon = QTimer(self, singleShot=True, interval=120)
        self._soon.timeout.connect(self._ask)
        session.draft_changed.connect(self._on_draft_changed)
        self._on_draft_changed()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels; empty where there are none."""
        return self.reply.classes if self.reply else ()

    def rows(self, count: int, label: str, side: str) -> NDArray[np.int64]:
        """Which of `count` images have this label and stand on this side; "" stands for any."""
        keep = np.ones(count, np.bool_)
        if label in self.classes:
            keep &= self._labels == self.classes.index(label)
        if side and len(self._parts) == count:
            keep &= self._parts == _PARTS.index(side)
        return np.flatnonzero(keep)

    def number(self, row: int) -> int:
        """The number of an image's class, -1 where it is unknown."""
        return int(self._labels[row]) if row < len(self._labels) else -1

    def label(self, row: int) -> str:
        """The class of an image, "" where it is unknown."""
        number = self.number(row)
        return self.classes[number] if 0 <= number < len(self.classes) else ""

    def part(self, row: int) -> str:
        """'train', 'test' or 'left out'; "" while it is not known."""
        return _PARTS[int(self._parts[row])] if row < len(self._parts) else ""

    def _on_draft_changed(self) -> None:
        scan, draft = self._session.scan, self._session.draft
        if scan is None or draft is None or not scan.count:
            self._forget()
            return
        if self._asked is None or (self._asked.scan, self._asked.data, self._asked.seed) != (
            scan,
            draft.data,
            draft.seed,
        ):
            self._soon.start()

    def _ask(self) -> None:
        scan, draft = self._session.scan, self._session.draft
        if scan is None or draft is None:
            return
        self._asked = PlanSplit(scan=scan, data=draft.data, seed=draft.seed)
        self._engine.ask(self._asked, done=self._on_done, failed=self._on_failed, topic="split")

    def _forget(self) -> None:
        self._asked = None
        self._take(None, {}, None)

    def _on_done(self, reply: SplitReply, arrays: Arrays) -> None:
        self._take(reply, arrays, None)

    def _on_failed(self, failure: Failed) -> None:
        self._take(None, {}, failure)

    def _take(self, reply: SplitReply | None, arrays: Arrays, problem: Failed | None) -> None:
        self.reply, self.problem = reply, problem
        self._labels = arrays.get("labels", np.empty(0, np.int32))
        self._parts = arrays.get("parts", np.empty(0, np.uint8))
        self.changed.emit()
