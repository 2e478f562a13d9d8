"""`memscope prune`: the memories that a person decided to prune, as a diff against the files they stand in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from memscope.base.errors import Exit
from memscope.base.settings import resolve
from memscope.cli.command import Command
from memscope.cli.opening import OpeningOptions
from memscope.cli.output import Console
from memscope.cli.session import note_skipped


class PruneOptions(OpeningOptions):
    output: Path | None = Field(
        None, description="Write the diff to this file.", json_schema_extra={"metavar": "PATCH"}
    )
    force: bool = Field(False, description="Write it over a file that exists.", json_schema_extra={"alone": True})


def run(options: PruneOptions, console: Console) -> Exit:
    from memscope.actions.memory_decisions import decisions_kept
    from memscope.actions.open import opened
    from memscope.actions.prune import diff_bytes, prune_document, write_diff
    from memscope.reports.prune import PRUNE, removal_lines

    settings = resolve().settings
    with decisions_kept(settings) as database:
        found = opened(options.opening(), settings, database)
        document = prune_document(found, database)
    note_skipped(found.conversation, console)
    if options.output is not None and document.diff:
        console.note(f"written: {write_diff(document, options.output, overwrite=options.force)}")
    if console.form != "table":
        console.document(PRUNE, document)
    else:
        if options.output is None:
            console.bytes(diff_bytes(document))
        console.text(*removal_lines(document))
    if document.diff:
        console.note(f"apply it with patch -p1 or git apply, in {document.folder}")
    if any(memory.decision == "prune" for memory in document.memories):
        return Exit.DONE
    how = "d in the Memories pane does that, and `memscope decide KEY FILE --as prune`"
    console.note(f"no memory of this conversation was decided to be pruned: {how}")
    return Exit.NOTHING


COMMAND = Command(
    name="prune",
    summary="Print what takes the memories out that were decided to be pruned: a diff against their files.",
    details="No file is touched but the one named with --output. What stands in no file that is known, or in one that"
    " has changed, is listed behind the diff, each line after a #. Memories that are kept or pinned are never pruned.",
    options=PruneOptions,
    run=run,
    examples=(
        "memscope prune session.jsonl --memories CLAUDE.md --output prune.patch && patch -p1 < prune.patch",
        "memscope prune session.jsonl --memories CLAUDE.md --json",
    ),
    order=15,
)
