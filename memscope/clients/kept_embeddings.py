"""A model's vectors of texts, kept on disk as they land: nothing is embedded twice."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from memscope.base.errors import EngineError, StoreError
from memscope.base.job import Job
from memscope.base.text import preview
from memscope.store.embeddings import Embeddings, embedding_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LONGEST = 6_000  # characters of a text that count: its beginning, which says what is wanted
THRESHOLD = 0.85  # cosine, for models that know what words mean


class VectorModel(Protocol):
    """A model that makes vectors. `name` is that of the space they are in; `where` it is, for errors."""

    name: str
    where: str

    def vectors(self, texts: Sequence[str], job: Job) -> Generator[tuple[Sequence[int], Vectors], None, None]:
        """The places of some texts with their vectors, as they land, until all have been; no text is empty. Raises
        `EngineError`, `UsageError`, `Cancelled`."""


class _OtherDimensionError(Exception):
    """The model makes vectors of another dimension than those that are kept under its name."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension


class KeptEmbedder:
    """Embeds as `promotion.model.Embedder` has it; `kept`: None keeps nothing. `trouble`: why vectors could not be
    kept, if they could not.

    A text counts with its first `LONGEST` characters; one without any has a vector of zeros.
    """

    lexical = False
    threshold = THRESHOLD

    def __init__(self, model: VectorModel, kept: Embeddings | None) -> None:
        self.name = model.name
        self.trouble: StoreError | None = None
        self._model = model
        self._kept = kept

    def embed(self, texts: Sequence[str], job: Job, also: Sequence[str] = ()) -> Vectors:
        """A vector for each text and each of `also`, as the model makes them. What has landed is kept, whatever
        happens then; what was kept before is not asked for. One that holds numbers which are not finite is handed on,
        for whoever compares them, unless no other is there at all. Counts the texts a model was asked for as "asked" on
        the job. A disk that fails costs no vector. Raises `EngineError`, `UsageError`, `Cancelled`."""
        texts = [*texts, *also]
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            if (sent := _sent(text)).strip():
                places.setdefault(sent, []).append(place)
        # In an order of their own, so that texts meet in the same batches whatever order they come in.
        asked = sorted(places, key=lambda text: (-len(text), text))
        todo = _Todo(asked, [places[text] for text in asked], len(texts))
        try:
            return self._made(todo, job, None)
        except _OtherDimensionError as other:
            return self._made(todo, job, other.dimension)

    def _made(self, todo: _Todo, job: Job, dimension: int | None) -> Vectors:
        """The vectors, those that are kept among them if they are of the `dimension` (None: if they are of one)."""
        filled = _Filled(todo, job, dimension)
        keys = [embedding_key(self.name, text) for text in todo.texts]
        with self._troubled():
            for place, vector in self._kept.get(keys) if self._kept is not None else ():
                if filled.dimension in (None, len(vector)):
                    filled.take([place], vector[None])
                    job.check()
        filled.tell()
        missing = filled.missing()
        fresh = dimension
        with closing(self._model.vectors([todo.texts[place] for place in missing], job)) as made:
            for at, vectors in made:
                where = [missing[place] for place in at]
                self._check(vectors, fresh)
                sound = [
                    bool(np.isfinite(vector).all()) for vector in vectors
                ]  # others are asked for again another time
                with self._troubled():
                    if self._kept is not None:
                        pairs = zip(where, vectors, sound, strict=True)
                        self._kept.put((keys[place], vector) for place, vector, is_sound in pairs if is_sound)
                job.count("asked", len(where))
                fresh = vectors.shape[1]
                if filled.dimension not in (None, fresh):
                    raise _OtherDimensionError(fresh)
                filled.take(where, vectors)
                filled.tell()
        if todo.texts and not filled.sound:
            what = f'the vector of "{preview(todo.texts[0])}" has values that are no finite numbers'
            what += ", and so have all others" if len(todo.texts) > 1 else ""
            do = "The model overflows there: another precision or another model may do."
            raise EngineError(what, where=self._model.where, do=do)
        return filled.vectors()

    def _check(self, vectors: Vectors, dimension: int | None) -> None:
        """Whether they are of the dimension of those before."""
        if dimension not in (None, vectors.shape[1]):
            what = f"vectors of {dimension} dimensions came, and now of {vectors.shape[1]}"
            raise EngineError(what, where=self._model.where, do="Does another model answer by this name now?")

    @contextmanager
    def _troubled(self) -> Iterator[None]:
        """What the disk cannot do is noted, and costs another question."""
        try:
            yield
        except StoreError as error:
            self.trouble = error


class _Todo(NamedTuple):
    """The distinct `texts` to embed, for each the `places` it is wanted at, and how many places there are on the
    `whole`."""

    texts: Sequence[str]
    places: Sequence[Sequence[int]]
    whole: int


class _Filled:
    """The vectors that are there already, by the places they are wanted at. `sound`: whether one of them is finite."""

    def __init__(self, todo: _Todo, job: Job, dimension: int | None) -> None:
        self.dimension = dimension
        self.sound = False
        self._todo, self._job = todo, job
        self._there = np.zeros(len(todo.texts), dtype=bool)
        self._out: Vectors | None = None
        self._done = todo.whole - sum(map(len, todo.places))

    def take(self, texts: Sequence[int], vectors: Vectors) -> None:
        """Vectors of some of the distinct texts."""
        if self._out is None:
            self.dimension = vectors.shape[1]
            self._out = np.zeros((self._todo.whole, self.dimension), dtype=np.float32)
        for text, vector in zip(texts, vectors, strict=True):
            self._out[self._todo.places[text]] = vector
            self._done += len(self._todo.places[text])
        self.sound = self.sound or bool(np.isfinite(vectors).all(axis=1).any())
        self._there[texts] = True

    def missing(self) -> list[int]:
        found: list[int] = np.flatnonzero(~self._there).tolist()
        return found

    def tell(self) -> None:
        self._job.progress(self._done, self._todo.whole, "messages", "embedding")

    def vectors(self) -> Vectors:
        """All of them; where no text has any characters, zeros of one dimension."""
        return np.zeros((self._todo.whole, 1), dtype=np.float32) if self._out is None else self._out


def _sent(text: str) -> str:
    """What of a text is embedded: its beginning, as UTF-8 can carry it."""
    return text[:LONGEST].encode("utf-8", "replace").decode()
