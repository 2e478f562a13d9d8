"""Codex rollouts: the items sent to the API, and events that tell the same turns again for the screen.

The items are the conversation. Events add facts; only where a file has no message among its items are they the turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memscope.conversation.formats._codex_index import (
    ENVELOPES,
    SYNTHETIC,
    Index,
    Line,
    index,
    line_of,
    of_agents_md,
    opened,
    replaced,
    spawner,
    texts_of,
)
from memscope.conversation.formats._codex_items import read_item
from memscope.conversation.formats._content import compact, parts, string
from memscope.conversation.homes import Home
from memscope.conversation.model import Kind, Memory, Message, Part, Skipped, Text, Thinking
from memscope.conversation.raw import Raw
from memscope.conversation.records import (
    Boundary,
    Changes,
    Fact,
    Format,
    Item,
    No,
    Record,
    Yes,
    merge_assistant,
)


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(_is_enveloped(value) for value in raw.head):
        return Yes(0.9)
    found = [record for record in map(opened, raw.head) if record is not None]
    kinds = [kind for kind, _ in found]
    if kinds[:1] == ["session_meta"] and {"response_item", "state"} & set(kinds):
        return Yes(0.9)
    bare = [payload for kind, payload in found if kind == "response_item"]
    if len(bare) == len(raw.head) and any(_is_responses_message(item) for item in bare):
        return Yes(0.7)  # items of the Responses API alone: Codex before 0.50, without its header
    return No('no record has "type" and "payload" as a rollout does, nor is it an item of the Responses API')


def _is_enveloped(value: Any) -> bool:
    kind, payload = (value.get("type"), value.get("payload")) if isinstance(value, dict) else (None, None)
    if not isinstance(payload, dict) or not isinstance(kind, str) or kind not in ENVELOPES:
        return False
    if kind == "session_meta":
        return isinstance(payload.get("id"), str)
    return kind not in ("response_item", "event_msg") or isinstance(payload.get("type"), str)


def _is_responses_message(item: Mapping[str, Any]) -> bool:
    content = item.get("content")
    kinds = [b.get("type") for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    return item.get("type") == "message" and bool({"input_text", "output_text"} & set(kinds))


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    """One: a rollout's sub-agents have rollouts of their own, whose head names them such."""
    found = index(raw)
    yield Item(merge_assistant(_Reader(found).read(raw)), is_subagent=found.is_subagent, marks_failures=True)


class _Reader:
    """Reads a rollout in file order, minding the window it is in and what was last said of each fact."""

    def __init__(self, found: Index) -> None:
        self.index = found
        self.changes = Changes()
        self.window = 0
        self.has_head = False
        self.shown: set[tuple[str, str]] = set()  # AGENTS.md texts surfaced in this window
        self.carried: list[str] = []  # those that the compaction brought with which it begins

    def read(self, raw: Raw) -> Iterator[Record]:
        place = -1
        for value in raw.values():
            if isinstance(value, Skipped):
                yield value
                continue
            place += 1
            line = line_of(value)
            if line is None:
                yield Skipped(value.line, "the value is no record of a rollout")
            elif place not in self.index.undone:
                yield from self._record(line)
            elif line.kind == "response_item":
                yield Skipped(value.line, "part of a turn that was rolled back")

    def _record(self, line: Line) -> Iterable[Record]:
        match line.kind:
            case "response_item":
                return self._item(line.payload, line)
            case "event_msg":
                return self._event(string(line.payload.get("type")), line)
            case "turn_context":
                cwd = self.changes.told("cwd", line.payload.get("cwd"), line.line)
                return (*cwd, *self.changes.told("model", line.payload.get("model"), line.line))
            case "session_meta":
                return self._head(line)
            case "compacted":
                return self._compaction(line)
            case "world_state":
                return self._world(line)
            case "inter_agent_communication":
                return self._between_agents(line)
            case "state" | "inter_agent_communication_metadata":
                return ()
            case _:
                return (Skipped(line.line, "a record of an unknown type", repr(line.kind)),)

    def _head(self, line: Line) -> Iterator[Record]:
        """The session's head. A resume repeats it, and a forked session repeats its parent's too: the first counts."""
        if self.has_head:
            return
        self.has_head = True
        meta, git = line.payload, line.payload.get("git")
        git = git if isinstance(git, dict) else {}
        yield from self.changes.told("session", meta.get("id"), line.line)
        if self.index.is_subagent:
            yield from self.changes.told("parent", spawner(meta), line.line)
        yield from self.changes.told("cwd", meta.get("cwd"), line.line)
        yield from self.changes.told("branch", git.get("branch"), line.line)
        yield from self.changes.told("repository", git.get("repository_url"), line.line)
        tools = meta.get("dynamic_tools")
        for tool in tools if isinstance(tools, list) else [tools] if isinstance(tools, dict) else []:
            yield Fact("tool", compact(tool), line.line)
        base = meta.get("base_instructions")
        text = base.get("text") if isinstance(base, dict) else base
        if isinstance(text, str) and text:
            yield Message("system", (Text(text),), time=line.time, line=line.line)

    def _item(self, item: Mapping[str, Any], line: Line, kind: Kind | None = None) -> Iterator[Record]:
        return read_item(item, line=line.line, time=line.time, exit_codes=self.index.exit_codes, kind=kind)

    def _compaction(self, line: Line) -> Iterator[Record]:
        """A new window, and what it begins with. Its messages are older ones told again, so they are a summary too."""
        yield from self._new_window(line)
        kept = replaced(line.payload)
        for item in kept:
            for record in self._item(item, line, "summary"):
                if isinstance(record, Message):
                    self.carried += of_agents_md(texts_of(record.parts))
                yield record
            if item.get("type") == "compaction" and item.get("encrypted_content"):
                yield Skipped(line.line, "the compaction's summary is encrypted")
        summary = string(line.payload.get("message"))
        contents = (parts(item.get("content")) for item in reversed(kept))  # the summary is the last, as a rule
        if summary and not any(summary in text for content in contents for text in texts_of(content)):
            yield Message("user", (Text(summary),), "summary", line.time, line=line.line)

    def _new_window(self, line: Line) -> Iterator[Record]:
        yield Boundary(line.line)
        self.window += 1
        self.shown.clear()
        self.carried = []

    def _world(self, line: Line) -> Iterator[Record]:
        """AGENTS.md as Codex last read it, unless a message of this window shows the same text anyway."""
        state = line.payload.get("state")
        found = state.get("agents_md") if isinstance(state, dict) else None
        text = found.get("text") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(text, str) or not text.strip():
            return
        folder = string(found.get("directory")).rstrip("/")
        key = f"{folder}/AGENTS.md" if folder else "AGENTS.md"
        noted = self.index.agents_md[self.window] if self.window < len(self.index.agents_md) else []
        words = text.strip()
        if (key, text) not in self.shown and not any(words in message for message in (*self.carried, *noted)):
            self.shown.add((key, text))
            yield Message("user", (Memory(key, text, "structured"),), "synthetic", line.time, line=line.line)

    def _between_agents(self, line: Line) -> Iterator[Record]:
        """A message from another agent, unless the file has those among its items."""
        text = string(line.payload.get("content"))
        if text and not self.index.has_agent_messages:
            author = string(line.payload.get("author"))
            yield Message("user", (Text(text),), "synthetic", line.time, name=author, line=line.line)

    def _event(self, what: str, line: Line) -> Iterator[Record]:
        event = line.payload
        if not self.index.has_messages:
            yield from self._turn_event(what, line)
        if what == "error":
            inner = event.get("error")
            told = inner.get("message") if isinstance(inner, dict) else event.get("message") or inner
            yield Fact("error", string(told), line.line)
        elif what == "turn_aborted":
            yield Fact("interrupted", string(event.get("reason")) or "the turn was aborted", line.line)
        elif what == "thread_name_updated":
            yield from self.changes.told("title", event.get("thread_name"), line.line)
        elif what == "exec_command_end":
            call = string(event.get("call_id"))
            if self.index.exit_codes.get(call) and call not in self.index.answered:
                yield Fact("exit_code", str(self.index.exit_codes[call]), line.line)
        elif what == "context_compacted" and not self.index.has_compacted:
            yield from self._new_window(line)

    def _turn_event(self, what: str, line: Line) -> Iterator[Record]:
        """A turn as it was shown on the screen."""
        text = string(line.payload.get("text" if what == "agent_reasoning" else "message"))
        part: Part = Thinking(text) if what == "agent_reasoning" else Text(text)
        if not text or what not in ("user_message", "agent_message", "agent_reasoning"):
            return
        role = "user" if what == "user_message" else "assistant"
        kind: Kind = "synthetic" if role == "user" and text.lstrip().startswith(SYNTHETIC) else "said"
        yield Message(role, (part,), kind, line.time, line=line.line)


HOME = Home("~/.codex", "CODEX_HOME", ("sessions", "archived_sessions"), ("AGENTS.md", "memories"))

FORMAT = Format("codex", "Codex rollout", sniff, conversations, HOME)
