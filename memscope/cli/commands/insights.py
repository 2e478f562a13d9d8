"""`memscope insights`: what session traces teach, by rules and by a chat model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.settings import resolve
from memscope.cli.command import Command, Options, choices, positional
from memscope.cli.output import Console
from memscope.conversation.formats import format_names

_OF_SESSIONS = ("synthesize", "prompt", "keep", "again", "keep_reply", "merge")
_OF_A_LIST = ("kind", "min_confidence", "jsonl")
_OF_FOUND = ("keep", "again", "keep_reply", "merge", *_OF_A_LIST)  # none of the prompt


class InsightsOptions(Options):
    paths: tuple[Path, ...] = Field(
        (),
        description="Transcripts, or folders of them. [the folders of the agents]",
        json_schema_extra=positional("[PATH...]"),
    )
    synthesize: bool = Field(
        False,
        description="Have the chat model of the setting chat_url synthesize insights too; what is sent is told first.",
        json_schema_extra={"alone": True},
    )
    prompt: bool = Field(False, description="Print what it would be sent, and stop.", json_schema_extra={"alone": True})
    again: bool = Field(False, description="Ask it anew where its answer is kept.", json_schema_extra={"alone": True})
    keep_reply: bool = Field(
        False,
        description="Where nothing can be made of its answer, take that as one insight; one that is kept is not asked"
        " for again.",
        json_schema_extra={"alone": True},
    )
    kind: Literal["repeated_tool_error", "successful_sequence", "long_reasoning", "synthesized"] | None = Field(
        None, description="Of this kind alone."
    )
    min_confidence: float = Field(0.0, ge=0, le=1, description="Of this confidence at least. [0]")
    merge: bool = Field(
        False, description="One for all that say the same, as keeping does.", json_schema_extra={"alone": True}
    )
    keep: bool = Field(
        False,
        description="Keep what is found: one of those that say the same, none below 0.3, 500 at most.",
        json_schema_extra={"alone": True},
    )
    kept: bool = Field(False, description="List what is kept.", json_schema_extra={"alone": True})
    drop: tuple[str, ...] = Field(
        (),
        description="Drop these, by the beginning of their names as --json has them: of what is found in PATH, or else"
        " of what is kept. They are kept no more, and not offered again.",
        json_schema_extra={"metavar": "NAME..."},
    )
    undo: bool = Field(
        False, description="Take back the latest keeping or dropping.", json_schema_extra={"alone": True}
    )
    jsonl: bool = Field(False, description="Print a line of JSON for each.", json_schema_extra={"alone": True})
    insight_chars: int | None = Field(None, description="Characters of traces in the prompt. [8000]")
    insight_count: int | None = Field(None, description="How many insights are asked for. [10]")
    insight_rules: bool | None = Field(None, description="Tell the model what the rules observed. [yes]")
    insight_winner: Literal["newer", "confident"] | None = Field(
        None, description="Of two that say the same, the one that stays. [newer]"
    )
    store: bool | None = Field(None, description="Keep what was read and answered on disk, and use what is there.")
    compat: Literal["classic"] | None = Field(
        None, description="classic: prompt and answer as the first synthesis had them, to compare with."
    )
    input_format: str = Field(
        "", description="The transcripts' format; by default it is recognised.", json_schema_extra=choices(format_names)
    )

    def flags(self) -> dict[str, Any]:
        """Those that are settings."""
        named = ("insight_chars", "insight_count", "insight_rules", "insight_winner", "store", "compat")
        return {name: getattr(self, name) for name in named}


def run(options: InsightsOptions, console: Console) -> Exit:
    from memscope.cli.insights import decide, print_found, print_kept, print_prompt

    settings = resolve(options.flags()).settings
    _check_together(options, console)
    if options.keep_reply and not options.synthesize:
        raise UsageError("--keep-reply without --synthesize", do="It is the chat model's reply that is kept.")
    if options.again and not options.synthesize:
        raise UsageError("--again without --synthesize", do="It is the chat model that is asked again.")
    if options.drop or options.undo:
        return decide(options, settings, console)
    if options.kept:
        return print_kept(options, settings, console)
    if options.prompt:
        return print_prompt(options, settings, console)
    return print_found(options, settings, console)


def _check_together(options: InsightsOptions, console: Console) -> None:
    """Raises `UsageError` where one option would have no effect beside another."""
    steps = _given(options, "kept", "drop", "undo")
    others = _given(options, *_OF_SESSIONS)
    if options.paths and (options.kept or options.undo):
        others.append("PATH")
    if options.drop or options.undo:
        others += _given(options, *_OF_A_LIST)
    if steps and (len(steps) > 1 or others):
        _refuse(steps + others)
    if options.prompt and (others := _given(options, *_OF_FOUND)):
        _refuse(["--prompt", *others])
    if options.jsonl and console.asked:
        _refuse(["--jsonl", "--json" if console.form == "json" else "--format"])


def _given(options: InsightsOptions, *names: str) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]


def _refuse(together: list[str]) -> NoReturn:
    raise UsageError(f"{' and '.join(together)} at once", do="Give one of them.")


COMMAND = Command(
    name="insights",
    summary="What session traces teach: errors that repeat, sequences that worked, reasoning.",
    details="By rules, without a model: a tool that failed twice or more in a session (repeated_tool_error); calls of"
    " tools, two or more and none failed, from one plain turn of the assistant to the next (successful_sequence); a"
    " text of the assistant of 500 characters or more (long_reasoning). Each names where it was seen: the session, and"
    " the message in it.\n\n"
    "--synthesize sends a prompt of the newest sessions to the chat model of the setting chat_url, without what looks"
    " like a credential, and takes the insights of its answer, which is kept. An answer of which nothing can be made is"
    " told, never kept by itself.",
    options=InsightsOptions,
    run=run,
    examples=(
        "memscope insights session.jsonl",
        "memscope insights ~/.claude/projects --merge --min-confidence 0.6",
        "memscope insights archive/ --prompt",
        "memscope insights archive/ --synthesize --keep",
        "memscope insights --kept --jsonl > insights.jsonl",
    ),
    order=25,
)
