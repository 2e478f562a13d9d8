"""`memscope promotions`: what recurs across sessions, as candidates for skills."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from memscope.base.errors import Exit
from memscope.base.settings import resolve
from memscope.cli.command import Command, Options, choices, positional
from memscope.cli.output import Console
from memscope.conversation.formats import format_names


class SearchOptions(Options):
    """How patterns are looked for."""

    method: Literal["stable", "greedy"] | None = Field(
        None,
        description="stable: average linkage, the same for any order of the messages; greedy: each message joins the"
        " first cluster that is near enough. [stable]",
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="The cosine from which on messages are alike; by default that of the embedder."
    )
    min_occurrences: int = Field(3, ge=1, description="How many messages a candidate has at least. [3]")
    min_sessions: int = Field(2, ge=1, description="Of how many different sessions. [2]")
    kinds: Literal["requests", "plans", "both"] = Field(
        "both",
        description="Of transcripts: what people asked for, what the assistant set out to do (its first words and the"
        " tools it called), or both. [both]",
    )
    embedder: Literal["embedded", "api", "local"] | None = Field(
        None,
        description="What makes vectors of messages: embedded (their words), api (a server, embed_url), local"
        " (sentence-transformers, embed_model). Rows that bring vectors are then embedded too. [the setting]",
    )
    embed_url: str | None = Field(None, description="Where an embeddings server answers.")
    embed_model: str | None = Field(None, description="Its model; or a folder or hub name.")
    skills: Path | None = Field(
        None, description="The folder of the skills that there are. [the setting skills_folder]"
    )
    store: bool | None = Field(None, description="Keep vectors and candidates on disk, and use what is there.")
    compat: Literal["classic"] | None = Field(
        None, description="classic: the clusters and signatures of the first promotion engine, to compare with."
    )
    input_format: str = Field(
        "", description="The transcripts' format; by default it is recognised.", json_schema_extra=choices(format_names)
    )

    def flags(self) -> dict[str, Any]:
        """Those that are settings."""
        skills = None if self.skills is None else str(self.skills)
        named = ("embedder", "embed_url", "embed_model", "store")
        return {**{name: getattr(self, name) for name in named}, "skills_folder": skills}


class PromotionsOptions(SearchOptions):
    paths: tuple[Path, ...] = Field(
        (),
        description="Transcripts, folders of them, or files of JSON rows. [the folders of the agents]",
        json_schema_extra=positional("[PATH...]"),
    )
    stability: bool | None = Field(None, description="Look how far each candidate depends on single messages. [yes]")


def run(options: PromotionsOptions, console: Console) -> Exit:
    from memscope.cli.promotions import print_promotions

    return print_promotions(options, resolve(options.flags()).settings, console)


COMMAND = Command(
    name="promotions",
    summary="Find what recurs across sessions: candidates for skills.",
    details="What people asked for, and what the assistant set out to do for it, is embedded and clustered; a cluster"
    " of enough messages in enough sessions is a candidate, of requests or of plans. A session that is there several"
    " times counts once, and what software wrote in a person's name never does. Web addresses and paths do not count"
    " when messages are compared. Nothing leaves this machine unless the embedder is api.\n\n"
    "A row is a line of JSON with message_id, session_id, text, and an embedding or none: those without are skipped if"
    " any has one, else all are embedded. Rows are taken as they are, short ones and software's too; one"
    " that is there twice counts once. A file of rows is read where it is named itself, and not in a folder.\n\n"
    "cohesion: the mean cosine of the members to their centre. stability: the share of 20 samples of 80 % of the"
    " messages that hold the same cluster. What is found is kept: `memscope promote` makes a skill of it by its"
    " signature.",
    options=PromotionsOptions,
    run=run,
    examples=(
        "memscope promotions",
        "memscope promotions ~/.claude/projects --kinds requests --min-sessions 3",
        "memscope promotions archive/ --embedder api --embed-url http://127.0.0.1:8080/v1",
        "memscope promotions rows.jsonl --method greedy --json > candidates.json",
    ),
    order=22,
)
