"""Whether the method can use the views, and a way out where it cannot."""

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from workbench.gui.pages.views import edits
from workbench.gui.session import Session
from workbench.gui.widgets.banner import Banner
from workbench.spec.catalog import MethodCard
from workbench.spec.errors import NotFoundError
from workbench.spec.experiment import Experiment
from workbench.spec.needs import unmet_need
from workbench.spec.tasks import card_of

_MOST_NAMED = 3


class MethodNeed(QWidget):
    """A banner with two ways out: other views, or another method. Hidden while all is well."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.banner = Banner("bad")
        self.mend = QPushButton()
        self.change = QPushButton("Other method")
        self.change.setToolTip("Go to the Method page.")
        self.banner.action_row.addWidget(self.mend)
        self.banner.action_row.addWidget(self.change)
        self.banner.action_row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.banner)
        self.mend.clicked.connect(self._on_mend)
        self.change.clicked.connect(lambda: session.page_wanted.emit("method"))
        session.draft_changed.connect(self._on_draft_changed)
        session.catalog_changed.connect(self._on_draft_changed)
        self._on_draft_changed()

    def _method(self, draft: Experiment) -> MethodCard | None:
        try:
            return card_of(draft.method, self._session.catalog)
        except NotFoundError:
            return None

    def _on_draft_changed(self) -> None:
        draft = self._session.draft
        method = self._method(draft) if draft else None
        need = unmet_need(draft.views, method) if draft and method else None
        self.setVisible(need is not None)
        if need is None or method is None:
            return
        able = [card.title for card in self._session.catalog.methods if card.local_views][:_MOST_NAMED]
        names = f" ({', '.join(able)})" if need.kind == "local" and able else ""
        self.banner.show_words("bad", need.title, need.text.removesuffix(".") + f"{names}.")
        if need.kind == "local":
            self.mend.setText("Remove them")
            self.mend.setToolTip("Takes all kinds of local view out of the plan.")
        else:
            self.mend.setText(f"Make {method.global_views} views")
            self.mend.setToolTip("Raises the count of the first global kind.")

    def _on_mend(self) -> None:
        draft = self._session.draft
        method = self._method(draft) if draft else None
        need = unmet_need(draft.views, method) if draft and method else None
        if draft is None or method is None or need is None:
            return
        if need.kind == "local":
            self._session.edit(edits.without_local(draft), "Remove local views")
        else:
            self._session.edit(edits.with_global_views(draft, method.global_views), "Make more views")
