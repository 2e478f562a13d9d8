"""Levels that can be told apart and read in order, in colour and without."""

from __future__ import annotations

from itertools import pairwise

import pytest
from rich.color import Color, ColorSystem
from textual.app import App

from memscope.reports.scale import LEVELS
from memscope.tui.colours import (
    DIVERGING_DARK,
    DIVERGING_LIGHT,
    PLAIN_SIGNS,
    SEQUENTIAL_DARK,
    SEQUENTIAL_LIGHT,
    SIGNS,
    Depth,
    depth,
    luminance,
    palette,
    palette_for,
)

TABLES = {
    "diverging dark, below": (DIVERGING_DARK[0], 1),
    "diverging dark, above": (DIVERGING_DARK[1], 1),
    "diverging light, below": (DIVERGING_LIGHT[0], -1),
    "diverging light, above": (DIVERGING_LIGHT[1], -1),
    "sequential dark": (SEQUENTIAL_DARK, 1),
    "sequential light": (SEQUENTIAL_LIGHT, -1),
}


@pytest.mark.parametrize("table, lighter", TABLES.values(), ids=TABLES)
def test_a_table_goes_steadily_away_from_the_background(table: tuple[int, ...], lighter: int) -> None:
    shades = [luminance(Color.from_ansi(number)) * lighter for number in table]

    assert len(table) == LEVELS
    assert shades == sorted(shades)
    assert min(b - a for a, b in pairwise(shades)) > 0.008


@pytest.mark.parametrize("table, _", TABLES.values(), ids=TABLES)
def test_a_table_survives_the_way_down_from_truecolor(table: tuple[int, ...], _: int) -> None:
    down = [
        Color.from_triplet(Color.from_ansi(number).get_truecolor()).downgrade(ColorSystem.EIGHT_BIT).number
        for number in table
    ]

    assert down == list(table)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_painted_levels_have_grounds_of_their_own_and_text_that_can_be_read(dark: bool, signed: bool) -> None:
    colours = palette("256", dark=dark, signed=signed)
    levels = [level for level in range(-LEVELS if signed else 1, LEVELS + 1) if level]

    assert colours.painted
    assert colours.style(0).bgcolor is None
    assert len({colours.style(level).bgcolor for level in levels}) == len(levels)
    for level in levels:
        ground, text = colours.style(level).bgcolor, colours.style(level).color
        assert ground is not None
        assert text is not None
        shades = sorted((luminance(ground), luminance(text)))
        assert (shades[1] + 0.05) / (shades[0] + 0.05) > 4.5  # the contrast WCAG asks for


@pytest.mark.parametrize("few", ["16", "none"])
def test_with_few_colours_a_ramp_tells_the_size(few: Depth) -> None:
    colours = palette(few)

    assert not colours.painted
    assert all(style.bgcolor is None for style in colours.styles)
    assert [colours.ramp(level) for level in range(1, LEVELS + 1)] == [*SIGNS.ramp]
    assert colours.ramp(-3) == colours.ramp(3)
    assert colours.ramp(0) == " "


def test_without_colours_there_are_none() -> None:
    assert all(style.color is None for style in palette("none").styles)


@pytest.mark.parametrize("signs", [SIGNS, PLAIN_SIGNS], ids=["auto", "ascii"])
def test_no_sign_means_two_things(signs: object) -> None:
    found = SIGNS if signs is SIGNS else PLAIN_SIGNS
    special = [found.pending, found.failed, found.noise, found.before, found.unknown]

    assert len({*special, *found.ramp, "+", "-"}) == len(special) + len(found.ramp) + 2


def test_plain_signs_are_ascii() -> None:
    assert PLAIN_SIGNS.all.isascii()
    assert PLAIN_SIGNS.here.isascii()


async def test_the_terminal_says_how_many_colours_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    app: App[None] = App()
    found = {}
    for system in ("truecolor", "256", "standard"):
        app.console._color_system = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT}.get(
            system, ColorSystem.STANDARD
        )
        found[system] = depth(app)
    app.console._color_system = None
    found["without"] = depth(app)

    assert found == {"truecolor": "256", "256": "256", "standard": "16", "without": "none"}


async def test_no_color_is_obeyed_and_the_theme_decides_between_dark_and_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert palette_for(App()).painted is False

    monkeypatch.delenv("NO_COLOR")
    app: App[None] = App()
    app.console._color_system = ColorSystem.TRUECOLOR
    async with app.run_test():
        app.theme = "textual-light"
        assert palette_for(app) == palette("256", dark=False)
        app.theme = "textual-dark"
        assert palette_for(app) == palette("256", dark=True)
