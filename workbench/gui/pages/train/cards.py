"""The plots of the Train page."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.gui.pages.train.history import History
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.curves import CurvePlot
from workbench.gui.widgets.series import Curve, Level
from workbench.gui.widgets.ticks import tick_text, value_text
from workbench.runs.events import Clusters, Exam
from workbench.spec.experiment import Experiment

_LOSS, _PARTS = "loss", "parts"
_TITLES = {
    "learning_rate": "learning rate",
    "images_per_second": "images per second",
    "waiting": "waiting for data",
    "watching": "cost of watching",
}
_HIDDEN = ("progress", "seconds")
_NO_LOOK = "No look at the representation yet."
_SMOOTHING = (("0", "as measured"), ("0.6", "smoothed 0.6"), ("0.9", "smoothed 0.9"), ("0.98", "smoothed 0.98"))


class LossCard(Card):
    """The loss, its parts, or another scalar, smoothed as one likes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss", parent=parent)
        self.plot = CurvePlot(x_label="epoch")
        self.plot.set_smoothing(0.6)
        self._history = History()
        self._total = 0
        self._what = Choice(((_LOSS, "loss"),))
        self._what.setAccessibleName("curve")
        self._what.setFixedWidth(160)
        self._smoothing = Choice(_SMOOTHING)
        self._smoothing.setAccessibleName("smoothing")
        self._smoothing.setFixedWidth(148)
        self._smoothing.set_value("0.6")
        self._log = QToolButton()
        self._log.setText("log")
        self._log.setProperty("kind", "toggle")
        self._log.setCheckable(True)
        self._log.setToolTip("Logarithmic axis")
        for control in (self._what, self._smoothing, self._log):
            self.corner.addWidget(control)
        self._words = _words()
        self._words.setText("No training step yet.")
        self.content.addLayout(_either(self.plot, self._words))
        self._what.chosen.connect(self._draw)
        self._smoothing.chosen.connect(lambda value: self.plot.set_smoothing(float(value)))
        self._log.toggled.connect(self.plot.set_logarithmic)

    def show_history(self, history: History, total_epochs: int) -> None:
        """Draws what there is, or says that there is nothing; the axis shows all epochs of the run."""
        self.plot.setVisible(bool(history.scalars))
        self._words.setVisible(not history.scalars)
        self._history, self._total = history, total_epochs
        parts = any(name.startswith("loss/") for name in history.scalars)
        options = [(_LOSS, "loss"), *([(_PARTS, "loss and its parts")] if parts else [])]
        others = sorted(name for name in history.scalars if name not in _HIDDEN and not name.startswith("loss"))
        options += [(name, _TITLES.get(name, name.replace("_", " "))) for name in others]
        if options != [(self._what.itemData(row), self._what.itemText(row)) for row in range(self._what.count())]:
            self._what.set_options(options)
        self._draw()

    def _draw(self) -> None:
        what, scalars = self._what.value() or _LOSS, self._history.scalars
        names = [what]
        if what == _PARTS:
            names = ["loss", *sorted(name for name in scalars if name.startswith("loss/"))]
        curves = [
            Curve(
                label=_TITLES.get(name, name.removeprefix("loss/").replace("_", " ")),
                x=scalars[name].x, y=scalars[name].y, color=number, smoothed=True,
                note=value_text(float(scalars[name].y[-1])) if len(names) == 1 else "",
            )
            for number, name in enumerate(names) if name in scalars
        ]  # fmt: skip
        self.set_title("Loss" if what in (_LOSS, _PARTS) else curves[0].label.capitalize() if curves else "Loss")
        self.plot.set_x_range(0, self._total)
        self.plot.set_curves(curves)


class AccuracyCard(Card):
    """kNN accuracy over the epochs, beside the untrained encoder and raw pixels.

    With it that of a method's clusters, and of the answers to its own questions beside those of guessing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("kNN accuracy", parent=parent)
        self.plot = CurvePlot(x_label="epoch")
        self.plot.set_y_limits(0.0, 1.0, span=0.2)
        self.plot.set_value_text(lambda value: f"{100 * value:.1f} %")
        self.plot.set_mark_text(lambda value, step: f"{tick_text(100 * value, 100 * step)} %")
        self._words = _words()
        self.content.addLayout(_either(self.plot, self._words))

    def show_history(self, history: History, experiment: Experiment, total_epochs: int) -> None:
        """Draws what there is, or says why there is nothing."""
        watch = experiment.watch
        x, y = history.probe_curve("knn")
        something = len(x) > 0 or bool(history.exams)
        self.plot.setVisible(something)
        self._words.setVisible(not something)
        self.set_note(f"k {watch.neighbors}, test split" if len(x) else "")
        self._words.setText(_why_no_accuracy(experiment))
        start = experiment.backbone.at_start
        levels = []
        for subject, label, dotted in (("untrained", start, False), ("pixels", "raw pixels", True)):
            if (probe := history.probe("knn", subject)) is not None:
                levels.append(Level(label=label, y=probe.accuracy, dotted=dotted))
        self.plot.set_x_range(0, total_epochs)
        others: dict[str, Sequence[Clusters | Exam]] = {"clusters": history.clusters, **history.exams}
        others = {name: looks for name, looks in others.items() if looks}
        self.set_title(_accuracy_title(bool(len(x)), bool(history.clusters), tuple(history.exams)))
        note = f"{'kNN ' if others else ''}{100 * y[-1]:.1f} %" if len(y) else ""
        curves = [Curve(label="encoder", x=x, y=y, note=note)] if len(x) else []
        for number, (name, looks) in enumerate(others.items(), start=1):
            epochs, shares = np.array([(one.epoch, one.accuracy) for one in looks], np.float64).T
            note = f"{name} {100 * shares[-1]:.1f} %"
            curves.append(Curve(label=name, x=epochs, y=shares, note=note, color=number))
        for task, exams in history.exams.items():
            label = "by chance" if len(history.exams) == 1 else f"{task} by chance"
            levels.append(Level(label=label, y=exams[-1].chance, dotted=True))
        self.plot.set_curves(curves, levels)


def _accuracy_title(knn: bool, clusters: bool, tasks: tuple[str, ...]) -> str:
    named = [*(["kNN"] if knn else []), *(["clusters"] if clusters else []), *tasks]
    if named in ([], ["kNN"]):
        return "kNN accuracy"
    return f"Accuracy of {' and '.join(named)}" if len(named) < 3 else f"Accuracy of {', '.join(named)}"


class SpectrumCard(Card):
    """The singular values of the embeddings, now and at the first look: a fall to nothing is a collapse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Singular spectrum", parent=parent)
        self.plot = CurvePlot(x_label="direction")
        self.plot.set_logarithmic(True)
        self._words = _words()
        self.content.addLayout(_either(self.plot, self._words))
        self.setToolTip(
            "How strongly the embeddings vary in each direction, relative to the strongest. The flatter the line, "
            "the more directions are used."
        )

    def show_history(self, history: History) -> None:
        """Draws the newest and the first spectrum."""
        looks = [health for health in history.health if health.spectrum]
        self.plot.setVisible(bool(looks))
        self._words.setVisible(not looks)
        self._words.setText(_NO_LOOK)
        self.set_note("over the largest, encoder output" if looks else "")
        curves = []
        for number, look in enumerate([looks[-1], looks[0]] if len(looks) > 1 else looks):
            # At most 512 values are kept, spread evenly over all directions.
            x = np.linspace(1, max(look.dim, len(look.spectrum)), len(look.spectrum))
            label = f"epoch {look.epoch}" if look.epoch else "untrained"
            curves.append(Curve(label=label, x=x, y=np.array(look.spectrum), color=-1 if number else 0))
        self.plot.set_curves(curves)


def _why_no_accuracy(experiment: Experiment) -> str:
    if experiment.data.labels == "none":
        return "Accuracy needs labels, and there are none here. Training, health and the map do without them."
    if experiment.watch.probe_every == 0:
        return "Probes are switched off in this experiment (watch.probe_every = 0)."
    return _NO_LOOK


def _words() -> QLabel:
    label = QLabel()
    label.setProperty("role", "secondary")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label


def _either(plot: QWidget, words: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.addWidget(words, 1)
    column.addWidget(plot, 1)
    words.hide()
    return column
