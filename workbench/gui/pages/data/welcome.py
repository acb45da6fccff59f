"""What the Data page shows before there is a folder: how to get one."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from workbench.gui import icons, words
from workbench.gui.session import Opening, Session
from workbench.gui.widgets.empty import EmptyState

_MOST_SHOWN = 5


class Welcome(EmptyState):
    """Drop, open, sample, recent."""

    open_wanted = Signal()
    sample_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(
            "images",
            "Drop a folder of images here",
            "Photos, X-rays, microscopy, satellite tiles: anything in files. Labels are not needed; sub-folders and "
            "a table beside the images are found where they are there.",
            "Open folder…",
            lambda: self.open_wanted.emit(),
            parent,
        )
        self._session = session
        self.sample_button = QPushButton("Try the sample images")
        icons.lead(self.sample_button, "sample")
        self.sample_button.setToolTip("Paints 3,000 small pictures whose shapes, colors and textures are known")
        self.sample_button.clicked.connect(self.sample_wanted)
        self.buttons.addWidget(self.sample_button)
        self._painting = QLabel()
        self._painting.setProperty("role", "caption")
        self._painting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._painting.hide()
        self.content.addWidget(self._painting)
        self._recent = QFrame()
        self._recent.setFixedWidth(480)
        self._rows = QVBoxLayout(self._recent)
        self._rows.setContentsMargins(0, 24, 0, 0)
        self._rows.setSpacing(0)
        self.content.addWidget(self._recent, 0, Qt.AlignmentFlag.AlignHCenter)
        session.settings.recent_changed.connect(self._show_recent)
        self._show_recent()

    def show_painting(self, text: str) -> None:
        """How far the sample is; "" when nothing is painted."""
        self._painting.setText(text)
        self._painting.setVisible(bool(text))
        self.sample_button.setEnabled(not text)

    def _show_recent(self) -> None:
        while item := self._rows.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        folders = self._session.settings.recent[:_MOST_SHOWN]
        self._recent.setVisible(bool(folders))
        heading = QLabel("Recent folders")
        heading.setProperty("role", "heading")
        self._rows.addWidget(heading)
        for folder in folders:
            self._rows.addWidget(self._row(folder))

    def _row(self, folder: Path) -> QWidget:
        button = QPushButton(folder.name or str(folder))
        button.setProperty("kind", "link")
        button.setToolTip(str(folder))
        button.clicked.connect(lambda: self._session.open_folder(folder))
        place = QLabel(_short(str(folder.parent)))
        place.setProperty("role", "caption")
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(button)
        row.addStretch(1)
        row.addWidget(place)
        return holder


class Reading(EmptyState):
    """A folder is being read."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("data", "Reading", "", "Cancel", session.opening_cancelled.emit, parent)
        self.button.setProperty("kind", "plain")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(320)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName("Reading the folder")
        self.content.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_opening(self, opening: Opening) -> None:
        """How far it is."""
        counted = f"{opening.done:,} of {opening.total:,}" if opening.total else words.counted(opening.done, "file")
        text = f"{opening.what}: {counted}" if opening.done else f"{opening.what} …"
        self.set_words(f"Reading {opening.folder.name}", text, "Cancel")
        self._bar.setRange(0, opening.total)
        self._bar.setValue(opening.done)


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else "…" + text[-most + 1 :]
