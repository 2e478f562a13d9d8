"""`memscope sessions`: stored sessions by what they are worth to read, score and harvest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.base.files import shown_path
from memscope.cli.command import Command, Options, choices, positional
from memscope.cli.output import Console
from memscope.conversation.formats import format_named, format_names

if TYPE_CHECKING:
    from memscope.actions.list_sessions import Wanted

_STANDARD_OUTPUT = Path("-")
_CLASSIC_FORMAT = "hermes"  # whose folder of sessions the first sampler looked into
_NOT_CLASSIC = ("filter", "copies", "input_format")


class SessionsOptions(Options):
    paths: tuple[Path, ...] = Field(
        (),
        description="Folders of transcripts, or transcripts; by default those of the agents that are known.",
        json_schema_extra=positional("[DIR...]"),
    )
    count: int = Field(100, ge=1, description="List the first N. [100]", json_schema_extra={"metavar": "N"})
    top_percent: float | None = Field(
        None,
        gt=0,
        le=100,
        description="List this part of the sessions instead, one at least; 100 lists all, and what holds none.",
        json_schema_extra={"metavar": "P"},
    )
    repo: str = Field(
        "",
        description="Only of this repository, or with that in the file's name; case is ignored.",
        json_schema_extra={"metavar": "NAME"},
    )
    since: str = Field("", description="Only from this day on, in UTC.", json_schema_extra={"metavar": "YYYY-MM-DD"})
    min_score: int = Field(0, ge=0, description="Only with S points or more.", json_schema_extra={"metavar": "S"})
    filter: str = Field(
        "", description="Only what fits this expression; see above.", json_schema_extra={"metavar": "EXPR"}
    )
    copies: bool = Field(
        False, description="List copies and sub-agents by themselves too.", json_schema_extra={"alone": True}
    )
    format: Literal["table", "json", "csv", "paths"] | None = Field(
        None, description="How to print; paths: the files alone, a line each. [table]"
    )
    output: Path | None = Field(
        None,
        description="Write JSON to this file instead, whatever the format; - is standard output.",
        json_schema_extra={"metavar": "FILE"},
    )
    compat: Literal["classic"] | None = Field(
        None, description="classic: the numbers of the first session sampler, quirks included, to compare with."
    )
    input_format: str = Field(
        "", description="The transcripts' format; by default it is recognised.", json_schema_extra=choices(format_names)
    )

    def wanted(self) -> Wanted:
        """The same for the actions."""
        from memscope.actions.list_sessions import Wanted

        return Wanted(**self.model_dump(exclude={"format", "output", "compat"}))


def run(options: SessionsOptions, console: Console) -> Exit:
    from memscope.cli.sessions import print_classic, print_sessions

    form = "json" if console.form == "json" else options.format or "table"
    output = options.output
    if output == _STANDARD_OUTPUT:
        form, output = "json", None
    if options.compat is None:
        return print_sessions(options.wanted(), console, form, output)
    for name in _NOT_CLASSIC:
        if getattr(options, name):
            raise UsageError(f"--compat classic knows no --{name.replace('_', '-')}", do="Leave one of them away.")
    if form == "csv":
        raise UsageError("--compat classic knows no csv", do="Its forms are table, json and paths.")
    return print_classic(options.wanted(), _one_folder(options.paths), console, form, output)


def _one_folder(paths: tuple[Path, ...]) -> Path:
    if len(paths) > 1:
        raise UsageError("--compat classic ranks one folder", do="Name one.")
    if paths:
        return paths[0]
    home = format_named(_CLASSIC_FORMAT).home
    folders = home.session_folders if home is not None else ()
    if not folders or not folders[0].exists():
        looked = f", there is no {shown_path(folders[0])}" if folders else ""
        raise UsageError(f"there is no knowing where your sessions are{looked}", do="Name a folder.")
    return folders[0]


COMMAND = Command(
    name="sessions",
    summary="Rank stored sessions by what they are worth to read, score and harvest first.",
    details="A session has 3 to 16 points: 1 to 3 for being recent, 1 to 3 for its length, 5 for being the first of a"
    " repository and 1 for another of one, 1 to 3 for its outcome (failure, content, empty), 2 for more than 10 tool"
    " calls. Then come the most memories, then the newest: only a session with memories can be scored. --json has what"
    " each part rests on; so has the table, of a session alone. Every file is read once, and again when it changes;"
    " ranks are those among all that is there, whatever is listed of it.\n\n"
    "An EXPR is words, which stand in the title, the first request or a repository's name, and comparisons, all of"
    ' which have to hold: score>=12 outcome=failure repo=mise memories>0 since:2026-04 -repo:test "two words". A - says'
    " that it must not be so. Fields: score, recency, length, repo_unique, outcome, tool_calls, messages, responses,"
    " memories, windows, size (10k, 1.5M), age (days, 7d, 2w), date, since, before (2026, 2026-04, 2026-04-01, today,"
    " yesterday, 7d), repo, format, title, path, session, error (yes, no, words), malformed, skipped, copies (yes, no,"
    " only). Operators: = != > >= < <=, and : for what holds a word, or from a day on.",
    options=SessionsOptions,
    run=run,
    examples=(
        "memscope sessions",
        "memscope sessions ~/.claude/projects --filter 'memories>0 outcome=failure' --count 20",
        "memscope sessions archive/ --since 2026-04-01 --min-score 9 --format paths | xargs -d '\\n' ls -l",
        "memscope sessions archive/ --top-percent 10 --output best.json",
        "memscope sessions --filter 'memories>0' --count 20 --json | memscope score - --yes",
    ),
    order=20,
)
