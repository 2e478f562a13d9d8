"""Langfuse exports: traces of what programs asked models, and the messages Langfuse itself makes of them.

`{trace, observations}`, a trace with `observations` in it, a list of observations, or such objects one a line; all of
them also in a list or in the `data` of an answer of Langfuse's API. Observations outside a trace are put together by
their `traceId`. And `{observation: {input, output}}`, each `{success, data}` with messages: what Langfuse's own tests
normalise a trace to.

An observation of the type GENERATION is one request to a model, and most requests repeat the conversation so far. So
requests that go on with each other are one conversation, told by the last of them: its input and its output. Some
libraries note down only what is new in a request: then they are put one behind the other, with the tools' answers from
observations of their own. Requests that share no messages are conversations of their own; those below a tool, or of an
agent below another agent, are sub-agents. A trace without requests is told by what its program was given and gave.
A message has the time of the request, or of the reply, that told it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from memscope.conversation.formats._content import mappings
from memscope.conversation.formats._langfuse_joining import conversations_of, has_conversation, joined
from memscope.conversation.formats._langfuse_request import Request, put_together, tool_facts
from memscope.conversation.formats._langfuse_thread import Thread
from memscope.conversation.formats._langfuse_trace import Observation, Trace, is_observation, is_trace
from memscope.conversation.formats._traced_messages import messages_in, messages_out
from memscope.conversation.model import Skipped
from memscope.conversation.raw import HEAD_VALUES, Raw, Value
from memscope.conversation.records import Fact, Format, Item, No, Yes, merge_assistant


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    normalised = [value for value in raw.head if _is_normalised(value)]
    if any(_normalised(value, 1) for value in normalised):
        return Yes(0.8)
    traces = [found for found in _found(Value(1, value) for value in raw.head) if isinstance(found, Trace)]
    may_follow = bool(traces) and len(raw.head) == HEAD_VALUES
    if may_follow or any(map(has_conversation, traces)):
        return Yes(0.9)
    if traces:
        return No("none of its observations is a request to a model, or tells of messages")
    if normalised:
        return No("in none of its observations Langfuse recognised messages that were sent to a model")
    return No('it has no "observations" with a type, a start and an input or output, as Langfuse exports them')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    for found in _found(raw.values()):
        if isinstance(found, Skipped):
            yield found
        elif isinstance(found, Value):
            yield from _listed(_normalised(found.json, found.line))
        else:
            yield from found.passed
            threads, passed = conversations_of(found)
            yield from passed
            session = [Fact("session", found.name, found.line)] if found.name and threads else []
            yield from _listed(threads, session, found.failures)


def _found(values: Iterable[Value | Skipped]) -> Iterator[Trace | Value | Skipped]:
    """The traces of a file and its normalised ones, as values, as they come; behind them those whose observations stand
    by themselves."""
    alone: dict[str, list[Observation]] = {}
    for value in values:
        if isinstance(value, Skipped) or _is_normalised(value.json):
            yield value
        else:
            for entry in _entries(value.json):
                if is_observation(entry):
                    observation = Observation.read(entry, value.line)
                    alone.setdefault(observation.trace, []).append(observation)
                elif is_trace(entry):
                    yield Trace.read(entry, value.line)
                else:
                    yield Skipped(value.line, "the entry is neither a trace nor an observation")
    yield from (Trace(name, observations) for name, observations in alone.items())


def _entries(value: Any) -> Sequence[Any]:
    """What a list holds, or the list in an answer of Langfuse's API; else the value itself."""
    if isinstance(value, dict) and isinstance(value.get("data"), list) and not is_observation(value):
        value = value["data"]
    return value if isinstance(value, list) else [value]


def _listed(threads: Sequence[Thread], session: Sequence[Fact] = (), failures: Sequence[Fact] = ()) -> Iterator[Item]:
    """The conversations of a trace, main ones first; what failed beside them is told with the first."""
    least = min((thread.depth for thread in threads), default=0)
    for place, thread in enumerate(sorted(threads, key=lambda thread: (thread.depth > least, thread.number))):
        is_subagent = thread.depth > least
        records = [*session, *thread.records(), *(failures if place == 0 else ())]
        yield Item(merge_assistant(records), thread.agent if is_subagent else "", is_subagent)


def _is_normalised(value: Any) -> bool:
    """Whether each entry is an observation's input and output, with whether they could be made messages of."""
    return isinstance(value, dict) and bool(value) and all(map(_is_recognised, value.values()))


def _is_recognised(entry: Any) -> bool:
    sides = (entry.get("input"), entry.get("output")) if isinstance(entry, dict) else ()
    return bool(sides) and all(isinstance(side, dict) and isinstance(side.get("success"), bool) for side in sides)


def _normalised(value: Mapping[str, Any], line: int) -> list[Thread]:
    requests: list[Request] = []
    for entry in value.values():
        sides = [entry[side].get("data") if entry[side]["success"] else None for side in ("input", "output")]
        request = put_together(messages_in(sides[0], line), messages_out(sides[1], line, is_reply=False))
        request.facts += tool_facts((tool for m in mappings(sides[0]) for tool in mappings(m.get("tools"))), line)
        if any(message.role in ("user", "system", "developer") for message in request.said):
            requests.append(request)
    requests.sort(key=lambda request: len(request.said))  # they come in no order
    threads, _ = joined(requests, Trace("", ()))  # each has messages, so none is passed over
    return threads


FORMAT = Format("langfuse", "Langfuse export", sniff, conversations)
