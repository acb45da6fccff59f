"""The look of the whole application: tokens, one palette and one style sheet, light and dark.

Views ask `tokens()` for colors that they paint themselves, and repaint on `changed`. Widgets are never
styled one by one: a label says what it is (`setProperty("role", "title")`), a button what it does
(`setProperty("kind", "primary")`), and resources/themes/workbench.qss says how that looks.
"""

from dataclasses import asdict, dataclass
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from workbench.spec import places

Mode = Literal["system", "light", "dark"]
Level = Literal["good", "watch", "bad", "note"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Named colors ('#rrggbb'). Text on its surfaces keeps a contrast of at least 4.5:1."""

    dark: bool
    background: str
    card: str
    border: str
    text: str
    secondary: str
    disabled: str
    accent: str
    accent_hover: str
    accent_tint: str
    on_accent: str
    hover: str
    field: str
    chip: str
    track: str
    grid: str
    scroll: str
    good: str
    good_tint: str
    watch: str
    watch_tint: str
    bad: str
    bad_tint: str


LIGHT = Tokens(
    dark=False,
    background="#f5f7f9",
    card="#ffffff",
    border="#dfe4ea",
    text="#1c2127",
    secondary="#59636e",
    disabled="#9aa3ad",
    accent="#2360c8",
    accent_hover="#1b52b0",
    accent_tint="#e7eefb",
    on_accent="#ffffff",
    hover="#eef1f5",
    field="#ffffff",
    chip="#edf0f3",
    track="#e8ecf0",
    grid="#e8ebef",
    scroll="#c5ccd4",
    good="#17743a",
    good_tint="#e6f4ea",
    watch="#8a5a00",
    watch_tint="#fff3d9",
    bad="#c0262d",
    bad_tint="#fdebea",
)

DARK = Tokens(
    dark=True,
    background="#16191d",
    card="#1f2327",
    border="#333a42",
    text="#e7eaee",
    secondary="#9ca6b1",
    disabled="#68727d",
    accent="#7aa7ff",
    accent_hover="#97bbff",
    accent_tint="#22304c",
    on_accent="#0c1830",
    hover="#292e34",
    field="#191c20",
    chip="#2e343b",
    track="#343b43",
    grid="#2c3238",
    scroll="#474f58",
    good="#56c57a",
    good_tint="#1c3325",
    watch="#e3b341",
    watch_tint="#352b12",
    bad="#ff8a80",
    bad_tint="#3b2020",
)

# Okabe and Ito's eight colors, black replaced, with three more that stay apart for color-blind eyes.
_CLASSES = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#56b4e9",
    "#b3a800",
    "#8a5bb0",
    "#97714a",
    "#737b86",
)

TITLE_PX, BODY_PX, CAPTION_PX = 20, 13, 11
_FALLBACKS = ("DejaVu Sans", "Bitstream Vera Sans", "Sans Serif")
"""What a desktop without a font of its own answers with."""


class _Theme(QObject):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.mode: Mode = "system"
        self.tokens = LIGHT


_theme = _Theme()
changed = _theme.changed
"""Emitted after the colors have changed; `tokens()` already gives the new ones."""


def tokens() -> Tokens:
    """The colors of now."""
    return _theme.tokens


def mode() -> Mode:
    """What the user chose."""
    return _theme.mode


def set_mode(chosen: Mode) -> None:
    """Light, dark, or as the system is."""
    _theme.mode = chosen
    app = QApplication.instance()
    if isinstance(app, QApplication):
        _apply(app)


def install(app: QApplication, chosen: Mode = "system") -> None:
    """Dresses the application, and follows the system's color scheme from then on."""
    app.setStyle("Fusion")
    app.setFont(_font())
    app.styleHints().colorSchemeChanged.connect(_on_scheme_changed)
    set_mode(chosen)


def color(name: str) -> QColor:
    """A token as a QColor."""
    return QColor(getattr(_theme.tokens, name))


def level_color(level: Level) -> QColor:
    """The color of a state; a note has the accent's."""
    return color("accent" if level == "note" else level)


def class_color(number: int) -> QColor:
    """The color of class `number` on every page: a color-blind-safe cycle of ten, then lighter and darker ones."""
    base = QColor(_CLASSES[number % len(_CLASSES)])
    lap = number // len(_CLASSES) % 3
    if lap == 0:
        return base
    return base.lighter(135) if lap == 1 else base.darker(140)


def restyle(widget: QWidget) -> None:
    """Reads the style sheet again after a property of `widget` has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def style_sheet(given: Tokens) -> str:
    """The application's style sheet in these colors."""
    folder = places.bundled("resources")
    template = Template((folder / "themes" / "workbench.qss").read_text(encoding="utf-8"))
    values = {name: str(value) for name, value in asdict(given).items()}
    return template.substitute(
        values, images=(folder / "themes").as_posix(), tone="dark" if given.dark else "light",
        title=TITLE_PX, body=BODY_PX, caption=CAPTION_PX,
    )  # fmt: skip


def palette(given: Tokens) -> QPalette:
    """The application's palette in these colors, for what the style sheet leaves to the style."""
    roles = QPalette.ColorRole
    colors = {
        roles.Window: given.background,
        roles.WindowText: given.text,
        roles.Base: given.card,
        roles.AlternateBase: given.hover,
        roles.Text: given.text,
        roles.Button: given.card,
        roles.ButtonText: given.text,
        roles.BrightText: given.bad,
        roles.PlaceholderText: given.secondary,
        roles.Highlight: given.accent,
        roles.HighlightedText: given.on_accent,
        roles.Accent: given.accent,
        roles.Link: given.accent,
        roles.LinkVisited: given.accent,
        roles.ToolTipBase: given.card,
        roles.ToolTipText: given.text,
        roles.Light: given.hover,
        roles.Midlight: given.border,
        roles.Mid: given.border,
        roles.Dark: given.secondary,
        roles.Shadow: given.border,
    }
    made = QPalette()
    for role, value in colors.items():
        made.setColor(role, QColor(value))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(given.disabled))
    return made


def contrast(first: str, second: str) -> float:
    """The contrast of two colors, from 1 to 21 (WCAG 2.1, relative luminance)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(ground: QColor) -> QColor:
    """The ink that reads better on a shade between the background and the accent: that of text, or that on accents."""
    inks = (tokens().text, tokens().on_accent)
    return QColor(max(inks, key=lambda ink: contrast(ink, ground.name())))


def _luminance(value: str) -> float:
    parts = (QColor(value).redF(), QColor(value).greenF(), QColor(value).blueF())
    linear: list[float] = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _font() -> QFont:
    """The system's font; Inter where the system has only what fontconfig falls back on. Figures of one width."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if QFontInfo(font).family() in _FALLBACKS and "Inter" in QFontDatabase.families():
        font.setFamily("Inter")
    font.setPixelSize(BODY_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _on_scheme_changed() -> None:
    app = QApplication.instance()
    if _theme.mode == "system" and isinstance(app, QApplication):
        _apply(app)


def _apply(app: QApplication) -> None:
    dark = _theme.mode == "dark"
    if _theme.mode == "system":
        dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
    chosen = DARK if dark else LIGHT
    if chosen is _theme.tokens and app.styleSheet():
        return
    _theme.tokens = chosen
    app.setPalette(palette(chosen))
    app.setStyleSheet(style_sheet(chosen))
    _theme.changed.emit()
