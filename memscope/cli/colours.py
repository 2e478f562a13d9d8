"""How an effect is coloured in a terminal: brighter as the wording becomes 10 and 1,000 times likelier, red if less."""

from __future__ import annotations

from math import log

from rich.style import Style

TEN_TIMES = log(10)


def effect_style(effect: float, *, underline: bool = False) -> Style:
    """The style of an effect in nats; `underline` where colour alone would carry it."""
    tens = abs(effect) / TEN_TIMES
    return Style(color="yellow" if effect > 0 else "red", bold=tens >= 3, dim=tens < 1, underline=underline)
