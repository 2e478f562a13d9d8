"""Langfuse exports: traces of what programs asked models, and the messages Langfuse itself makes of them.

`{trace, observations}`, a trace with `observations` in it, a list of observations, or such objects one a line; also
`{observation: {input, output}}`, each `{success, data}` with messages: what Langfuse's own tests normalise a trace to.

An observation of the type GENERATION is one request to a model, and most requests repeat the conversation so far. So
requests that go on with each other are one conversation, told by the last of them: its input and its output. Some
libraries note down only what is new in a request: then they are put one behind the other, with the tools' answers from
observations of their own. Requests that share no messages are conversations of their own; those below a tool, or of an
agent below another agent, are sub-agents. A trace without requests is told by what its program was given and gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memscope.conversation.formats._content import compact, mappings, seconds, string
from memscope.conversation.formats._traced_messages import attributes, messages_in, messages_out, unwrapped
from memscope.conversation.model import Message, Skipped, Text, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant

_TYPES = frozenset("AGENT CHAIN EMBEDDING EVALUATOR EVENT GENERATION GUARDRAIL RETRIEVER SPAN TOOL".split())
_DEEPEST = 100  # observations below each other
Observation = Mapping[str, Any]


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    first = raw.head[0]
    if _is_normalised(first):
        has_any = bool(_normalised(first, 1))
        return (
            Yes(0.8)
            if has_any
            else No("in none of its observations Langfuse recognised messages that were sent to a model")
        )
    if _is_observation(first) or any(map(_is_observation, _observations(first))):
        return Yes(0.9)
    return No('it has no "observations" with a type, a start and an input or output, as Langfuse exports them')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if raw.head and _is_observation(raw.head[0]):  # an observation a line
        values = list(raw.values())
        yield from (value for value in values if isinstance(value, Skipped))
        found = [(value.line, value.json) for value in values if not isinstance(value, Skipped)]
        told = [(line, one) for line, one in found if _is_observation(one)]
        yield from (Skipped(line, "the object is no observation") for line, one in found if not _is_observation(one))
        yield from _items({}, [one for _, one in told], told[0][0] if told else 0)
        return
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
        elif _is_normalised(value.json):
            yield from _listed(_normalised(value.json, value.line), {}, value.line)
        elif observations := [one for one in _observations(value.json) if _is_observation(one)]:
            trace = value.json.get("trace", value.json) if isinstance(value.json, Mapping) else {}
            yield from _items(trace if isinstance(trace, Mapping) else {}, observations, value.line)
        else:
            yield Skipped(value.line, "the object has no observations")


def _observations(value: Any) -> tuple[Observation, ...]:
    return mappings(value.get("observations") if isinstance(value, Mapping) else value)


def _is_observation(value: Any) -> bool:
    if not isinstance(value, Mapping) or string(value.get("type")) not in _TYPES:
        return False
    return bool(value.keys() & {"startTime", "traceId"}) and bool(value.keys() & {"input", "output", "metadata"})


def _is_normalised(value: Any) -> bool:
    """Whether each entry is an observation's input and output, with whether they could be made messages of."""
    if not isinstance(value, Mapping) or not value:
        return False
    sides = [entry.get(side) for entry in value.values() if isinstance(entry, Mapping) for side in ("input", "output")]
    found = [isinstance(side, Mapping) and isinstance(side.get("success"), bool) for side in sides]
    return len(found) == 2 * len(value) and all(found)


@dataclass
class _Request:
    """A request to a model. `parent`: the observation it is below; `depth` counts the agents and tools above it."""

    sent: list[Record]
    reply: list[Record]
    parent: str = ""
    agent: str = ""
    depth: int = 0
    time: float | None = None
    facts: list[Fact] = field(default_factory=list)

    @property
    def said(self) -> list[Message]:
        return [record for record in self.sent if isinstance(record, Message)]

    @property
    def records(self) -> list[Record]:
        """All of it in order; a system prompt that only the reply repeats was there before everything."""
        if _begins_with_system(self.sent) or not self.said:
            return [*self.sent, *(r for r in self.reply if not _is_system(r))]
        opening = [r for r in self.reply if _is_system(r)]
        return [*opening, *self.sent, *(r for r in self.reply if not _is_system(r))]


def _is_system(record: Record) -> bool:
    return isinstance(record, Message) and record.role in ("system", "developer")


def _begins_with_system(records: Sequence[Record]) -> bool:
    return next((_is_system(record) for record in records if isinstance(record, Message)), False)


@dataclass
class _Thread:
    """A conversation: the last request that went on with it, and what is known to have come before."""

    request: _Request
    records: list[Record]
    began: int

    @property
    def calls(self) -> set[str]:
        return {call.id for record in self.records if isinstance(record, Message) for call in record.calls}


def _items(trace: Observation, observations: Sequence[Observation], line: int) -> Iterator[Item]:
    ordered = sorted(observations, key=lambda one: seconds(one.get("startTime")) or 0.0)
    look = _Tree(ordered)
    requests = [_request(one, look, line) for one in ordered if look.is_request(one)]
    threads = _threads([r for r in requests if r.sent or r.reply], look, line)
    yield from _listed(threads or _told_by_the_program(trace, look, line), trace, line, look.failures(line))


def _listed(threads: list[_Thread], trace: Observation, line: int, failures: Sequence[Fact] = ()) -> Iterator[Item]:
    """The conversations, main ones first; what failed beside them is told with the first."""
    least = min((thread.request.depth for thread in threads), default=0)
    ordered = sorted(threads, key=lambda thread: (thread.request.depth > least, thread.began))
    for place, thread in enumerate(ordered):
        records = [*_facts(trace, line), *thread.request.facts, *thread.records, *(failures if place == 0 else ())]
        is_subagent = thread.request.depth > least
        title = thread.request.agent if len(threads) > 1 and is_subagent else ""
        yield Item(merge_assistant(_once(records)), title, is_subagent)


def _facts(trace: Observation, line: int) -> Iterator[Fact]:
    name = trace.get("id")
    if isinstance(name, str) and name:
        yield Fact("session", name, line)


def _once(records: Sequence[Record]) -> Iterator[Record]:
    """The records, each tool's definition once: every request repeats them."""
    known: set[str] = set()
    for record in records:
        if isinstance(record, Fact) and record.kind == "tool":
            if record.text in known:
                continue
            known.add(record.text)
        yield record


class _Tree:
    """How observations hang together."""

    def __init__(self, ordered: Sequence[Observation]) -> None:
        self.ordered = ordered
        self.by_id = {string(one.get("id")): one for one in ordered}
        self.outer = {string(one.get("parentObservationId")) for one in ordered if one.get("type") == "GENERATION"}

    def is_request(self, one: Observation) -> bool:
        """Whether it is a request itself, and not a library's wrapper around one."""
        return one.get("type") == "GENERATION" and string(one.get("id")) not in self.outer

    def above(self, one: Observation) -> Iterator[Observation]:
        """The observations above, the nearest first."""
        for _ in range(_DEEPEST):
            outer = self.by_id.get(string(one.get("parentObservationId")))
            if outer is None:
                return
            yield outer
            one = outer

    def answers(self, parent: str, since: float, until: float) -> list[tuple[str, Any, bool]]:
        """Name, output and failure of the tools that ran below an observation between two times."""
        found = []
        for one in self.ordered:
            at = seconds(one.get("startTime")) or 0.0
            if one.get("type") == "TOOL" and string(one.get("parentObservationId")) == parent and since <= at < until:
                found.append((string(one.get("name")), unwrapped(one.get("output")), one.get("level") == "ERROR"))
        return found

    def failures(self, line: int) -> list[Fact]:
        failed = (one for one in self.ordered if one.get("level") == "ERROR")
        return [Fact("error", string(one.get("statusMessage")) or string(one.get("name")), line) for one in failed]


def _request(one: Observation, look: _Tree, line: int) -> _Request:
    sent, reply = messages_in(one.get("input"), line), messages_out(one.get("output"), line, is_reply=True)
    metadata = unwrapped(one.get("metadata"))
    noted = metadata.get("attributes", metadata) if isinstance(metadata, Mapping) else {}
    into, out, tools = attributes(noted) if isinstance(noted, Mapping) else ([], [], [])
    if into and not any(isinstance(record, Message) for record in sent):
        sent = messages_in(into, line)
    if out and not any(isinstance(record, Message) for record in reply):
        reply = messages_out(out, line, is_reply=False)
    has_tools = any(isinstance(record, Fact) and record.kind == "tool" for record in (*sent, *reply))
    facts = [] if has_tools else [Fact("tool", compact(tool), line) for tool in tools]
    if isinstance(one.get("model"), str) and one["model"]:
        facts.append(Fact("model", one["model"], line))
    above = list(look.above(one))
    agents = [string(outer.get("name")) for outer in above if outer.get("type") in ("AGENT", "TOOL")]
    parent = string(one.get("parentObservationId"))
    agent = agents[0] if agents else string(look.by_id.get(parent, {}).get("name"))
    return _Request(sent, reply, parent, agent, len(agents), seconds(one.get("startTime")), facts)


def _threads(requests: list[_Request], look: _Tree, line: int) -> list[_Thread]:
    threads: list[_Thread] = []
    for place, request in enumerate(requests):
        before = next((thread for thread in reversed(threads) if _goes_on(thread, request)), None)
        if before is not None:
            before.request = _with_facts_of(before.request, request)
            before.records = request.records
            continue
        behind = next((thread for thread in reversed(threads) if _is_behind(thread, request)), None)
        if behind is not None:
            since, until = behind.request.time or 0.0, request.time or 0.0
            answers = look.answers(request.parent, since, until) if not request.said else []
            behind.records += _answered(behind, answers, line)
            behind.records += request.records
            behind.request = _with_facts_of(behind.request, request)
        elif request.said:  # a reply to nothing that is known, such as a piece of one, is none
            records = request.records
            opening = [] if _begins_with_system(records) else _system(request, look, line)
            threads.append(_Thread(request, [*opening, *records], place))
    return threads


def _with_facts_of(before: _Request, request: _Request) -> _Request:
    request.facts = [*before.facts, *(fact for fact in request.facts if fact not in before.facts)]
    return request


def _goes_on(thread: _Thread, request: _Request) -> bool:
    """Whether a request repeats the conversation so far: all that was sent before, and maybe more."""
    known, said = thread.request.said, request.said
    return bool(known) and len(known) <= len(said) and all(map(_same, known, said))


def _same(one: Message, other: Message) -> bool:
    return one.role == other.role and one.text == other.text and len(one.calls) == len(other.calls)


def _is_behind(thread: _Thread, request: _Request) -> bool:
    """Whether a request has only what is new: nothing at all, or the answers to the calls before."""
    if thread.request.parent != request.parent or not any(isinstance(r, Message) for r in thread.records):
        return False
    answered = {part.call_id for m in request.said for part in m.parts if isinstance(part, ToolResult)}
    return not request.said or (request.said[0].role == "tool" and bool(answered & thread.calls))


def _answered(thread: _Thread, answers: list[tuple[str, Any, bool]], line: int) -> Iterator[Record]:
    """What the tools answered, as messages: each to the first call of its name that has no answer yet."""
    messages = [record for record in thread.records if isinstance(record, Message)]
    known = {part.call_id for m in messages for part in m.parts if isinstance(part, ToolResult)}
    open_calls = [call for message in messages for call in message.calls if call.id not in known]
    for name, output, failed in answers:
        call = next((call for call in open_calls if call.name == name), None)
        if call is not None:
            open_calls.remove(call)
            told = messages_in([{"role": "tool", "tool_call_id": call.id, "content": output, "is_error": failed}], line)
            yield from told


def _system(request: _Request, look: _Tree, line: int) -> list[Record]:
    """The system prompt, where only the program's own observation above tells it."""
    given = unwrapped(look.by_id.get(request.parent, {}).get("input"))
    system = given.get("system") if isinstance(given, Mapping) else None
    return [Message("system", (Text(system),), line=line)] if isinstance(system, str) and system else []


def _told_by_the_program(trace: Observation, look: _Tree, line: int) -> list[_Thread]:
    """What the outermost observation, or the trace, was given and gave."""
    roots = [one for one in look.ordered if string(one.get("parentObservationId")) not in look.by_id]
    for one in (*roots, trace):
        sent, reply = messages_in(one.get("input"), line), messages_out(one.get("output"), line, is_reply=True)
        said = [record for record in sent if isinstance(record, Message)]
        told = [record for record in reply if isinstance(record, Message)]
        if said and len(said) <= len(told) and all(map(_same, said, told)):
            sent = []  # a graph gives back all of its messages
        if said and told:
            return [_Thread(_Request(sent, reply), [*sent, *reply], 0)]
    return []


def _normalised(value: Mapping[str, Any], line: int) -> list[_Thread]:
    requests = []
    for entry in value.values():
        sides = [entry[side].get("data") if entry[side]["success"] else None for side in ("input", "output")]
        sent, reply = messages_in(sides[0], line), messages_out(sides[1], line, is_reply=False)
        tools = [tool for message in mappings(sides[0]) for tool in mappings(message.get("tools"))]
        request = _Request(sent, reply, facts=[Fact("tool", compact(tool), line) for tool in tools])
        if any(m.role in ("user", "system", "developer") for m in request.said):
            requests.append(request)
    requests.sort(key=lambda request: len(request.said))  # they come in no order
    return _threads(requests, _Tree(()), line)


FORMAT = Format("langfuse", "Langfuse export", sniff, conversations)
