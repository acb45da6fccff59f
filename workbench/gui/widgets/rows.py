"""Rows of a word and a control, for what is no parameter of an experiment; they look as those of a `ParamForm`."""

from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from workbench.gui.widgets.fields import TITLE_WIDTH


class LabelledRows(QFormLayout):
    """`add(words, control)`: the words stand at the left, and are the control's name for those who do not see it."""

    def __init__(self) -> None:
        super().__init__()
        self.setVerticalSpacing(8)
        self.setHorizontalSpacing(6)

    def add(self, words: str, control: QWidget) -> None:
        """One more row."""
        label = QLabel(words)
        label.setProperty("role", "secondary")
        label.setFixedWidth(TITLE_WIDTH)
        label.setBuddy(control)
        control.setAccessibleName(words)
        self.addRow(label, control)
