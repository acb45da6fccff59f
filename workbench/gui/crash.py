"""A fault of the window itself: shown in words, with the traceback to copy, and the window stays."""

import sys
import traceback
from types import TracebackType

from PySide6.QtCore import QTimer

from workbench.gui.widgets.errors import Words
from workbench.gui.window import MainWindow


def report_to(window: MainWindow) -> None:
    """From now on an exception in a slot opens a dialog in `window` (and still goes to stderr)."""

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        words = Words(
            f"{kind.__name__}: {error}",
            "This is a fault of the program; nothing of your runs is lost. The details help to mend it.",
            "".join(traceback.format_exception(kind, error, trace)),
        )
        QTimer.singleShot(0, window, lambda: window.show_failure(words))

    sys.excepthook = on_exception
