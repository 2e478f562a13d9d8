"""`memscope demo`: the main job on a bundled conversation."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.opening import Scoring
from memscope.cli.output import Console
from memscope.cli.session import session_of


class DemoOptions(Scoring):
    console: bool = Field(True, description="Print tables, also where a console could open.")


def run(options: DemoOptions, console: Console) -> Exit:
    from memscope.actions.open import open_conversation
    from memscope.cli.grid import print_matrix
    from memscope.reports.matrix import MATRIX

    settings = options.resolved().settings
    with resources.as_file(resources.files("memscope.data") / "demo.json") as path:
        conversation = open_conversation(Path(path), settings)
    with session_of(conversation, settings, console) as opened:
        scored, document = opened.matrix()
        if console.form != "table":
            console.document(MATRIX, document)
        else:
            print_matrix(opened, scored, document)
            console.text(
                "", "Next: memscope FILE on a transcript of your own; memscope why FILE --message I for one response."
            )
        return opened.exit_code(document.reason)


COMMAND = Command(
    name="demo",
    summary="Run the main job on a bundled conversation, with nothing but Python.",
    options=DemoOptions,
    run=run,
    examples=("memscope demo", "memscope demo --json"),
    order=0,
)
