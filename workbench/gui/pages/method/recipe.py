"""The right column's forms: the method's own parameters, the backbone, and the recipe."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from msgspec.structs import asdict, replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from workbench.gui.pages.method.about import AboutMethod
from workbench.gui.run_rows import RunRow
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.form import ParamForm
from workbench.spec.catalog import BackboneCard, MethodCard
from workbench.spec.experiment import BackboneSpec, Experiment, TrainSpec, WatchSpec
from workbench.spec.params import ParamInfo, describe

_WEIGHTS = (("none", "random"), ("pretrained", "pretrained, from its library"))
_ONLY_OF = {"train.momentum": ("sgd", "lars"), "train.beta2": ("adamw",)}
"""What does nothing with another optimizer."""
_FOLDED = ("backbone.stem", "train.optimizer", "train.warmup")


class MethodForm(Card):
    """The chosen method: its parameters, and what it is."""

    def __init__(self, session: Session, *, scrolls: bool = False, parent: QWidget | None = None) -> None:
        super().__init__("Method", scrolls=scrolls, parent=parent)
        self._session = session
        self._name = ""
        self._form: ParamForm | None = None
        self.about_button = QPushButton("what is this?")
        self.about_button.setProperty("kind", "link")
        self.reset_button = QPushButton("reset")
        self.reset_button.setProperty("kind", "link")
        self.corner.addWidget(self.reset_button)
        self.corner.addWidget(self.about_button)
        self.about = AboutMethod()
        self.about.hide()
        self._plain = QLabel("This method has nothing to set.")
        self._plain.setProperty("role", "secondary")
        self.content.addWidget(self.about)
        self.content.addWidget(self._plain)
        self.about_button.clicked.connect(lambda: self.about.setVisible(self.about.isHidden()))
        self.reset_button.clicked.connect(self._on_reset)

    @property
    def form(self) -> ParamForm | None:
        """The rows of the method's parameters."""
        return self._form

    def show_method(self, card: MethodCard, params: dict[str, Any]) -> None:
        """Shows a method and its values without emitting."""
        if card.name != self._name or self._form is None:
            self._name = card.name
            self.set_title(card.title)
            self.about.show_card(card)
            self._rebuild(card)
        assert self._form
        self._form.set_values(params)
        self.reset_button.setVisible(any(not self._form.field(name).is_default for name in self._form.names))

    def _rebuild(self, card: MethodCard) -> None:
        if self._form:
            self.content.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form = ParamForm(card.params)
        self._form.edited.connect(self._on_edited)
        self.content.addWidget(self._form)
        self._plain.setVisible(not card.params)

    def _on_edited(self, name: str, value: Any, merge: str) -> None:
        draft = self._session.draft
        if draft:
            method = replace(draft.method, params={**draft.method.params, name: value})
            self._session.edit(replace(draft, method=method), f"{self.title}: {name}", merge=merge)

    def _on_reset(self) -> None:
        draft = self._session.draft
        if draft:
            self._session.edit(replace(draft, method=replace(draft.method, params={})), f"Reset {self.title}")


class RecipeForm(Card):
    """Backbone, training settings and what is watched. `backbone_chosen` because a recipe may change with it.

    The rows are named by dotted paths into the experiment ('train.epochs').
    """

    backbone_chosen = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Recipe", parent=parent)
        self._session = session
        options = {"backbone.name": (("", ""),), "backbone.weights": _WEIGHTS, "train.device": (("auto", "auto"),)}
        self.form = ParamForm(_recipe_infos(), options=options)
        self.watch = ParamForm(_watch_infos(), advanced=False)
        self._about = QLabel()
        self._about.setProperty("role", "caption")
        self._about.setWordWrap(True)
        more = Fold("Name, seed and watching")
        more.content.addWidget(self.watch)
        for part in (self.form, more, self._about):
            self.content.addWidget(part)
        session.run_list.changed.connect(self._show_runs)
        self.form.edited.connect(self._on_edited)
        self.watch.edited.connect(self._on_edited)

    def show_choices(self) -> None:
        """Backbones of the catalog and devices of this machine."""
        cards = self._session.catalog.backbones
        self.form.set_options("backbone.name", [(card.name, backbone_words(card)) for card in cards])
        devices = [(device.name, f"{device.name}: {device.title}") for device in self._session.devices]
        self.form.set_options("train.device", [("auto", "auto"), *devices])

    def show_draft(self, draft: Experiment, usual: Experiment | None) -> None:
        """Shows values without emitting; `usual` is what reset goes back to."""
        self._show_runs()
        values = _flat(draft)
        for form in (self.form, self.watch):
            form.set_values(values)
            if usual:
                form.set_defaults(_flat(usual))
        for name, optimizers in _ONLY_OF.items():
            self.form.set_shown(name, draft.train.optimizer in optimizers)
        card = next((card for card in self._session.catalog.backbones if card.name == draft.backbone.name), None)
        self._about.setText(
            f"{card.title}: {card.summary} {card.million_parameters:.3g} million weights, {card.dim} features."
            if card
            else f"There is no backbone named '{draft.backbone.name}' here. Choose another one."
        )

    def _show_runs(self) -> None:
        """Weights to start from: none, the library's, or those of a finished run with the same backbone."""
        draft = self._session.draft
        if draft is not None:
            rows = self._session.run_list.rows
            self.form.set_options("backbone.weights", [*_WEIGHTS, *weights_of_runs(rows, draft.backbone)])

    def _on_edited(self, path: str, value: Any, merge: str) -> None:
        draft = self._session.draft
        if draft is None:
            return
        if path == "backbone.name":
            self.backbone_chosen.emit(value)
            return
        part, _, name = path.rpartition(".")
        words = name.replace("_", " ").capitalize()
        changed = {part: replace(getattr(draft, part), **{name: value})} if part else {name: value}
        self._session.edit(replace(draft, **changed), words, merge=merge)


def weights_of_runs(rows: Sequence[RunRow], backbone: BackboneSpec) -> list[tuple[str, str]]:
    """(folder, title) of every finished run that has trained this backbone, newest first; the chosen one always."""
    found = {
        row.path: f"run {row.name}" + (f" · kNN {100 * row.knn:.1f} %" if row.knn >= 0 else "")
        for row in rows
        if row.status == "finished" and row.backbone == backbone.name
    }
    if backbone.weights not in (*found, "none", "pretrained"):
        found[backbone.weights] = f"run {PurePath(backbone.weights).name}"
    return list(found.items())


def backbone_words(card: BackboneCard) -> str:
    """'ResNet-18 · 11 M'."""
    return f"{card.title} · {card.million_parameters:.2g} M"


def _flat(experiment: Experiment) -> Mapping[str, Any]:
    """The values of the forms, by dotted path."""
    values: dict[str, Any] = {"name": experiment.name, "seed": experiment.seed}
    for part, spec in (("backbone", experiment.backbone), ("train", experiment.train), ("watch", experiment.watch)):
        values |= {f"{part}.{name}": value for name, value in asdict(spec).items()}
    return values


def _recipe_infos() -> tuple[ParamInfo, ...]:
    found = [replace(info, name=f"backbone.{info.name}") for info in describe(BackboneSpec)]
    found[0] = replace(found[0], title="backbone", help="The network that becomes the encoder.")
    found += [replace(info, name=f"train.{info.name}") for info in describe(TrainSpec)]
    return tuple(replace(info, advanced=True) if info.name in _FOLDED else info for info in found)


def _watch_infos() -> tuple[ParamInfo, ...]:
    own = {info.name: info for info in describe(Experiment)}
    name = replace(own["name"], title="run name", help="What this run is called.")
    return (name, own["seed"], *(replace(info, name=f"watch.{info.name}") for info in describe(WatchSpec)))
