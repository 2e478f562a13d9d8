"""Making lines of a message a memory by hand, and taking that back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.base.errors import MemscopeError
from memscope.base.text import preview
from memscope.conversation.marks import Mark, mark_key, refusal

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp
    from memscope.tui.workspace import Workspace


def ask_mark(console: MemscopeApp, message: int, start: int, end: int, done: Callable[[], object]) -> None:
    """Asks for the key of a memory to be made of [start, end) of a message's text, makes it, and calls `done`; or says
    why it cannot be one."""
    from memscope.tui.dialogs.prompt import Prompt

    space = console.workspace
    if space.conversation is None:
        return
    if why := _refusal(space, message, start, end):
        console.say(why, "warning")
        return
    text = space.conversation.messages[message].text[start:end]

    def chosen(name: str | None) -> None:
        if name is None:
            return
        try:
            marked = space.mark(message, start, end, key=name.strip())
        except MemscopeError as error:
            console.tell_error(error)
        else:
            done()
            console.say(f"a memory now: {marked}; u takes it back")

    console.push_screen(
        Prompt(f"A memory from #{message}: its key", mark_key(text), preview(text, 200), _no_key), chosen
    )


def undo_mark(console: MemscopeApp) -> None:
    """Takes back the latest mark on the conversation."""
    try:
        undone = console.workspace.undo()
    except MemscopeError as error:
        console.tell_error(error)
    else:
        console.say(f"undone: the mark {undone}" if undone is not None else "there is nothing to undo here")


def _refusal(space: Workspace, message: int, start: int, end: int) -> str:
    """Why lines cannot be a memory; empty where they can."""
    if space.opened is None or space.kept.database is None:
        return "marks are kept in the store, which is off: start without --no-store"
    why = refusal(space.opened.marked, Mark(message, start, end, ""))
    return f"this cannot be marked: {why}" if why else ""


def _no_key(text: str) -> str | None:
    return None if text.strip() else "a memory needs a key"
