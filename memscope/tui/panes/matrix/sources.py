"""What is left out to see what it did: memories alone, or tool results or user turns too; chosen, and changed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memscope.actions.open import Sources

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp

_NAMES: dict[Sources, str] = {"memories": "memories alone", "tools": "tool results too", "turns": "user turns too"}


def use_sources(console: MemscopeApp, kind: Sources) -> None:
    """Reads the conversation again with other sources, and says which key leads back."""
    if console.workspace.reload(sources=kind):
        console.say(_NAMES[kind] + ("; o leads back to memories alone" if kind != "memories" else ""))


def ask_sources(console: MemscopeApp) -> None:
    """Asks what is to be left out."""
    from memscope.actions.nearby import count_sources
    from memscope.tui.dialogs.choice import Choice

    opened = console.workspace.opened
    if opened is None:
        return
    others = count_sources(opened.marked)
    counts: dict[Sources, int] = {
        "memories": len(opened.marked.memories),
        "tools": others.tools,
        "turns": others.turns,
    }
    kinds, now = list(counts), opened.opening.sources

    def chosen(row: int | None) -> None:
        if row is None or kinds[row] == now:
            return
        if kinds[row] != "memories" and not counts[kinds[row]]:
            console.say("there are none of them here")
        else:
            use_sources(console, kinds[row])

    rows = [(_NAMES[kind], str(count)) for kind, count in counts.items()]
    console.push_screen(Choice("What to leave out", rows, chosen=kinds.index(now)), chosen)
