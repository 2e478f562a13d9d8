"""One line to type into: what is typed or pasted is made safe for the screen, and the cursor does not blink."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from memscope.base.text import clean_line
from memscope.tui.keys import key

_LOOKED_AT = 5000  # entries of a folder


class CleanInput(Input):
    """An input of one line without a border. Enter submits; every other key edits."""

    DEFAULT_CSS = """
    CleanInput, CleanInput:focus {
        height: 1; border: none; padding: 0 1; background: $surface; color: $foreground;
    }
    CleanInput:focus { background: $surface-lighten-1; }
    """

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        suggester: Suggester | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(clean_line(value), placeholder, suggester=suggester, id=id)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        return clean_line(value)


class LineInput(CleanInput):
    """One in a dialog: Enter is the screen's `deeper`."""

    BINDINGS: ClassVar[list[BindingType]] = [key("dialog.take", "enter", "screen.deeper", "OK", "Take it")]


class FileNames(Suggester):
    """The rest of a path that is being typed; → takes it. Names that are not safe to show are not offered."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value)


def completed(value: str) -> str | None:
    """`value` with the name that it begins written out, a folder's with a slash; None where there is none."""
    head, _, start = value.rpartition("/")
    if not value:
        return None
    folder = expanded(f"{head}/") if "/" in value else Path()
    try:
        with os.scandir(folder) as entries:
            looked = (entry for _, entry in zip(range(_LOOKED_AT), entries, strict=False))
            names = sorted(
                (entry.name + ("/" if entry.is_dir() else ""))
                for entry in looked
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            )
    except (OSError, ValueError):
        return None
    found = next((name for name in names if clean_line(name) == name and name != start), None)
    return None if found is None else value[: len(value) - len(start)] + found


def expanded(text: str) -> Path:
    """The path a person typed, `~` written out; one that is nobody's home is left as it is."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        return path
