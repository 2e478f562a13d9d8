"""The embedder that the settings name: what makes vectors of messages, and what of them leaves this machine for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings, embed_key
from memscope.promotion.model import Embedder
from memscope.promotion.placeholders import without_placeholders
from memscope.store.database import Database

if TYPE_CHECKING:
    from memscope.clients.kept_embeddings import VectorModel
    from memscope.promotion.model import Vectors

_OTHERS = "Or set embedder to embedded, which compares words and needs nothing."


@contextmanager
def open_embedder(settings: Settings, database: Database | None, job: Job | None = None) -> Iterator[OpenEmbedder]:
    """The embedder of the settings, closed in the end. `database`: where a model's vectors are kept, None for nowhere.

    A server is asked which model it serves where none is named, `job` being what stops that; a model of the hub that is
    not on this disk is downloaded. Raises `UsageError` where something has to be set or installed, `EngineError` where
    the server does not answer or the model cannot be loaded, `Cancelled`.
    """
    if settings.embedder == "embedded":
        from memscope.promotion.lexical import Lexical

        yield OpenEmbedder(Lexical())
    elif settings.embedder == "local":
        if not settings.embed_model:
            do = f"Set embed_model to the folder of an embedding model, or to its name on the hub. {_OTHERS}"
            raise UsageError("no embedding model is named", where="embed_model", do=do)
        from memscope.clients.local_embeddings import LocalModel

        yield _kept(LocalModel(settings.embed_model, settings.device), database)
    else:
        if not settings.embed_url:
            do = f"Set embed_url to the address of one (MEMSCOPE_EMBED_URL or the settings). {_OTHERS}"
            raise UsageError("no embeddings server is set", where="embed_url", do=do)
        from memscope.clients.embeddings import EMBEDDING, TIMEOUT, WORKERS, EmbeddingClient, address
        from memscope.clients.http import Server

        url, timeout = address(settings.embed_url), settings.timeout or TIMEOUT
        server = Server(url, api_key=embed_key(settings), timeout=timeout, named=EMBEDDING)
        try:
            workers = settings.workers or WORKERS
            yield _kept(EmbeddingClient(server, settings.embed_model, job or Job(), workers=workers), database)
        finally:
            server.close()


def what_is_sent(settings: Settings) -> str:
    """What leaves this process for embedding, and for where, in words; empty where nothing does."""
    if settings.embedder != "api" or not settings.embed_url:
        return ""
    model = f"the model {settings.embed_model}" if settings.embed_model else "the model it serves"
    return f"the text of the messages is sent to {settings.embed_url}, for {model}"


class OpenEmbedder:
    """An embedder before whose eyes placeholders are taken out of the texts: see `placeholders`."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.lexical, self.threshold = embedder.name, embedder.lexical, embedder.threshold
        self._embedder = embedder

    @property
    def trouble(self) -> str | None:
        """What went wrong with keeping vectors, if anything did; the vectors are not touched by it."""
        trouble = getattr(self._embedder, "trouble", None)
        return str(trouble) if trouble else None

    def embed(self, texts: Sequence[str], job: Job) -> Vectors:
        """See `promotion.model.Embedder`."""
        return self._embedder.embed([without_placeholders(text) for text in texts], job)


def _kept(model: VectorModel, database: Database | None) -> OpenEmbedder:
    from memscope.clients.kept_embeddings import KeptEmbedder
    from memscope.store.embeddings import Embeddings

    return OpenEmbedder(KeptEmbedder(model, None if database is None else Embeddings(database)))
