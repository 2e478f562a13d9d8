"""What must be known of a Codex rollout before it is read: which stream holds the turns, what was undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from memscope.conversation.formats._content import parts, seconds, string
from memscope.conversation.model import Text
from memscope.conversation.raw import Raw, Value

ENVELOPES = frozenset(
    """session_meta turn_context response_item event_msg compacted world_state inter_agent_communication
    inter_agent_communication_metadata""".split()
)
CALLS = frozenset(
    """function_call custom_tool_call local_shell_call web_search_call tool_search_call image_generation_call mcp_call
    tool_call""".split()
)
OUTPUTS = frozenset(
    "function_call_output custom_tool_call_output local_shell_call_output tool_search_output tool_result".split()
)
SILENT_ITEMS = frozenset(
    "ghost_snapshot compaction compaction_summary compaction_trigger context_compaction other".split()
)
ITEMS = frozenset({"message", "reasoning", "agent_message"}) | CALLS | OUTPUTS | SILENT_ITEMS

AGENTS_MD = "# AGENTS.md instructions"
SYNTHETIC = (
    *(AGENTS_MD, "<environment_context>", "<user_instructions>", "<permissions instructions>", "<skills_instructions>"),
    *("<collaboration_mode>", "<turn_aborted>", "<recommended_plugins>", "<multi_agent_mode>", "<skill>", "<hook_"),
    *("<user_shell_command>", "<subagent_notification>", "<INSTRUCTIONS>", "<model_switch>", "<personality_spec>"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A record out of its envelope. Until version 0.50 there was none: items, and a header, stood bare."""

    line: int
    kind: str
    payload: Mapping[str, Any]
    time: float | None = None


@dataclass
class Index:
    """What one pass over a rollout tells. A record's *place* is its number among the JSON values, from 0.

    `agents_md` has, for each window, the AGENTS.md texts that a message there shows; `undone` the places of turns that
    were rolled back.
    """

    has_head: bool = False
    is_subagent: bool = False
    has_messages: bool = False
    has_compacted: bool = False
    has_agent_messages: bool = False
    exit_codes: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    agents_md: list[list[str]] = field(default_factory=lambda: [[]])
    undone: set[int] = field(default_factory=set)


def opened(value: Value) -> Line | None:
    """The record in `value`, in the form the newer versions have; None when it is none of Codex's."""
    record = value.json
    if not isinstance(record, Mapping):
        return None
    kind, payload, time = record.get("type"), record.get("payload"), seconds(record.get("timestamp"))
    if isinstance(kind, str) and isinstance(payload, Mapping):
        return Line(value.line, kind, payload, time)
    if isinstance(kind, str) and kind in ITEMS:
        return Line(value.line, "response_item", record, time)
    if isinstance(record.get("record_type"), str):
        return Line(value.line, "state", record, time)
    if kind is None and isinstance(record.get("id"), str) and time and ("instructions" in record or "git" in record):
        return Line(value.line, "session_meta", record, time)
    return None


def lines(raw: Raw) -> Iterator[tuple[int, Line]]:
    """The records with their places."""
    values = (value for value in raw.values() if isinstance(value, Value))
    for place, value in enumerate(values):
        line = opened(value)
        if line is not None:
            yield place, line


def index(raw: Raw) -> Index:
    found = Index()
    turns: list[int] = []  # places where a person's turn began
    for place, line in lines(raw):
        kind = string(line.payload.get("type"))
        if line.kind == "session_meta":
            _note_head(found, line.payload)
        elif line.kind == "compacted":
            found.has_compacted = True
            found.agents_md.append([])
            for item in replaced(line.payload):
                _note_agents_md(found, item)
        elif line.kind == "response_item":
            _note_item(found, line.payload)
            if kind == "message" and line.payload.get("role") == "user" and not is_synthetic(line.payload):
                turns.append(place)
        elif line.kind == "event_msg" and kind == "exec_command_end":
            code, call = line.payload.get("exit_code"), line.payload.get("call_id")
            if isinstance(code, int) and isinstance(call, str):
                found.exit_codes[call] = code
        elif line.kind == "event_msg" and kind == "thread_rolled_back":
            _roll_back(found, turns, line.payload.get("num_turns"), place)
    return found


def _note_head(found: Index, meta: Mapping[str, Any]) -> None:
    """Whose rollout it is; a forked session repeats its parent's head behind its own, so the first counts."""
    source = meta.get("source")
    if not found.has_head:
        found.is_subagent = isinstance(source, Mapping) and "subagent" in source
    found.has_head = True


def _note_item(found: Index, item: Mapping[str, Any]) -> None:
    kind = string(item.get("type"))
    found.has_messages = found.has_messages or kind == "message"
    found.has_agent_messages = found.has_agent_messages or kind == "agent_message"
    if kind in OUTPUTS:
        found.answered.add(string(item.get("call_id")))
    elif kind == "message":
        _note_agents_md(found, item)


def _note_agents_md(found: Index, item: Mapping[str, Any]) -> None:
    found.agents_md[-1].extend(text for text in texts_of(item) if text.startswith(AGENTS_MD))


def _roll_back(found: Index, turns: list[int], count: Any, until: int) -> None:
    """Marks the last turns as undone; what had been undone before stays so."""
    number = count if isinstance(count, int) and count > 0 else 0
    gone = turns[-number:] if number else []
    if gone:
        del turns[-number:]
        found.undone.update(range(gone[0], until))


def texts_of(item: Mapping[str, Any]) -> list[str]:
    return [part.text for part in parts(item.get("content")) if isinstance(part, Text)]


def is_synthetic(item: Mapping[str, Any]) -> bool:
    """Whether every text of the message is one that Codex writes itself."""
    texts = [text.lstrip() for text in texts_of(item)]
    return bool(texts) and all(text.startswith(SYNTHETIC) for text in texts)


def replaced(compacted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items with which a compaction replaced what came before."""
    history = compacted.get("replacement_history")
    return [item for item in history if isinstance(item, Mapping)] if isinstance(history, list) else []
