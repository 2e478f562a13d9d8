"""Leave-one-out over a model in this process: what stands before a memory is read once for all ablations.

The conversation as it was is read from left to right (the trunk). What an ablation has behind the place where it parts
from that is read from a memory of what stands before, which is then dropped: at most two are held at a time. Responses
before that place keep the score they have in the trunk, for a causal model sees nothing behind them. For a baseline of
L tokens and memories at p_n of c_n tokens that makes L + sum(L - p_n - c_n).

Where the memory of a beginning can be had from that of the whole, the trunk is read first, so that the conversation as
it was lands first. Elsewhere (sliding windows, recurrent states) it is copied on the way, and that lands last.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Renderer
from memscope.engines.chat import Fold
from memscope.engines.layout import Layout
from memscope.engines.protocol import Failure, Marks, ResponseScore
from memscope.engines.spans import common_prefix
from memscope.engines.token_engine import TokenEngine, TokenScores, marks_of, response_score
from memscope.engines.transformers.model import Transformers
from memscope.engines.transformers.reading import Ids, Reading, wanted

Landing = tuple[Ablation, list[ResponseScore] | Failure]


@dataclass(frozen=True, slots=True)
class _Branch:
    """An ablation beside the trunk. Its first `shared` responses are the trunk's own; the rest is read anew once the
    trunk was read up to `at`. `laid` holds its ids no more, they are in `ids`."""

    ablation: Ablation
    laid: Layout[list[int]]
    ids: Ids
    marks: list[Marks]
    shared: int
    at: int

    @property
    def rest(self) -> list[Span]:
        """Where the responses stand that are to be read anew."""
        return _scored(self.laid.spans[self.shared :])


class TransformersEngine(TokenEngine):
    """`score` reads a prompt from its first token on; `columns` reads what ablations have in common once."""

    def __init__(self, model: Transformers, fold: Fold = "off") -> None:
        super().__init__(model, fold)
        self.model: Transformers = model

    @property
    def forwarded(self) -> int:
        """How many tokens went through the model so far."""
        return self.model.forwarded

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[Landing, None, None]:
        """Each ablation as it lands, its tokens included, in an order that costs least. A repeated
        one is read anew from the beginning, for its noise is what is asked. Raises `Cancelled`, and `UsageError` for a
        model that cannot score at all."""
        left = dict.fromkeys(ablations)
        try:
            for ablation, result in self._landing(conversation, ablations, job):
                del left[ablation]
                yield ablation, result
        except EngineError as error:  # of the model, or of the trunk, on which all others stand
            for ablation in left:
                yield ablation, Failure(str(error))

    def _landing(self, conversation: Conversation, ablations: Sequence[Ablation], job: Job) -> Iterator[Landing]:
        renderer = Renderer(conversation)
        once = [ablation for ablation in ablations if not ablation.repeat]
        trunk = self._trunk(renderer, job) if once else None
        branches: list[_Branch] = []
        for ablation in once:
            job.check()
            try:
                laid = self.layout(renderer.prompt(ablation), job)
            except EngineError as error:
                yield ablation, _failure(error)
                continue
            trunk = trunk or laid
            branches.append(_branch(ablation, laid, trunk))
        if trunk is not None and branches:
            yield from self._along(trunk, branches, job)
        for ablation in ablations:
            if ablation.repeat:
                try:
                    result: list[ResponseScore] | Failure = self.score(renderer.prompt(ablation), job)
                except EngineError as error:
                    result = _failure(error)
                yield ablation, result

    def _trunk(self, renderer: Renderer, job: Job) -> Layout[list[int]] | None:
        """The conversation as it was, whether or not it is asked for, and too long or not: it is read only as far as
        the ablations go along with it. None where the template refuses it; then one of them has to do."""
        try:
            return self._layouts.of(renderer.prompt(), job)
        except EngineError as error:
            if error.lasting:
                raise
            return None

    def _along(self, trunk: Layout[list[int]], branches: list[_Branch], job: Job) -> Iterator[Landing]:
        """Reads the trunk as far as the branches need it, and each of them where it parts."""
        shared = max(branch.shared for branch in branches)
        reading = self.model.reading(trunk.whole, _scored(trunk.spans[:shared]))
        if reading.cuttable:
            reading.upto(max(branch.at for branch in branches), job)
        for branch in sorted(branches, key=lambda branch: (reading.cuttable and bool(branch.rest), branch.at)):
            reading.upto(branch.at, job)
            try:
                result: list[ResponseScore] | Failure = self._read(branch, reading, job)
            except EngineError as error:
                result = _failure(error)
            yield branch.ablation, result

    def _read(self, branch: _Branch, trunk: Reading, job: Job) -> list[ResponseScore]:
        reading = trunk
        if rest := branch.rest:
            reading = trunk.fork(branch.ids, wanted(len(branch.ids), rest), branch.at)
            reading.upto(rest[-1][1] - 1, job)
        return [
            response_score(branch.laid, m, self._of(branch, m, trunk if m < branch.shared else reading), mark)
            for m, mark in enumerate(branch.marks)
        ]

    def _of(self, branch: _Branch, m: int, reading: Reading) -> TokenScores | None:
        span = branch.laid.spans[m]
        return self.model.scores(branch.ids, span, reading) if _scored([span]) else None


def _failure(error: EngineError) -> Failure:
    """The failure of one ablation alone. Raises the error where it is one of all."""
    if error.lasting:
        raise error
    return Failure(str(error))


def _branch(ablation: Ablation, laid: Layout[list[int]], trunk: Layout[list[int]]) -> _Branch:
    same = common_prefix(laid.whole, trunk.whole)
    shared = 0
    for span, its in zip(laid.spans, trunk.spans, strict=True):  # no ablation changes how many responses there are
        if span != its or span[1] > same:
            break
        shared += 1
    rest, own = _scored(laid.spans[shared:]), _scored(laid.spans[:shared])
    # The token before a response gives the log-probability of its first, so that one is read anew.
    at = min(same, rest[0][0] - 1) if rest else max((end - 1 for _, end in own), default=0)
    ids = np.array(laid.whole, np.int64)
    return _Branch(ablation, Layout([], laid.spans, laid.texts), ids, marks_of(laid), shared, at)


def _scored(spans: Sequence[Span]) -> list[Span]:
    """Those of the spans that have a token, and one before it."""
    return [(start, end) for start, end in spans if end > start > 0]
