"""Claude Code sessions: one JSON record a line, a tree of messages with the program's own records between them.

Which records make up the main conversation and its sub-agents is `_claude_session`'s business, how they hang together
`_claude_tree`'s, what was attached `_claude_attachments`'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from memscope.conversation.formats._anthropic import messages_of
from memscope.conversation.formats._claude_attachments import attached
from memscope.conversation.formats._claude_session import Thread, threads
from memscope.conversation.formats._claude_tree import INTERRUPTED, role_of
from memscope.conversation.formats._content import compact, seconds, string
from memscope.conversation.formats._replies import one_reply
from memscope.conversation.homes import Home
from memscope.conversation.model import Kind, Message, Skipped, Text, ToolResult
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
    outcome_facts,
)

CONTINUED = "This session is being continued from a previous conversation"
_SYNTHETIC = (
    *("<command-", "<local-command-", "<task-notification", "<system-reminder>", "<teammate-message", "<bash-"),
    *("<user-prompt-submit-hook>", "Stop hook feedback", "Base directory for this skill:", INTERRUPTED),
)
_TREE = frozenset({"user", "assistant", "system", "attachment", "progress"})
_BOOKKEEPING = frozenset(
    """agent-color agent-name agent-setting ai-title atis-latch attribution-snapshot bridge-session content-replacement
    custom-title file-history-delta file-history-snapshot frame-link last-prompt mode permission-mode pr-link progress
    queue-operation relocated result speculation-accept started summary tag task-summary worktree-state""".split()
)
_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (-?\d+)")


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(_is_record(value) for value in raw.head):
        return Yes(0.9)
    if all(_is_bookkeeping(value) for value in raw.head):
        return Yes(0.9)  # a session that was opened and left: no other program writes these
    return No('no record has "type", "uuid" and "parentUuid" beside an Anthropic message')


def _is_record(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("uuid"), str):
        return False
    if string(value.get("type")) not in _TREE:
        return False
    if "parentUuid" not in value and not isinstance(value.get("sessionId"), str):
        return False
    role = role_of(value)
    return "content" in value["message"] if role else "isSidechain" in value


def _is_bookkeeping(value: Any) -> bool:
    if not isinstance(value, dict) or string(value.get("type")) not in _BOOKKEEPING:
        return False
    return any(isinstance(value.get(name), str) for name in ("sessionId", "leafUuid", "messageId"))


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    """The main conversation and its sub-agents. Lines of a sub-agent with a file of its own are lines of that file."""
    for thread in threads(raw):
        yield Item(
            merge_assistant(one_reply(_Reader(thread).read())), thread.title, thread.is_subagent, marks_failures=True
        )


class _Reader:
    """Reads one conversation in file order, minding what was last said of each fact and whether a window is new."""

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self.changes = Changes()
        self.around: tuple[Any, ...] = ()  # the circumstances of the last record
        self.title_rank = 0
        self.window_is_new = False

    def read(self) -> Iterator[Record]:
        dropped = self.thread.index.dropped
        for place, value in self.thread.values():
            if isinstance(value, Skipped):
                yield value
                continue
            line, record = value
            if place in dropped:
                if role_of(record):  # else no message went with it
                    yield Skipped(line, dropped[place])
                continue
            if not isinstance(record, dict):
                yield Skipped(line, "the value is no record")
                continue
            get = record.get
            around = (get("sessionId"), get("agentId"), get("cwd"), get("gitBranch"))
            if around != self.around:
                self.around = around
                yield from self._circumstances(record, line)
            for told in self._record(record, line):
                if self.window_is_new and isinstance(told, Message) and told.kind == "said":
                    self.window_is_new = False
                yield told

    def _record(self, record: Mapping[str, Any], line: int) -> Iterable[Record]:
        role = role_of(record)
        if role == "user":
            return self._user(record, line)
        if role == "assistant":
            return self._assistant(record, line)
        kind = string(record.get("type"))
        if kind == "system":
            return self._system(record, line)
        if kind == "attachment" and isinstance(record.get("attachment"), dict):
            return attached(record["attachment"], line=line, time=_time(record), uuid=string(record.get("uuid")))
        if kind in _BOOKKEEPING:
            return self._bookkeeping(kind, record, line)
        what = "a record of an unknown type" if kind else "a record without a type"
        return (Skipped(line, what, kind and repr(kind)),)

    def _user(self, record: Mapping[str, Any], line: int) -> Iterator[Record]:
        kind = _kind_of(record)
        if kind == "summary":
            yield from self._new_window(line)
        content, uuid = record["message"].get("content"), string(record.get("uuid"))
        for message in messages_of("user", content, line=line, kind=kind, time=_time(record), id=uuid):
            if message.role == "tool":
                yield from _answered(message)
            elif message.parts:
                yield message
                if message.text.startswith(INTERRUPTED):
                    yield Fact("interrupted", message.text, line)

    def _assistant(self, record: Mapping[str, Any], line: int) -> Iterable[Record]:
        """A piece of a reply. What the program says in the assistant's name is no reply of the model."""
        message = record["message"]
        named = string(message.get("id") or record.get("uuid"))
        pieces = messages_of("assistant", message.get("content"), line=line, time=_time(record), id=named)
        if record.get("isApiErrorMessage") is True:
            return (Fact("error", "".join(piece.text for piece in pieces), line),)
        model = message.get("model")
        if model == "<synthetic>":
            return (Skipped(line, "words of the program in the assistant's name, not of a model"),)
        return (*self.changes.told("model", model, line), *(piece for piece in pieces if piece.parts))

    def _system(self, record: Mapping[str, Any], line: int) -> Iterator[Record]:
        kind, content = record.get("subtype"), string(record.get("content"))
        if kind == "compact_boundary":
            yield from self._new_window(line)
        elif kind in ("api_error", "error"):
            yield Fact("error", _error_text(record.get("error")), line)
        elif kind == "local_command" and content:
            yield Message("user", (Text(content),), "synthetic", _time(record), string(record.get("uuid")), line=line)

    def _new_window(self, line: int) -> Iterator[Record]:
        """A compaction is told twice, by a boundary and by its summary, in either order."""
        if not self.window_is_new:
            yield Boundary(line)
        self.window_is_new = True

    def _bookkeeping(self, kind: str, record: Mapping[str, Any], line: int) -> Iterator[Record]:
        if kind == "pr-link":
            yield from self.changes.told("repository", record.get("prRepository"), line)
        elif kind == "custom-title":
            yield from self._titled(record.get("customTitle"), 4, line)
        elif kind == "ai-title":
            yield from self._titled(record.get("aiTitle"), 3, line)
        elif kind == "summary":
            # Summaries of other sessions of the project stand in the file too; one of a record in it is surer.
            is_own = string(record.get("leafUuid")) in self.thread.index.uuids
            yield from self._titled(record.get("summary"), 2 if is_own else 1, line)

    def _titled(self, title: Any, rank: int, line: int) -> Iterator[Record]:
        if isinstance(title, str) and title and rank >= self.title_rank and not title.startswith("API Error"):
            self.title_rank = rank
            yield Fact("title", title, line)

    def _circumstances(self, record: Mapping[str, Any], line: int) -> Iterator[Record]:
        if self.thread.is_subagent:  # its records name the session it was begun in
            yield from self.changes.told("parent", record.get("sessionId"), line)
            yield from self.changes.told("session", record.get("agentId"), line)
        else:
            yield from self.changes.told("session", record.get("sessionId"), line)
        yield from self.changes.told("cwd", record.get("cwd"), line)
        yield from self.changes.told("branch", record.get("gitBranch"), line)


def _answered(message: Message) -> Iterable[Record]:
    """A tool message with the exit code its text begins with, and the facts in it."""
    result = message.parts[0]
    assert isinstance(result, ToolResult)
    if not result.is_error:
        return (message,)
    code = _EXIT_CODE.match(result.text)
    if code:
        result = replace(result, exit_code=int(code[1]))
        message = replace(message, parts=(result, *message.parts[1:]))
    return (message, *outcome_facts(result, message.line))


def _kind_of(record: Mapping[str, Any]) -> Kind:
    """Whether a person said it. A message with a person's words beside a reminder is the person's."""
    content = record["message"].get("content")
    blocks = content if isinstance(content, list) else [content]
    found = [block.get("text") if isinstance(block, dict) else block for block in blocks]
    texts = [text.lstrip() for text in found if isinstance(text, str)]
    if record.get("isCompactSummary") is True or (texts and texts[0].startswith(CONTINUED)):
        return "summary"
    if record.get("isMeta") is True or (texts and all(text.startswith(_SYNTHETIC) for text in texts)):
        return "synthetic"
    return "said"


def _error_text(error: Any) -> str:
    """The most telling text of an API error, which is nested differently from version to version."""
    told = error
    for _ in range(3):
        if not isinstance(told, dict):
            break
        told = told.get("formatted") or told.get("message") or told.get("error") or compact(told)
    return string(told)


def _time(record: Mapping[str, Any]) -> float | None:
    return seconds(record.get("timestamp"))


HOME = Home("~/.claude", "CLAUDE_CONFIG_DIR", ("projects",), ("CLAUDE.md", "rules"))

FORMAT = Format("claude-code", "Claude Code session", sniff, conversations, HOME)
