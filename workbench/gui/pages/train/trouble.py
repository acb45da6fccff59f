"""What stopped a run, in words, above its curves."""

import time

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QWidget

from workbench import __version__
from workbench.gui.widgets.banner import Banner
from workbench.runs.folder import RunFolder
from workbench.runs.launch import last_log_lines
from workbench.runs.state import RunState, StatusName

_PATIENCE = 60.0
"""Seconds that a fresh trainer may take to say its first word (importing torch from a slow disk)."""


class TroubleBanner(Banner):
    """A failed, interrupted or silent run: what happened, what to do, and the end of its log."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("bad", parent=parent)
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setFixedHeight(120)
        self._log.setAccessibleName("last lines of the log")
        self._log.hide()
        self.content.insertWidget(2, self._log)
        self._details = ""
        self._toggle = QPushButton("Show log")
        self._toggle.setCheckable(True)
        self._toggle.toggled.connect(self._on_toggled)
        copy = QPushButton("Copy details")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.details))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._toggle)
        buttons.addWidget(copy)
        buttons.addStretch(1)
        self.content.addLayout(buttons)
        self.hide()

    @property
    def details(self) -> str:
        """What "Copy details" puts on the clipboard."""
        return self._details

    def show_trouble(self, run: RunFolder, state: RunState, name: StatusName) -> None:
        """Shows itself if the run is in trouble, else hides."""
        match name:
            case "failed":
                failure = state.failure
                message = failure.message if failure else "The run failed without saying why."
                hint = failure.hint if failure else "The end of its log may tell."
                self._say(run, "bad", message, hint, details=failure.details if failure else "")
            case "interrupted":
                saved = f"epoch {state.checkpoint.epoch}" if state.checkpoint and state.checkpoint.step else ""
                hint = f"It can go on from its checkpoint of {saved}." if saved else "It starts from the beginning."
                title = "The trainer is gone: it was killed, or the machine went down"
                self._say(run, "bad", title, f"{hint} Nothing that was written is lost.")
            case "created" if time.time() - state.created > _PATIENCE:
                self._say(run, "watch", "The trainer has not said anything yet", "Its log may tell why.")
            case _:
                self.hide()

    def _say(self, run: RunFolder, level: str, title: str, text: str, *, details: str = "") -> None:
        lines = last_log_lines(run)
        log = "\n".join(lines)
        self._details = "\n".join(
            part for part in (f"Pretext Workbench {__version__}", run.name, title, text, details, log) if part
        )
        if (title, text) != (self.title, self.text) or not self.isVisible():
            self.show_words("watch" if level == "watch" else "bad", title, text)
            self._log.setPlainText(log or details)
            self._toggle.setVisible(bool(log or details))
        self.show()

    def _on_toggled(self, on: bool) -> None:
        self._log.setVisible(on)
        self._toggle.setText("Hide log" if on else "Show log")
        bar = self._log.verticalScrollBar()
        bar.setValue(bar.maximum())
