"""`memscope export`: the accepted responses as training data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.errors import Exit
from memscope.base.settings import resolve
from memscope.cli.command import Command, Options, positional
from memscope.cli.output import Console

_SHOWN = 20  # things that went wrong, told one by one


class ExportOptions(Options):
    paths: tuple[Path, ...] = Field(
        (),
        description="Only what was accepted in these transcripts, or in those of these folders.",
        json_schema_extra=positional("[CONVERSATION...]"),
    )
    format: Literal["sft", "dpo", "trl"] = Field(
        description="sft: OpenAI's chat fine-tuning; dpo: OpenAI's preferences, against the alternate answers; trl:"
        " preferences in TRL's form."
    )
    output: Path = Field(description="The file to write.", json_schema_extra={"metavar": "FILE"})
    validation: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Set about this part of the lines aside, whole conversations alone.",
        json_schema_extra={"metavar": "F"},
    )
    force: bool = Field(False, description="Replace files that are there.", json_schema_extra={"alone": True})


def run(options: ExportOptions, console: Console) -> Exit:
    from memscope.actions.memory_decisions import decisions_kept
    from memscope.actions.training import Order, export_training
    from memscope.reports.training import TRAINING, error_lines, training_words

    settings = resolve().settings
    order = Order(options.format, options.output, options.validation, options.force, options.paths)
    with decisions_kept(settings) as database, console.job() as job:
        document = export_training(order, settings, database, job)
    wrong = error_lines(document)
    for line in wrong[:_SHOWN]:
        console.note(line)
    if len(wrong) > _SHOWN:
        console.note(f"and {len(wrong) - _SHOWN} more of the like")
    if console.form == "table":
        console.text(*training_words(document))
    else:
        console.document(TRAINING, document)
    return Exit.DONE if document.files and not document.errors else Exit.NOTHING


COMMAND = Command(
    name="export",
    summary="Write the accepted responses as training data, with a manifest beside the file.",
    details="Prompts are written without memories, and every line is checked against its format. What cannot be written"
    " is told and stays accepted: a conversation that is gone or has changed, text that looks like a credential, a"
    " response without an alternate answer (dpo, trl). --json prints the manifest.",
    options=ExportOptions,
    run=run,
    examples=(
        "memscope export --format sft --output train.jsonl",
        "memscope export sessions/ --format dpo --output pairs.jsonl --validation 0.1",
    ),
    order=19,
)
