"""What tests share: an engine whose every number is known beforehand, ways for it to go wrong, and small conversations.

The numbers are multiples of 1/64, so sums and differences are exact and tests compare with `==`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import shake_128

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Part, Text, ToolCall, ToolResult
from memscope.conversation.render import Prompt, response_text
from memscope.engines.protocol import Capabilities, Engine, EngineIdentity, Marks, ResponseScore, Tokens

UNIT = 1 / 64  # nats
PATIENCE = 30.0  # seconds until a test that waits for a thread gives up

_WORD = re.compile(r"\s*\S+\s*")
_BASE, _A_CHARACTER = -64.0, -0.5  # of every token: with weights of at most 1, fewer than 64 texts keep it negative

without = Ablation.of

Before = Callable[[int, Prompt], None]
After = Callable[[int, Prompt, list[ResponseScore]], list[ResponseScore]]


class FormulaEngine:
    """Scores in closed form: a word of a response costs 64 nats and half a nat a character, give or take what each text
    in the turns before it weighs for that word.

    `before(call, prompt)` runs in the worker before a scoring and may block or raise; `after(call, prompt, scores)` may
    spoil the answer. `calls` counts scorings begun, `peak` the most that were in flight at once; `closed`: let go.
    """

    def __init__(
        self,
        *,
        model: str = "closed-form",
        tokens: bool = True,
        concurrency: int = 4,
        before: Before | None = None,
        after: After | None = None,
    ) -> None:
        self.identity = EngineIdentity("formula", model=model)
        self.capabilities = Capabilities("formula", tokens=tokens, concurrency=concurrency)
        self.calls = 0
        self.peak = 0
        self.closed = False
        self._before, self._after = before, after
        self._running = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        self.closed = True

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        with self._counted() as call:
            if self._before is not None:
                self._before(call, prompt)
            scores = self._formula(prompt)
            return scores if self._after is None else self._after(call, prompt, scores)

    @contextmanager
    def _counted(self) -> Iterator[int]:
        with self._lock:
            self.calls += 1
            self._running += 1
            self.peak = max(self.peak, self._running)
            call = self.calls
        try:
            yield call
        finally:
            with self._lock:
                self._running -= 1

    def _formula(self, prompt: Prompt) -> list[ResponseScore]:
        said: list[str] = []
        scores = []
        for turn in prompt.turns:
            if turn.is_response:
                words = list(_WORD.finditer(turn.text))
                logprobs = np.array([_BASE + _A_CHARACTER * len(word[0]) for word in words], np.float64)
                for text in said:
                    logprobs += weights(text, turn.text)
                starts, ends = (np.array([edge(word) for word in words], np.int32) for edge in (_start, _end))
                tokens = Tokens(starts, ends, logprobs) if self.capabilities.tokens else None
                scores.append(ResponseScore(float(logprobs.sum()), tokens, len(words)))
            said.extend(piece.text for piece in turn.pieces)
        return scores


def _start(word: re.Match[str]) -> int:
    return word.start()


def _end(word: re.Match[str]) -> int:
    return word.end()


def weights(text: str, response: str) -> NDArray[np.float64]:
    """What `text` in an earlier turn does to each word of `response`: between -1 and 1 nat; nothing if it is empty."""
    count = len(_WORD.findall(response))
    if not text:
        return np.zeros(count)
    bits = shake_128(f"{text}\0{response}".encode()).digest(2 * count)
    return (np.frombuffer(bits, "<u2") % 129 - 64.0) * UNIT


def true_effects(conversation: Conversation) -> NDArray[np.float64]:
    """[N, M]: the effects that `FormulaEngine` must lead to, from the memories' own texts."""
    effects = np.zeros((len(conversation.memories), len(conversation.responses)))
    rows = {memory.key: row for row, memory in enumerate(conversation.memories)}
    for column, message in enumerate(conversation.responses):
        response = response_text(conversation, message)
        for memory in (memory for earlier in conversation.messages[:message] for memory in earlier.memories):
            effects[rows[memory.key], column] += weights(memory.text, response).sum()
    return effects


class Remote:
    """Any engine as if it stood behind a server: one prompt at a time, without a one-pass way of its own."""

    def __init__(self, engine: Engine) -> None:
        self.identity = engine.identity
        self.capabilities = replace(engine.capabilities, concurrency=4)
        self._engine = engine

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        return self._engine.score(prompt, job)

    def close(self) -> None:
        self._engine.close()


# Ways to go wrong, for `before` and `after`.


def lacks(prompt: Prompt, text: str) -> bool:
    return not any(text in turn.content for turn in prompt.turns)


def fails_without(text: str) -> Before:
    """The scoring that lacks `text` fails."""

    def before(_call: int, prompt: Prompt) -> None:
        if lacks(prompt, text):
            raise EngineError(f"the server refuses to go without {text!r}")

    return before


def fails_baseline(*memories: str) -> Before:
    """Any scoring in which all these texts still stand fails."""

    def before(_call: int, prompt: Prompt) -> None:
        if not any(lacks(prompt, text) for text in memories):
            raise EngineError("the server is out of memory")

    return before


def spoiled_without(text: str, spoil: Callable[[list[ResponseScore]], list[ResponseScore]]) -> After:
    """The scoring that lacks `text` comes back as `spoil` leaves it."""
    return lambda _call, prompt, scores: spoil(scores) if lacks(prompt, text) else scores


def noisy(call: int, _prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
    """No two calls give the same numbers."""
    return [replace(score, total=score.total - call * UNIT, tokens=None) for score in scores]


def cut_otherwise_without(text: str, *columns: int) -> After:
    """Scores with marks: where `text` is lacking, these responses are of other tokens than else."""

    def after(_call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        odd = columns if lacks(prompt, text) else ()
        seen = repr([turn.text for turn in prompt.turns]).encode()
        of = [Marks(b"otherwise" if column in odd else b"as ever", seen) for column in range(len(scores))]
        return [replace(score, marks=marks) for score, marks in zip(scores, of, strict=True)]

    return after


class Gate:
    """Lets so many scorings through and keeps the next waiting, deaf to any job, until it is opened."""

    def __init__(self, through: int = 0) -> None:
        self.reached = threading.Event()  # somebody waits
        self._open = threading.Event()
        self._through = through

    def __call__(self, call: int, _prompt: Prompt) -> None:
        if call > self._through:
            self.reached.set()
            assert self._open.wait(PATIENCE), "nobody opened the gate"

    def open(self) -> None:
        """Lets everybody through, and waits until they are gone."""
        self._open.set()
        end_of_workers()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()


def end_of_workers() -> None:
    """Waits until no worker thread of a scoring is left."""
    for thread in threading.enumerate():
        if thread.name.startswith("score-"):
            thread.join(PATIENCE)
            assert not thread.is_alive()


# Conversations.


def talk(*messages: Message) -> Conversation:
    return Conversation(messages)


def user(text: str, *parts: Part) -> Message:
    return Message("user", (Text(text), *parts))


def assistant(text: str, *parts: Part) -> Message:
    return Message("assistant", (Text(text), *parts))


def memory(key: str, text: str) -> Message:
    """A message that is a memory as a whole."""
    return Message("system", (Memory(key, text),))


TABS, PNPM, LATE = "Indent with tabs.", "Install packages with pnpm.", "Deploy on Mondays only."


def office() -> Conversation:
    """Three memories (one inside the system message, one that returns, one that comes late) and three responses, at #2,
    #5 and #8."""
    return talk(
        Message("system", (Text("You are a coding agent."), Memory("tabs", TABS))),
        user("Which package manager is it?"),
        assistant("I do not know yet, so I will have a look."),
        memory("pnpm", PNPM),
        user("And now?"),
        assistant("Use pnpm to install packages.", ToolCall("1", "run", '{"command": "pnpm install"}')),
        Message("tool", (ToolResult("1", "done"), Memory("pnpm", PNPM))),
        memory("late", LATE),
        assistant("Installed with pnpm; deploy on Monday."),
    )


_texts = st.lists(st.sampled_from("the a key is Zorvix tabs 1 . \n 你好".split(" ")), max_size=6).map(" ".join)
_keys = st.sampled_from(["k0", "k1", "k2", "k3"])
_said = st.one_of(st.builds(Text, _texts), st.builds(Text, _texts), st.builds(Memory, _keys, _texts))


def _messages(role: str, parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Message]:
    return st.lists(parts, min_size=1, max_size=3).map(lambda found: Message(role, tuple(found)))


conversations: st.SearchStrategy[Conversation] = st.lists(
    st.one_of(
        _messages("system", _said),
        _messages("user", _said),
        _messages("assistant", st.builds(Text, _texts)),
        _messages("assistant", st.one_of(st.builds(Text, _texts), st.builds(ToolCall, st.just("c"), _keys, _texts))),
    ),
    max_size=8,
).map(lambda messages: Conversation(tuple(messages)))
