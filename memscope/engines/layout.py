"""Laying prompts out: what a chat template makes of each, and where its responses stand in that.

Finding a response takes two more layouts. That is done once: an ablation differs from a layout that is known in the
middle alone, so what both begin and end with stands where it stood, and only responses in between are looked for again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.conversation.render import Prompt
from memscope.engines.chat import Chat, Fold, chat
from memscope.engines.spans import Laid, common_prefix, common_suffix, diff_span, probes

_KEPT = 8  # conversations whose layout is remembered


@dataclass(frozen=True)
class Layout(Generic[Laid]):
    """`whole`: the prompt as text or token ids, to the end of its last response; `spans` [M]: where the responses stand
    in it, ascending; `texts` [M]: what they say."""

    whole: Laid
    spans: tuple[Span, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class _Found(Generic[Laid]):
    """A chat, all of it laid out, and where its responses stand."""

    said: Chat
    whole: Laid
    spans: tuple[Span, ...]


@dataclass
class _Known(Generic[Laid]):
    """The layout that others of its conversation are compared with: the one of most messages that was seen. It is first
    made by whoever holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: _Found[Laid] | None = None


class Layouts(Generic[Laid]):
    """Lays prompts out with `lay`, which gives a chat as text or token ids. Safe to use from any thread.

    `fold`: how messages are folded.
    """

    def __init__(self, lay: Callable[[Chat, Job], Laid], fold: Fold = "off") -> None:
        self._lay: Callable[[Chat, Job], Laid] = lay
        self._fold = fold
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[object, ...], _Known[Laid]] = OrderedDict()

    def whole(self, prompt: Prompt, job: Job) -> Laid:
        """`prompt` laid out to its end, without looking for its responses. Raises what `lay` raises."""
        return self._lay(chat(prompt, self._fold), job)

    def of(self, prompt: Prompt, job: Job, accept: Callable[[Laid], object] = lambda _: None) -> Layout[Laid]:
        """The layout of `prompt`. `accept` sees it whole before its responses are looked for, and may raise. Raises
        what `lay` raises."""
        said = chat(prompt, self._fold)
        whole = self._lay(said, job)
        accept(whole)
        known = self._entry(prompt)
        with known.lock:  # others wait for the first to look, and then need not
            if known.found is None:
                known.found = _Found(said, whole, self._spans(said, whole, {}, prompt.thinking, job))
        found = known.found
        spans = self._spans(said, whole, _still(found, said, whole), prompt.thinking, job)
        if len(said.messages) > len(found.said.messages):
            known.found = _Found(said, whole, spans)
        end = spans[-1][1] if spans else 0
        return Layout(whole[:end], spans, said.texts)

    def _entry(self, prompt: Prompt) -> _Known[Laid]:
        """One for all ablations of a conversation: none changes a response or a tool."""
        key = (prompt.tools, prompt.thinking, *(turn.digest for turn in prompt.responses))
        with self._lock:
            known = self._known.setdefault(key, _Known())
            self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return known

    def _spans(self, said: Chat, whole: Laid, still: dict[int, Span], thinking: bool, job: Job) -> tuple[Span, ...]:
        spans: list[Span] = []
        for number, (place, text) in enumerate(zip(said.responses, said.texts, strict=True)):
            span = still.get(number)
            if span is None:
                job.check()
                content = said.messages[place]["content"] or text
                span = diff_span(
                    whole, *(self._probed(said, place, p, job) for p in probes(content, thinking=thinking))
                )
            floor = spans[-1][1] if spans else 0
            spans.append((max(span[0], floor), max(span[1], floor)))  # a template that repeats one is not let overlap
        return tuple(spans)

    def _probed(self, said: Chat, place: int, probe: str, job: Job) -> Laid:
        """The chat laid out with a probe in the place of a response."""
        try:
            return self._lay(said.saying(place, probe), job)
        except EngineError:
            if "tool_calls" not in said.messages[place]:
                raise
            try:  # some templates refuse an answer to no call
                return self._lay(said.saying(place, probe, calling=True), job)
            except EngineError:
                pass
            raise


def _still(known: _Found[Laid], said: Chat, whole: Laid) -> dict[int, Span]:
    """The responses of a layout that is known, where they stand in another of the same conversation: those in what
    both begin with, and those in what both end with, as messages and as laid out: what repeats itself looks the same
    in other places too.

    What stands next to a response has to be the same as well: at the very border it may be longer in one of the two.
    """
    if known.said.messages == said.messages:
        return dict(enumerate(known.spans))
    first = common_prefix(known.said.messages, said.messages)
    last = common_suffix(known.said.messages, said.messages)
    before = common_prefix(known.whole, whole)
    behind = len(known.whole) - common_suffix(known.whole, whole)
    shift = len(whole) - len(known.whole)
    found: dict[int, Span] = {}
    for number, ((start, end), place) in enumerate(zip(known.spans, known.said.responses, strict=True)):
        if place < first and end < before:
            found[number] = (start, end)
        elif place >= len(known.said.messages) - last and start > behind:
            found[number] = (start + shift, end + shift)
    return found
