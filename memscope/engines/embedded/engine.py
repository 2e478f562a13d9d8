"""The engine `embedded`: an adaptive word model in numpy. No weights, no server, no network.

It measures lexical predictability: whether a response's words could be foreseen from the words before them. It cannot
see meaning ("vegetarian" does not predict "chickpea curry"), so its numbers are always shown as "embedded (lexical)".
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, render
from memscope.engines.embedded.document import Document, read
from memscope.engines.embedded.ladder import Chunk, Ladder
from memscope.engines.embedded.prior import Prior, english
from memscope.engines.embedded.tokens import Cut, cut
from memscope.engines.embedded.vocabulary import Vocabulary
from memscope.engines.kept import Kept
from memscope.engines.protocol import Capabilities, EngineIdentity, Failure, ResponseScore, Tokens

VERSION = "1"  # of the numbers: raise it with any change that moves one

_MOST_WORDS = 500_000  # distinct words before the vocabulary is begun anew
_KEPT_TOKENS = 1_000_000  # of texts that were cut (25 bytes each), and as many scored tokens
_KEPT_CELLS = 1_000_000  # of matrices: a sum and a count for each response and ablation (12 bytes)
_MOST_ENTRIES = 1 << 19  # owned tokens times columns of one pass
_MOST_COLUMNS = 1 << 10

Removal = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Sums of log p in nats and numbers of tokens for M responses and A removals, both [M, A]; `digests` [M] say what
    had been read by the end of each response, so that a longer conversation can take over what it shares."""

    digests: tuple[bytes, ...]
    keys: frozenset[str]
    column: dict[Removal, int]
    totals: NDArray[np.float64]
    counts: NDArray[np.int32]


class Embedded:
    """A hierarchical Dirichlet model of words that learns from the conversation alone (see `ladder`).

    Nothing is computed twice while it is remembered: texts stay cut, and responses whose whole past is unchanged keep
    their numbers, so that one more response costs its own tokens and the counting.
    """

    # Any words take a little from the probability of all others, and some are in every text: hence the blur, which was
    # measured on planted conversations (tests/benchmarks/redundancy.py).
    capabilities = Capabilities(
        "embedded (lexical)", tokens=True, concurrency=1, limits="It sees shared words, not meaning.", blur=0.5
    )

    def __init__(self, prior: Prior | None = None) -> None:
        """`prior`: p_0 of the words; by default that of the English word list that ships with memscope."""
        self._prior = prior or english()
        self._vocabulary = Vocabulary(self._prior)
        self._cuts: Kept[tuple[Vocabulary, str, bool], Cut] = Kept(_KEPT_TOKENS, lambda kept: len(kept.words) + 1)
        self._scored: Kept[bytes, NDArray[np.float64]] = Kept(_KEPT_TOKENS, lambda kept: len(kept) + 1)
        self._matrices: Kept[tuple[object, ...], _Matrix] = Kept(_KEPT_CELLS, lambda kept: kept.totals.size + 1)
        self.identity = EngineIdentity("embedded", model=f"{VERSION}-{self._prior.digest}")

    def close(self) -> None:
        """Nothing to let go of: what is remembered goes with the engine."""

    def count(self, prompt: Prompt, job: Job) -> int:
        """How many tokens the prompt has. Raises `Cancelled`."""
        return len(self._read(prompt, job)[0].words)

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        """The score of each response of `prompt`, with its tokens. Raises `Cancelled`."""
        document, priors = self._read(prompt, job)
        known = {j: logs for j, digest in enumerate(document.digests) if (logs := self._scored.get(digest)) is not None}
        missing = [j for j in range(len(document.digests)) if j not in known]
        if missing:
            ladder = Ladder(document, priors, np.zeros((len(document.keys), 1), np.bool_))
            parts: dict[int, list[NDArray[np.float64]]] = {j: [np.empty(0)] for j in missing}
            for chunk in _chunks(ladder, missing, job):
                for j, rows in chunk.by_response():
                    parts[j].append(chunk.logs[rows, 0])
            for j in missing:
                known[j] = np.concatenate(parts[j])
                known[j].setflags(write=False)  # callers share it
                self._scored.put(document.digests[j], known[j])
        scores = []
        for j, (first, end) in enumerate(document.bounds):
            tokens = Tokens(document.starts[first:end], document.ends[first:end], known[j])
            scores.append(ResponseScore(float(known[j].sum()), tokens, len(known[j])))
        return scores

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        """Every ablation's scores from one pass over `conversation`: totals and counts, no tokens. Raises `Cancelled`.

        Taking a memory's counts away gives exactly what scoring without it would give.
        """
        document, priors = self._read(render(conversation), job)
        keys = frozenset(document.keys)
        removals = list(dict.fromkeys(ablation.removed & keys for ablation in ablations))
        matrix = self._matrix(document, priors, removals, job)
        for ablation in ablations:
            column = matrix.column[ablation.removed & keys]
            totals, counts = matrix.totals[:, column].tolist(), matrix.counts[:, column].tolist()
            yield ablation, [ResponseScore(total, None, count) for total, count in zip(totals, counts, strict=True)]

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        """The tokens of one response under each ablation, from one pass over it. Raises `Cancelled`."""
        document, priors = self._read(render(conversation), job)
        removals = [ablation.removed & frozenset(document.keys) for ablation in ablations]
        first, end = document.bounds[response]
        found: dict[Ablation, Tokens] = {}
        for columns in _passes(document, removals):
            ladder = Ladder(document, priors, _removes(document, [removals[column] for column in columns]))
            logs = [chunk.logs for chunk in _chunks(ladder, [response], job)]
            by_column = np.concatenate([np.empty((0, len(columns))), *logs]).T
            for column, logprobs in zip(columns, by_column, strict=True):
                spans = document.starts[first:end], document.ends[first:end]
                found[ablations[column]] = Tokens(*spans, np.ascontiguousarray(logprobs))
        return found

    def _read(self, prompt: Prompt, job: Job) -> tuple[Document, NDArray[np.float64]]:
        if len(self._vocabulary) > _MOST_WORDS:
            self._vocabulary = Vocabulary(self._prior)
        vocabulary = self._vocabulary

        def cut_once(text: str, escaped: bool) -> Cut:
            known = self._cuts.get((vocabulary, text, escaped))
            if known is None:
                known = cut(text, vocabulary, escaped=escaped)
                self._cuts.put((vocabulary, text, escaped), known)
            return known

        return read(prompt, cut_once, job), vocabulary.priors()

    def _matrix(self, document: Document, priors: NDArray[np.float64], removals: list[Removal], job: Job) -> _Matrix:
        """The sums of all responses, those of an unchanged beginning taken from an earlier matrix."""
        size, width = len(document.digests), len(removals)
        totals, counts = np.zeros((size, width)), np.zeros((size, width), np.int32)
        known = self._recall(document, removals, totals, counts)
        missing = list(range(known, size))
        for columns in _passes(document, removals) if missing else ():
            ladder = Ladder(document, priors, _removes(document, [removals[column] for column in columns]))
            for chunk in _chunks(ladder, missing, job):
                by_column = np.ascontiguousarray(chunk.logs.T)  # one order of summation, however many columns there are
                for j, rows in chunk.by_response():
                    totals[j, columns] += by_column[:, rows].sum(axis=1)
                    counts[j, columns] += chunk.scored[rows].sum(axis=0, dtype=np.int32)
                through = columns[0] * len(missing) + len(columns) * (chunk.reached - known + 1)
                job.progress(through // width, len(missing), "responses", "scoring")
        places = {removal: c for c, removal in enumerate(removals)}
        matrix = _Matrix(document.digests, frozenset(document.keys), places, totals, counts)
        if size:
            self._matrices.put((document.digests[-1], *removals), matrix)
        return matrix

    def _recall(
        self,
        document: Document,
        removals: list[Removal],
        totals: NDArray[np.float64],
        counts: NDArray[np.int32],
    ) -> int:
        """Fills in the first responses from the kept matrix that shares the most of them; how many those are."""
        best = 0
        for kept in reversed(self._matrices.values()):
            agree = [ours == theirs for ours, theirs in zip(document.digests, kept.digests, strict=False)]
            shared = agree.index(False) if False in agree else len(agree)
            # A memory that came later was not there to be removed: its column is that of the others' removal.
            seen = [removal & kept.keys for removal in removals]
            if shared > best and all(removal in kept.column for removal in seen):
                best = shared
                columns = [kept.column[removal] for removal in seen]
                totals[:best] = kept.totals[:best, columns]
                counts[:best] = kept.counts[:best, columns]
        return best


def _chunks(ladder: Ladder, responses: list[int], job: Job) -> Iterator[Chunk]:
    """The chunks of a ladder; the job may stop between two."""
    job.check()
    for chunk in ladder.chunks(np.array(responses, np.int64)):
        yield chunk
        job.check()


def _removes(document: Document, removals: list[Removal]) -> NDArray[np.bool_]:
    """[N, A]: whether column a removes the memory `document.keys[n]`."""
    row = {key: n for n, key in enumerate(document.keys)}
    removes = np.zeros((len(document.keys), len(removals)), np.bool_)
    for column, removal in enumerate(removals):
        removes[[row[key] for key in removal], column] = True
    return removes


def _passes(document: Document, removals: list[Removal]) -> Iterator[list[int]]:
    """The columns, so many at a time that the tables of removed counts stay small."""
    sizes = np.bincount(document.owners[document.owners >= 0], minlength=len(document.keys))
    size_of = dict(zip(document.keys, sizes.tolist(), strict=True))
    columns: list[int] = []
    entries = 0
    for column, removal in enumerate(removals):
        more = sum(size_of[key] for key in removal)
        if columns and (entries + more > _MOST_ENTRIES or len(columns) == _MOST_COLUMNS):
            yield columns
            columns, entries = [], 0
        columns.append(column)
        entries += more
    if columns:
        yield columns
