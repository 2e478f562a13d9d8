"""What can be done from every pane but has no key of its own: opening other things, and opening this one otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from memscope.actions.open import Opening, Sources
from memscope.base.text import counted, preview
from memscope.tui.screens import ACROSS, BATCH, START

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp

_SOURCES = {
    "memories": "Score the memories that were found, and nothing else",
    "tools": "Score each tool result as a memory too",
    "turns": "Score each turn of the user as a memory too",
}


class Doable(NamedTuple):
    """A command of the palette: its name, what it does, and doing it."""

    name: str
    tip: str
    do: Callable[[], Any]


def commands(console: MemscopeApp) -> Iterator[Doable]:
    """What can be done now."""
    yield Doable("Conversations", "The list of conversations to open", partial(console.go, START))
    yield Doable("Open a file", "Open a transcript by its path", partial(ask_path, console))
    tip = "What each memory did in all conversations that were scored"
    yield Doable("Memories across conversations", tip, partial(console.go, ACROSS))
    yield from _batch(console)
    space = console.workspace
    conversation = space.conversation
    if space.opened is None or conversation is None:
        return
    if conversation.items > 1:
        yield Doable("Next conversation", "The next conversation of the file", partial(step_item, console, 1))
        yield Doable("Previous conversation", "The conversation before it", partial(step_item, console, -1))
    if conversation.memories:
        yield from _what_if(console)
    tip = "The memories that stand in for each other, and what dropping one would save"
    yield Doable("Redundant pairs", tip, partial(_show_pairs, console))
    yield Doable("Add memory files", "Put memory files into the system message", partial(ask_memories, console))
    for sources in get_args(Sources):
        if sources != space.opened.opening.sources:
            yield Doable(f"Sources: {sources}", _SOURCES[sources], partial(space.reload, sources=sources))
    yield Doable("Read again", "Read the file again, as it is now", space.reload)


def _batch(console: MemscopeApp) -> Iterator[Doable]:
    batches = console.batches
    if left := batches.unfinished:
        tip = "Go on with the sessions that were to be scored one after another; what was scored is on disk"
        yield Doable(f"Resume the batch of {counted(left, 'session')}", tip, partial(_resume_batch, console))
    yield Doable("Batch", "The sessions that are scored one after another", partial(console.go, BATCH))


def _resume_batch(console: MemscopeApp) -> None:
    console.batches.resume()
    console.go(BATCH)


def _what_if(console: MemscopeApp) -> Iterator[Doable]:
    from memscope.tui.whatif import RUN, show_what_if, toggle_memory

    if console.pane is not None and RUN in console.pane.BINDINGS:
        return  # keys do the same there
    key = console.workspace.memory
    if key is not None:
        off = key in console.what_ifs.toggled
        tip = f"Leave {preview(key)} out of the next what-if" if not off else f"Leave {preview(key)} in again"
        yield Doable("Toggle off" if not off else "Toggle on", tip, partial(toggle_memory, console, key))
    tip = "Score the others again without the memories that are toggled off, or the one under the cursor"
    yield Doable("What-if", tip, partial(show_what_if, console, key))


def ask_path(console: MemscopeApp) -> None:
    """Asks for a transcript and opens it."""
    _ask(console, "Open a transcript", "", lambda path: console.open(Opening(path)))


def ask_memories(console: MemscopeApp) -> None:
    """Asks for a memory file, or a folder of them, and opens the conversation with it."""
    opened = console.workspace.opened
    if opened is not None:
        given = opened.opening.memories
        _ask(
            console,
            "Memory files to put into the system message: a file or a folder",
            "CLAUDE.md, AGENTS.md, memory/*.md, MEMORY.md",
            lambda path: console.workspace.reload(memories=(*given, path)),
        )


def step_item(console: MemscopeApp, by: int) -> None:
    """The conversation after or before this one in its file."""
    conversation = console.workspace.conversation
    source = conversation.source if conversation is not None else None
    if conversation is None or source is None or not 0 <= source.item + by < conversation.items:
        console.say("there is no other conversation on that side")
    else:
        console.workspace.reload(item=source.item + by, window=None)


def _show_pairs(console: MemscopeApp) -> None:
    from memscope.tui.dialogs.pairs import show_pairs

    show_pairs(console)


def _ask(console: MemscopeApp, title: str, hint: str, take: Callable[[Path], object]) -> None:
    from memscope.tui.dialogs.prompt import Prompt

    def check(text: str) -> str | None:
        path = Path(os.path.expanduser(text.strip()))  # noqa: PTH111 - the ~ of nobody is no error here
        try:
            return None if text.strip() and path.exists() else "there is no such file"
        except (OSError, ValueError):
            return "this cannot be a path"

    def chosen(text: str | None) -> None:
        if text is not None:
            take(Path(os.path.expanduser(text.strip())))  # noqa: PTH111

    console.push_screen(Prompt(title, "", hint, check), chosen)
