"""Options that several commands share: which conversation, and scored by what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, create_model

from memscope.base.settings import Resolved, Settings, changed, resolve
from memscope.cli.command import Options, choices, positional
from memscope.conversation.formats import format_names
from memscope.conversation.model import Conversation
from memscope.engines.registry import engine_values

if TYPE_CHECKING:
    from memscope.actions.open import Opening


class ReadingOptions(Options):
    """How conversations are read."""

    memories: tuple[Path, ...] = Field(
        (), description="Memory files or folders (CLAUDE.md, memory/*.md, ...) to put into the system message."
    )
    split: Literal["file", "heading", "bullet"] | None = Field(
        None, description="Cut memory files into units this fine; by default down to bullets."
    )
    sources: Literal["memories", "tools", "turns"] = Field(
        "memories", description="Score each tool result, or each turn of the user, as a memory too."
    )
    input_format: str = Field(
        "", description="The transcript's format; by default it is recognised.", json_schema_extra=choices(format_names)
    )

    def reading(self, path: Path, item: int = 0, window: int | None = None) -> Opening:
        """How a conversation of the file at `path` is opened."""
        from memscope.actions.open import Opening

        return Opening(path, self.input_format, item, window, self.memories, self.split, self.sources)


class OpeningOptions(ReadingOptions):
    """Which conversation."""

    file: Path = Field(description="The transcript.", json_schema_extra=positional("FILE"))
    item: int = Field(0, ge=0, description="Which conversation of a file that holds several.")
    window: int | None = Field(None, ge=0, description="Which context window; the last by default.")

    def opening(self) -> Opening:
        """The same for the actions."""
        return self.reading(self.file, self.item, self.window)

    def open(self, settings: Settings) -> Conversation:
        from memscope.actions.open import open_conversation

        return open_conversation(self.opening(), settings)


def _flag(name: str) -> tuple[Any, Any]:
    """The field of the flag that is a setting: the setting's type, or None where the flag is not given."""
    info = Settings.model_fields[name]
    default = "" if info.default in (None, "") or isinstance(info.default, bool) else f" [{info.default}]"
    words = f"{(info.description or name)[0].upper()}{(info.description or name)[1:]}.{default}"
    extra = choices(engine_values) if name == "engine" else None
    return info.annotation | None, Field(None, description=words, json_schema_extra=extra)  # type: ignore[operator]


_FLAGS = (
    "engine",
    "base_url",
    "model",
    "template",
    "fold",
    "device",
    "dtype",
    "timeout",
    "workers",
    "threshold",
    "store",
    "thinking",
    "context",
    "compat",
)
_FIELDS: dict[str, Any] = {name: _flag(name) for name in _FLAGS}
_Flags = create_model("_Flags", __base__=Options, **_FIELDS)


class Consent(Options):
    """Of commands that score."""

    yes: bool = Field(
        False,
        description="Do not ask before a run of more tokens than the setting ask_above.",
        json_schema_extra={"alone": True},
    )

    def agreed(self, resolved: Resolved) -> Resolved:
        """The settings for a console, which asks nothing of somebody who has said yes already."""
        return changed(resolved, "ask_above", 0) if self.yes else resolved


class Scoring(_Flags):
    """Scored by what: the settings that are flags too; unset, the other places decide. `MORE`: further fields of a
    command that are."""

    MORE: ClassVar[tuple[str, ...]] = ()

    def resolved(self) -> Resolved:
        """The settings in force under these flags."""
        return resolve({name: getattr(self, name) for name in (*_FLAGS, *self.MORE)})


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
