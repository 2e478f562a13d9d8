"""`memscope convert`: any transcript in the native form, with its memories marked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.base.errors import Exit
from memscope.base.settings import resolve
from memscope.cli.command import Command
from memscope.cli.opening import OpeningOptions
from memscope.cli.output import Console
from memscope.cli.session import note_skipped


class ConvertOptions(OpeningOptions):
    to: Literal["native"] = Field("native", description="The form to write.")


def run(options: ConvertOptions, console: Console) -> Exit:
    from memscope.reports.native import NATIVE, native_document

    conversation = options.open(resolve().settings)
    note_skipped(conversation, console)
    console.document(NATIVE, native_document(conversation))
    return Exit.DONE


COMMAND = Command(
    name="convert",
    summary="Print a transcript in the native form: OpenAI chat messages, memories marked with memory_key.",
    details="With --format table or csv: message by message, with the memories found and the rule that found each.",
    options=ConvertOptions,
    run=run,
    examples=(
        "memscope convert session.jsonl > native.json",
        "memscope convert session.jsonl --memories CLAUDE.md --format table",
    ),
    form="json",
    order=20,
)
