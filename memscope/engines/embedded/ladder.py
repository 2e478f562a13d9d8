"""The model: a ladder of word n-grams, each rung a Dirichlet mixture of what was counted and the rung below.

    p_k(w | h_k) = (c(h_k, w) + A_k p_{k-1}(w | h_{k-1})) / (c(h_k) + A_k)        k = 1..4,  h_k = the k-1 words before

(MacKay & Peto, "A hierarchical Dirichlet language model", 1995), over a fixed p_0. Counts are causal, and no term
depends on how many distinct words there are: without memory i the model is the same with c - c_i for c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.engines.embedded.counts import Floats, Ints, Removed, changes, earlier, entries, grouped
from memscope.engines.embedded.document import WITNESS, Document

# A_k: how much evidence (in witnessed words) it takes for a rung to weigh as much as the one below
STRENGTHS = (1000.0, 64.0, 16.0, 4.0)

_CELLS = 1 << 17  # rows times columns of one chunk: a megabyte for each array, so that a chunk stays in the cache


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung's things to count: `grams` [T] the id of a token with its history, `contexts` [T] that of the history
    alone, -1 where the line has too few words before; and how often each was seen earlier [T]."""

    strength: float
    grams: Ints
    contexts: Ints
    seen: Floats
    seen_context: Floats


def rungs(document: Document) -> list[Rung]:
    """The rungs of a document, lowest first. History never reaches over the beginning of a line."""
    words, weights, size = document.words, document.weights, len(document.words)
    vocabulary = int(words.max(initial=0)) + 1
    contexts, by_context = np.zeros(size, np.int64), np.arange(size)  # the lowest rung has one history: none
    built = []
    for strength in STRENGTHS:
        known = np.flatnonzero(contexts >= 0)
        order, begins, numbers = grouped(contexts[known] * vocabulary + words[known])
        by_gram = known[order]
        grams = np.full(size, -1)
        grams[known] = numbers
        seen = earlier(by_gram, begins, weights)
        seen_context = earlier(by_context, changes(contexts[by_context]), weights)
        built.append(Rung(strength * WITNESS, grams, contexts, seen, seen_context))
        # A gram is the history of the token after it, so its order is that of the next rung's contexts: no second sort.
        by_context = by_gram[by_gram + 1 < size] + 1
        by_context = by_context[~document.opens[by_context]]
        contexts = np.full(size, -1)
        contexts[by_context] = grams[by_context - 1]
    return built


@dataclass(frozen=True, slots=True)
class Chunk:
    """R tokens: `rows` [R] their positions in the document, ascending, `responses` [R] whose they are, `logs` [R, A]
    log p in nats, form included, 0 where column a removes the token itself, which `scored` [R, A] tells. `reached` is
    the last response it has part of, with or without tokens."""

    rows: Ints
    responses: Ints
    logs: Floats
    scored: NDArray[np.bool_]
    reached: int

    def by_response(self) -> Iterator[tuple[int, slice]]:
        """Each response and the slice of the R tokens that is its."""
        begins = np.flatnonzero(np.diff(self.responses, prepend=-1)).tolist()
        for first, end in zip(begins, [*begins, len(self.rows)][1:], strict=True):
            yield int(self.responses[first]), slice(first, end)


class Ladder:
    """The rungs of a document with A columns, one for each ablation."""

    def __init__(self, document: Document, priors: Floats, removes: NDArray[np.bool_]) -> None:
        """`priors` p_0 by word id; `removes` [N, A]: whether column a removes the memory `document.keys[n]`."""
        self._document = document
        self._priors = priors
        self._removes = removes
        owned_tokens = (document.owners >= 0).astype(np.int64)
        self._owned_before: Ints = np.cumsum(owned_tokens) - owned_tokens
        owned = entries(document.owners, document.weights, removes)
        self._rungs = [(rung, Removed(rung.grams, owned), Removed(rung.contexts, owned)) for rung in rungs(document)]

    def chunks(self, responses: Ints) -> Iterator[Chunk]:
        """The tokens of `responses` (ascending indices) in pieces that bound memory: whole responses where they fit."""
        most = max(1, _CELLS // max(1, self._removes.shape[1]))
        bounds = self._document.bounds[responses]
        upto = np.concatenate(([0], np.cumsum(bounds[:, 1] - bounds[:, 0])))
        first = 0
        while first < len(responses):
            last = int(np.searchsorted(upto, upto[first] + most, side="right")) - 1  # as many whole ones as fit
            if last > first:
                rows = np.concatenate([np.arange(*bounds[j]) for j in range(first, last)])
                whose = np.repeat(responses[first:last], np.diff(upto[first : last + 1]))
                yield self._chunk(rows, whose, int(responses[last - 1]))
                first = last
                continue
            for start in range(bounds[first, 0], bounds[first, 1], most):
                rows = np.arange(start, min(start + most, bounds[first, 1]))
                yield self._chunk(rows, np.full(len(rows), responses[first]), int(responses[first]))
            first += 1

    def _chunk(self, rows: Ints, responses: Ints, reached: int) -> Chunk:
        p = self._probabilities(rows)
        np.log(p, out=p)
        p += self._document.form[rows, None]
        scored = np.ones(p.shape, np.bool_)
        owners = self._document.owners[rows]
        owned = np.flatnonzero(owners >= 0)
        scored[owned] = ~self._removes[owners[owned]]
        if len(owned):
            p[~scored] = 0.0
        return Chunk(rows, responses, p, scored, reached)

    def _probabilities(self, rows: Ints) -> Floats:
        """p_4 of each token in each column [R, A]."""
        width = self._removes.shape[1]
        p = np.empty((len(rows), width))
        p[:] = self._priors[self._document.words[rows], None]
        cells = p.reshape(-1)  # the same memory, so that a sparse table can be written by flat index
        removed = np.zeros(cells.shape)  # of c(h, w); all zero between rungs
        for k, (rung, of_grams, of_contexts) in enumerate(self._rungs):
            known = np.flatnonzero(rung.contexts[rows] >= 0)
            at = rows[known]
            row, column, weight = of_grams.before(rung.grams[at], at)
            touched = known[row] * width + column
            removed[touched] = weight
            seen, seen_context = rung.seen[rows], rung.seen_context[rows]
            if k == 0:
                p *= rung.strength
                p += seen[:, None] - removed.reshape(p.shape)
                p /= seen_context[:, None] - self._removed_in_all(rows, of_contexts) + rung.strength
            else:
                row, column, weight = of_contexts.before(rung.contexts[at], at)
                row = known[row]
                there = row * width + column
                # Integers are subtracted first: what is left is then exact, and a probability never below 0.
                share = (seen[row] - removed[there]) + rung.strength * cells[there]
                share /= (seen_context[row] - weight) + rung.strength
                p *= rung.strength
                p += seen[:, None]
                p /= (seen_context + rung.strength)[:, None]
                cells[there] = share
            removed[touched] = 0.0
        return p

    def _removed_in_all(self, rows: Ints, of_contexts: Removed) -> Floats:
        """The removed weight of all words before each row [R, A]; the same for rows with no memory between them."""
        _, firsts, same = np.unique(self._owned_before[rows], return_index=True, return_inverse=True)
        row, column, weight = of_contexts.before(np.zeros(len(firsts), np.int64), rows[firsts])
        totals = np.zeros((len(firsts), self._removes.shape[1]))
        totals[row, column] = weight
        return totals[same]
