"""Which requests to a model are one conversation.

A request goes on with a conversation where it begins with all that is known of it, replies included, so that nothing is
lost when it is told in the place of what came before. Where a library notes down only what is new, a request is put
behind the one before. Everything is looked up and never searched for: a trace may hold thousands of requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from memscope.conversation.formats._langfuse_request import (
    Key,
    Request,
    is_system,
    key_of,
    only_messages,
    put_together,
    request_of,
)
from memscope.conversation.formats._langfuse_thread import Thread
from memscope.conversation.formats._langfuse_trace import Trace
from memscope.conversation.formats._traced_messages import messages_in, messages_out, unwrapped
from memscope.conversation.model import Message, Skipped, Text, ToolResult


def conversations_of(trace: Trace) -> tuple[list[Thread], list[Skipped]]:
    """Those of a trace, and what belongs to none: of its requests, or else of what the program was given and gave."""
    threads, passed = joined((request_of(one, trace) for one in trace.requests), trace)
    return threads or list(_of_the_program(trace)), passed


def has_conversation(trace: Trace) -> bool:
    """Whether a trace has any; nothing behind the first request with messages is read."""
    requests = (request_of(one, trace) for one in trace.requests)
    return any(request.said for request in requests) or any(True for _ in _of_the_program(trace))


def joined(requests: Iterable[Request], trace: Trace) -> tuple[list[Thread], list[Skipped]]:
    """The conversations that the requests of a trace, in order of time, are; and what belongs to none."""
    joining = _Joining(trace)
    for number, request in enumerate(requests):
        joining.add(number, request)
    return joining.threads, joining.passed


class _Joining:
    """The conversations so far, and where to find the one that a request belongs to."""

    def __init__(self, trace: Trace) -> None:
        self.threads: list[Thread] = []
        self.passed: list[Skipped] = []
        self._trace = trace
        self._paths = _Paths()
        self._last: dict[str, Thread] = {}  # by the observation above
        self._called: dict[tuple[str, str], Thread] = {}  # by that and a call

    def add(self, number: int, request: Request) -> None:
        """Puts a request where it belongs, or passes it over."""
        messages = [*request.said, *request.replied]
        keys = [*map(key_of, request.opening), *map(key_of, messages)]
        known = self._known(request, keys)
        before = None if known else self._before(request)
        if known is not None:
            known.go_on(request)
            self._note(known, messages, keys, 0)
        elif request.said and self._paths.have(keys):
            pass  # a conversation tells all of it
        elif before is not None:
            since, until = before.asked, request.began or 0.0
            answers = self._trace.answers(request.parent, since, until) if not request.said else []
            added = before.go_behind(request, answers)
            self._note(before, added, map(key_of, added), before.end)
        elif request.said:
            thread = Thread(number, self._system(request))
            thread.go_on(request)
            self.threads.append(thread)
            self._note(thread, messages, keys, 0)
        else:
            why = "a reply to nothing that is known" if messages else "a request in which no messages are known"
            self.passed += [record for record in (*request.sent, *request.reply) if isinstance(record, Skipped)]
            self.passed.append(Skipped(request.line, why))

    def _known(self, request: Request, keys: Sequence[Key]) -> Thread | None:
        """The conversation that a request repeats; one may have no system prompt yet where only replies tell it."""
        if not request.said:
            return None
        return self._paths.find(keys) or (self._paths.find(keys[len(request.opening) :]) if request.opening else None)

    def _before(self, request: Request) -> Thread | None:
        """The conversation of which a request has only what is new: nothing at all, or the answers to its calls."""
        thread = None
        if not request.said:
            thread = self._last.get(request.parent)
        elif request.said[0].role == "tool":
            results = (part for message in request.said for part in message.parts if isinstance(part, ToolResult))
            found = (self._called.get((request.parent, result.call_id)) for result in results)
            thread = next(filter(None, found), None)
        return thread if thread is not None and thread.parent == request.parent else None

    def _note(self, thread: Thread, messages: Iterable[Message], keys: Iterable[Key], start: int) -> None:
        """Notes where a conversation is found that has messages added, from the place `start` on."""
        self._paths.end(thread, keys, start)
        self._last[thread.parent] = thread
        self._called.update(((thread.parent, call.id), thread) for message in messages for call in message.calls)

    def _system(self, request: Request) -> Iterator[Message]:
        """The system prompt, where only the program's own observation above tells it."""
        above = self._trace.named(request.parent)
        given = unwrapped(above.input) if above and not is_system(request.said[0]) else None
        system = given.get("system") if isinstance(given, Mapping) else None
        if isinstance(system, str) and system:
            yield Message("system", (Text(system),), line=request.line)


class _Paths:
    """The messages of all conversations, as ways from place 0 on: those that begin alike go the same way."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, Key], int] = {}
        self._ends: dict[int, Thread] = {}

    def find(self, keys: Iterable[Key]) -> Thread | None:
        """The longest conversation that messages begin with."""
        place, found = 0, None
        for key in keys:
            steps = (self._next.get((place, spelt)) for spelt in _with_less(key))
            step = next((step for step in steps if step is not None), None)
            if step is None:
                break
            place, found = step, self._ends.get(step, found)
        return found

    def have(self, keys: Iterable[Key]) -> bool:
        """Whether messages are those of a conversation, or its beginning."""
        place: int | None = 0
        for key in keys:
            place = self._next.get((place, key)) if place is not None else None
        return place is not None

    def end(self, thread: Thread, keys: Iterable[Key], start: int) -> None:
        """Notes where a conversation ends: so many messages behind the place `start`."""
        if self._ends.get(thread.end) is thread:
            del self._ends[thread.end]
        thread.end = start
        for key in keys:
            thread.end = self._next.setdefault((thread.end, key), len(self._next) + 1)
        self._ends[thread.end] = thread


def _with_less(key: Key) -> Iterator[Key]:
    """A message, and what a library may have noted down of it when it was a reply: its words alone, its calls alone."""
    yield key
    role, words, calls, beside = key
    if role == "assistant":
        yield role, words, (), ()
        yield role, "", calls, beside
        yield role, "", (), ()


def _of_the_program(trace: Trace) -> Iterator[Thread]:
    """What the outermost observation that was given and gave messages tells, or the trace."""
    for one in trace.outermost:
        sent, reply = messages_in(one.input, one.line), messages_out(one.output, one.line, is_reply=True)
        if only_messages(sent) and only_messages(reply):
            thread = Thread(0)
            thread.go_on(put_together(sent, reply, one))
            yield thread
            return
