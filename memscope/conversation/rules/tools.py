"""Rule 4: what memory tools returned, and what was read from memory files.

The result's text leaves as one memory, that of a file in units; the call stays, with an empty result. Which results
carry memory text is told in three steps. A failed call has none. A call that writes has none: the verb is the one word
of its `action` or `command` argument, else it is in the tool's name. What is left ("recall", but "remember" too, which
some servers use for either) is judged by its answer: an acknowledgement ("OK", `{"success": true}`, "No memories
found") has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from posixpath import join
from typing import Any

from memscope.conversation.keys import made_up_key
from memscope.conversation.model import Conversation, Memory, Message, Part, Text, ToolCall, ToolResult
from memscope.conversation.rules._commands import files_read, is_memory_file
from memscope.conversation.rules._reads import labels, memories_read, without_reminder
from memscope.conversation.rules._rule import Rule

NAME = "tool"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MEMORY = frozenset({"memory", "memories", "recall", "remember", "archival"})
_PAIRS = frozenset({("conversation", "search"), ("session", "search")})
_READS = frozenset(
    "read view cat open get show load fetch search recall retrieve list query find lookup select browse".split()
)
_WRITES = frozenset(
    "write append insert replace rethink add create save store update delete remove forget set edit upsert put clear "
    "reset patch apply modify rename move prune consolidate finish commit ingest record".split()
)
_SHELLS = frozenset("bash shell sh zsh terminal exec execute powershell cmd".split())
_VERBS = ("action", "command", "operation", "op", "mode")
_COMMANDS = ("command", "cmd", "script", "input")
_PATHS = ("path", "file_path", "filepath", "filename", "file", "target_file", "absolute_path", "paths", "files")
_FOLDERS = ("workdir", "cwd", "working_directory")
_NOTHING = re.compile(
    r"(?:none|null|nothing (?:was )?found|not found|file (?:content )?unchanged"
    r"|(?:there are )?no (?:[a-z]+ ){0,3}(?:memory|memories|results?|entries|matches|sessions|conversations))\b",
    re.IGNORECASE,
)
_ACKNOWLEDGED = re.compile(
    r"(?:ok(?:ay)?|done|true|success(?:ful(?:ly)?)?|saved|stored|remembered|noted|updated|added|deleted|created)\b"
    r"|.{0,200}\b(?:saved|stored|updated|added|deleted|removed|created|successfully)[.!]?$",
    re.IGNORECASE,
)
# What a JSON answer says of itself or repeats of the question: it carries memory when it says anything beside.
_BOOKKEEPING = frozenset(
    "success ok status error code query count total limit offset mode target action usage time took_ms type id".split()
)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A tool's answer that carries memory: its text, the parts it is made of, and the memory file it was read from."""

    text: str
    parts: int
    file: str


def _apply(conversation: Conversation) -> Conversation:
    calls: dict[str, ToolCall] = {}
    hits: list[dict[int, _Hit]] = []
    for message in conversation.messages:
        calls.update((call.id, call) for call in message.calls)
        hits.append({} if message.role == "assistant" else dict(_hits(message, calls)))
    names = labels({hit.file for in_message in hits for hit in in_message.values() if hit.file})
    return conversation.with_messages(
        [
            replace(message, parts=tuple(_emptied(message, found, names))) if found else message
            for message, found in zip(conversation.messages, hits, strict=True)
        ]
    )


def _hits(message: Message, calls: Mapping[str, ToolCall]) -> Iterator[tuple[int, _Hit]]:
    """The results in `message` that carry memory, by their place among its parts."""
    for index, part in enumerate(message.parts):
        if not isinstance(part, ToolResult) or not part.text or part.is_error or part.exit_code:
            continue
        more = _more_of_answer(message, index + 1)
        text = part.text + "".join(more)
        # A result whose call went with an earlier context window still knows its tool's name, in some formats.
        file = _file_read(calls.get(part.call_id) or ToolCall(part.call_id, message.name, ""), text)
        if file is not None:
            yield index, _Hit(text, 1 + len(more), file)


def _emptied(message: Message, hits: Mapping[int, _Hit], names: Mapping[str, str]) -> Iterator[Part]:
    """The parts of `message` with the results that carry memory emptied, and the memories behind them."""
    taken = 0  # parts up to here went into a memory
    for index, part in enumerate(message.parts):
        if index < taken:
            continue
        hit = hits.get(index)
        if hit is None or not isinstance(part, ToolResult):
            yield part
            continue
        text, note = without_reminder(hit.text) if hit.file else (hit.text, "")
        if not text.strip():
            yield part
            continue
        yield replace(part, text="")
        if hit.file:
            yield from memories_read(names[hit.file], text, NAME)
        else:
            yield Memory(made_up_key(text), text, NAME)
        yield Text(note)
        taken = index + hit.parts


def _more_of_answer(message: Message, index: int) -> list[str]:
    """The texts from part `index` on that go on with a tool's answer, which may come in several blocks."""
    if message.role != "tool":
        return []
    texts: list[str] = []
    for part in message.parts[index:]:
        if not isinstance(part, Text):
            break
        texts.append(part.text)
    return texts


def _file_read(call: ToolCall, answer: str) -> str | None:
    """The memory file that `call` read, "" when it recalled memory from elsewhere; None when `answer` carries none."""
    words = _words(call.name)
    arguments = _arguments(call.arguments)
    if not _SHELLS.isdisjoint(words):
        files = files_read(_command(arguments))
        return files[0] if files and not says_nothing(answer, acknowledgements=False) else None
    verbs = _verbs(words, arguments)
    reads, writes = not _READS.isdisjoint(verbs), not _WRITES.isdisjoint(verbs)
    files = [path for path in _paths(arguments) if reads and is_memory_file(path)]
    recalls = _names_memory(words) and (reads or not writes)
    if not (files or recalls) or says_nothing(answer, acknowledgements=not reads):
        return None
    return files[0] if files else ""


def files_named(call: ToolCall) -> list[str]:
    """The memory files that a call names, joined to the folder it says it was made in; relative where it says none."""
    arguments = _arguments(call.arguments)
    if _SHELLS.isdisjoint(_words(call.name)):
        files = [path for path in _paths(arguments) if is_memory_file(path)]
    else:
        files = files_read(_command(arguments))
    folder = next((value for name in _FOLDERS if isinstance(value := arguments.get(name), str)), "")
    return [join(folder, path) for path in files]


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _names_memory(words: list[str]) -> bool:
    return not _MEMORY.isdisjoint(words) or any(pair in _PAIRS for pair in pairwise(words))


def _verbs(words: list[str], arguments: Mapping[str, Any]) -> list[str]:
    """What the call does: its one-word `action` or `command`, else the words of the tool's name."""
    for name in _VERBS:
        value = arguments.get(name)
        if isinstance(value, str) and value and not re.search(r"\s", value):
            return _words(value)
    return words


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}", strict=False)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _command(arguments: Mapping[str, Any]) -> str:
    for name in _COMMANDS:
        value = arguments.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value:  # ["bash", "-lc", "cat AGENTS.md"], or a program and its arguments
            words = [str(word) for word in value]
            return words[-1] if words[0].rpartition("/")[2] in _SHELLS else " ".join(words)
    return ""


def _paths(arguments: Mapping[str, Any]) -> list[str]:
    values = (arguments.get(name) for name in _PATHS)
    lists = (value if isinstance(value, list) else [value] for value in values)
    return [path for paths in lists for path in paths if isinstance(path, str)]


def says_nothing(text: str, *, acknowledgements: bool) -> bool:
    """Whether a tool's answer brings up no memory: it is empty, failed, or found nothing.

    With `acknowledgements` also when it says that something was done. A tool that was asked for memories does not
    acknowledge, and its answer may well begin with "Saved places".
    """
    text = text.strip()
    if text[:1] in ("{", "[", '"') or not text:
        try:
            return not _carries(json.loads(text or "null", strict=False), acknowledgements)
        except (ValueError, RecursionError):
            return False
    if len(text) > 300 or "\n" in text:
        return False
    return bool(_NOTHING.match(text) or (acknowledgements and _ACKNOWLEDGED.match(text)))


def _carries(value: Any, acknowledgements: bool) -> bool:
    """Whether a JSON answer holds any text but bookkeeping."""
    if isinstance(value, dict):
        failed = value.get("success") is False or value.get("error") or value.get("exit_code")
        beside = (v for k, v in value.items() if k not in _BOOKKEEPING and not (acknowledgements and k == "message"))
        return not failed and any(_carries(v, acknowledgements) for v in beside)
    if isinstance(value, list):
        return any(_carries(v, acknowledgements) for v in value)
    return isinstance(value, str) and not says_nothing(value, acknowledgements=acknowledgements)


RULE = Rule(NAME, _apply)
