"""How an effect looks: its colour by level, and the signs that say the same where colours cannot be told apart.

The colours are of the 256-colour table on every terminal that has it, truecolor ones too: Rich's own way down from
truecolor neither keeps levels apart nor in order, and an index costs half the bytes of a triplet on a slow link. Each
table is monotone in lightness, and keeps its levels apart under the common kinds of colour blindness.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from rich.color import Color
from rich.style import Style

from memscope.reports.scale import LEVELS

if TYPE_CHECKING:
    from textual.app import App

Depth = Literal["256", "16", "none"]
"""How many colours there are: at least 256, the 16 of the terminal's own theme, or none that are wanted."""

# For levels 1 to LEVELS, at both ends of 0: blue-black-orange on dark, PuOr on light; cividis one-sided, on light from
# its other end. All of them stay as they are when Rich brings them down from truecolor.
DIVERGING_DARK = ((17, 25, 32, 75, 117), (52, 130, 172, 214, 222))
DIVERGING_LIGHT = ((189, 146, 97, 54, 17), (223, 215, 172, 130, 88))
SEQUENTIAL_DARK = (18, 60, 245, 143, 220)
SEQUENTIAL_LIGHT = (220, 143, 245, 60, 18)

BLACK, WHITE = 16, 231  # of the 256 colours: those of the first 16 are whatever a person's theme makes of them
_LIGHT_ENOUGH = 0.2  # relative luminance from which on black is easier to read than white


@dataclass(frozen=True, slots=True)
class Signs:
    """What numbers are drawn with where colour does not say it. `ramp`: levels 1 to LEVELS; `steps`: finer, for
    totals; `heights`: for columns beside each other, which noise must not be taken for; `bar` and `against`: what bars
    above and below 0 are filled with; `below`: a column below 0; `here`: before the label of the cursor's row."""

    ramp: str
    steps: str
    heights: str
    bar: str
    against: str
    below: str
    pending: str
    failed: str
    noise: str
    before: str
    unknown: str
    here: str

    @property
    def all(self) -> str:
        """Every sign, the ramps included."""
        return "".join(getattr(self, field.name) for field in fields(self))


_EIGHTHS = "▁▂▃▄▅▆▇█"
SIGNS = Signs(
    "▂▃▅▆█",
    _EIGHTHS,
    _EIGHTHS,
    bar="█",
    against="▒",
    below="v",
    pending="…",
    failed="×",
    noise="·",
    before="╱",
    unknown="?",
    here="▸",
)
PLAIN_SIGNS = Signs(
    ":=*#@",  # of the ramp ` .:-=+*#%@` those that are no sign of something else
    ".:-=+*#%@",
    "123456789",
    bar="=",
    against="-",
    below="v",
    pending="~",
    failed="x",
    noise=".",
    before="/",
    unknown="?",
    here=">",
)


def signs_for(*, plain: bool) -> Signs:
    """The signs to draw with; `plain`: none but ASCII."""
    return PLAIN_SIGNS if plain else SIGNS


@dataclass(frozen=True, slots=True)
class Palette:
    """`styles`: of the levels -LEVELS to LEVELS. `painted`: they set a background, and tell size by themselves;
    otherwise a cell needs `ramp`."""

    styles: tuple[Style, ...]
    painted: bool
    signed: bool
    signs: Signs

    def style(self, level: int) -> Style:
        """The style of a level, -LEVELS to LEVELS."""
        return self.styles[level + LEVELS]

    def ramp(self, level: int) -> str:
        """The size of a level as one character; level 0 is blank."""
        return self.signs.ramp[abs(level) - 1] if level else " "


def palette(depth: Depth, *, dark: bool = True, signed: bool = True, plain: bool = False) -> Palette:
    """The colours and signs for a terminal. `signed`: both sides of 0 are shown; `plain`: with no sign but ASCII."""
    if depth == "256":
        if signed:
            below, above = DIVERGING_DARK if dark else DIVERGING_LIGHT
        else:
            below = above = SEQUENTIAL_DARK if dark else SEQUENTIAL_LIGHT
        styles = (*map(_on, reversed(below)), Style(), *map(_on, above))
    elif depth == "16":
        minus, plus = ("bright_cyan", "bright_yellow") if dark else ("blue", "red")
        side = [Style(color=minus, bold=level >= 3) for level in range(LEVELS, 0, -1)]
        styles = (*side, Style(), *(Style(color=plus, bold=level >= 3) for level in range(1, LEVELS + 1)))
    else:
        side = [Style(bold=level >= 3) for level in range(LEVELS, 0, -1)]
        styles = (*side, Style(), *reversed(side))
    return Palette(styles, depth == "256", signed, signs_for(plain=plain))


def palette_for(app: App[Any], *, signed: bool = True, plain: bool = False) -> Palette:
    """The colours and signs for the terminal and the theme an app runs with."""
    return palette(depth(app), dark=app.current_theme.dark, signed=signed, plain=plain)


def depth(app: App[Any]) -> Depth:
    """How many colours an app may use."""
    if app.no_color or app.console.color_system is None:
        return "none"
    return "256" if app.console.color_system in ("256", "truecolor") else "16"


def _on(number: int) -> Style:
    """Text on one of the 256 colours."""
    colour = Color.from_ansi(number)
    return Style(color=Color.from_ansi(BLACK if luminance(colour) > _LIGHT_ENOUGH else WHITE), bgcolor=colour)


def luminance(colour: Color) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = [part / 255 for part in colour.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
