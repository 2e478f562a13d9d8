"""`memscope memories`: the memories of a conversation, and what each did in all; or in all conversations there are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.cli.command import Command, positional
from memscope.cli.opening import Consent, ReadingOptions, Scoring
from memscope.cli.output import Console
from memscope.cli.session import Target, session


class MemoriesOptions(ReadingOptions, Consent, Scoring):
    paths: tuple[Path, ...] = Field(
        (), description="A transcript; or several, or folders of them.", json_schema_extra=positional("PATH...")
    )
    all: bool = Field(False, description="Every conversation that was scored.", json_schema_extra={"alone": True})
    score: bool = Field(
        False,
        description="First score those conversations that never were, or have changed.",
        json_schema_extra={"alone": True},
    )
    sort: Literal["unused", "needed", "tokens", "last"] | None = Field(
        None, description="What comes first across conversations: the longest unused (default), the most needed, ..."
    )
    unused_for: int | None = Field(
        None,
        ge=1,
        description="Only memories that did nothing in the last K conversations they were in, or more.",
        json_schema_extra={"metavar": "K"},
    )
    seen: str | None = Field(
        None, description="List the conversations this memory was in.", json_schema_extra={"metavar": "KEY"}
    )
    item: int = Field(0, ge=0, description="Which conversation of a file that holds several.")
    window: int | None = Field(None, ge=0, description="Which context window; the last by default.")

    @property
    def across(self) -> bool:
        """Whether it is about several conversations."""
        asked = self.all or self.score or any(given is not None for given in (self.sort, self.unused_for, self.seen))
        return asked or len(self.paths) > 1 or any(path.is_dir() for path in self.paths)

    def target(self) -> Target:
        """The one conversation it is about otherwise."""
        own = {"paths", "all", "score", "sort", "unused_for", "seen"}
        return Target(file=self.paths[0], **self.model_dump(exclude=own))


def run(options: MemoriesOptions, console: Console) -> Exit:
    if options.across:
        from memscope.cli.across import print_across

        return print_across(options, console)
    if not options.paths:
        raise UsageError("which conversation?", do="Give a FILE, several, a folder, or --all.")
    from memscope.reports.matrix import MEMORIES, memories_document

    with session(options.target(), console) as opened:
        _, document = opened.matrix()
        console.heading(opened.heading(document.reason))
        console.document(MEMORIES, memories_document(document))
        return opened.exit_code(document.reason)


COMMAND = Command(
    name="memories",
    summary="List the memories of a conversation and what each did in all, or in all conversations.",
    details="For one FILE, where each memory was found, by which rule, and its effects added up. For several PATHs, a"
    " folder, or --all, what each did across conversations, from the runs that are kept of them: in how many it was"
    " seen, needed, against, unused. A conversation counts once, by its newest run; --engine and --model take only the"
    " runs of those. An effect counts above --threshold, above the threshold and noise of its run, and above what any"
    " text may move under its engine (`embedded`: half a nat).",
    options=MemoriesOptions,
    run=run,
    examples=(
        "memscope memories session.jsonl",
        "memscope memories session.jsonl --format csv > memories.csv",
        "memscope memories sessions/ --score --threshold 1",
        "memscope memories --all --unused-for 50 --sort tokens",
        "memscope memories --all --seen user/dark-theme",
    ),
    order=12,
)
