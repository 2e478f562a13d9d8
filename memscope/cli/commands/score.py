"""`memscope score`: the matrices of many conversations, scored one after another and kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.text import preview
from memscope.cli.command import Command, positional
from memscope.cli.opening import Consent, ReadingOptions, Scoring
from memscope.cli.output import Console
from memscope.cli.session import ask, scorer_of

if TYPE_CHECKING:
    from memscope.actions.list_sessions import ReadList
    from memscope.reports.batch import BatchRow

_STANDARD_INPUT = Path("-")
_SHOWN = 5  # conversations that are told one by one
_LONGEST = 240  # characters of what is told of each


class ScoreOptions(ReadingOptions, Consent, Scoring):
    paths: tuple[Path, ...] = Field(
        description="Transcripts, folders of them, or - for a list of sessions.",
        json_schema_extra=positional("PATH..."),
    )
    copies: bool = Field(
        False,
        description="Of folders, score copies and sub-agents by themselves too.",
        json_schema_extra={"alone": True},
    )


def run(options: ScoreOptions, console: Console) -> Exit:
    from memscope.actions.batch_places import to_score
    from memscope.actions.batch_runs import BatchRun, batch_cost, run_batch
    from memscope.conversation.memory_files import read_memories
    from memscope.reports.batch import BATCH, batch_words, copies_left_out

    settings = options.resolved().settings
    asked = [_list() if path == _STANDARD_INPUT else path for path in dict.fromkeys(options.paths)]
    opening = options.reading(options.paths[0])
    for note in read_memories(options.memories, split=options.split).notes if options.memories else ():
        console.note(note)
    with scorer_of(settings, console) as scorer:
        with console.job() as job:
            found = to_score(
                *(asked, settings, scorer.database, job), copies=options.copies, input_format=options.input_format
            )
            batch = BatchRun("matrix", found.places)
            estimate = None if options.yes else batch_cost(batch, settings, scorer, job, opening)
        if estimate is not None:
            ask(estimate, settings, console)
        with console.job() as job:
            run_batch(batch, settings, scorer, job, opening)
    document = batch.document(settings, found.unread)
    rows = document.conversations
    _note_failures(rows, console)
    if found.copies:
        console.note(f"{copies_left_out(found.copies)}: --copies scores them too")
    if document.ended is not None:
        console.note(document.ended)
    console.document(BATCH, document)
    if not rows:
        console.note("the list is empty: nothing is scored")
    elif console.form == "table":
        console.text(f"\n{batch_words('matrix', rows, document.threshold)}")
    return _exit_code(rows)


def _list() -> ReadList:
    """The list of sessions on standard input. Raises `UsageError` for what is none."""
    from memscope.actions.list_sessions import read_list

    found = read_list(sys.stdin.buffer.read() if sys.stdin is not None else b"")
    if found is None:
        do = "Pipe in what `memscope sessions --json` prints."
        raise UsageError("this is no list of sessions", where="standard input", do=do)
    return found


def _note_failures(rows: Sequence[BatchRow], console: Console) -> None:
    wrong = [row for row in rows if row.state == "failed" or row.missing]
    for row in wrong[:_SHOWN]:
        item = f" (item {row.item})" if row.item else ""
        console.note(f"{row.source}{item}: {preview(row.why or '', _LONGEST)}")
    if len(wrong) > _SHOWN:
        console.note(f"and {len(wrong) - _SHOWN} more that could not be read, or not be scored in whole")


def _exit_code(rows: Sequence[BatchRow]) -> Exit:
    """0 where something was scored. Else 2 when nothing could be read, 3 when nothing could be scored, 1 when there was
    nothing to score."""
    if any(row.state == "done" for row in rows):
        return Exit.DONE
    if not rows:
        return Exit.NOTHING
    read = [row for row in rows if row.window is not None]
    if not read:
        return Exit.USAGE
    return Exit.ENGINE if any(row.state == "failed" for row in read) else Exit.NOTHING


COMMAND = Command(
    name="score",
    summary="Score the matrices of many conversations, one after another, and keep what comes of them.",
    details="Every conversation is scored as `memscope matrix` does, in its last context window; a row for each tells"
    " how far it came and what it took. What was scored once is taken from disk, so a run that was stopped goes on"
    " where it was. Of a folder the sessions are scored that `memscope sessions` ranks, the best first, each once: not"
    " copies and sub-agents. - takes from standard input what `memscope sessions --json` prints. `memscope memories"
    " --all` then adds up what each memory did.",
    options=ScoreOptions,
    run=run,
    examples=(
        "memscope score session.jsonl other.jsonl",
        "memscope sessions --filter 'memories>0' --min-score 12 --json | memscope score - --yes",
        "memscope score chats/ --memories ~/.claude/CLAUDE.md --json > scored.json",
    ),
    order=17,
)
