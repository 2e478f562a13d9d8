"""What the Fine-tune pane asks for, a note, another target, a threshold; and the training data it can write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.job import Job
from memscope.base.text import clean_line, preview
from memscope.tui.asking import ask_nats
from memscope.tui.pane import Written

if TYPE_CHECKING:
    from memscope.conversation.model import Message
    from memscope.reports.candidates import Candidate
    from memscope.tui.app import MemscopeApp
    from memscope.tui.workspace import Workspace


def ask_note(console: MemscopeApp, row: Candidate, done: Callable[[str], object]) -> None:
    """A note on a response; empty takes it away."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None and text.strip() != clean_line(row.note):
            done(text.strip())

    console.push_screen(Prompt(f"A note on #{row.message}", row.note, preview(row.preview, 200)), chosen)


def ask_target(console: MemscopeApp, row: Candidate, message: Message, done: Callable[[str | None], object]) -> None:
    """What is to be trained on in place of a response's own words; `done` is told None for those."""
    from memscope.tui.dialogs.editor import Editor

    own = message.text
    before = row.target if row.target is not None else own

    def check(text: str) -> str | None:
        return None if text.strip() or message.calls else "Nothing would be left to train on; Esc leaves it as it was."

    def chosen(text: str | None) -> None:
        if text is not None and text != before:
            done(None if text == own else text)

    calls = " Its tool calls stay." if message.calls else ""
    hint = f"What is to be trained on in place of the response's own words.{calls} Tab leads to the buttons."
    console.push_screen(Editor(f"The target of #{row.message}", before, own, hint, check), chosen)


def ask_worth(console: MemscopeApp) -> None:
    """The threshold of candidates, for this conversation."""
    hint = "nats that all memories together must have given a response, for it to be a candidate"
    ask_nats(console, console.workspace.view.worth, hint, lambda nats: console.workspace.look(worth=nats))


def accepted_lines(space: Workspace) -> Written | None:
    """The accepted responses of the open file as training data, to be written; None where nothing can be accepted."""
    from memscope.actions.training import Order, export_training
    from memscope.reports.training import error_lines, training_words

    opened, database, settings = space.opened, space.kept.database, space.settings
    source = opened.conversation.source if opened is not None else None
    if source is None or database is None:
        return None

    def write(form: str, path: Path, overwrite: bool, job: Job) -> str:
        order = Order(form, path, overwrite=overwrite, paths=(source.path,))  # type: ignore[arg-type]
        document = export_training(order, settings, database, job)
        return " ".join([*training_words(document), *error_lines(document)[:1]])

    return Written("accepted", ("sft", "dpo", "trl"), write)
