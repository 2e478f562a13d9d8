"""What traces teach: an insight, and the places that it was seen in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from memscope.conversation.model import Source

RuleKind = Literal["repeated_tool_error", "successful_sequence", "long_reasoning"]
Kind = Literal[RuleKind, "synthesized"]
KINDS: tuple[Kind, ...] = (*get_args(RuleKind), "synthesized")
"""In the order of every list of insights."""

_HINT = 100  # characters


class Spot(NamedTuple):
    """A message of a conversation: an index into those of the context `window`, as loading has them; `words`: what
    stands there, to find it by."""

    window: int
    message: int
    words: str = ""


class Observation(NamedTuple):
    """What a rule saw in one conversation, as plain values. `spots`: at least one, in their order; `time` of the first,
    in seconds since the epoch."""

    kind: RuleKind
    text: str
    confidence: float
    spots: tuple[Spot, ...]
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an insight comes from: a session by its name, its source, and the message; None: all of the session."""

    session: str
    source: Source
    message: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that is worth remembering. `confidence` 0 to 1; `time`: of the first evidence, or when a model said it,
    in seconds since the epoch. `model`: who synthesized it, "" for a rule. `sessions`: 0 where `evidence` is all there
    is; where some was left out of it, how many sessions all of it is from, as far as that was still to be counted."""

    kind: Kind
    text: str
    confidence: float
    evidence: tuple[Evidence, ...] = field(default=())
    time: float | None = None
    model: str = ""
    sessions: int = 0

    @property
    def name(self) -> str:
        """What it is known by wherever it is decided about: the same words of the same kind are the same insight."""
        told = f"{self.kind}\0{self.text}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(told).hexdigest()

    @property
    def hint(self) -> str:
        """As a prompt tells it: rules that count have one already, of the others it is the beginning."""
        return self.text if self.kind in ("repeated_tool_error", "successful_sequence") else self.text[:_HINT]
