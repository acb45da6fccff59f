"""What the window can do, as data: menus, shortcuts and the command palette are made from one list."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do. `shortcut` is portable ("Ctrl+O"; Ctrl means Command on macOS).

    `menu` is the menu's title, "" for the palette alone; `group` numbers separate entries by lines.
    `checked` makes it a switch, asked when a menu opens.
    """

    name: str
    title: str
    run: Callable[[], object]
    menu: str = ""
    group: int = 0
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[], bool] | None = None
    checked: Callable[[], bool] | None = None

    @property
    def possible(self) -> bool:
        """Whether it can be done now."""
        return self.enabled is None or self.enabled()


MENUS = ("File", "Edit", "View", "Help")


def bind_shortcuts(actions: list[Action], window: QWidget) -> dict[str, QAction]:
    """A QAction of the window for each; shortcuts work on every page, with the menu hidden or not."""
    bound = {}
    for action in actions:
        made = QAction(action.title, window)
        made.setObjectName(action.name)
        made.setShortcuts([QKeySequence(text) for text in action.shortcuts])
        made.setCheckable(action.checked is not None)
        made.triggered.connect(_runner(action))
        window.addAction(made)
        bound[action.name] = made
    return bound


def fill_menu(menu: QMenu, actions: list[Action], bound: dict[str, QAction]) -> None:
    """Fills one menu; what cannot be done now is gray whenever it opens."""
    group = None
    for action in actions:
        if group is not None and action.group != group:
            menu.addSeparator()
        group = action.group
        menu.addAction(bound[action.name])

    def refresh() -> None:
        for action in actions:
            made = bound[action.name]
            made.setEnabled(action.possible)
            if action.checked is not None:
                made.setChecked(action.checked())

    def enable_all() -> None:
        # A shortcut must not stay dead because its menu was opened while it could not be used.
        for action in actions:
            bound[action.name].setEnabled(True)

    menu.aboutToShow.connect(refresh)
    menu.aboutToHide.connect(enable_all)


def _runner(action: Action) -> Callable[[], None]:
    def run() -> None:
        if action.possible:
            action.run()

    return run
