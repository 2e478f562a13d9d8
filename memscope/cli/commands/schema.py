"""`memscope schema`: the JSON schemas of what `--json` prints."""

from __future__ import annotations

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command, Options, positional
from memscope.cli.output import Console


class SchemaOptions(Options):
    name: str | None = Field(None, description="The document's name.", json_schema_extra=positional("[NAME]"))


def run(options: SchemaOptions, console: Console) -> Exit:
    from memscope.reports.registry import VIEWS, json_schema

    if options.name is not None:
        console.json(json_schema(options.name))
    elif console.form == "json":
        console.json(list(VIEWS))
    else:
        console.text(*VIEWS)
    return Exit.DONE


COMMAND = Command(
    name="schema",
    summary="Print the JSON schema of a document that --json prints; without a name, list them.",
    options=SchemaOptions,
    run=run,
    examples=("memscope schema", "memscope schema matrix"),
    order=31,
)
