from dataclasses import asdict
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench.gui import icons, theme
from workbench.gui.widgets.heat_map import mixed
from workbench.spec import places

TEXTS = ("text", "secondary", "accent", "good", "watch", "bad")
SURFACES = ("background", "card", "hover", "field")
TINTED = (
    ("good", "good_tint"), ("watch", "watch_tint"), ("bad", "bad_tint"), ("accent", "accent_tint"),
    ("text", "accent_tint"), ("text", "good_tint"), ("text", "watch_tint"), ("text", "bad_tint"),
    ("secondary", "chip"), ("secondary", "track"), ("on_accent", "accent"), ("on_accent", "accent_hover"),
)  # fmt: skip
ICONS = sorted(path.stem for path in (places.bundled("resources") / "icons").glob("*.svg"))


def test_contrast_is_that_of_wcag() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the well-known gray that just fails


@pytest.mark.parametrize("tokens", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_surface(tokens: theme.Tokens) -> None:
    colors = asdict(tokens)
    pairs = [*product(TEXTS, SURFACES), *TINTED]
    poor = {pair: theme.contrast(colors[pair[0]], colors[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in poor.items() if value < 4.5} == {}


@pytest.mark.parametrize("tokens", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_the_style_sheet_is_complete_and_its_pictures_exist(tokens: theme.Tokens) -> None:
    sheet = theme.style_sheet(tokens)
    assert "$" not in sheet
    pictures = [part.split('"')[0] for part in sheet.split('url("')[1:]]
    assert pictures
    assert all(Path(picture).is_file() for picture in pictures)


def test_mode_changes_the_whole_application(qtbot: QtBot, qapp: QApplication) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_mode("dark")
    assert theme.tokens().dark
    assert qapp.palette().window().color() == QColor(theme.DARK.background)
    theme.set_mode("light")
    assert qapp.palette().window().color() == QColor(theme.LIGHT.background)


def test_classes_differ_and_repeat_never_before_thirty() -> None:
    names = [theme.class_color(number).name() for number in range(30)]
    assert len(set(names)) == 30


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_draws_something(qapp: QApplication, name: str) -> None:
    image = icons.pixmap(name, 24, "#ff0000").toImage()
    drawn = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 128]
    assert len(drawn) > 8


def test_inter_stands_in_only_where_the_system_has_no_font_of_its_own(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_inter = "Inter" in QFontDatabase.families()
    monkeypatch.setattr(QFontDatabase, "systemFont", lambda _kind: QFont("DejaVu Sans"))
    falls_back = QFontInfo(QFont("DejaVu Sans")).family() == "DejaVu Sans"
    assert (theme._font().family() == "Inter") == (has_inter and falls_back)
    monkeypatch.setattr(QFontDatabase, "systemFont", lambda _kind: QFont("DejaVu Serif"))
    assert theme._font().family() == "DejaVu Serif"
    assert theme._font().pixelSize() == theme.BODY_PX


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_on_shades_of_the_accent_can_be_read(mode: theme.Mode) -> None:
    theme.set_mode(mode)
    ground, accent = QColor(theme.tokens().background), QColor(theme.tokens().accent)
    for tenths in range(11):
        shade = mixed(ground, accent, tenths / 10)
        assert theme.contrast(theme.ink_on(shade).name(), shade.name()) > 3.5
