"""`memscope memories`: the memories of a conversation, and what each did in all."""

from __future__ import annotations

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Target, session


def run(target: Target, console: Console) -> Exit:
    from memscope.reports.matrix import MEMORIES, memories_document

    with session(target, console) as opened:
        _, document = opened.matrix()
        console.heading(opened.heading(document.reason))
        console.document(MEMORIES, memories_document(document))
        return opened.exit_code(document.reason)


COMMAND = Command(
    name="memories",
    summary="List the memories: where each was found, by which rule, and what it did in all.",
    options=Target,
    run=run,
    examples=("memscope memories session.jsonl", "memscope memories session.jsonl --format csv > memories.csv"),
    order=12,
)
