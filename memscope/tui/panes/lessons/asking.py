"""What the Lessons pane asks for: a file, a budget, an episode, and leave to send episodes or to keep rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.lessons import read_episodes
from memscope.base.errors import MemscopeError
from memscope.base.text import json_text
from memscope.reports.lessons_change import change_words
from memscope.tui.panes.lessons.told import no_budget, no_lessons_file
from memscope.tui.widgets.line_input import FileNames, expanded
from memscope.tui.widgets.paragraphs import Paragraph

if TYPE_CHECKING:
    from memscope.actions.consolidation import Proposal
    from memscope.actions.lessons import Lessons
    from memscope.tui.app import MemscopeApp
    from memscope.tui.panes.lessons.entries import Entry

_EPISODE = (
    "JSON, an episode or a list of them, or the path of a .json file. A score is 0 to 1. A mistake card may have"
    " mistake_type, worker_id, bad_decision, correct_decision, evidence, lesson. Tab leads to the buttons."
)


def ask_file(console: MemscopeApp, before: Path | None, done: Callable[[Path | None], object]) -> None:
    """A file of lessons; nothing: that of the settings. `before`: the one that was asked for."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None:
            done(expanded(text.strip()).absolute() if text.strip() else None)

    hint = "a file of lessons, which need not be there yet; nothing: the one of the setting lessons_file. → completes"
    value = "" if before is None else os.fspath(before)
    console.push_screen(Prompt("Show the lessons in", value, hint, no_lessons_file, suggester=FileNames()), chosen)


def ask_budget(console: MemscopeApp, budget: int | None, done: Callable[[int | None], object]) -> None:
    """How many tokens a context block may have; nothing: as the settings have it."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None:
            done(int(text) if text.strip() else None)

    default = console.workspace.settings.lessons_budget
    hint = f"tokens of four characters that the block may have; nothing: {default:,}, the setting lessons_budget"
    console.push_screen(Prompt("Budget", "" if budget is None else str(budget), hint, no_budget), chosen)


def ask_episodes(console: MemscopeApp, task: str | None, text: str, done: Callable[[str], object]) -> None:
    """Episodes to record, as a text of `episodes_in`; `text`: what was typed before, "" for a template of a task."""
    from memscope.tui.panes.lessons.dialogs import EpisodeEditor

    template = json_text(
        {
            "task_id": task or "",
            "score": None,  # which nobody keeps by accident
            "steps": 0,
            "trajectory_summary": "",
            "mistakes": [],
            "successes": [],
            "mistake_cards": [],
        }
    )

    def chosen(answer: str | None) -> None:
        if answer is not None:
            done(answer)

    console.push_screen(EpisodeEditor(text or template, template, _EPISODE, no_episodes), chosen)


def file_in(text: str) -> Path | None:
    """The path that was typed in place of JSON; None where it is JSON, or meant to be."""
    typed = text.strip()
    return None if not typed or typed[0] in "{[" else expanded(typed)


def no_episodes(text: str) -> str | None:
    """Why there is nothing to record in what was typed; None where there is. A file is not read for that."""
    path = file_in(text)
    if path is not None:
        return _no_file(path)
    if not text.strip():
        return "Type an episode as JSON, or the path of a .json file."
    try:
        return None if read_episodes(text) else "There is no episode in it."
    except MemscopeError as error:
        return str(error)


def _no_file(path: Path) -> str | None:
    if path.suffix != ".json" or "\n" in str(path):
        return "This is no JSON, which begins with { or [, and no path of a .json file."
    try:
        return None if path.is_file() else "There is no such file."
    except (OSError, ValueError):
        return "No file can have this name."


def ask_sent(console: MemscopeApp, words: str, go_on: Callable[[], object]) -> None:
    """Whether episodes may be sent to a chat model."""
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = f"To derive rules, {words}. Without a chat server (the setting chat_url) the scores tell them."
    console.push_screen(
        Confirm("Send the last episodes to the chat model?", "Send them", "Not now", hint=hint), answered
    )


def ask_kept(
    console: MemscopeApp,
    proposal: Proposal,
    lessons: Lessons,
    due: str,
    *,
    keep: Callable[[], object],
    turn_down: Callable[[], object],
) -> None:
    """Whether rules are kept in what is there by now. `due`: whether that is due, in words; "" where it is."""
    from memscope.tui.panes.lessons.dialogs import Proposed

    def answered(yes: bool | None) -> None:
        keep() if yes else turn_down()

    console.push_screen(Proposed([*_proposed(proposal, lessons, due)]), answered)


def _proposed(proposal: Proposal, lessons: Lessons, due: str) -> Iterator[Paragraph]:
    document = proposal.document(lessons.memory)
    words = change_words(document)
    yield Paragraph(f"{words[:1].upper()}{words[1:]}", "title")
    if proposal.trouble:
        yield Paragraph(f"The chat model derived none: {proposal.trouble}", "warning")
    if proposal.cached:
        yield Paragraph("Its answer was on disk; after Not now, c asks it anew.", "note")
    if lessons.memory != proposal.before:
        yield Paragraph(
            "Others have written since they were derived: what is told here is the file as it is now.", "note"
        )
    if due:
        yield Paragraph(f"It is not due yet: {due}.", "note")
    yield Paragraph("")
    for change in document.changes:
        yield Paragraph(f"{change.sign} {change.text}", "note" if change.sign == "-" else "text")
    if not document.changes:
        yield Paragraph("All of them are there already. To keep them notes that rules were derived now.", "note")


def show_entry(console: MemscopeApp, entry: Entry) -> None:
    """All of a rule, a mistake or an episode."""
    from memscope.tui.dialogs.whole import Whole

    told = [Paragraph(f"{label}: {words}") for label, words in entry.more]
    console.push_screen(Whole(entry.title, [Paragraph(entry.text), *([Paragraph("")] if told else []), *told]))
