"""Lessons on the command line: shown, made a context block, recorded, consolidated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import Exit
from memscope.base.files import shown_path
from memscope.base.text import clean, clean_line
from memscope.cli.output import Console
from memscope.cli.store import store_of

if TYPE_CHECKING:
    from memscope.actions.consolidation import Proposal
    from memscope.actions.lessons import Lessons
    from memscope.base.settings import Settings
    from memscope.cli.commands.lessons import LessonsOptions
    from memscope.reports.lessons import LessonsDocument
    from memscope.reports.lessons_change import LessonsChangeDocument

_STANDARD_INPUT = Path("-")
_CARDS = 5  # that are listed


def show(options: LessonsOptions, settings: Settings, console: Console) -> Exit:
    """Prints what is in a file: its tasks as a table, rules and cards below it."""
    from memscope.reports.lessons import LESSONS, ignored_words, lessons_words

    lessons = _read(options, settings)
    document = lessons.document()
    if options.task is not None:
        of_task = {
            "tasks": [one for one in document.tasks if one.task == options.task],
            "conflicts": [one for one in document.conflicts if one.task in (None, options.task)],
        }
        document = document.model_copy(update=of_task)
        _note_unknown(options, lessons, console)
    if document.tasks:
        console.heading(f"{shown_path(lessons.path)}: {lessons_words(document)}")
    console.document(LESSONS, document)
    if console.form == "table":
        console.text(*_details(document))
    if told := ignored_words(document):
        console.note(told)
    if document.reason is not None:
        console.note(f"{shown_path(lessons.path)}: {document.reason}")
        return Exit.NOTHING
    return Exit.DONE if document.tasks or options.task is None else Exit.NOTHING


def _note_unknown(options: LessonsOptions, lessons: Lessons, console: Console) -> None:
    if options.task is not None and options.task not in lessons.memory.tasks:
        console.note(f"nothing is known of the task {options.task}")


def _details(document: LessonsDocument) -> Iterator[str]:
    """Rules, conflicts and cards, as lines below the table."""
    for task in document.tasks:
        if task.rules:
            yield f"\nRules for {clean_line(task.task)}:"
            yield from (f"  {clean_line(rule)}" for rule in task.rules)
    if document.global_rules:
        yield "\nGeneral rules:"
        yield from (f"  {clean_line(rule)}" for rule in document.global_rules)
    if document.conflicts:
        yield "\nRules that contradict each other:"
        for one in document.conflicts:
            where = "" if one.task is None else f" ({clean_line(one.task)})"
            yield f"  {clean_line(one.works)}  ×  {clean_line(one.avoid)}{where}"
    if document.mistake_cards:
        yield "\nMistake cards:"
        for card in document.mistake_cards[:_CARDS]:
            yield clean_line(f"  {card.mistake_type} ({card.task}), seen {card.seen}x: {card.lesson}")
        if (more := len(document.mistake_cards) - _CARDS) > 0:
            yield f"  and {more} more; --json has them all"


def context(options: LessonsOptions, settings: Settings, console: Console) -> Exit:
    """Prints the context block for a task; what its budget left out goes to standard error."""
    from memscope.reports.lessons_context import LESSONS_CONTEXT, context_words

    lessons = _read(options, settings)
    document = lessons.context(options.task, settings)
    if console.form == "table":
        if document.text:
            console.lines([clean(document.text)])  # as it is: a table's printer would expand tabs
    else:
        console.document(LESSONS_CONTEXT, document)
    for one in document.cut:
        console.note(f"cut from the {one.section}: {one.line}")
    if lessons.reason is not None:
        console.note(f"{shown_path(lessons.path)}: {lessons.reason}")
        return Exit.NOTHING
    _note_unknown(options, lessons, console)
    if not document.text:
        console.note("there is nothing to say" if not document.cut else "nothing fits into the budget")
        return Exit.NOTHING
    console.note(context_words(document))
    return Exit.DONE


def record(options: LessonsOptions, settings: Settings, console: Console) -> Exit:
    """Records the episodes of a file, or of standard input."""
    from memscope.actions import lessons

    path, source = lessons.lessons_path(settings, options.path), options.episode
    if source is None or source == _STANDARD_INPUT:
        episodes = lessons.read_episodes(sys.stdin.buffer.read(), "standard input")
    else:
        episodes = lessons.read_episode_file(source)
    if options.dry_run or not episodes:
        document = lessons.would_record(path, episodes, settings)
    else:
        document = lessons.record(path, episodes, settings)
    _print_change(document, path, console)
    if not episodes:
        console.note("there is no episode in it")
        return Exit.NOTHING
    return Exit.DONE


def consolidate(options: LessonsOptions, settings: Settings, console: Console) -> Exit:
    """Derives general rules and keeps them; where it is not due, nothing is done."""
    from memscope.actions import consolidation
    from memscope.actions.chat import chat, chat_is_set
    from memscope.reports.lessons import due_words

    lessons = _read(options, settings)
    listed = lessons.document()
    if listed.reason is not None:
        console.note(f"{shown_path(lessons.path)}: {listed.reason}")
        _print_change(consolidation.nothing(lessons), lessons.path, console)
        return Exit.NOTHING
    if not listed.due and not options.now:
        console.note(f"{due_words(listed)}; --now does it all the same")
        _print_change(consolidation.nothing(lessons), lessons.path, console)
        return Exit.DONE
    if options.chat or (options.chat is None and chat_is_set(settings)):
        with store_of(settings, console) as database, chat(settings, database, timeout=consolidation.TIMEOUT) as model:
            with console.job() as job:
                proposal = consolidation.propose(
                    *(lessons, settings, model, job),
                    again=options.again,
                    sending=lambda: console.note(consolidation.sent_words(settings, lessons.memory)),
                )
            if model.trouble is not None:
                console.note(f"the answer is not kept: {model.trouble}")
    else:
        with console.job() as job:
            proposal = consolidation.propose(lessons, settings, None, job)
    return _keep(proposal, options, console)


def _keep(proposal: Proposal, options: LessonsOptions, console: Console) -> Exit:
    from memscope.actions import consolidation

    if proposal.trouble:
        end = "" if proposal.trouble.endswith((".", "!", "?")) else "."
        console.note(f"{proposal.trouble}{end} The scores of the episodes tell the rules instead.")
    document = proposal.document() if options.dry_run else consolidation.keep(proposal)[2]
    _print_change(document, proposal.path, console)
    if document.by is None:
        which = "of the log" if proposal.classic else "since the last consolidation"
        why = f": no episode {which} scored 0.85 or more with a summary" if proposal.by == "scores" else ""
        counts = "; in classic mode the memory counts as consolidated all the same" if proposal.classic else ""
        console.note(f"no rule could be derived{why}{counts}")
        return Exit.NOTHING
    return Exit.DONE


def _print_change(document: LessonsChangeDocument, path: Path, console: Console) -> None:
    from memscope.reports.lessons_change import LESSONS_CHANGE, change_words

    if document.by is not None or document.episodes:
        console.heading(f"{shown_path(path)}: {change_words(document)}")
    console.document(LESSONS_CHANGE, document)


def _read(options: LessonsOptions, settings: Settings) -> Lessons:
    from memscope.actions.lessons import lessons_path, read_lessons

    return read_lessons(lessons_path(settings, options.path))
