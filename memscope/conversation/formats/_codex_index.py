"""What must be known of a Codex rollout before it is read: which stream holds the turns, what was undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memscope.conversation.formats._content import parts, seconds, string
from memscope.conversation.model import Part, Text
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


class Line(NamedTuple):
    """A record out of its envelope. Until version 0.50 there was none: items, and a header, stood bare."""

    line: int
    kind: str
    payload: Mapping[str, Any]
    time: float | None = None


@dataclass
class Index:
    """What one pass over a rollout tells. A record's *place* is its number among the JSON values, from 0.

    `agents_md` has, for each window, the AGENTS.md texts that a message there shows, apart from those that the
    compaction brought with which it begins; `undone` the places of turns that were rolled back, and
    `compactions` those of compactions that were not.
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
    compactions: list[int] = field(default_factory=list)


def opened(record: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The kind and the payload of a record, in the form the newer versions have; None when it is none of Codex's."""
    if not isinstance(record, dict):
        return None
    kind, payload = record.get("type"), record.get("payload")
    if isinstance(kind, str):
        if isinstance(payload, dict):
            return kind, payload
        if kind in ITEMS:
            return "response_item", record
    if isinstance(record.get("record_type"), str):
        return "state", record
    is_head = kind is None and isinstance(record.get("id"), str) and ("instructions" in record or "git" in record)
    return ("session_meta", record) if is_head and seconds(record.get("timestamp")) else None


def line_of(value: Value) -> Line | None:
    """The record in `value`, out of its envelope; None when it is none of Codex's."""
    found = opened(value.json)
    return None if found is None else Line(value.line, *found, seconds(value.json.get("timestamp")))


def index(raw: Raw) -> Index:
    found = Index()
    turns: list[int] = []  # places where a person's turn began
    place = 0
    for value in raw.kept():
        if isinstance(value, Value):
            record = opened(value.json)
            if record is not None:
                _note(found, turns, place, *record)
            place += 1
    return found


def _note(found: Index, turns: list[int], place: int, kind: str, payload: Mapping[str, Any]) -> None:
    what = string(payload.get("type"))
    if kind == "response_item":
        if what == "message":
            _note_message(found, turns, place, payload)
        elif what in OUTPUTS:
            found.answered.add(string(payload.get("call_id")))
        elif what == "agent_message":
            found.has_agent_messages = True
    elif kind == "session_meta":
        _note_head(found, payload)
    elif kind == "compacted":
        found.has_compacted = True
        found.agents_md.append([])
        found.compactions.append(place)
    elif kind == "event_msg" and what == "exec_command_end":
        code, call = payload.get("exit_code"), payload.get("call_id")
        if isinstance(code, int) and isinstance(call, str):
            found.exit_codes[call] = code
    elif kind == "event_msg" and what == "thread_rolled_back":
        _roll_back(found, turns, payload.get("num_turns"), place)


def _note_head(found: Index, meta: Mapping[str, Any]) -> None:
    """Whose rollout it is; a forked session repeats its parent's head behind its own, so the first counts."""
    source = meta.get("source")
    if not found.has_head:
        found.is_subagent = isinstance(source, dict) and "subagent" in source
    found.has_head = True


def spawner(meta: Mapping[str, Any]) -> str:
    """The thread that began this one as its sub-agent, as the head says; "" where it names none."""
    source = meta.get("source")
    how = source.get("subagent") if isinstance(source, dict) else None
    spawned = how.get("thread_spawn") if isinstance(how, dict) else None
    return string((spawned if isinstance(spawned, dict) else meta).get("parent_thread_id"))


def _note_message(found: Index, turns: list[int], place: int, message: Mapping[str, Any]) -> None:
    texts = texts_of(parts(message.get("content")))
    found.has_messages = True
    found.agents_md[-1].extend(of_agents_md(texts))
    if message.get("role") == "user" and not are_synthetic(texts):
        turns.append(place)


def _roll_back(found: Index, turns: list[int], count: Any, until: int) -> None:
    """Marks the last turns as undone; what had been undone before stays so."""
    number = count if isinstance(count, int) and count > 0 else 0
    gone = turns[-number:] if number else []
    if gone:
        del turns[-number:]
        found.undone.update(range(gone[0], until))
        while found.compactions and found.compactions[-1] >= gone[0]:  # the window before goes on
            found.compactions.pop()
            noted = found.agents_md.pop()
            found.agents_md[-1] += noted


def texts_of(content: Sequence[Part]) -> list[str]:
    return [part.text for part in content if isinstance(part, Text)]


def of_agents_md(texts: Sequence[str]) -> list[str]:
    """Those of the texts that show an AGENTS.md."""
    return [text for text in texts if text.startswith(AGENTS_MD)]


def are_synthetic(texts: Sequence[str]) -> bool:
    """Whether every text of a message is one that Codex writes itself."""
    return bool(texts) and all(text.lstrip().startswith(SYNTHETIC) for text in texts)


def replaced(compacted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items with which a compaction replaced what came before."""
    history = compacted.get("replacement_history")
    return [item for item in history if isinstance(item, dict)] if isinstance(history, list) else []
