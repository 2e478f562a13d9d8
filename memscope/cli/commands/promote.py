"""`memscope promote`: a pattern that recurs becomes a skill, step by step."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.settings import resolve
from memscope.cli.command import Command, positional
from memscope.cli.commands.promotions import SearchOptions
from memscope.cli.output import Console

_STEPS = ("show", "accept", "reject", "undo")
_CHANGES = ("name", "drop", "text", "chat")


class PromoteOptions(SearchOptions):
    signature: str = Field(
        description="The pattern, by the beginning of its signature.", json_schema_extra=positional("SIGNATURE")
    )
    paths: tuple[Path, ...] = Field(
        (),
        description="Look for it in these anew, rather than among what was found last.",
        json_schema_extra=positional("[PATH...]"),
    )
    show: bool = Field(False, description="Print the draft; no file is written.", json_schema_extra={"alone": True})
    accept: bool = Field(
        False,
        description="Move the draft among the skills; write it first if need be.",
        json_schema_extra={"alone": True},
    )
    reject: bool = Field(False, description="Remember that it is to be no skill.", json_schema_extra={"alone": True})
    undo: bool = Field(
        False,
        description="Take back the latest step on it, on disk too; what somebody has changed there since stays.",
        json_schema_extra={"alone": True},
    )
    yes: bool = Field(
        False,
        description="Accept it whatever in its draft reads like an instruction to override; else a person is asked.",
        json_schema_extra={"alone": True},
    )
    name: str | None = Field(
        None, description='Call the skill so; "" for the name it has by default.', json_schema_extra={"metavar": "NAME"}
    )
    drop: tuple[str, ...] = Field(
        (),
        description="Leave out messages, by their names or the beginning of their texts.",
        json_schema_extra={"metavar": "MESSAGE..."},
    )
    text: Path | None = Field(
        None,
        description="Take the SKILL.md in this file in place of the one that is made from the messages.",
        json_schema_extra={"metavar": "FILE"},
    )
    chat: bool = Field(
        False,
        description="Have the chat model of the setting chat_url write it; the messages' words are sent there, unless"
        " its answer is kept.",
        json_schema_extra={"alone": True},
    )
    again: bool = Field(
        False, description="Ask the chat model anew where its answer is kept.", json_schema_extra={"alone": True}
    )

    @property
    def changes(self) -> list[str]:
        """The flags of what is said of a skill before it is written."""
        return [f"--{name}" for name in _CHANGES if getattr(self, name) not in (None, (), False)]


def run(options: PromoteOptions, console: Console) -> Exit:
    from memscope.cli.promote import promote

    asked = [f"--{name}" for name in _STEPS if getattr(options, name)]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} at once", do="Give one of them.")
    if options.chat and options.text is not None:
        raise UsageError("--chat and --text at once", do="Give one of them.")
    if options.again and not options.chat:
        raise UsageError("--again without --chat", do="It is the chat model that is asked again.")
    if options.changes and (options.reject or options.undo):
        raise UsageError(f"{' and '.join([*asked, *options.changes])} at once", do="Give one of them.")
    return promote(options, resolve(options.flags()).settings, console)


COMMAND = Command(
    name="promote",
    summary="Make a skill of a pattern: write its draft, accept or reject it.",
    details="The SKILL.md is written to _drafts/NAME/SKILL.md below the skills folder, which Claude Code does not read"
    " there (other agents may), and printed; its faults, and what in it reads like an instruction to override, go to"
    " standard error. --accept moves it to NAME/SKILL.md. A pattern has one skill, by its signature, wherever that is"
    " and whatever its name: it is told, never written over; nor is anything else. A rejection is remembered. --undo"
    " takes back one step after another; what was edited or moved by hand since then stays.\n\n"
    "The draft is made from the messages by template, or by the chat model: both leave out what looks like a"
    " credential, and a person looks at it before any agent does.",
    options=PromoteOptions,
    run=run,
    examples=(
        "memscope promote 5f1c2a90be77 --show",
        "memscope promote 5f1c2a90be77 --name run-the-tests",
        "memscope promote 5f1c2a90be77 --chat --skills ~/.claude/skills",
        "memscope promote 5f1c2a90be77 --accept",
        "memscope promote 5f1c2a90be77 --undo",
    ),
    order=23,
)
