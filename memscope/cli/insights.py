"""Insights on the command line: found by rules and by a chat model, kept, listed, dropped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import Cancelled, Exit, MemscopeError, UsageError
from memscope.base.files import shown_path
from memscope.base.text import counted, preview
from memscope.cli.output import Console
from memscope.cli.store import store_of

if TYPE_CHECKING:
    from memscope.actions.insights import Observed
    from memscope.actions.promotions import Store
    from memscope.actions.synthesis import Synthesis
    from memscope.base.settings import Settings
    from memscope.cli.commands.insights import InsightsOptions
    from memscope.insights.model import Insight
    from memscope.reports.insights import InsightRow, InsightsDocument

_NAMED = 5  # files that are told by name
_REASON = 160  # characters of why one cannot be read
_NO_STORE = "nothing is kept on disk, so that there is nothing to keep insights in"


def print_found(options: InsightsOptions, settings: Settings, console: Console) -> Exit:
    """Prints what rules saw, and what a chat model made of it where that is asked for; what failed is told last, so
    that nothing is lost by it."""
    from memscope.actions.insights import found_rows, offered
    from memscope.reports.insights import insights_document

    with store_of(settings, console) as database:
        if options.keep and database is None:
            raise UsageError(_NO_STORE, where="--keep")
        observed = _observed(options, settings, database, console)
        synthesis: Synthesis | None = None
        error: MemscopeError | None = None
        if options.synthesize:
            try:
                synthesis, made = _synthesized(observed, options, settings, database, console)
                observed = observed.with_more(made)
            except MemscopeError as failure:
                error = failure
            except KeyboardInterrupt:
                error = Cancelled("the chat model was not waited for")
        observed, dropped = offered(observed, database)
        if options.keep and database is not None and not isinstance(error, Cancelled):
            _keep(observed, options, settings, database, console)
        rows = found_rows(observed, settings, database, merge=options.merge)
    parse_error = synthesis.parse_error if synthesis is not None else ""
    document = insights_document(
        _chosen(rows, options),
        sessions=len(observed.sessions),
        copies=observed.copies,
        unread=observed.unread,
        error=str(error or ""),
        parse_error=parse_error,
        reply=synthesis.reply if synthesis is not None and parse_error else "",
        reason=_why_none(len(rows), len(dropped)),
    )
    _print(document, options, console)
    _note_left(document, sum(_is_wanted(one, options) for one in dropped), observed.trouble, console)
    if error is not None:
        raise error
    if parse_error:
        console.note(f"nothing can be made of the chat model's answer: {parse_error}")
        may_be_kept = synthesis is not None and synthesis.may_be_kept
        if console.form == "table" and synthesis is not None and may_be_kept:
            console.note(f"it says: {preview(synthesis.reply, 1000)}")
        console.note(f"{'--keep-reply takes it as one insight, ' if may_be_kept else ''}--again asks anew")
        return Exit.NOTHING
    return Exit.NOTHING if document.reason is not None else Exit.DONE


def _observed(options: InsightsOptions, settings: Settings, database: Store | None, console: Console) -> Observed:
    from memscope.actions.insights import observe

    with console.job() as job:
        return observe(options.paths, settings, database, job, input_format=options.input_format)


def _synthesized(
    observed: Observed, options: InsightsOptions, settings: Settings, database: Store | None, console: Console
) -> tuple[Synthesis, Sequence[Insight]]:
    from memscope.actions.chat import chat
    from memscope.actions.synthesis import as_insight, prepare, sent_words, synthesize

    with chat(settings, database) as model:
        with console.job() as job:
            prepared = prepare(observed, settings, job)
        if not prepared.sessions:
            raise UsageError("no session says anything that could be sent")
        with console.job() as job:
            found = synthesize(
                *(prepared, model, job),
                again=options.again,
                as_it_is=options.keep_reply,
                sending=lambda: console.note(sent_words(settings, prepared)),
            )
        if model.trouble is not None:
            console.note(f"the answer is not kept: {model.trouble}")
    if options.keep_reply and found.may_be_kept:
        kept = as_insight(found, prepared)
        return found.without_error(), (kept,)
    return found, found.insights


def print_prompt(options: InsightsOptions, settings: Settings, console: Console) -> Exit:
    """Prints what a chat model would be sent; nothing is."""
    from memscope.actions.chat import chat, chat_is_set
    from memscope.actions.synthesis import has_answer, prepare
    from memscope.reports.insights_prompt import INSIGHTS_PROMPT, prompt_words

    with store_of(settings, console) as database:
        observed = _observed(options, settings, database, console)
        with console.job() as job:
            prepared = prepare(observed, settings, job)
        with chat(settings, database) if chat_is_set(settings) else nullcontext() as model:
            cached = model is not None and has_answer(prepared, model)
    document = prepared.document(settings, cached=cached)
    if console.form == "table":
        for message in document.messages:
            console.text(f"[{message.role}]", *message.content.split("\n"), "")
    else:
        console.document(INSIGHTS_PROMPT, document)
    console.note(prompt_words(document))
    return Exit.DONE if document.sessions else Exit.NOTHING


def print_kept(options: InsightsOptions, settings: Settings, console: Console) -> Exit:
    """Prints what is kept."""
    from memscope.actions.insights import kept_rows
    from memscope.reports.insights import insights_document

    with store_of(settings, console) as database:
        rows = kept_rows(database) if database is not None else []
    listed = {one.session for row in rows for one in row.evidence}
    sessions = max([len(listed), *(row.sessions for row in rows)])
    none = f"none of {counted(len(rows), 'kept insight')} is of this kind and confidence" if rows else "nothing is kept"
    document = insights_document(_chosen(rows, options), sessions=sessions, reason=none)
    _print(document, options, console)
    return Exit.NOTHING if document.reason is not None else Exit.DONE


def decide(options: InsightsOptions, settings: Settings, console: Console) -> Exit:
    """Drops insights, or takes the latest step back."""
    from memscope.actions import insight_decisions as decisions

    with store_of(settings, console) as database:
        if database is None:
            raise UsageError(_NO_STORE)
        if options.undo:
            undone = decisions.undo(database)
            console.note("there is nothing to undo" if undone is None else f"undone: {undone.what}")
            return Exit.NOTHING if undone is None else Exit.DONE
        found = _observed(options, settings, database, console).insights if options.paths else None
        number = decisions.drop(database, decisions.named(database, options.drop, found))
        told = f"{counted(number, 'insight')} dropped; --undo takes that back" if number else "dropped already"
        console.note(told)
    return Exit.DONE


def _keep(observed: Observed, options: InsightsOptions, settings: Settings, database: Store, console: Console) -> None:
    from memscope.actions.insight_decisions import keep, kept_words

    wanted = [one for one in observed.insights if _is_wanted(one, options)]
    console.note(kept_words(keep(database, wanted, winner=settings.insight_winner)))


def _chosen(rows: Sequence[InsightRow], options: InsightsOptions) -> list[InsightRow]:
    return [row for row in rows if _is_wanted(row, options)]


def _is_wanted(one: Insight | InsightRow, options: InsightsOptions) -> bool:
    return options.kind in (None, one.kind) and one.confidence >= options.min_confidence


def _print(document: InsightsDocument, options: InsightsOptions, console: Console) -> None:
    from memscope.actions.insight_lines import jsonl
    from memscope.reports.insights import INSIGHTS, insights_words, told_columns

    if options.jsonl:
        console.lines(jsonl(document.insights))
        return
    if console.form == "table" and document.insights:
        console.heading(insights_words(document))
        console.table(told_columns(document.insights), document.insights)
    elif console.form != "table":
        console.document(INSIGHTS, document)
    if document.reason is not None:
        console.note(document.reason)


def _why_none(offered: int, dropped: int) -> str:
    """Why none is listed, where the sessions do not tell it."""
    if offered:
        return f"none of {counted(offered, 'insight')} is of this kind and confidence"
    return f"{counted(dropped, 'insight')} found, and dropped before" if dropped else ""


def _note_left(document: InsightsDocument, dropped: int, trouble: str, console: Console) -> None:
    """What was not looked at, or is not offered, and why."""
    if dropped:
        console.note(f"left out: {counted(dropped, 'insight')} dropped before")
    if document.copies:
        console.note(f"left out: {counted(document.copies, 'copy of a session', 'copies of sessions')}")
    for one in document.unread[:_NAMED]:
        console.note(f"{shown_path(Path(one.source))}: {preview(one.error, _REASON)}")
    if len(document.unread) > _NAMED:
        console.note(f"and {len(document.unread) - _NAMED} more that could not be read; --json lists them")
    if trouble:
        console.note(f"not all of it could be kept: {trouble}")
