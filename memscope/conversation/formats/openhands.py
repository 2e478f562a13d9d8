"""OpenHands: what its evaluations and its resolver write (`output.jsonl`, a conversation a line), and its events alone.

A line has the task (`instance_id` or `issue`), the `instruction`, a `history` of events or of pairs of an action and
its observation, and how it ended (`error`, `success`). The events alone are a list, or one a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from memscope.conversation.formats._content import entries, string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.formats._openhands_events import Reader, is_event
from memscope.conversation.formats._replies import one_reply
from memscope.conversation.model import Message, Skipped, Text
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant

_OPENING = 64  # entries of a history, by which it is known
_KINDS = frozenset({"action", "observation", "kind"})  # one of these has every event


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if _has_runs(raw):
        return Yes(0.9)
    first = raw.head[0]
    if any(is_event(value) for value in (*raw.head, *entries(first)[:_OPENING])):
        return Yes(0.8)
    listed = next((entry for entry in entries(first) if isinstance(entry, dict)), first)
    if "instance_id" in at(listed):
        return No('these are patches or results of tasks, which hold no "history" of a conversation')
    return No('it has no "history" beside an "instance_id" or an "issue", nor is it a list of OpenHands\' events')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if not _has_runs(raw):
        yield Item(_replies(_events(raw)), marks_failures=True)
        return
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
        elif not _is_run(value.json):
            yield Skipped(value.line, 'the object has no "history" of a task')
        else:
            yield Item(_replies(_run(value.json, value.line)), _title(value.json), marks_failures=True)


def _has_runs(raw: Raw) -> bool:
    """Whether the file holds runs; else its values are events."""
    return any(map(_is_run, raw.head))


def _is_run(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("history", 0), list | None):
        return False
    if not isinstance(value.get("instance_id"), str | int) and not isinstance(value.get("issue"), dict):
        return False
    history = entries(value.get("history"))
    return not history or any(map(_is_told, history[:_OPENING]))


def _is_told(entry: Any) -> bool:
    """Whether an entry of a history is an event, or a pair with one in it."""
    events = entry if isinstance(entry, list) else [entry]
    return any("role" not in event and not _KINDS.isdisjoint(event) for event in events if isinstance(event, dict))


def _replies(records: Iterable[Record]) -> Iterator[Record]:
    return merge_assistant(one_reply(records))


def _title(run: Json) -> str:
    issue = run.get("issue")
    return string(issue.get("title")) if isinstance(issue, dict) else string(run.get("instance_id"))


def _events(raw: Raw) -> Iterator[Record]:
    reader = Reader()
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
        else:
            for event in value.json if isinstance(value.json, list) else [value.json]:
                yield from reader.read(event, value.line)


def _run(run: Json, line: int) -> Iterator[Record]:
    yield from _task(run, line)
    reader, events = Reader(), list(_flat(run.get("history")))
    told = [record for event in events for record in reader.read(event, line)]
    instruction = string(run.get("instruction"))
    if instruction and not reader.has_user:
        opening = next((i for i, r in enumerate(told) if isinstance(r, Message) and r.role != "system"), len(told))
        told.insert(opening, Message("user", (Text(instruction),), line=line))
    yield from told
    if run.get("error"):
        yield Fact("error", string(run["error"]), line)
    elif run.get("success") is False:
        yield Fact("error", string(run.get("result_explanation")) or "the run was judged no success", line)


def _flat(history: Any) -> Iterator[Any]:
    """The events, of pairs too, without the empty ones that complete a pair."""
    for entry in entries(history):
        if isinstance(entry, list):
            yield from (event for event in entry if event)
        else:
            yield entry


def _task(run: Json, line: int) -> Iterator[Record]:
    issue, instance, metadata = at(run, "issue"), at(run, "instance"), at(run, "metadata")
    if isinstance(issue.get("repo"), str):
        yield Fact("repository", "/".join(filter(None, (string(issue.get("owner")), issue["repo"]))), line)
    elif isinstance(instance.get("repo"), str) and instance["repo"]:
        yield Fact("repository", instance["repo"], line)
    model = at(metadata.get("llm_config", metadata.get("llm"))).get("model")
    if isinstance(model, str) and model:
        yield Fact("model", model, line)


FORMAT = Format("openhands", "OpenHands run", sniff, conversations)
