"""What the Lessons pane says of the whole file, why it shows none, and what is wrong with what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len

from memscope.base.cells import middle
from memscope.base.errors import MemscopeError
from memscope.base.files import shown_path
from memscope.base.text import clean_line, counted
from memscope.reports.lessons import due_words, ignored_words
from memscope.tui.widgets.line_input import expanded

if TYPE_CHECKING:
    from memscope.reports.lessons import LessonsDocument

_PLACE = 16  # cells that a path needs to be told from others
_GONE = "it was deleted, or moved away, since it was shown"
_KEYS = "o opens another file; the setting lessons_file (, shows them) names the one to begin with."


def head_words(path: Path, document: LessonsDocument | None, width: int, *, chosen: bool, gone: bool) -> str:
    """Which file it is, and how much is in it, in a line of so many cells; None: it was not read yet. `chosen`: it is
    not the one of the settings; `gone`: it was there before."""
    place = clean_line(shown_path(path))
    told = ["opened with o"] if chosen else []
    if document is not None and document.reason is not None:
        told.append(_GONE if gone else document.reason)
    elif document is not None:
        told += [
            f"{counted(document.total_episodes, 'episode')} of {counted(len(document.tasks), 'task')}",
            counted(len(document.global_rules), "general rule"),
            counted(len(document.mistake_cards), "mistake card"),
        ]
    needed = min(cell_len(place), _PLACE)
    while told and width - _cells_behind(told) < needed:  # the table, or what is said in its place, tells that too
        told.pop()
    return " · ".join([middle(place, width - _cells_behind(told)), *told])


def _cells_behind(told: Sequence[str]) -> int:
    return sum(cell_len(words) + 3 for words in told)


def note_words(document: LessonsDocument | None, trouble: MemscopeError | None, *, waiting: bool) -> str:
    """What is to be done with it, or is wrong, in a line: what matters stands first. `waiting`: there are rules that a
    person has not seen."""
    if trouble is not None:
        before = ", shown is what was before" if document is not None else ""
        return f"unreadable (R){before}: {trouble.what}"
    if document is None:
        return ""
    if document.reason is not None:
        return ignored_words(document)
    conflicts = f"{counted(len(document.conflicts), 'conflict')} (!)" if document.conflicts else ""
    due = f"{due_words(document)}; c" if document.due else due_words(document)
    due = "rules wait; c shows them" if waiting else due
    ignored = sum(document.ignored.values())
    return " · ".join(
        filter(None, [conflicts, due, f"{counted(ignored, 'entry', 'entries')} ignored" if ignored else ""])
    )


def why_empty(path: Path, document: LessonsDocument | None, trouble: MemscopeError | None, *, gone: bool) -> str:
    """Why no row is shown, and which key helps. `gone`: the file was there before."""
    if trouble is not None and document is None:
        return f"{trouble}\nR reads it again; {_KEYS}"
    if document is None or document.reason is None:
        return "The file is being read."
    where = clean_line(shown_path(path))
    if gone:
        return f"{where}: {_GONE}.\na records an episode, which makes it anew; {_KEYS}"
    return f"{where}: {document.reason}.\na records an episode; {_KEYS}"


def no_lessons_file(text: str) -> str | None:
    """Why what was typed can be no file of lessons; None when it can, one that does not exist yet too."""
    if not text.strip():
        return None
    try:
        path = expanded(text.strip())
        if path.is_dir():
            return "this is a folder; add the name of a file"
        return None if path.exists() or path.name else "add the name of a file"
    except (OSError, ValueError):
        return "no file can have this name"


def no_budget(text: str) -> str | None:
    """Why what was typed is no budget; None when it is one."""
    typed = text.strip()
    if not typed:
        return None
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    return None if number else "a number of tokens such as 200, or nothing"
