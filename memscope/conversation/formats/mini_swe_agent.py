"""mini-SWE-agent trajectories (`.traj.json`): OpenAI chat messages, bare or with what is known of the run.

Each message has an `extra` with its time, the command's exit code, or how the run ended. A command stands in the text
or is a tool call; what it printed is the next message, a person's in the API's eyes unless it answers a tool call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from memscope.conversation.formats._codex_items import read_item
from memscope.conversation.formats._content import entries, mappings, parts, seconds, string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.formats._swe_task import Task, repository_of
from memscope.conversation.formats.openai import read_message
from memscope.conversation.model import Message, Skipped, Text
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant

_OBSERVED = re.compile(r"\s*<returncode>(-?\d{1,9})</returncode>")
_COMMAND = re.compile(r"^```(?:mswea_bash_command|bash)\n", re.MULTILINE)
_DONE = "Submitted"
_BY_PERSON = ("UserInterruption", "UserRejection")


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(map(_is_document, raw.head)):
        return Yes(0.9)
    if any(map(_is_bare, raw.head)):
        return Yes(0.7)
    if isinstance(raw.head[0], dict):
        return No('it has no "messages" beside a "trajectory_format" or the "mini_version"')
    return No("no message has a command between back-ticks that a <returncode> answers")


def _is_document(value: Any) -> bool:
    """Whether the value is messages with what is known of the run."""
    if not isinstance(value, dict) or not _messages(value):
        return False
    form = value.get("trajectory_format")
    return (isinstance(form, str) and form.startswith("mini-swe-agent")) or "mini_version" in at(value, "info")


def _is_bare(value: Any) -> bool:
    """Whether the value is a list of messages with a command in them and its answer."""
    messages = mappings(value)
    return any(_is_command(one) and _OBSERVED.match(_text(answer)) for one, answer in pairwise(messages))


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
            continue
        messages = _messages(value.json)
        if not messages:
            yield Skipped(value.line, 'the object has no "messages"')
            continue
        about = at(value.json)
        title = string(about.get("instance_id")) or Task.of({}, raw.path).title
        yield Item(merge_assistant(_run(messages, about, title, value.line)), title, marks_failures=bool(about))


def _messages(value: Any) -> list[Any]:
    """The entries of a list of messages, if there are messages among them."""
    found = entries(value.get("messages") if isinstance(value, dict) else value)
    return found if mappings(found) else []


def _is_command(message: Json) -> bool:
    return message.get("role") == "assistant" and bool(_COMMAND.search(_text(message)))


def _text(message: Json) -> str:
    return "".join(part.text for part in parts(message.get("content")) if isinstance(part, Text))


def _run(messages: list[Any], about: Json, title: str, line: int) -> Iterator[Record]:
    config = at(about, "info", "config")
    told = (
        Fact("repository", repository_of(title), line),
        Fact("model", string(at(config, "model").get("model_name")), line),
        Fact("cwd", string(at(config, "environment").get("cwd")), line),
    )
    yield from (fact for fact in told if fact.text)
    asked = False
    for message in messages:
        if not isinstance(message, dict):
            yield Skipped(line, "the entry is no message")
            continue
        extra = at(message, "extra")
        if message.get("role") == "exit":
            continue  # no message of anybody's, but how the run ended
        for record in _records(message, extra, line):
            if isinstance(record, Message) and record.role == "user":
                is_observation = asked and extra.get("interrupt_type") != "UserNewTask"
                yield replace(record, kind="synthetic" if is_observation else "said")
                asked = True
            else:
                yield record
        yield from _outcome(message, extra, line)
    status = string(at(about, "info").get("exit_status")) or _last_status(messages)
    if status and status != _DONE:
        yield Fact("error", f"exit status: {status}", line)


def _records(message: Json, extra: Json, line: int) -> Iterator[Record]:
    """The messages that one of the run's stands for: a chat message, or items of the Responses API."""
    time, code = seconds(extra.get("timestamp", message.get("timestamp"))), extra.get("returncode")
    items = entries(message.get("output")) or ([] if "role" in message else [message])
    if items:
        codes = {string(message.get("call_id")): code} if type(code) is int else {}
        for item in items:
            if isinstance(item, dict):
                yield from read_item(item, line=line, time=time, exit_codes=codes)
            else:
                yield Skipped(line, "the entry is no item of a reply")
    else:
        own = {"time": time}
        if code is not None and message.get("role") == "tool":
            own["exit_code"] = code
        yield from read_message({**message, **own}, line)


def _outcome(message: Json, extra: Json, line: int) -> Iterator[Fact]:
    """How a command in the text went, and what else is noted of it. Tool results tell their own exit code."""
    observed = _OBSERVED.match(_text(message)) if message.get("role") == "user" else None
    code = extra.get("returncode", int(observed[1]) if observed else None)
    if message.get("role") == "user" and type(code) is int and code:
        yield Fact("exit_code", str(code), line)
    if extra.get("exception_info"):
        yield Fact("error", string(extra["exception_info"]), line)
    if extra.get("interrupt_type") in _BY_PERSON:
        yield Fact("interrupted", _text(message), line)


def _last_status(messages: list[Any]) -> str:
    """How the run ended, as its last message tells."""
    return string(at(mappings(messages)[-1], "extra").get("exit_status"))


FORMAT = Format("mini-swe-agent", "mini-SWE-agent trajectory", sniff, conversations)
