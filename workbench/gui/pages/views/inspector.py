"""The right column of Views: which kind of view, its size and count, its chain, and what is odd about it."""

from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.gui import icons
from workbench.gui.pages.views import edits
from workbench.gui.pages.views.findings import Findings
from workbench.gui.pages.views.need import MethodNeed
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.chain_editor import ChainEditor
from workbench.gui.widgets.choice import Choice
from workbench.gui.widgets.column import SIDE_WIDTH
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.form import ParamForm
from workbench.gui.widgets.kind_bar import KindBar
from workbench.gui.widgets.op_row import OpFrame
from workbench.spec.experiment import DataSpec, OpSpec, ViewSpec
from workbench.spec.params import describe

_NORMALIZE = (("dataset", "this set"), ("imagenet", "ImageNet"), ("none", "off"))


class ChainInspector(Card):
    """Edits one kind of view of the draft; every change goes through the session, so that it can be undone."""

    kind_changed = Signal(int)
    op_focused = Signal(int)

    def __init__(self, session: Session, findings: Findings, parent: QWidget | None = None) -> None:
        super().__init__("Chain", scrolls=True, parent=parent)
        self._session = session
        self.findings = findings
        self._kind = 0
        self.setMinimumWidth(SIDE_WIDTH - 32)
        self.setMaximumWidth(SIDE_WIDTH + 160)
        self.need = MethodNeed(session)
        self.kinds = KindBar()
        self.size_form = ParamForm([info for info in describe(ViewSpec) if info.name in ("count", "size")])
        self.more_form = ParamForm([info for info in describe(ViewSpec) if info.name in ("name", "role")])
        self.editor = ChainEditor()
        self.normalize = Choice(_NORMALIZE)
        self._banners: list[Banner] = []
        self._advice = QVBoxLayout()
        self._advice.setSpacing(8)
        self._add_history()
        self._lay_out()
        self._connect()
        self._on_catalog_changed()
        self._on_draft_changed()

    @property
    def kind(self) -> int:
        """The place of the view kind that is edited."""
        return self._kind

    def set_kind(self, kind: int) -> None:
        """Edits another kind of view."""
        if kind != self._kind:
            self._kind = kind
            self._on_draft_changed()
            self.kind_changed.emit(kind)

    def _view(self) -> ViewSpec | None:
        draft = self._session.draft
        return draft.views[self._kind] if draft and self._kind < len(draft.views) else None

    def _add_history(self) -> None:
        stack = self._session.undo
        for icon, make, keys in (
            ("undo", stack.createUndoAction, "Ctrl+Z"),
            ("redo", stack.createRedoAction, "Ctrl+Y"),
        ):
            action = make(self, icon.capitalize())
            icons.follow(action, icon, "secondary")
            action.changed.connect(lambda action=action, keys=keys: action.setToolTip(f"{action.text()} ({keys})"))
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            self.corner.addWidget(button)

    def _lay_out(self) -> None:
        column = self.content
        column.addWidget(self.need)
        column.addWidget(self.kinds)
        more = Fold("Name and role")
        more.content.addWidget(self.more_form)
        column.addWidget(self.size_form)
        column.addWidget(more)
        column.addWidget(self.editor)
        column.addWidget(self._normalize_row())
        column.addLayout(self._advice)
        column.addWidget(self.findings)

    def _normalize_row(self) -> QWidget:
        row = OpFrame()
        info = next(info for info in describe(DataSpec) if info.name == "normalize")
        row.setToolTip(f"{info.help}\nPreviews show the views before it.")
        line = QHBoxLayout(row)
        line.setContentsMargins(8, 4, 8, 4)
        line.addSpacing(20)
        line.addWidget(QLabel("Normalize"), 1)
        self.normalize.setAccessibleName("Normalize")
        line.addWidget(self.normalize)
        return row

    def _connect(self) -> None:
        self._session.catalog_changed.connect(self._on_catalog_changed)
        self._session.draft_changed.connect(self._on_draft_changed)
        self.kinds.chosen.connect(self.set_kind)
        self.kinds.added.connect(self._on_kind_added)
        self.kinds.removed.connect(self._on_kind_removed)
        self.size_form.edited.connect(self._on_view_edited)
        self.more_form.edited.connect(self._on_view_edited)
        self.editor.changed.connect(self._on_chain_changed)
        self.editor.current_changed.connect(self.op_focused)
        self.normalize.chosen.connect(self._on_normalize_chosen)
        self.findings.wanted.connect(self._on_finding_wanted)

    def _on_finding_wanted(self, kind: int, place: int) -> None:
        self.set_kind(kind)
        if place < len(self.editor.rows):
            self.editor.rows[place].set_open(True)
            self.editor.rows[place].setFocus()

    def _on_catalog_changed(self) -> None:
        self.editor.set_ops(self._session.catalog.ops)

    def _on_draft_changed(self) -> None:
        draft = self._session.draft
        if draft is None or not draft.views:
            return
        if self._kind >= len(draft.views):
            self._kind = len(draft.views) - 1
            self.kind_changed.emit(self._kind)
        view = draft.views[self._kind]
        self.kinds.set_views(draft.views, self._kind)
        values = {"name": view.name, "role": view.role, "count": view.count, "size": view.size}
        self.size_form.set_defaults({"size": draft.data.size})
        self.size_form.set_values(values)
        self.more_form.set_values(values)
        self.editor.set_chain(view.chain)
        self.normalize.set_value(draft.data.normalize)
        self._show_advice()

    def _show_advice(self) -> None:
        draft = self._session.draft
        found = edits.advice(draft, self._session.catalog, self._kind) if draft else ()
        if [(banner.title, banner.text) for banner in self._banners] == [(one.title, one.text) for one in found]:
            return
        for banner in self._banners:
            self._advice.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self._banners = [Banner("watch", one.title, one.text) for one in found]
        for banner in self._banners:
            self._advice.addWidget(banner)

    def _on_view_edited(self, name: str, value: Any, merge: str) -> None:
        draft, view = self._session.draft, self._view()
        if draft and view and (name != "name" or str(value).strip()):
            changed = replace(view, **{name: value})
            self._session.edit(edits.with_view(draft, self._kind, changed), f"{view.name}: {name}", merge=merge)

    def _on_chain_changed(self, chain: tuple[OpSpec, ...], what: str, merge: str) -> None:
        draft, view = self._session.draft, self._view()
        if draft and view:
            changed = edits.with_view(draft, self._kind, replace(view, chain=chain))
            self._session.edit(changed, what, merge=merge and f"{self._kind}:{merge}")

    def _on_kind_added(self) -> None:
        draft = self._session.draft
        if draft:
            self._session.edit(edits.with_kind_added(draft, self._kind), "Add a kind of view")
            self.set_kind(len(draft.views))

    def _on_kind_removed(self) -> None:
        draft = self._session.draft
        if draft and len(draft.views) > 1:
            self._session.edit(edits.without_kind(draft, self._kind), f"Remove {draft.views[self._kind].name}")

    def _on_normalize_chosen(self, value: str) -> None:
        draft = self._session.draft
        if draft:
            data = replace(draft.data, normalize=value)
            self._session.edit(replace(draft, data=data), "Normalize")
