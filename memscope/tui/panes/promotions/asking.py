"""What the Promotions pane asks for: where to look and from which cosine on, a name, a text, and leave to go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.promoting import draft_of, left
from memscope.actions.promotion_decisions import NOTHING, Said
from memscope.base.errors import MemscopeError
from memscope.base.files import shown_path
from memscope.tui.panes.promotions.told import no_cosine, no_input
from memscope.tui.widgets.line_input import FileNames, expanded

if TYPE_CHECKING:
    from memscope.promotion.pattern import Pattern
    from memscope.reports.promotions import PromotionRow
    from memscope.tui.app import MemscopeApp

_MEMBERS = 20  # that a draft is made of while its name or its text is checked: what is wrong with those is seen


def ask_inputs(console: MemscopeApp, inputs: Sequence[Path], done: Callable[[tuple[Path, ...]], object]) -> None:
    """A folder or file to look in; nothing: the folders of the agents."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None:
            done((expanded(text.strip()).absolute(),) if text.strip() else ())

    hint = "a folder of transcripts, or a file of them or of rows; nothing: the folders of the agents. → completes"
    before = os.fspath(inputs[0]) if inputs else ""
    console.push_screen(Prompt("Look for patterns in", before, hint, no_input, suggester=FileNames()), chosen)


def ask_cosine(console: MemscopeApp, threshold: float | None, done: Callable[[float | None], object]) -> None:
    """From which cosine on messages count as alike; nothing: as the embedder has it."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None:
            done(float(text) if text.strip() else None)

    hint = "the cosine from which on messages count as alike; nothing: what fits the embedder"
    before = "" if threshold is None else f"{threshold:g}"
    console.push_screen(Prompt("Threshold", before, hint, no_cosine), chosen)


def ask_name(
    console: MemscopeApp,
    pattern: Pattern,
    row: PromotionRow,
    taken: Callable[[str], Path | None],
    done: Callable[[str], object],
) -> None:
    """The name of its skill; nothing: the one it has by default."""
    from memscope.tui.dialogs.prompt import Prompt

    few = _few(pattern, NOTHING)

    def check(text: str) -> str | None:
        name = text.strip()
        if not name:
            return None
        errors = draft_of(few, Said(name=name)).errors
        trouble = next((str(error) for error in errors if error.field == "name"), None)
        if trouble is None and (there := taken(name)) is not None:
            return f"there is a skill of this name: {shown_path(there)}"
        return trouble

    def chosen(text: str | None) -> None:
        if text is not None and text.strip() != row.name:
            done(text.strip())

    hint = "up to 64 of a-z, 0-9 and single hyphens; its folder is called so. Nothing: the name made of its signature"
    console.push_screen(Prompt("The name of the skill", row.name, hint, check), chosen)


def ask_text(console: MemscopeApp, pattern: Pattern, said: Said, done: Callable[[str, str], object]) -> None:
    """The text of its SKILL.md; `done` is told that, "" for the draft that is made from the messages, and the name of
    the skill in it, "" where that is no other."""
    from memscope.tui.dialogs.editor import Editor

    try:
        own, now = draft_of(pattern, replace(said, text="")), draft_of(pattern, said)
    except MemscopeError as error:
        console.say(str(error), "warning")
        return
    few = _few(pattern, said)

    def check(text: str) -> str | None:
        errors = draft_of(few, Said(text=text)).errors if text.strip() else ()
        return f"This is no skill: {errors[0]}" if errors else None

    def chosen(text: str | None) -> None:
        if text is None or text == now.text:
            return
        if not text.strip() or text == own.text:
            done("", "")
            return
        skill = draft_of(few, Said(text=text)).skill
        name = skill.name if skill is not None else ""
        done(text, name if said.name and name != said.name else "")

    hint = "The SKILL.md: name and description, then what to do. Its metadata stay ours. Tab leads to the buttons."
    console.push_screen(Editor("The text of the skill", now.text, own.text, hint, check), chosen)


def ask_folder(console: MemscopeApp, skills: Path, go_on: Callable[[], object]) -> None:
    """Whether the folder of the skills is to be made, before `go_on` does; nothing is asked where it is there."""
    if os.path.lexists(skills):
        go_on()
        return
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = f"{shown_path(skills)} is not there yet. The setting skills_folder names another."
    console.push_screen(Confirm("Make the folder of the skills?", "Make it", "Not now", hint=hint), answered)


def ask_sent(console: MemscopeApp, words: str, go_on: Callable[[], object]) -> None:
    """Whether messages may be sent to be embedded."""
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = f"To look for patterns, {words}. The embedder embedded, a setting, compares words here instead."
    console.push_screen(Confirm("Send the messages to be embedded?", "Send them", "Not now", hint=hint), answered)


def _few(pattern: Pattern, said: Said) -> Pattern:
    members = left(pattern, said.dropped) or pattern.members
    return replace(pattern, members=tuple(members[:_MEMBERS]))
