"""`memscope completion`: the script that teaches a shell to complete memscope's commands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command, Options, positional
from memscope.cli.output import Console


class CompletionOptions(Options):
    shell: Literal["bash", "zsh", "fish"] = Field(
        description="The shell.", json_schema_extra=positional("[bash|zsh|fish]")
    )


def run(options: CompletionOptions, console: Console) -> Exit:
    from click.shell_completion import get_completion_class

    from memscope.cli.main import parser

    made = get_completion_class(options.shell)
    assert made is not None
    console.text(made(parser(), {}, "memscope", "_MEMSCOPE_COMPLETE").source())
    return Exit.DONE


COMMAND = Command(
    name="completion",
    summary="Print the script that makes bash, zsh or fish complete memscope's commands.",
    options=CompletionOptions,
    run=run,
    examples=(
        'eval "$(memscope completion bash)"   # in ~/.bashrc; zsh the same',
        "memscope completion fish > ~/.config/fish/completions/memscope.fish",
    ),
    order=40,
)
