"""Other tasks on the same encoder: a menu to add one, and for each its weight and its own parameters."""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from workbench.gui.pages.method.families import FAMILIES
from workbench.gui.session import Session
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.elided import Elided
from workbench.gui.widgets.explained_menu import ExplainedMenu, add_explained
from workbench.gui.widgets.form import ParamForm
from workbench.spec.catalog import MethodCard
from workbench.spec.experiment import MethodSpec, TaskSpec
from workbench.spec.params import ParamInfo, describe

_OWN = "params."
_NONE = "Other tasks can train the same encoder, each with a head and a weight of its own."


class TasksForm(Card):
    """The tasks beside the method's own, each as one undoable step."""

    def __init__(self, session: Session, *, scrolls: bool = False, parent: QWidget | None = None) -> None:
        super().__init__("Further tasks", scrolls=scrolls, parent=parent)
        self._session = session
        self.rows: list[TaskRow] = []
        self.menu = ExplainedMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.add_button = QToolButton()
        self.add_button.setText("Add a task")
        self.add_button.setProperty("kind", "menu")
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.add_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.add_button.setMenu(self.menu)
        self.corner.addWidget(self.add_button)
        self._none = QLabel(_NONE)
        self._none.setProperty("role", "secondary")
        self._none.setWordWrap(True)
        self.content.addWidget(self._none)

    def show_tasks(self, method: MethodSpec) -> None:
        """Shows them without emitting."""
        if [row.task.name for row in self.rows] != [task.name for task in method.also]:
            self._rebuild(method)
        for row, task in zip(self.rows, method.also, strict=True):
            row.show_task(task)
        self._none.setVisible(not method.also)

    def add(self, card: MethodCard) -> None:
        """Puts a task beside the others."""
        self._edit(lambda also: (*also, TaskSpec(name=card.name)), f"Add task {card.title}")

    def remove(self, name: str) -> None:
        """Takes a task away, and what was set of it."""
        self._edit(
            lambda also: tuple(task for task in also if task.name != name), f"Remove task {self._title_of(name)}"
        )

    def _rebuild(self, method: MethodSpec) -> None:
        for row in self.rows:
            self.content.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        cards = {card.name: card for card in self._session.catalog.methods}
        for task in method.also:
            row = TaskRow(task, cards.get(task.name))
            row.form.edited.connect(partial(self._on_edited, task.name))
            row.remove_button.clicked.connect(partial(self.remove, task.name))
            self.rows.append(row)
            self.content.addWidget(row)

    def _fill_menu(self) -> None:
        """What is not there yet, by family; made when it is opened, as it depends on what is."""
        draft = self._session.draft
        taken = {task.name for task in draft.method.tasks} if draft else set()
        self.menu.empty()
        for family, title in FAMILIES.items():
            cards = [card for card in self._session.catalog.methods if card.family == family]
            able = [card for card in cards if card.name not in taken and not card.starts_from_run]
            if able:
                family_menu = self.menu.add_submenu(title)
            for card in able:
                add_explained(family_menu, card.title, card.summary, partial(self.add, card))
        self.menu.add_help()

    def _on_edited(self, task: str, path: str, value: Any, merge: str) -> None:
        def changed(one: TaskSpec) -> TaskSpec:
            if path.startswith(_OWN):
                return replace(one, params={**one.params, path.removeprefix(_OWN): value})
            return replace(one, **{path: value})

        self._edit(
            lambda also: tuple(changed(one) if one.name == task else one for one in also),
            f"{self._title_of(task)}: {path.removeprefix(_OWN)}",
            merge=f"{task} {merge}" if merge else "",
        )

    def _edit(self, change: Callable[[tuple[TaskSpec, ...]], tuple[TaskSpec, ...]], what: str, merge: str = "") -> None:
        draft = self._session.draft
        if draft:
            method = replace(draft.method, also=change(draft.method.also))
            self._session.edit(replace(draft, method=method), what, merge=merge)

    def _title_of(self, name: str) -> str:
        return next((card.title for card in self._session.catalog.methods if card.name == name), name)


class TaskRow(QWidget):
    """One task: its title, its weight, and its parameters below a fold."""

    def __init__(self, task: TaskSpec, card: MethodCard | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = task
        title = card.title if card else f"{task.name} (not installed)"
        self.title = Elided(title)
        self.title.setProperty("role", "heading")
        if card:
            self.title.setToolTip(card.summary)
        self.remove_button = QPushButton("remove")
        self.remove_button.setProperty("kind", "link")
        self.remove_button.setAccessibleName(f"Remove the task {title}")
        self.form = ParamForm(_infos(card))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.remove_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.form)

    def show_task(self, task: TaskSpec) -> None:
        """Shows its values without emitting."""
        self.task = task
        own = {f"{_OWN}{name}": value for name, value in task.params.items()}
        self.form.set_values({"weight": task.weight, **own})


def _infos(card: MethodCard | None) -> tuple[ParamInfo, ...]:
    """The weight, and what is the task's own, folded away."""
    weight = next(info for info in describe(TaskSpec) if info.name == "weight")
    own = card.params if card else ()
    return (weight, *(replace(info, name=f"{_OWN}{info.name}", advanced=True) for info in own))
