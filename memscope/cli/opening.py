"""Options that several commands share: which conversation, and scored by what."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.settings import Resolved, Settings, resolve
from memscope.cli.command import Options, choices, positional
from memscope.conversation.formats import format_names
from memscope.conversation.model import Conversation
from memscope.engines.registry import engine_names


class Opening(Options):
    """Which conversation."""

    file: Path = Field(description="The transcript.", json_schema_extra=positional("FILE"))
    memories: tuple[Path, ...] = Field(
        (), description="Memory files or folders (CLAUDE.md, memory/*.md, ...) to put into the system message."
    )
    split: Literal["file", "heading", "bullet"] | None = Field(
        None, description="Cut memory files into units this fine; by default down to bullets."
    )
    item: int = Field(0, ge=0, description="Which conversation of a file that holds several.")
    window: int | None = Field(None, ge=0, description="Which context window; the last by default.")
    input_format: str = Field(
        "", description="The transcript's format; by default it is recognised.", json_schema_extra=choices(format_names)
    )

    def open(self, settings: Settings) -> Conversation:
        from memscope.actions.open import open_conversation

        return open_conversation(
            self.file,
            settings,
            input_format=self.input_format,
            item=self.item,
            window=self.window,
            memories=self.memories,
            split=self.split,
        )


class Scoring(Options):
    """Scored by what. Every one of these is also a setting; unset, the settings decide."""

    engine: str | None = Field(
        None, description="What assigns the log-probabilities.", json_schema_extra=choices(engine_names)
    )
    base_url: str | None = Field(None, description="Where the scoring server answers.")
    model: str | None = Field(None, description="The model on the server.")
    timeout: float | None = Field(None, description="Seconds to wait for an answer.")
    workers: int | None = Field(None, description="Scorings at a time.")
    threshold: float | None = Field(None, description="Effects at or below this many nats do not count. [0.01]")
    store: bool | None = Field(
        None, description="Neither use nor keep scores on disk.", json_schema_extra={"off": True}
    )
    thinking: bool | None = Field(None, description="Score and send thinking too.")

    def resolved(self) -> Resolved:
        return resolve({name: getattr(self, name) for name in Scoring.model_fields})


def place(conversation: Conversation) -> str:
    """Which item and window of how many, where there is a choice; else nothing."""
    source = conversation.source
    if source is None:
        return ""
    said = []
    if conversation.items > 1:
        said.append(f"conversation {source.item + 1} of {conversation.items} (--item {source.item})")
    if conversation.windows > 1:
        said.append(f"window {source.window + 1} of {conversation.windows} (--window {source.window})")
    return ", ".join(said)
