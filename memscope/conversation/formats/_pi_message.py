"""Messages of pi: what a person, the model, tools and extensions said, as the model was given it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from memscope.conversation.formats._content import arguments, joined, opaque, string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.model import Kind, Message, Part, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Changes, Fact, Record, outcome_facts

ROLES = frozenset("user assistant toolResult bashExecution custom hookMessage branchSummary compactionSummary".split())
_COMPACTED = "The conversation history before this point was compacted into the following summary:\n\n<summary>\n"
_BRANCH = "The following is a summary of a branch that this conversation came back from:\n\n<summary>\n"
_SKILL = re.compile(r'<skill name="[^"\n]*" location="[^"\n]*">\n')
_BY_SOFTWARE = (  # in the person's name, by OpenClaw
    *("Read HEARTBEAT.md if it exists", "Pre-compaction memory flush", "A new session was started via /new or /reset"),
)
_NO_MODEL = ("delivery-mirror", "gateway-injected")  # OpenClaw's own words, and copies of what it passed on
_EXIT_CODE = re.compile(r"(?:^|\n)Command exited with code (-?\d{1,9})\s*$")
_TAIL = 200  # characters in which the exit code stands


def read_message(message: Json, *, line: int, time: float | None, name: str, changes: Changes) -> Iterator[Record]:
    """The message that an entry holds, if there is one to the model, and its facts. `name` is the entry's id."""
    role = string(message.get("role"))
    if role == "user":
        content = tuple(parts(message.get("content")))
        yield Message("user", content, _kind(content), time, name, line=line)
    elif role == "assistant":
        yield from _reply(message, line, time, name, changes)
    elif role == "toolResult":
        yield from _answer(message, line, time, name)
    elif role == "bashExecution":
        yield from _command(message, line, time, name)
    elif role in ("custom", "hookMessage"):
        yield Message("user", tuple(parts(message.get("content"))), "synthetic", time, name, line=line)
    elif role == "branchSummary":
        yield branch_summary(message, line, time, name)
    elif role == "compactionSummary":
        yield compaction_summary(message, line, time, name)
    else:
        yield Skipped(line, "a message of an unknown role", repr(role))


def compaction_summary(holder: Json, line: int, time: float | None, name: str) -> Message:
    """What a compaction left, in the words around it that the model is given."""
    text = f"{_COMPACTED}{string(holder.get('summary'))}\n</summary>"
    return Message("user", (Text(text),), "summary", time, name, line=line)


def branch_summary(holder: Json, line: int, time: float | None, name: str) -> Message:
    """What was done on a branch that the person left."""
    return Message(
        "user", (Text(f"{_BRANCH}{string(holder.get('summary'))}</summary>"),), "summary", time, name, line=line
    )


def parts(content: Any) -> Iterator[Part]:
    """The parts of a message's content: a string, or blocks."""
    for block in content if isinstance(content, list) else [content]:
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(block, str):
            yield Text(block)
        elif kind == "text" and isinstance(block.get("text"), str):
            yield Text(block["text"])
        elif kind == "thinking":
            thought = string(block.get("thinking"))
            if thought:  # else it is encrypted for the API
                yield Thinking(thought)
        elif kind == "toolCall":
            yield ToolCall(string(block.get("id")), string(block.get("name")), arguments(block.get("arguments")))
        elif block is not None:
            yield opaque(block)


def _kind(content: tuple[Part, ...]) -> Kind:
    """Whether a person said it: a skill that was called without a word of one's own is the software's text."""
    text = "".join(part.text for part in content if isinstance(part, Text)).strip()
    is_skill = text.endswith("</skill>") and _SKILL.match(text)
    return "synthetic" if is_skill or text.startswith(_BY_SOFTWARE) else "said"


def _reply(message: Json, line: int, time: float | None, name: str, changes: Changes) -> Iterator[Record]:
    model = message.get("model")
    if model in _NO_MODEL:
        yield Skipped(line, "words of the program in the assistant's name, not of a model")
        return
    yield from changes.told("model", model, line)
    content = tuple(parts(message.get("content")))
    if content:
        yield Message("assistant", content, time=time, id=name, line=line)
    reason, told = message.get("stopReason"), string(message.get("errorMessage"))
    if reason == "aborted":
        yield Fact("interrupted", told or "the turn was aborted", line)
    elif reason == "error":
        yield Fact("error", told or "the model's reply failed", line)


def _answer(message: Json, line: int, time: float | None, name: str) -> Iterator[Record]:
    content = list(parts(message.get("content")))
    text = joined(part.text for part in content if isinstance(part, Text))
    details = message.get("details")
    failed = message.get("isError") is True
    result = ToolResult(string(message.get("toolCallId")), text, failed, _exit_code(details, text if failed else ""))
    beside = (part for part in content if not isinstance(part, Text))
    yield Message("tool", (result, *beside), "said", time, name, string(message.get("toolName")), line)
    yield from outcome_facts(result, line)


def _exit_code(details: Any, text: str) -> int | None:
    """What a command ended with: as OpenClaw and newer versions note it, or as the tool tells at the end."""
    for code in (at(details).get("exitCode"), at(details, "instrumentation").get("exit_code")):
        if type(code) is int:
            return code
    found = _EXIT_CODE.search(text[-_TAIL:])
    return int(found[1]) if found else None


def _command(message: Json, line: int, time: float | None, name: str) -> Iterator[Record]:
    """A command that the person ran (`!`), as the model is told of it."""
    if message.get("excludeFromContext") is True:
        yield Skipped(line, "a command that the person kept from the model")
        return
    output, code = string(message.get("output")), message.get("exitCode")
    code = code if type(code) is int and code else None
    text = f"Ran `{string(message.get('command'))}`\n"
    text += f"```\n{output}\n```" if output else "(no output)"
    if message.get("cancelled") is True:
        text += "\n\n(command cancelled)"
    elif code is not None:
        text += f"\n\nCommand exited with code {code}"
    if message.get("truncated") is True and message.get("fullOutputPath"):
        text += f"\n\n[Output truncated. Full output: {string(message['fullOutputPath'])}]"
    yield Message("user", (Text(text),), "synthetic", time, name, line=line)
    if message.get("cancelled") is True:
        yield Fact("interrupted", "(command cancelled)", line)
    elif code is not None:
        yield Fact("exit_code", str(code), line)
