"""The native document, and its table: a conversation message by message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.conversation.native import native
from memscope.conversation.render import written
from memscope.reports.view import Column, Document, View


class NativeDocument(Document):
    """A conversation in the native form: OpenAI chat messages with `memory_key`."""

    schema_: Literal["memscope/native@1"] = Field("memscope/native@1", alias="schema")
    title: str | None = None
    tools: list[Any] | None = None
    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as the table shows it; `memories` as `key (rule)`."""

    index: int
    role: str
    kind: str
    memories: str
    text: str


def native_document(conversation: Conversation) -> NativeDocument:
    return NativeDocument.model_validate(native(conversation))


def _rows(document: NativeDocument) -> list[MessageRow]:
    return [_row(index, message) for index, message in enumerate(document.messages)]


def _row(index: int, message: dict[str, Any]) -> MessageRow:
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{**message, "text": content or ""}]
    found = [(b["memory_key"], b.get("memory_rule") or "explicit") for b in blocks if "memory_key" in b]
    text = "".join(str(block.get("text", "")) for block in blocks)
    calls = [f"{call['function']['name']}({call['function']['arguments']})" for call in message.get("tool_calls", [])]
    return MessageRow(
        index,
        message["role"],
        message.get("kind", "said"),
        ", ".join(f"{key} ({rule})" for key, rule in found),
        preview(" ".join([written(text, ()), *calls]), 400),
    )


NATIVE: View[NativeDocument, MessageRow] = View(
    "native",
    NativeDocument,
    _rows,
    lambda _: (
        Column("message", lambda row: row.index, "index", shown=lambda row: f"#{row.index}"),
        Column("role", lambda row: row.role),
        Column("kind", lambda row: row.kind, rank=1),
        Column("memories", lambda row: row.memories),
        Column("text", lambda row: row.text, wide=True),
    ),
)
