"""`memscope decide`: what a person decides of memories, from the command line."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.settings import resolve
from memscope.cli.command import Command, positional
from memscope.cli.opening import OpeningOptions
from memscope.cli.output import Console
from memscope.cli.session import note_skipped


class DecideOptions(OpeningOptions):
    keys: tuple[str, ...] = Field(description="The memories, by key.", json_schema_extra=positional("KEY..."))
    as_: Literal["prune", "keep", "pin", "harmful", "clear"] | None = Field(
        None, description="What is decided of them; clear takes back whatever was."
    )
    note: str | None = Field(None, description="A note on them.", json_schema_extra={"metavar": "TEXT"})


def run(options: DecideOptions, console: Console) -> Exit:
    from memscope.actions.memory_decisions import decide, decisions_kept
    from memscope.actions.open import opened
    from memscope.actions.prune import prune_document
    from memscope.reports.prune import PRUNE

    if options.as_ is None and options.note is None:
        raise UsageError("nothing is decided", do="Say what with --as, or write a --note.")
    settings = resolve().settings
    with decisions_kept(settings) as database:
        found = opened(options.opening(), settings, database)
        note_skipped(found.conversation, console)
        decide(database, found.conversation, options.keys, options.as_, note=options.note)
        document = prune_document(found, database)
    console.document(PRUNE, document)
    if not document.memories:
        console.note("nothing is decided now of the memories of this conversation")
    return Exit.DONE


COMMAND = Command(
    name="decide",
    summary="Decide that memories are to be pruned, kept or pinned, or that they are harmful; or write a note.",
    details="A decision holds for the memory's key and text in every conversation, and in the console, where u undoes"
    " it. Prints what is decided of the conversation's memories now; `memscope prune` makes a diff of it.",
    options=DecideOptions,
    run=run,
    examples=(
        "memscope decide CLAUDE.md#style/2 session.jsonl --memories CLAUDE.md --as prune",
        'memscope decide likes-tea session.json --as keep --note "seldom needed, but dear"',
    ),
    order=14,
)
