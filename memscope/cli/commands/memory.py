"""`memscope memory`: what one memory did for the responses that came after it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command, positional
from memscope.cli.output import Console
from memscope.cli.session import Target, session


class MemoryOptions(Target):
    MORE: ClassVar[tuple[str, ...]] = ("responses",)

    key: str = Field(description="The memory, by key.", json_schema_extra=positional("KEY"))
    responses: int | None = Field(None, ge=1, description="How many responses after it are looked at. [50]")


def run(options: MemoryOptions, console: Console) -> Exit:
    from memscope.actions.memory import cost_of_memory, one_memory
    from memscope.reports.one_memory import ONE_MEMORY, memory_lines

    with session(options, console) as opened:
        with console.job() as job:
            estimate = cost_of_memory(opened.conversation, options.key, opened.scorer, opened.settings, job)
        opened.agree(estimate)
        with console.job() as job:
            document = one_memory(opened.conversation, options.key, opened.scorer, opened.settings, job)
        console.heading(opened.heading())
        console.document(ONE_MEMORY, document)
        if console.form == "table":
            console.text(*memory_lines(document))
        if document.failure is None:
            return Exit.DONE if document.effects else Exit.NOTHING
        console.note(f"failed: {document.reason}")
        return Exit.ENGINE if document.failure == "baseline" else Exit.DONE


COMMAND = Command(
    name="memory",
    summary="Score one memory: what it did for the responses that came after it, from two scorings.",
    details="Looks at the messages from its first occurrence to the end of the 50th response after it (--responses)."
    " All that was said before stays in front of them; with --context window only the opening system messages do."
    " Effects are in nats, signed; divergence is the sum of the positive ones. A key that begins with a dash goes"
    " behind two: memscope memory -- -key session.jsonl.",
    options=MemoryOptions,
    run=run,
    examples=(
        "memscope memory user/dark-theme session.jsonl",
        "memscope memory user/dark-theme session.jsonl --responses 10 --context window --json",
    ),
    order=16,
)
