"""The embedder that the settings name: what makes vectors of messages, and what of them leaves this machine for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.masking import masked
from memscope.base.settings import Settings, embed_key
from memscope.promotion.compared import compared
from memscope.promotion.model import Embedder
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
            client = EmbeddingClient(server, settings.embed_model, job or Job(), workers=workers)
            yield _kept(client, database, is_elsewhere=True)
        finally:
            server.close()


def what_is_sent(settings: Settings, which: str = "the messages") -> str:
    """What leaves this process for embedding, and for where, in words; empty where nothing does. `which`: the messages
    that are meant."""
    if settings.embedder != "api" or not settings.embed_url:
        return ""
    model = f"the model {settings.embed_model}" if settings.embed_model else "the model it serves"
    what = f"the text of {which}, with the descriptions of skills and without what looks like a credential,"
    return f"{what} is sent to {settings.embed_url}, for {model}"


class OpenEmbedder:
    """An embedder before whose eyes placeholders and addresses are taken out of the texts: see `compared`."""

    def __init__(self, embedder: Embedder, *, is_elsewhere: bool = False) -> None:
        """`is_elsewhere`: texts leave this process, without what looks like a credential."""
        self.name, self.lexical, self.threshold = embedder.name, embedder.lexical, embedder.threshold
        self._embedder, self._is_elsewhere = embedder, is_elsewhere

    @property
    def trouble(self) -> str | None:
        """What went wrong with keeping vectors, if anything did; the vectors are not touched by it."""
        trouble = getattr(self._embedder, "trouble", None)
        return str(trouble) if trouble else None

    def embed(self, texts: Sequence[str], job: Job, also: Sequence[str] = ()) -> Vectors:
        """See `promotion.model.Embedder`."""
        return self._embedder.embed([*map(self._seen, texts)], job, [*map(self._seen, also)])

    def _seen(self, text: str) -> str:
        return compared(masked(text)[0] if self._is_elsewhere else text)


def _kept(model: VectorModel, database: Database | None, *, is_elsewhere: bool = False) -> OpenEmbedder:
    from memscope.clients.kept_embeddings import KeptEmbedder
    from memscope.store.embeddings import Embeddings

    kept = KeptEmbedder(model, None if database is None else Embeddings(database))
    return OpenEmbedder(kept, is_elsewhere=is_elsewhere)
