"""A model behind OpenAI's embeddings: what it is sent, and what its answers say.

Servers take as much as they like at a time: text-embeddings-inference 32 texts, others 10; llama.cpp 512 tokens of a
text unless told otherwise. What one refuses as too much is sent in smaller parts, and a text that is too long alone is
cut.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.base.landing import landing
from memscope.clients.http import SHOWN_BODY, Named, Server
from memscope.clients.served import only

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

TIMEOUT = 120.0  # seconds for one answer, unless somebody says otherwise
WORKERS = 4  # batches at a time, unless somebody says otherwise
EMBEDDING = Named(
    url="embed_url",
    key="MEMSCOPE_EMBED_API_KEY",
    model="embed_model",
    models="the server has no such model.",
    late="Raise the timeout in the settings.",
    busy="The server is asked more than it takes: try again in a while.",
)
_ROUTE, _MODELS = "/embeddings", "/models"
_NO_ROUTE = frozenset({404, 405, 501})

_TEXTS, _CHARACTERS = 32, 48_000  # of a batch
_SURE = 1_000  # characters of a text that every server is taken to take
_SHORTEST = 200  # characters that a text is never cut below
_REFUSING = frozenset({400, 413, 422, 500})
_TOO_MUCH = re.compile(
    r"too (?:long|large|big|many|much)|larger than|longer than|at most|exceed|maximum|max\b|batch|length|context|tokens"
    r"|limit",
    re.IGNORECASE,
)


def address(url: str) -> str:
    """The address that the routes stand below: what was given, with /v1 where that is a server's alone."""
    url = url.strip().rstrip("/")
    return url if url.partition("://")[2].partition("/")[2] else f"{url}/v1"


class EmbeddingClient:
    """Asks one model of a server at `address`; safe to use from any thread. `model`: its name; empty for the one that
    the server serves, which is asked for. `workers`: how many batches at a time; the vectors are the same for any.

    Raises `UsageError` where the server serves none or several, `EngineError` where it does not answer, `Cancelled`.
    """

    def __init__(self, server: Server, model: str, job: Job, *, workers: int = WORKERS) -> None:
        self.server = server
        self.where = server.base_url + _ROUTE
        self.name = model or _only(server, job)
        self._workers = workers

    def vectors(self, texts: Sequence[str], job: Job) -> Generator[tuple[Sequence[int], Vectors], None, None]:
        """See `kept_embeddings.VectorModel`."""
        longest = max(range(len(texts)), key=lambda place: len(texts[place]), default=-1)
        first = [longest] if longest >= 0 and len(texts[longest]) > _SURE else []
        taken = None
        # Where the longest is refused those go alone that may be, too: none makes a whole batch be sent in parts. How
        # much is cut from each does not depend on that, nor on any other text: see `_whole_or_cut`.
        for place in first:
            ((_, (vectors, taken)),) = landing([partial(self._whole_or_cut, texts[place])], job, 1)
            yield [place], vectors
        rest = [place for place in range(len(texts)) if place not in first]
        batches = list(_batches(rest, [len(text) for text in texts], taken))
        questions = [partial(self._asked, [texts[place] for place in batch]) for batch in batches]
        with closing(landing(questions, job, self._workers)) as landed:
            for number, vectors in landed:
                yield batches[number], vectors

    def _asked(self, texts: Sequence[str], job: Job) -> Vectors:
        """The vectors of a batch, in parts where it is refused as too much."""
        if len(texts) == 1:
            return self._whole_or_cut(texts[0], job)[0]
        try:
            return self._post(texts, job)
        except EngineError as error:
            if not _is_too_much(error):
                raise
        half = len(texts) // 2
        parts = [self._asked(texts[:half], job), self._asked(texts[half:], job)]
        if parts[0].shape[1] != parts[1].shape[1]:
            raise self._unusable(f"vectors of {parts[0].shape[1]} and of {parts[1].shape[1]} dimensions came back")
        return np.concatenate(parts)

    def _whole_or_cut(self, text: str, job: Job) -> tuple[Vectors, int | None]:
        """The vector of one text, and how many of its characters the server took; None: all. As long as it is refused
        its second half is left away, so that what is taken depends on this text alone, whatever else is sent."""
        most = None
        while True:
            try:
                return self._post([text[:most]], job), most
            except EngineError as error:
                shorter = len(text[:most]) // 2
                if not _is_too_much(error) or shorter < _SHORTEST:
                    raise
                most = shorter

    def _post(self, texts: Sequence[str], job: Job) -> Vectors:
        answer = self.server.post(_ROUTE, {"model": self.name, "input": list(texts)}, job)
        data = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(data, list):
            raise self._unusable(f'the answer has no list "data" of embeddings: {self._quoted(answer)}')
        if len(data) != len(texts):
            raise self._unusable(f"{len(texts)} texts were sent and {len(data)} embeddings came back")
        vectors = [self._vector(entry) for entry in self._in_order(data)]
        sizes = sorted({len(vector) for vector in vectors})
        if len(sizes) > 1:
            raise self._unusable(f"vectors of {sizes[0]} and of {sizes[-1]} dimensions came back")
        return np.stack(vectors)

    def _in_order(self, data: Sequence[object]) -> Sequence[object]:
        """The entries by their index. Where no entry has one they stand as the texts did."""
        indices = [entry.get("index") if isinstance(entry, Mapping) else None for entry in data]
        if all(index is None for index in indices):
            return data
        by_index = {index: entry for index, entry in zip(indices, data, strict=True) if type(index) is int}
        if by_index.keys() != set(range(len(data))):
            raise self._unusable(f"the embeddings are not numbered from 0 to {len(data) - 1}")
        return [by_index[place] for place in range(len(data))]

    def _vector(self, entry: object) -> NDArray[np.float32]:
        found = entry.get("embedding") if isinstance(entry, Mapping) else None
        if isinstance(found, str):
            try:
                vector = np.frombuffer(base64.b64decode(found, validate=True), dtype="<f4").astype(np.float32)
            except (binascii.Error, ValueError) as error:
                raise self._unusable(f"an embedding is no base64 of numbers: {self._quoted(found)}") from error
        elif isinstance(found, list) and {type(value) for value in found} <= {int, float, type(None)}:
            vector = _narrow(found)
        else:
            do = ""
            if isinstance(found, list) and found and isinstance(found[0], list):
                do = "There is one for each token: the server needs a pooling (llama-server --pooling mean)."
            raise self._unusable(f"an embedding is no list of numbers: {self._quoted(entry)}", do=do)
        if not len(vector):
            raise self._unusable("an embedding is empty")
        return vector

    def _unusable(self, what: str, *, do: str = "") -> EngineError:
        return EngineError(what, where=self.where, do=do or "Does an embedding model answer at embed_url?")

    def _quoted(self, value: object) -> str:
        """The beginning of a part of an answer."""
        text = self.server.hidden(json.dumps(value, ensure_ascii=False))
        return text[:SHOWN_BODY] + "…" if len(text) > SHOWN_BODY else text


def _only(server: Server, job: Job) -> str:
    """The one model that is served."""
    try:
        ((_, model),) = landing([lambda ours: only(server, ours, _MODELS).name], job, 1)
    except EngineError as error:
        if error.status not in _NO_ROUTE:
            raise
        what = "the server does not say which models it serves"
        raise UsageError(what, where=server.base_url, do="Give embed_model; check embed_url, too.") from error
    return model


def _batches(places: Iterable[int], lengths: Sequence[int], most: int | None) -> Generator[list[int], None, None]:
    """The places in batches, but those of texts of more than `most` characters (None: of any), which are alone."""
    batch: list[int] = []
    size = 0
    for place in places:
        if most is not None and lengths[place] > most:
            yield [place]
            continue
        if batch and (len(batch) == _TEXTS or size + lengths[place] > _CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += lengths[place]
    if batch:
        yield batch


def _is_too_much(error: EngineError) -> bool:
    """Whether a server refuses what it was sent for its size."""
    return error.status == 413 or (error.status in _REFUSING and _TOO_MUCH.search(error.what) is not None)


def _narrow(values: list[float | None]) -> NDArray[np.float32]:
    """Numbers as float32 holds them: infinite where they are beyond that, and not a number where there is none, which
    is how servers write NaN whose JSON has no word for it."""
    try:
        wide = np.array(values, dtype=np.float64)  # which makes NaN of None
    except OverflowError:
        return np.full(len(values), np.inf, dtype=np.float32)
    with np.errstate(over="ignore"):
        return wide.astype(np.float32)
