"""`memscope FILE`: the console on a conversation; `memscope FOLDER`: on the sessions below it; `memscope` alone: on the
conversations there were.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.cli.command import Command, positional
from memscope.cli.commands.matrix import run as print_matrix
from memscope.cli.opening import Consent, OpeningOptions, Scoring
from memscope.cli.output import Console
from memscope.cli.session import Target


class OpenOptions(OpeningOptions, Consent, Scoring):
    file: Path | None = Field(  # type: ignore[assignment]
        None,
        description="The transcript, or a folder of them to rank; without it the console offers recent ones.",
        json_schema_extra=positional("[FILE]"),
    )
    console: bool = Field(True, description="Print the matrix as a table, also where a console could open.")


def run(options: OpenOptions, console: Console) -> Exit:
    folder = options.file if options.file is not None and os.path.isdir(options.file) else None  # noqa: PTH112
    if options.console and console.interactive:
        from memscope.tui.start import open_console

        opening = options.opening() if options.file is not None and folder is None else None
        return open_console(options.agreed(options.resolved()), opening, folder)
    if options.file is None:
        raise UsageError("which transcript?", do="Give a FILE; on a terminal, memscope alone offers recent ones.")
    if folder is not None:
        raise UsageError("this is a folder", where=folder, do="Rank what is in it: memscope sessions FOLDER.")
    return print_matrix(Target(**options.model_dump(exclude={"console"})), console)


COMMAND = Command(
    name="open",
    summary="Open the console on a conversation, a folder, or on those there were; what a FILE alone does.",
    details="Without a terminal, with --no-console, or when a form is asked for, it prints the matrix.",
    options=OpenOptions,
    run=run,
    examples=(
        "memscope",
        "memscope session.jsonl",
        "memscope ~/.claude/projects",
        "memscope session.jsonl --memories ~/.claude/CLAUDE.md",
    ),
    order=1,
)
