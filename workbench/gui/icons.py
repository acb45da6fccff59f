"""Line icons from resources/icons, in the colors of the theme."""

from functools import lru_cache
from typing import Protocol

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from workbench.gui import theme
from workbench.spec import places

_SIZES = (16, 20, 24, 32)
_LEAD_GAP = 4


class _HasIcon(Protocol):
    def setIcon(self, icon: QIcon, /) -> None: ...


def icon(name: str, tone: str = "text", *, gap: int = 0) -> QIcon:
    """An icon in a token's color ('text', 'secondary', 'accent', 'bad', …), grayed where disabled.

    It keeps the colors of now; `follow` keeps a button's icon right when the theme changes. `gap` pixels at its right
    are left empty.
    """
    made = QIcon()
    tokens = theme.tokens()
    for size in _SIZES:
        for ratio in (1, 2):
            made.addPixmap(pixmap(name, size, getattr(tokens, tone), ratio, gap))
            made.addPixmap(pixmap(name, size, tokens.disabled, ratio, gap), QIcon.Mode.Disabled)
    return made


def lead(button: QAbstractButton, name: str, tone: str = "text") -> None:
    """Puts an icon before a button's words, with more room between them than the style leaves."""
    follow(button, name, tone, gap=_LEAD_GAP)
    button.setIconSize(QSize(_SIZES[0] + _LEAD_GAP, _SIZES[0]))


def follow(target: _HasIcon, name: str, tone: str = "text", *, gap: int = 0) -> None:
    """Gives a button or an action its icon, now and after every change of the theme."""
    target.setIcon(icon(name, tone, gap=gap))
    if isinstance(target, QObject):
        follower = target.findChild(_Follower, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if follower is None:
            follower = _Follower(target, target)
            theme.changed.connect(follower.refresh)
        follower.choose(name, tone, gap)


def pixmap(name: str, size: int, color: str, ratio: float = 1, gap: int = 0) -> QPixmap:
    """An icon as a picture of `size` device-independent pixels, and `gap` empty ones at its right."""
    side = round(size * ratio)
    image = QImage(QSize(side + round(gap * ratio), side), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    draw(painter, name, QRectF(0, 0, side, side), QColor(color))
    painter.end()
    made = QPixmap.fromImage(image)
    made.setDevicePixelRatio(ratio)
    return made


def draw(painter: QPainter, name: str, into: QRectF, color: QColor) -> None:
    """Paints an icon."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color.name()).encode()))
    renderer.render(painter, into)


def application_icon() -> QIcon:
    """The program's own icon."""
    return QIcon(str(places.bundled("resources") / "icons" / "workbench.svg"))


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return (places.bundled("resources") / "icons" / f"{name}.svg").read_text(encoding="utf-8")


class _Follower(QObject):
    """Lives as long as its target, which is its parent."""

    def __init__(self, target: _HasIcon, parent: QObject) -> None:
        super().__init__(parent)
        self._target = target
        self._name, self._tone, self._gap = "", "", 0

    def choose(self, name: str, tone: str, gap: int) -> None:
        """Another icon is to be followed."""
        self._name, self._tone, self._gap = name, tone, gap

    def refresh(self) -> None:
        """The theme has changed."""
        self._target.setIcon(icon(self._name, self._tone, gap=self._gap))
