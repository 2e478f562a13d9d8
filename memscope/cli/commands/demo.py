"""`memscope demo`: the main job on a bundled conversation."""

from __future__ import annotations

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.opening import Consent, Scoring
from memscope.cli.output import Console
from memscope.cli.session import session_of


class DemoOptions(Consent, Scoring):
    console: bool = Field(True, description="Print tables, also where a console could open.")


def run(options: DemoOptions, console: Console) -> Exit:
    from memscope.actions.open import demo_opening, open_conversation

    resolved = options.resolved()
    if options.console and console.interactive:
        from memscope.tui.start import open_console

        return open_console(options.agreed(resolved), demo_opening())
    from memscope.cli.grid import print_matrix
    from memscope.reports.matrix import MATRIX

    conversation = open_conversation(demo_opening(), resolved.settings)
    with session_of(conversation, resolved.settings, console, yes=options.yes) as opened:
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
    details="On a terminal it opens the console; without one, or with --no-console, it prints the matrix.",
    options=DemoOptions,
    run=run,
    examples=("memscope demo", "memscope demo --no-console", "memscope demo --json"),
    order=0,
)
