"""Making lines of a message a memory by hand, and taking that back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.actions import marks as actions
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

        def marked(mark: Mark | None) -> None:
            done()
            console.say(f"a memory now: {mark.key if mark is not None else name}; u takes it back")

        space.decide(
            "marking",
            lambda found, database: actions.add_mark(database, found, message, start, end, key=name.strip()),
            marked,
            console.tell_error,
        )

    console.push_screen(
        Prompt(f"A memory from #{message}: its key", mark_key(text), preview(text, 200), _no_key), chosen
    )


def first_markable(space: Workspace) -> int:
    """The first message all of which could be a memory; the very first where there is none."""
    messages = space.opened.marked.messages if space.opened is not None else ()
    fitting = (
        index
        for index, message in enumerate(messages)
        if space.opened is not None and not refusal(space.opened.marked, Mark(index, 0, len(message.text), ""))
    )
    return next(fitting, 0)


def undo_mark(console: MemscopeApp) -> None:
    """Takes back the latest mark on the conversation."""

    def undone(mark: Mark | None) -> None:
        console.say(f"undone: the mark {mark.key}" if mark is not None else "there is nothing to undo here")

    space = console.workspace
    if space.kept.database is None:
        undone(None)
        return
    space.decide("undoing", lambda found, database: actions.undo_mark(database, found), undone, console.tell_error)


def _refusal(space: Workspace, message: int, start: int, end: int) -> str:
    """Why lines cannot be a memory; empty where they can."""
    if space.opened is None or space.kept.database is None:
        trouble = space.kept.trouble
        return (
            f"marks are kept in the store, which {f'cannot be used: {trouble}' if trouble else 'is off (--no-store)'}"
        )
    why = refusal(space.opened.marked, Mark(message, start, end, ""))
    return f"this cannot be marked: {why}" if why else ""


def _no_key(text: str) -> str | None:
    return None if text.strip() else "a memory needs a key"
