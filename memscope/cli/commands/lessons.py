"""`memscope lessons`: what an agent keeps across episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.settings import resolve
from memscope.cli.command import Command, Options, positional
from memscope.cli.output import Console

Action = Literal["show", "context", "record", "consolidate"]
_OF = {
    "task": ("context", "show"),
    "budget": ("context",),
    "chat": ("consolidate",),
    "again": ("consolidate",),
    "now": ("consolidate",),
    "dry_run": ("consolidate", "record"),
}


class LessonsOptions(Options):
    action: Action = Field(
        description="show what is in a file; print the context block for a task; record episodes; consolidate rules.",
        json_schema_extra=positional("show|context|record|consolidate"),
    )
    path: Path | None = Field(
        None,
        description="The file. [the setting lessons_file]",
        json_schema_extra=positional("[FILE]"),
    )
    episode: Path | None = Field(
        None,
        description="Of record: JSON, an episode or a list of them; - for standard input.",
        json_schema_extra=positional("[EPISODE.json]"),
    )
    task: str | None = Field(None, description="The task the block is for; of show: this task alone.")
    budget: int | None = Field(
        None, ge=1, description="Tokens that the block may have, of four characters each. [the setting lessons_budget]"
    )
    now: bool = Field(False, description="Consolidate though it is not due.", json_schema_extra={"alone": True})
    chat: bool | None = Field(
        None, description="Have the chat model of the setting chat_url derive the rules. [where one is set]"
    )
    again: bool = Field(False, description="Ask it anew where its answer is kept.", json_schema_extra={"alone": True})
    dry_run: bool = Field(
        False, description="Print what would change; nothing is written.", json_schema_extra={"alone": True}
    )
    store: bool | None = Field(None, description="Keep answers of the chat model on disk, and use those there are.")
    compat: Literal["classic"] | None = Field(
        None, description="classic: blocks, cards and rules as the first agent memory made them, to compare with."
    )

    def flags(self) -> dict[str, Any]:
        """Those that are settings."""
        return {"store": self.store, "compat": self.compat, "lessons_budget": self.budget}


def run(options: LessonsOptions, console: Console) -> Exit:
    from memscope.cli import lessons

    for name, actions in _OF.items():
        if options.action not in actions and getattr(options, name) not in (None, False):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} with {options.action}", do=f"It belongs to {' and '.join(actions)}.")
    if options.action == "record" and (options.path is None or options.episode is None):
        raise UsageError(
            "record takes a file of lessons, and one of episodes", do="memscope lessons record FILE EPISODE.json"
        )
    if options.action != "record" and options.episode is not None:
        raise UsageError(f"{options.action} takes one file", where=options.episode)
    settings = resolve(options.flags()).settings
    return getattr(lessons, options.action)(options, settings, console)  # type: ignore[no-any-return]


COMMAND = Command(
    name="lessons",
    summary="What an agent keeps across episodes: rules, mistakes, and the context block of the next.",
    details="A file of lessons is JSON that training or evaluation runs append to. show lists its tasks with their"
    " scores and rules; context prints the block that the next episode's prompt begins with, as long as its budget"
    " allows, and tells on standard error what was cut (its CSV is the lines that were cut; the block is in text and"
    " JSON); record appends episodes, all or none; consolidate, every 20"
    " episodes, derives general rules, by the chat model where one is set, else from the episodes since the last time"
    " that scored 0.85 or more.\n\n"
    "An episode is {task_id, score (0 to 1), steps, trajectory_summary, mistakes, successes, mistake_cards}. A file is"
    " written as a whole, under a lock, and the one before is kept beside it as FILE.bak. One that is broken is told,"
    " and left alone.",
    options=LessonsOptions,
    run=run,
    examples=(
        "memscope lessons show outputs/agent_memory.json",
        "memscope lessons context outputs/agent_memory.json --task checkout --budget 300",
        "memscope lessons record outputs/agent_memory.json episode.json",
        "memscope lessons consolidate outputs/agent_memory.json --dry-run",
    ),
    order=24,
)
