"""What the views do to the user's own images, measured while nobody edits, with a way out of whatever is odd."""

from collections.abc import Callable

from msgspec.structs import replace
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.engine.messages import Arrays, MeasureViews, ViewFactsReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine, Job
from workbench.gui.pages.views import edits
from workbench.gui.session import Session
from workbench.gui.theme import Level
from workbench.gui.widgets.banner import Banner
from workbench.gui.widgets.card import Card
from workbench.gui.widgets.overlap_bars import OverlapBars
from workbench.gui.widgets.table import FactTable
from workbench.spec.experiment import Experiment
from workbench.spec.viewfacts import ViewFacts, ViewFinding

_PAUSE_MS = 600
_IMAGES = 384
_LARGEST_PIXELS = 40_000_000
_LEVELS: dict[str, Level] = {"warning": "watch", "note": "note"}


class Findings(QWidget):
    """Asks the engine when edits have paused, and never shows what was measured for other views.

    `wanted(kind, place)`: a finding was clicked, about an op or a kind of view.
    """

    wanted = Signal(int, int)

    def __init__(self, session: Session, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._active = False
        self._asked: MeasureViews | None = None
        self._job: Job | None = None
        self.facts: ViewFacts | None = None
        self._banners: list[Banner] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.overlap = OverlapBars()
        self.table = FactTable()
        self._told = QLabel()
        self._told.setProperty("role", "caption")
        self._told.setWordWrap(True)
        self.card = Card("Measured on your images")
        self._overlap_title = QLabel("area that two views of an image share")
        self._overlap_title.setProperty("role", "caption")
        self._overlap_title.setWordWrap(True)
        self.card.content.addWidget(self._overlap_title)
        self.card.content.addWidget(self.overlap)
        self.card.content.addWidget(self.table)
        self.card.content.addWidget(self._told)
        self._column.addWidget(self.card)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        session.draft_changed.connect(self._on_draft_changed)
        session.scan_changed.connect(self._on_draft_changed)
        self._show()

    @property
    def banners(self) -> tuple[Banner, ...]:
        """What is said, worst first."""
        return tuple(self._banners)

    def set_active(self, active: bool) -> None:
        """Whether anybody looks; nothing is measured otherwise."""
        self._active = active
        if active:
            self._on_draft_changed()

    def _on_draft_changed(self) -> None:
        request = self._request()
        if request is None:
            self._forget()
        elif request != self._asked:
            if self._job is not None:
                self._job.cancel()
            self._asked = None
            self._say("measuring when you pause …" if self.facts else "measuring …")
            self.card.setEnabled(self.facts is None)
            if self._active:
                self._pause.start()

    def _request(self) -> MeasureViews | None:
        draft, scan = self._session.draft, self._session.scan
        if draft is None or scan is None or not scan.count:
            return None
        count = max(16, min(_IMAGES, _LARGEST_PIXELS // draft.data.size**2))
        rows = edits.shown_rows(scan, draft.data, count, 0)
        if not rows:
            return None
        return MeasureViews(
            data=replace(draft.data, folder=scan.folder),
            views=draft.views,
            paths=tuple(scan.paths[row] for row in rows),
            seed=draft.seed,
            classes=tuple(scan.classes[row] for row in rows) if scan.classes else (),
        )

    def _ask(self) -> None:
        request = self._request()
        if request is None or not self._active:
            return
        self._asked = request
        self._say("measuring …")
        self._job = self._engine.ask(
            request,
            done=lambda reply, arrays: self._on_done(request, reply, arrays),
            failed=lambda failure: self._on_failed(request, failure),
            topic="measure views",
        )

    def _on_done(self, request: MeasureViews, reply: ViewFactsReply, arrays: Arrays) -> None:
        del arrays
        if request == self._asked:
            self._job = None
            self.facts = reply.facts
            self._show()

    def _on_failed(self, request: MeasureViews, failure: Failed) -> None:
        if request != self._asked:
            return
        self._job = None
        if failure.reason == "error":
            self._forget()
            self._say(f"could not be measured: {failure.message}")
            self.card.show()

    def _forget(self) -> None:
        self.facts = self._asked = None
        self._pause.stop()
        self._show()

    def _say(self, text: str) -> None:
        self._told.setText(text)
        self._told.setVisible(bool(text))

    def _show(self) -> None:
        facts = self.facts
        for banner in self._banners:
            self._column.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self._banners = []
        self.card.setEnabled(True)
        self.card.setVisible(facts is not None or self._asked is not None)
        if facts is None:
            return
        for number, found in enumerate(sorted(facts.findings, key=lambda found: found.level == "note")):
            self._banners.append(self._banner(found))
            self._column.insertWidget(number, self._banners[-1])
        compared = facts.apart >= 0
        self.overlap.setVisible(compared)
        self._overlap_title.setVisible(compared)
        self.overlap.set_shares(facts.overlap)
        rows = _rows(facts)
        self.table.set_rows([(name, value, "") for name, value, _ in rows])
        for number, (_, _, tip) in enumerate(rows):
            self.table.set_tip(number, tip)
        self.card.set_title(f"Measured on {facts.images} images")
        self._say("" if facts.findings else "Nothing odd was found.")

    def _banner(self, found: ViewFinding) -> Banner:
        banner = Banner(_LEVELS[found.level], found.title, found.text)
        if found.fix:
            self._button(banner, found.fix, lambda: self._apply(found))
        if found.place >= 0:
            self._button(banner, "Show the op", lambda: self.wanted.emit(found.kind, found.place))
        banner.action_row.addStretch(1)
        return banner

    def _button(self, banner: Banner, title: str, press: Callable[[], None]) -> None:
        button = QPushButton(title)
        button.setProperty("kind", "link")
        button.clicked.connect(press)
        banner.action_row.addWidget(button)

    def _apply(self, found: ViewFinding) -> None:
        draft = self._session.draft
        if draft is not None and self._asked is not None and _same(draft, self._asked):
            self._session.edit(replace(draft, views=found.views), found.fix)


def _same(draft: Experiment, asked: MeasureViews) -> bool:
    """Whether the finding is about the views as they are now."""
    return edits.same_views(draft.views, asked.views)


def _rows(facts: ViewFacts) -> list[tuple[str, str, str]]:
    """Figures for the table: name, value, what it means."""
    rows = []
    if facts.apart >= 0:
        chance = f"How often it would be found by guessing: {100 * facts.chance:.1f} %."
        rows += [
            ("pairs share little", _percent(facts.apart), "Pairs of views that share less than a tenth of the area."),
            (
                "pair found by pixels",
                _percent(facts.by_pixels),
                f"The other view of an image is the nearest of all by coarse pixels. {chance}",
            ),
            (
                "pair found by colors",
                _percent(facts.by_colors),
                f"The other view of an image is the nearest of all by color histogram. {chance}",
            ),
        ]
    rows += [
        ("values clipped", _percent(facts.clipped), "Values at black or white that were not so in the image."),
        ("outside the image", _percent(facts.outside), "Share of the views that shows nothing."),
    ]
    for factor in facts.factors:
        tip = f"How often “{factor.column}” is told by pixels or colors: of originals, and of views; guessing: "
        value = f"{100 * factor.originals:.0f} → {100 * factor.views:.0f} %"
        rows.append((f"{factor.column} read from pixels", value, f"{tip}{100 * factor.guessing:.0f} %."))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"
