"""The right column of the Evaluate page: what is asked, and the proof that the encoder stayed frozen."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QSpinBox, QVBoxLayout, QWidget

from workbench.gui import words
from workbench.gui.pages.evaluate import figures
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.column import SIDE_WIDTH
from workbench.gui.widgets.rows import LabelledRows
from workbench.gui.widgets.table import FactTable
from workbench.runs.results import Evaluation

_TIPS = {
    "knn": "Each test image takes the label of the training images that look most similar to the encoder.",
    "linear": "One linear layer is trained on the encoder's features; the encoder itself does not change.",
}


class SettingsColumn(QWidget):
    """`changed` when what the button would ask has changed; `column_chosen` when another target is looked at."""

    changed = Signal()
    column_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(SIDE_WIDTH)
        self.column = Choice()
        self.column.setToolTip("The label or factor that the probes must tell from the features.")
        self.column.chosen.connect(self.column_chosen)
        self.neighbors = QSpinBox()
        self.neighbors.setRange(1, 1000)
        self.neighbors.setValue(20)
        self.neighbors.lineEdit().setTextMargins(4, 0, 0, 0)  # as far in as the words of a combo box
        self.neighbors.setToolTip("How many of the most similar training images vote in kNN.")
        self.probes = {kind: QCheckBox(title) for kind, title in figures.PROBES.items()}
        card = Card("Probes")
        form = LabelledRows()
        form.add("target", self.column)
        form.add("neighbors k", self.neighbors)
        card.content.addLayout(form)
        for kind, box in self.probes.items():
            box.setChecked(True)
            box.setToolTip(_TIPS[kind])
            box.toggled.connect(self.changed)
            card.content.addWidget(box)
        about = QLabel("Beside the trained encoder, its untrained twin and raw pixels are probed in the same way.")
        about.setProperty("role", "secondary")
        about.setWordWrap(True)
        card.content.addWidget(about)
        self.proof = Banner()
        self.facts = FactTable()
        self._facts_card = Card("This evaluation")
        self._facts_card.content.addWidget(self.facts)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(16)
        whole.addWidget(card)
        whole.addWidget(self.proof)
        whole.addWidget(self._facts_card)
        whole.addStretch(1)
        self.show_evaluation(None)

    def chosen_probes(self) -> tuple[str, ...]:
        """The probes that are ticked."""
        return tuple(kind for kind, box in self.probes.items() if box.isChecked())

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """The proof and the facts of what is shown on the left."""
        self.proof.setVisible(evaluation is not None)
        self._facts_card.setVisible(evaluation is not None)
        if evaluation is None:
            return
        self.proof.show_words(*figures.frozen_words(evaluation))
        self.proof.setToolTip(f"SHA-256 of all parameters and buffers: {evaluation.encoder_hash}")
        seconds = sum(result.seconds for result in evaluation.results)
        self.facts.set_rows(
            [
                ("encoder of epoch", str(evaluation.epoch), ""),
                ("target", figures.target(evaluation.column), ""),
                ("classes", f"{len(evaluation.classes):,}", ""),
                ("training images", f"{evaluation.train_images:,}", ""),
                ("test images", f"{evaluation.test_images:,}", ""),
                ("took", words.duration(seconds), ""),
                ("made", words.moment(evaluation.time), ""),
            ]
        )
