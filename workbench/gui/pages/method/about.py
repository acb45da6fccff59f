"""What a method is, for somebody who has not met it: how it works, when to choose it, how it fails."""

import re
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workbench.spec.catalog import MethodCard


class AboutMethod(QWidget):
    """Headings with a paragraph each, and a link to the paper."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 8)
        self._column.setSpacing(4)
        self._labels: list[QLabel] = []

    def show_card(self, card: MethodCard) -> None:
        """Explains a method."""
        for label in self._labels:
            self._column.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._labels = []
        for heading, text in (
            ("", card.explanation),
            ("When to choose it", card.when),
            ("What collapse looks like", card.collapse),
        ):
            if heading and text:
                self._add(heading, "heading")
            if text:
                self._add(text, "secondary")
        self._add(paper_link(card), "secondary", rich=True)
        if card.recipe.source:
            self._add(f"Recipe: {card.recipe.source}", "caption")

    def _add(self, text: str, role: str, *, rich: bool = False) -> None:
        label = QLabel(text)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
        label.setOpenExternalLinks(rich)
        self._labels.append(label)
        self._column.addWidget(label)


def paper_link(card: MethodCard) -> str:
    """'arXiv:2002.05709 (2020)' as a link where the address is known; escaped."""
    words = f"{escape(card.paper)} ({card.year})" if card.year else escape(card.paper)
    number = re.search(r"arXiv:\s*(\d{4}\.\d{4,5})", card.paper)
    return f'Paper: <a href="https://arxiv.org/abs/{number.group(1)}">{words}</a>' if number else f"Paper: {words}"
