"""`memscope config`: the settings in force, and where each came from."""

from __future__ import annotations

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.opening import Scoring
from memscope.cli.output import Console


def run(options: Scoring, console: Console) -> Exit:
    from memscope.reports.config import CONFIG, config_document

    document = config_document(options.resolved())
    console.heading(
        f"settings file {document.config_file}\ndata folder   {document.data_dir}\n"
        f"API key       {'from ' + document.api_key if document.api_key else 'none'}"
    )
    console.document(CONFIG, document)
    return Exit.DONE


COMMAND = Command(
    name="config",
    summary="Print every setting, its value, and where the value came from.",
    details="A flag beats the environment (MEMSCOPE_<NAME>), that the settings file (TOML), that the default.",
    options=Scoring,
    run=run,
    examples=("memscope config", "MEMSCOPE_THRESHOLD=0.5 memscope config --json"),
    order=30,
)
