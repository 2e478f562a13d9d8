"""`memscope redundancy`: what each memory is to the responses, and which memories stand in for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Session, Target, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memscope.reports.redundancy import PairRow
    from memscope.reports.verdicts import VerdictReader

_PAIRS = 10  # that are told what can be done about
_SMALL = 0.5  # nats: what is folded away


class RedundancyOptions(Target):
    message: int | None = Field(
        None, description="Only one response, by message index, from the context up to it; no pairs are looked for."
    )
    pairs: bool = Field(
        False,
        description="Only the memories that stand in for each other.",
        json_schema_extra={"alone": True},
    )


def run(options: RedundancyOptions, console: Console) -> Exit:
    if options.pairs and options.message is not None:
        raise UsageError("--pairs looks at the whole conversation", do="Leave out --message.")
    with session(options, console) as opened:
        return _one(opened, options.message) if options.message is not None else _all(opened, pairs=options.pairs)


def _one(opened: Session, message: int) -> Exit:
    from memscope.actions.redundancy import screen_response
    from memscope.actions.score import reason_upto
    from memscope.reports.redundancy import REDUNDANCY, redundancy_document
    from memscope.reports.verdicts import VerdictReader

    settings = opened.settings
    if message in opened.conversation.responses:
        opened.ask_screening(opened.conversation.upto(message))
    with opened.console.job() as job:
        screening = screen_response(opened.conversation, message, opened.scorer, job, workers=settings.workers)
    reader = VerdictReader(screening.snapshot(), settings.threshold)
    identity = opened.scorer.engine.identity
    document = redundancy_document(screening.conversation, reader, identity, settings, message=message)
    reason = reason_upto(opened.conversation, message, document.reason)
    document = document.model_copy(update={"reason": reason})
    _note_failures(opened, reader)
    opened.console.heading(opened.heading(document.reason))
    opened.console.document(REDUNDANCY, document)
    return opened.exit_code(document.reason, screening.conversation)


def _all(opened: Session, *, pairs: bool) -> Exit:
    from memscope.actions.redundancy import screen_run, try_pairs
    from memscope.actions.score import score_matrix
    from memscope.actions.tokens import memory_tokens
    from memscope.reports.redundancy import PAIRS, REDUNDANCY, pair_rows, pairs_document, redundancy_document
    from memscope.reports.verdicts import VerdictReader

    conversation, scorer, settings = opened.conversation, opened.scorer, opened.settings
    opened.ask_screening(conversation, pairs=True)
    with opened.console.job() as job:
        scored, _ = score_matrix(conversation, scorer, job, workers=settings.workers)
        screening = screen_run(scored, scorer, job, workers=settings.workers)
        try_pairs(screening, settings.threshold, scorer, job, workers=settings.workers)
        reader = VerdictReader(screening.snapshot(), settings.threshold)
        tokens = memory_tokens(conversation, scorer, job) if reader.pairs else None
    identity, reason = scorer.engine.identity, reader.screen.matrix.reason
    _note_failures(opened, reader)
    opened.console.heading(opened.heading(reason))
    if opened.console.form == "table":
        if reason is None:
            _print(opened, reader, pair_rows(conversation, reader, tokens), only_pairs=pairs)
    elif pairs:
        opened.console.document(PAIRS, pairs_document(conversation, reader, identity, tokens))
    else:
        document = redundancy_document(conversation, reader, identity, settings, tokens=tokens)
        opened.console.document(REDUNDANCY, document)
    return opened.exit_code(reason)


def _print(opened: Session, reader: VerdictReader, pairs: Sequence[PairRow], *, only_pairs: bool) -> None:
    """What every memory is to all responses, and the pairs with what can be done about them."""
    from memscope.base.text import clean_line, counted
    from memscope.reports.redundancy import PAIR_COLUMNS, SUMMARY_COLUMNS, pair_words

    console = opened.console
    clear, untried = [pair for pair in pairs if pair.excess >= _SMALL], reader.screen.untried
    if not only_pairs:
        console.table(SUMMARY_COLUMNS, reader.summaries())
        console.text("")
    if clear:
        console.table(PAIR_COLUMNS, clear)
    for pair in clear[:_PAIRS]:
        console.text(clean_line(pair_words(pair)))
    if not pairs:
        console.text("no memories stand in for each other")
    elif len(clear) < len(pairs):
        console.text(f"and {counted(len(pairs) - len(clear), 'more pair')} under half a nat")
    if untried:
        console.note(f"{counted(untried, 'more pair')}, which could do less for each other, were not tried")


def _note_failures(opened: Session, reader: VerdictReader) -> None:
    matrix, further = reader.screen.matrix, reader.screen.errors
    if matrix.reason is not None:
        return
    failed = [*matrix.errors.values(), *further.values()]
    if failed:
        opened.console.note(f"{len(failed)} scorings failed, and leave verdicts out: {failed[0]}")


COMMAND = Command(
    name="redundancy",
    summary="Say what each memory is to the responses, and which memories stand in for each other.",
    details="Leaving one memory out at a time shows nothing of a fact that is told twice. So each memory is also put"
    " back alone where no other is, and memories that say nearly the same are left out together. Verdicts: needed;"
    " redundant (alone it would do, without it others do); together (it works only with others); suppressor (the"
    " wording is likelier without it); unused. An effect counts beyond the response's cutoff, and beyond what any text"
    " may move under the engine: with `embedded` half a nat. It takes two to three times the scorings of a matrix.",
    options=RedundancyOptions,
    run=run,
    examples=(
        "memscope redundancy session.jsonl",
        "memscope redundancy session.jsonl --message 14 --json",
        "memscope redundancy session.jsonl --pairs --format csv",
    ),
    order=14,
)
