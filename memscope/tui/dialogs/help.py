"""Help for what has the focus: the keys that act there now, what it is, and what the numbers cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from textual.app import App
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean
from memscope.tui.dialogs.dialog import Dialog
from memscope.tui.keys import GLOBAL, MOVES
from memscope.tui.widgets.reading import Reading

LIMIT = (
    "An effect measures support for this wording under this engine, not what the model would otherwise have done. "
    "A memory that an earlier response repeated is explained away by that response. The embedded engine sees shared "
    "words, not meaning: a memory that a response disobeys counts as support where they share words."
)

_HERE, _PANE, _EVERYWHERE, _MOVING = "Keys here", "Keys of this pane", "Keys everywhere", "Moving"
_SHARED = dict.fromkeys((b.id for b in GLOBAL), _EVERYWHERE) | dict.fromkeys((b.id for b in MOVES), _MOVING)
_PANES = "pane."


@dataclass
class KeyHelp:
    """What one thing is done with: its keys as they are set now, and what it does."""

    group: str
    keys: list[str]
    tip: str


class Help(Dialog[None]):
    """`words` say what the focused thing and its pane are, a paragraph each; `bindings` are those that act there."""

    def __init__(self, title: str, words: str, bindings: Mapping[str, ActiveBinding]) -> None:
        super().__init__(f"Help: {title}" if title else "Help", classes="-whole")
        self._words = words
        self._active = bindings

    def body(self) -> Iterable[Widget]:
        found = key_help(self.app, self._active)
        width = max((cell_len(" ".join(line.keys)) for line in found), default=0)
        texts: list[Content] = []
        if self._words:
            texts.append(Content("\n").join([_heading("What is shown"), Content(clean(self._words))]))
        for group in (_HERE, _PANE, _EVERYWHERE, _MOVING):
            lines = [line for line in found if line.group == group]
            if lines:
                texts.append(Content("\n").join([_heading(group), *(_line(line, width) for line in lines)]))
        texts.append(Content("Tab goes to the next part of the screen, shift+tab to the one before. A click does too."))
        texts.append(Content("\n").join([_heading("What the numbers cannot say"), Content(LIMIT)]))
        yield Reading(Static(Content("\n\n").join(texts)))

    def on_mount(self) -> None:
        self.query_one(Reading).focus()


def key_help(app: App[object], bindings: Mapping[str, ActiveBinding]) -> list[KeyHelp]:
    """One entry for each thing that can be done, in the order of the bindings, with all of its keys."""
    found: dict[str, KeyHelp] = {}
    for active in bindings.values():
        binding = active.binding
        if not binding.id:
            continue  # the toolkit's own, for things that are done by other keys here
        is_pane = (binding.id or "").startswith(_PANES)
        shown = app.get_key_display(binding)
        entry = found.setdefault(_PANES if is_pane else binding.action, KeyHelp(_group(active), [], _tip(binding)))
        if shown not in entry.keys:
            entry.keys.append(shown)
        if is_pane:
            entry.tip = "The panes"
    return list(found.values())


def _group(active: ActiveBinding) -> str:
    if group := _SHARED.get(active.binding.id):
        return group
    return _PANE if isinstance(active.node, Screen) else _HERE


def _tip(binding: Binding) -> str:
    return clean(binding.tooltip or binding.description)


def _heading(words: str) -> Content:
    return Content.styled(words, "bold $text-primary")


def _line(line: KeyHelp, width: int) -> Content:
    keys = " ".join(line.keys)
    pad = " " * (width - cell_len(keys) + 2)
    return Content.assemble("  ", (keys, "bold"), pad, line.tip)
