"""The small picture beside the cursor on the map."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from workbench.gui import theme
from workbench.gui.bridge import Engine
from workbench.gui.widgets.thumbnails import ThumbnailSource

_SIDE = 112


class HoverCard(QFrame):
    """A picture with its name and class, inside its parent, never under the cursor."""

    def __init__(self, engine: Engine, parent: QWidget) -> None:
        super().__init__(parent)
        self._map = parent
        self.setProperty("surface", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._source = ThumbnailSource(engine, self)
        self._source.arrived.connect(self._paint)
        self._folder, self._path = "", ""
        self._picture = QLabel()
        self._picture.setFixedSize(_SIDE, _SIDE)
        self._name = QLabel()
        self._name.setProperty("role", "caption")
        self._class = QLabel()
        self._class.setProperty("role", "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        for part in (self._picture, self._class, self._name):
            column.addWidget(part)
        self.hide()

    @property
    def path(self) -> str:
        """The image that is shown, "" for none."""
        return self._path if self.isVisible() else ""

    def show_image(self, folder: str, path: str, name: str, spot: QPoint) -> None:
        """Shows an image beside a place in the parent."""
        self._folder, self._path = folder, path
        file = path.rsplit("/", 1)[-1]
        elided = self._name.fontMetrics().elidedText(file, Qt.TextElideMode.ElideMiddle, _SIDE)
        self._name.setText(elided)
        self._class.setText(name)
        self._class.setVisible(bool(name))
        self._paint()
        self.adjustSize()
        x, y = spot.x() + 16, spot.y() + 16
        if x + self.width() > self._map.width():
            x = spot.x() - 16 - self.width()
        if y + self.height() > self._map.height():
            y = spot.y() - 16 - self.height()
        self.move(max(0, x), max(0, y))
        self.show()
        self.raise_()

    def _paint(self) -> None:
        side = round(_SIDE * self.devicePixelRatioF())
        image = self._source.get(self._folder, self._path, side)
        if image is None:
            self._source.want(self._folder, [self._path], side)
            skeleton = QPixmap(side, side)
            skeleton.fill(theme.color("chip"))
            self._picture.setPixmap(skeleton)
        else:
            picture = QPixmap.fromImage(image)
            picture.setDevicePixelRatio(self.devicePixelRatioF())
            self._picture.setPixmap(picture)
