"""`memscope matrix`: the whole memory-by-response matrix."""

from __future__ import annotations

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Target, session


def run(target: Target, console: Console) -> Exit:
    with session(target, console) as opened:
        scored, document = opened.matrix()
        if console.form != "table":
            from memscope.reports.matrix import MATRIX

            console.document(MATRIX, document)
        else:
            from memscope.cli.grid import print_matrix

            print_matrix(opened, scored, document)
        return opened.exit_code(document.reason)


COMMAND = Command(
    name="matrix",
    summary="Score every response with and without each memory, and print who leaned on what.",
    details="Rows are memories, columns responses (#I is the message's index). Numbers are nats: positive, the memory"
    " made this wording likelier; negative, less likely. Signs: · below the cutoff, blank where the memory came after"
    " the response, × failed. An effect measures support for this wording under this engine, not what the model would"
    " otherwise have done.",
    options=Target,
    run=run,
    examples=(
        "memscope matrix session.jsonl",
        "memscope matrix session.jsonl --memories ~/.claude/CLAUDE.md memory/ --json",
        "memscope matrix chat.json --engine score-api --base-url http://127.0.0.1:8000 --workers 8",
    ),
    order=10,
)
