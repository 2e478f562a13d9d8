"""What every engine is: something that gives each response of a prompt a log-probability.

Synchronous and thread-safe: the console, the commands and the tests all call engines from worker threads.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Everything that changes an engine's numbers: part of the key of every stored score.

    `url` never holds a credential. `options` are (name, value) pairs, sorted.
    """

    name: str
    model: str = ""
    url: str = ""
    revision: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. `concurrency` is how many scorings at a time do it good; `label` is how it is named
    wherever its numbers are shown; `limits` says what its numbers cannot. `reuses`: what stands
    before the first change is not computed again. `blur`, in nats: by how much a text that has nothing to do with a
    response may move its score, either way and beyond the noise. Verdicts take no effect up to it for one."""

    label: str
    tokens: bool
    concurrency: int
    limits: str = ""
    reuses: bool = False
    blur: float = 0.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Per-token scores of one response, in text order.

    `starts` and `ends` are character offsets in the response's text (`conversation.render.response_text`), `logprobs`
    are in nats; all three have one entry a token.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    logprobs: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a score is of, as digests: the token ids that were scored, and those that stood before them."""

    response: bytes
    context: bytes


@dataclass(frozen=True, slots=True)
class ResponseScore:
    """The log-probability of one response: its `total` in nats, and its tokens where the engine gives them.

    `count` is the number of tokens scored, None where the engine does not say. `marks` let two scores be compared: they
    can only be when the same tokens were scored. `failure`: why this response alone has no score, and will have none
    when it is asked for again; then `total` is NaN.
    """

    total: float
    tokens: Tokens | None = None
    count: int | None = None
    marks: Marks | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scoring gave no numbers, in words for a person."""

    reason: str


@runtime_checkable
class Engine(Protocol):
    """`score` gives one `ResponseScore` for each response of the prompt, in order, or raises `EngineError`
    (`Cancelled` when the job was cancelled)."""

    @property
    def identity(self) -> EngineIdentity:
        """What the engine is: two engines of one identity give the same numbers."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and how it is named."""
        ...

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        """One score for each response of the prompt, in order."""
        ...

    def close(self) -> None:
        """Lets go of connections and memory; nothing is scored after it."""
        ...


@runtime_checkable
class OnePassEngine(Engine, Protocol):
    """An engine that scores many ablations of one conversation better than one call each."""

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        """Each ablation once, in any order, as it lands; equal to `score` of its prompt but for the rounding of the
        engine's own arithmetic (`embedded`: 1e-9 nats; a neural model in float32: 1e-4)."""
        ...


@runtime_checkable
class RecomputingEngine(OnePassEngine, Protocol):
    """An engine whose columns come without tokens, and which makes those of one response when asked."""

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        """The tokens of one response (a position in `conversation.responses`) under each ablation: what `columns`
        leaves out because the whole of it would be too much to keep."""
        ...


@runtime_checkable
class RememberingEngine(Engine, Protocol):
    """An engine that does not score twice what it has scored before."""

    def forget(self) -> None:
        """Lets go of what it remembers: everything that is asked for from now on is scored."""
        ...


@runtime_checkable
class CountingEngine(Engine, Protocol):
    """An engine that says how many tokens a prompt has."""

    def count(self, prompt: Prompt, job: Job) -> int:
        """How many tokens the prompt has, whether or not the model takes as many. Raises `EngineError`."""
        ...
