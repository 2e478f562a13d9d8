"""Conversations in which it is known what each memory is to each response, and an engine whose truth is a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memscope.attribution.redundancy import Verdict
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from tests.fakes import assistant, memory, talk

BASE = -1000.0


@dataclass(frozen=True)
class Fact:
    """Worth `weight` nats to response number `column` while all of `groups` have a memory that is there: one group of
    two is two copies, two groups of one is a memory that needs the other."""

    column: int
    weight: float
    groups: tuple[tuple[str, ...], ...]

    def holds(self, there: frozenset[str]) -> bool:
        return all(not there.isdisjoint(group) for group in self.groups)


def any_of(column: int, weight: float, *keys: str) -> Fact:
    return Fact(column, weight, (keys,))


def all_of(column: int, weight: float, *keys: str) -> Fact:
    return Fact(column, weight, tuple((key,) for key in keys))


class Planted:
    """Scores a response by the facts that hold before it. `asked`: what was left out, scoring by scoring."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.identity = EngineIdentity("planted")
        self.capabilities = Capabilities("planted", tokens=False, concurrency=2)
        self.facts = tuple(facts)
        self.asked: list[frozenset[str]] = []

    def close(self) -> None:
        """There is nothing to let go of."""

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        there: set[str] = set()
        scores: list[ResponseScore] = []
        for turn in prompt.turns:
            if turn.is_response:
                held = frozenset(there)
                worth = sum(f.weight for f in self.facts if f.column == len(scores) and f.holds(held))
                scores.append(ResponseScore(BASE + worth))
            there.update(piece.owner for piece in turn.pieces if piece.owner is not None)
        self.asked.append(frozenset(there))
        return scores


def planted(texts: dict[str, str], responses: int = 1) -> Conversation:
    """The memories, then the responses."""
    said = (assistant(f"Reply number {number}.") for number in range(responses))
    return talk(*(memory(key, text) for key, text in texts.items()), *said)


def apart(*keys: str) -> dict[str, str]:
    """Texts that share no word."""
    return {key: " ".join(f"{key}{letter}" for letter in ("alpha", "beta", "gamma", "delta")) for key in keys}


def alike(*keys: str) -> dict[str, str]:
    """Texts that say the same in other words."""
    return {key: f"The staging server deploys on Mondays, says {key}." for key in keys}


@dataclass(frozen=True)
class Known:
    """A planted conversation with its facts, and the truth: the verdict on each memory for each response number."""

    conversation: Conversation
    facts: tuple[Fact, ...]
    truth: dict[tuple[str, int], Verdict]


def shuffled(known: Known, order: Sequence[int]) -> Known:
    """The same with the memories in another order."""
    messages = known.conversation.messages
    memories = [messages[place] for place in order]
    return replace(known, conversation=known.conversation.with_messages([*memories, *messages[len(order) :]]))
