"""`memscope finetune`: of many conversations the responses that owe so much to memories that one could learn them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from memscope.base.errors import Exit
from memscope.base.text import preview
from memscope.cli.command import Command, positional
from memscope.cli.opening import Consent, ReadingOptions, Scoring
from memscope.cli.output import Console
from memscope.cli.session import ask, scorer_of

if TYPE_CHECKING:
    from memscope.reports.finetune import FinetuneConversation, FinetuneDocument, FinetuneRow
    from memscope.reports.view import Column

_SHOWN = 5  # conversations that are told one by one
_LONGEST = 240  # characters of what is told of each
_PLACE = ("conversation", "item", "source")  # columns


class FinetuneOptions(ReadingOptions, Consent, Scoring):
    paths: tuple[Path, ...] = Field(
        description="Transcripts, and folders of them.", json_schema_extra=positional("PATH...")
    )
    count: int | None = Field(
        None, ge=1, description="Look at the last N messages alone.", json_schema_extra={"metavar": "N"}
    )
    threshold: float | None = Field(
        None, ge=0, description="What all memories together must have given a response, in nats. [1.0]"
    )


def run(options: FinetuneOptions, console: Console) -> Exit:
    from memscope.actions.batch import transcripts
    from memscope.actions.finetune import Search, finetune, finetune_cost
    from memscope.conversation.memory_files import read_memories
    from memscope.reports.finetune import FINETUNE, finetune_words
    from memscope.reports.worth import THRESHOLD

    settings = options.resolved().settings
    opening = options.reading(options.paths[0])
    for note in read_memories(options.memories, split=options.split).notes if options.memories else ():
        console.note(note)
    with scorer_of(settings, console) as scorer:
        with console.job() as job:
            found = transcripts(options.paths, job, input_format=options.input_format)
            threshold = THRESHOLD if options.threshold is None else options.threshold
            search = Search(found, opening, options.count, threshold)
            estimate = None if options.yes else finetune_cost(search, settings, scorer, job)
        if estimate is not None:
            ask(estimate, settings, console)
        with console.job() as job:
            document = finetune(search, settings, scorer, job)
    _note_errors(document.conversations, console)
    rows = FINETUNE.rows(document)
    if console.form == "table":
        if rows:
            console.table([column for column in FINETUNE.columns(document) if _tells(column, rows)], rows)
            console.text("")
        console.text(finetune_words(document))
    else:
        console.document(FINETUNE, document)
        if not rows:
            console.note(finetune_words(document))
    return _exit_code(document)


def _tells(column: Column[FinetuneRow], rows: Sequence[FinetuneRow]) -> bool:
    """Whether a person learns something of it: not from a place that is the same in every row."""
    return column.title not in _PLACE or len({column.text(row) for row in rows}) > 1


def _note_errors(conversations: Sequence[FinetuneConversation], console: Console) -> None:
    wrong = [conversation for conversation in conversations if conversation.error is not None]
    for conversation in wrong[:_SHOWN]:
        item = f" (item {conversation.item})" if conversation.item else ""
        console.note(f"{conversation.source}{item}: {preview(conversation.error or '', _LONGEST)}")
    if len(wrong) > _SHOWN:
        console.note(f"and {len(wrong) - _SHOWN} more that could not be read or scored")


def _exit_code(document: FinetuneDocument) -> Exit:
    """0 where something was found. Else 2 when nothing could be read, 3 when nothing could be scored, 1 when there was
    nothing to be found."""
    conversations = document.conversations
    if any(conversation.candidates for conversation in conversations):
        return Exit.DONE
    read = [conversation for conversation in conversations if conversation.window is not None]
    if not read:
        return Exit.USAGE
    tried = [conversation for conversation in read if conversation.reason is None]
    return Exit.ENGINE if tried and all(c.max_divergence is None for c in tried) else Exit.NOTHING


COMMAND = Command(
    name="finetune",
    summary="Find the responses worth training on: what they owe to memories, a model could learn.",
    details="Every response of every conversation is scored with all memories and without any; those that owe them more"
    " than --threshold nats are listed, the most dependent first, with what was decided of them in the console. Folders"
    " are searched for transcripts of every format. What was scored once is taken from disk, so a run that was stopped"
    " goes on where it was.",
    options=FinetuneOptions,
    run=run,
    examples=(
        "memscope finetune session.jsonl",
        "memscope finetune ~/.claude/projects --memories ~/.claude/CLAUDE.md --threshold 5",
        "memscope finetune chats/ --count 20 --json > candidates.json",
    ),
    order=18,
)
