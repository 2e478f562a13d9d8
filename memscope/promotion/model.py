"""What promotion speaks of: messages, the clusters they fall into, and the candidates among those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, Protocol

from memscope.base.job import Job
from memscope.conversation.model import Ref

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    """One row a text, [n, d]."""
    Vector = NDArray[np.float32]

Id = str | int
"""A name as rows give it: numbers stay numbers."""

RowKind = Literal["request", "plan", ""]
"""What a message is: a person's request, what the assistant set out to do for it; "" where nobody says."""

Method = Literal["stable", "greedy"]

State = Literal["new", "grown", "draft", "accepted", "rejected"]
"""What was decided of a pattern; `grown`: of one that it has grown from."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message that is clustered. `message_id` names it within its session at least; `session_id`: what counts as one
    session. `tools`: the names of the tools that were called for it, in order, a run of one as one; `failures`: what
    failed of that, each on one line. `time` in seconds since the epoch; `ref`: where its transcript has it, None for
    what came from none."""

    message_id: Id
    session_id: Id
    text: str
    kind: RowKind = ""
    tools: tuple[str, ...] = ()
    time: float | None = None
    ref: Ref | None = None
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """How messages are grouped, and from when on a group is a candidate. `threshold` is a cosine, inclusive. `classic`:
    the numbers of the first promotion engine, quirks included; its method is `greedy`."""

    method: Method = "stable"
    threshold: float = 0.85
    min_occurrences: int = 3
    min_sessions: int = 2
    classic: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """How many rows were passed over: without an embedding, of another dimension than most, with a value that is not
    finite."""

    no_embedding: int = 0
    dimension: int = 0
    not_finite: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A cluster that recurs. `members` are places in the rows that were grouped, in an order that does not depend on
    theirs (greedy: in the order in which they joined); `sessions` the distinct ones, in order.

    `hashes`: the members' content hashes, sorted. `centroid`: the mean of the members' vectors as they are compared
    (unit vectors; greedy: the running mean of the vectors as they came). `cohesion`: the mean cosine of the members to
    the centroid. `nearest`: the highest cosine to the centroid of another cluster, None where there is none.
    `stability`: see `stability.stabilities`, None where it was not asked for, or means nothing.
    """

    signature: str
    members: tuple[int, ...]
    sessions: tuple[Id, ...]
    hashes: tuple[str, ...]
    centroid: Vector
    cohesion: float
    nearest: float | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """What grouping came to: the candidates (the largest first; greedy: in the order in which they began), how many
    clusters there are in all, and what was passed over."""

    candidates: tuple[Candidate, ...]
    clusters: int
    skipped: Skipped


class Embedder(Protocol):
    """What makes vectors of texts. `name` names the space they are in, and so their meaning: vectors of other names do
    not compare. `lexical`: alike are texts of the same words, whatever they mean. `threshold`: from which cosine on its
    texts count as alike, where nobody says otherwise."""

    name: str
    lexical: bool
    threshold: float

    def embed(self, texts: Sequence[str], job: Job, also: Sequence[str] = ()) -> Vectors:
        """A vector for each text, and behind them for each of `also`, all of one dimension. The texts have the same
        vectors whatever else is placed among them. Raises `EngineError`, `UsageError`, `Cancelled`."""


def content_hash(text: str) -> str:
    """A digest of a text: alike for what is the same, letter by letter."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
