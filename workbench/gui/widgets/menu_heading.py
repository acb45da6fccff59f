"""A heading within a menu. Qt's own is not drawn under a style sheet."""

from PySide6.QtWidgets import QLabel, QMenu, QWidgetAction


def add_heading(menu: QMenu, title: str) -> None:
    """A line, and below it in small words what the entries that follow are."""
    if menu.actions():
        menu.addSeparator()
    label = QLabel(title)
    label.setProperty("role", "caption")
    label.setContentsMargins(12, 2, 12, 2)
    heading = QWidgetAction(menu)
    heading.setText(title)
    heading.setDefaultWidget(label)
    heading.setEnabled(False)
    menu.addAction(heading)
