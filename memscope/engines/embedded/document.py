"""A prompt as one row of word tokens, each with the memory it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.conversation.render import Piece, Prompt, Turn, written
from memscope.engines.embedded.tokens import Cut, is_json

# Weights of a token's evidence, in units of the lighter one so that counts stay integers: what the assistant said
# before predicts what it says now five times less than a memory, a question or a tool's answer (tuned on other data).
ECHO, WITNESS = 1, 5

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Document:
    """T tokens in reading order, of which those of M responses are scored.

    `words` [T] ids, `opens` [T] whether a token begins a line, `weights` [T] its evidence (`ECHO` or `WITNESS`),
    `owners` [T] index into `keys` of the memory it belongs to or `NOBODY`, `form` [T] log p(form | word) in nats.
    Response j is the tokens `bounds[j, 0]` up to `bounds[j, 1]`; `starts` and `ends` [T] are character offsets in its
    text. `digests[j]` stands for everything read up to the end of response j.
    """

    words: NDArray[np.int64]
    opens: NDArray[np.bool_]
    weights: NDArray[np.int64]
    owners: NDArray[np.int64]
    form: NDArray[np.float64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    bounds: NDArray[np.int64]
    keys: tuple[str, ...]
    digests: tuple[bytes, ...]


def read(prompt: Prompt, cut: Callable[[str, bool], Cut], job: Job) -> Document:
    """The tokens of `prompt`; `cut` gives those of a text (and whether its escapes are JSON's).

    Every piece begins a line, so no history reaches from a memory into other text. The definitions of the tools come
    first: they say the names that tool calls use.
    """
    cuts: list[Cut] = []
    weights: list[int] = []
    owners: list[int] = []
    offsets: list[int] = []
    keys: dict[str, int] = {}
    bounds: list[tuple[int, int]] = []
    digests: list[bytes] = []
    sofar = hashlib.blake2b(digest_size=16)
    size = 0

    def add(piece: Piece, weight: int, offset: int, escaped: bool) -> None:
        nonlocal size
        cuts.append(cut(piece.text, escaped))
        owner = NOBODY if piece.owner is None else keys.setdefault(piece.owner, len(keys))
        owners.append(owner)
        weights.append(weight if owner == NOBODY else WITNESS)
        offsets.append(offset)
        size += len(cuts[-1].words)
        sofar.update(repr((piece.owner, weight, escaped, len(piece.text))).encode())
        sofar.update(piece.text.encode("utf-8", "surrogatepass"))

    for definition in prompt.tools:
        add(Piece(definition), WITNESS, 0, True)
    for turn in prompt.turns:
        job.check()
        first = size
        weight = ECHO if turn.role == "assistant" else WITNESS
        for piece, offset, escaped in _pieces(turn):
            add(piece, weight, offset, escaped)
        if turn.is_response:
            bounds.append((first, size))
            sofar.update(b"response")
            digests.append(sofar.digest())

    sizes = [len(c.words) for c in cuts]
    shift = np.repeat(np.array(offsets, np.int32), sizes)
    return Document(
        words=np.concatenate([np.empty(0, np.int64), *(c.words for c in cuts)]),
        opens=np.concatenate([np.empty(0, np.bool_), *(c.opens for c in cuts)]),
        weights=np.repeat(np.array(weights, np.int64), sizes),
        owners=np.repeat(np.array(owners, np.int64), sizes),
        form=np.concatenate([np.empty(0, np.float64), *(c.form for c in cuts)]),
        starts=np.concatenate([np.empty(0, np.int32), *(c.starts for c in cuts)]) + shift,
        ends=np.concatenate([np.empty(0, np.int32), *(c.ends for c in cuts)]) + shift,
        bounds=np.array(bounds, np.int64).reshape(-1, 2),
        keys=tuple(keys),
        digests=tuple(digests),
    )


def _pieces(turn: Turn) -> Iterator[tuple[Piece, int, bool]]:
    """Each piece of a turn, where it begins in `written(turn.content, turn.calls)`, and whether it is JSON."""
    offset = 0
    for piece in turn.pieces:
        yield piece, offset, is_json(piece.text)
        offset += len(piece.text)
    if turn.calls:
        yield Piece(written("", turn.calls)), offset + (1 if offset else 0), True
