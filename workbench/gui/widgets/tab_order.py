"""Tab goes through what is made later in the order in which it is seen."""

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def put_before(last: QWidget, widgets: Iterable[QWidget]) -> None:
    """Tab comes to these, and to what they hold, in this order, and from the last of them to `last`."""
    held = (part for widget in widgets for part in (widget, *widget.findChildren(QWidget)))
    stops = [part for part in held if _takes_tab(part, last)]
    first = last.previousInFocusChain()
    while first is not None and first is not last and (first in stops or not _takes_tab(first, last)):
        first = first.previousInFocusChain()
    start = [] if first is None or first is last else [first]
    for one, other in pairwise([*start, *stops, last]):
        QWidget.setTabOrder(one, other)


def _takes_tab(widget: QWidget, other: QWidget) -> bool:
    """The list of a choice is a window of its own."""
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.window() is other.window()
