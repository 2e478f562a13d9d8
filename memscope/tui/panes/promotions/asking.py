"""What the Promotions pane asks for: where to look and from which cosine on, a name, a text, and leave to go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.promoting import check_name, draft_of
from memscope.actions.promotion_decisions import Said, left
from memscope.base.errors import MemscopeError, UsageError
from memscope.base.files import shown_path
from memscope.tui.panes.promotions.told import no_cosine, no_input
from memscope.tui.widgets.line_input import FileNames, expanded

if TYPE_CHECKING:
    from memscope.promotion.pattern import Pattern
    from memscope.reports.promotions import PromotionRow
    from memscope.tui.app import MemscopeApp

Taken = Callable[[str], "Path | None"]
"""Where another skill of a name is; None where there is none."""

_MEMBERS = 20  # that a draft is made of while its text is checked: what is wrong with that is seen


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
    row: PromotionRow,
    taken: Taken,
    done: Callable[[str], object],
) -> None:
    """The name of its skill; nothing: the one it has by default."""
    from memscope.tui.dialogs.prompt import Prompt

    def check(text: str) -> str | None:
        try:
            check_name(text.strip())
        except UsageError as error:
            return error.what
        return _taken(text.strip(), taken)

    def chosen(text: str | None) -> None:
        if text is not None and text.strip() != row.name:
            done(text.strip())

    hint = "up to 64 of a-z, 0-9 and single hyphens; its folder is called so. Nothing: as its text or signature says"
    console.push_screen(Prompt("The name of the skill", row.name, hint, check), chosen)


def ask_text(
    console: MemscopeApp, pattern: Pattern, said: Said, taken: Taken, done: Callable[[str, str | None], object]
) -> None:
    """The text of its SKILL.md; `done` is told that, "" for the draft that is made from the messages, and the name of
    the skill in it, None where it is no other than the one that was given."""
    from memscope.tui.dialogs.editor import Editor

    try:
        own, now = draft_of(pattern, replace(said, text="")), draft_of(pattern, said)
    except MemscopeError as error:
        console.say(str(error), "warning")
        return
    few = _few(pattern, said)

    def check(text: str) -> str | None:
        if not text.strip():
            return None
        draft = draft_of(few, Said(text=text))
        if draft.skill is None or draft.errors:
            return f"This is no skill: {draft.errors[0]}"
        return _taken(draft.skill.name, taken)

    def chosen(text: str | None) -> None:
        if text is None or text == now.text:
            return
        if not text.strip() or text == own.text:
            done("", None)
            return
        skill = draft_of(few, Said(text=text)).skill
        is_other = skill is not None and said.name and skill.name != said.name
        done(text, skill.name if skill is not None and is_other else None)

    hint = "The SKILL.md: name and description, then what to do. Its metadata stay ours. Tab leads to the buttons."
    editor = Editor(
        *("The text of the skill", now.text, own.text, hint, check), put_back="The draft from the messages", at_top=True
    )
    console.push_screen(editor, chosen)


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

    hint = (
        f"To look for patterns, {words}. It is asked once for this server, model and folder. The embedder embedded, a "
        "setting, compares words here instead."
    )
    console.push_screen(Confirm("Send the messages to be embedded?", "Send them", "Not now", hint=hint), answered)


def ask_flagged(console: MemscopeApp, name: str, flags: Sequence[str], go_on: Callable[[], object]) -> None:
    """Whether a draft that has something to look at is made a skill."""
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = f"In the text of {name}: {'; '.join(flags)}. v shows its words. Agents do what a skill says."
    console.push_screen(Confirm("Make it a skill all the same?", "Make it a skill", "Not now", hint=hint), answered)


def _taken(name: str, taken: Taken) -> str | None:
    there = taken(name) if name else None
    return None if there is None else f"there is a skill of this name: {shown_path(there)}"


def _few(pattern: Pattern, said: Said) -> Pattern:
    members = left(pattern, said.dropped) or pattern.members
    return replace(pattern, members=tuple(members[:_MEMBERS]))
