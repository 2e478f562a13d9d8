"""An embeddings server for the tests, on the loopback, that answers as it is told: well, or in one of the ways servers
have.

`EmbeddingServer("base64")` listens at `.url` until it is closed; `behave` changes what it does, `log` holds what was
asked. The vector of a text comes from `vector_of`.

    well        a list of numbers for each text
    turned      the same, the last first
    unnumbered  without an index, in the order of the texts
    base64      the vectors in base64
    misnumbered an index twice
    fewer       a vector too few; `none`: an empty list
    nan, null, huge, words, nested, empty, ragged, bad64
                the last vector holds NaN, null, 1e999, a text; is a list of vectors, is empty, is shorter, is no base64
    growing     one dimension more in every answer
    shape       JSON of another shape; `bare`: a list of vectors
    limited     HTTP 429 with Retry-After, the first `times` times, then well
    batches     HTTP 422 for more than `most` texts, as text-embeddings-inference says it; `large`: 413 for them
    tokens      HTTP 500 for a text of more than `most` bytes, as llama.cpp says it; `context`: 400, as vLLM does
    slow        well, after `seconds`
    never       no answer until the server is closed; `stuck`: but for the first `times` well
    html        a web page
    error       an error object with status 200
    echo        an error that quotes the key
    500, 401…   that HTTP status
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.clients.chat_server import ERROR
from tests.clients.loopback import LoopbackHandler, LoopbackServer

MODEL = "embedder"
DIMENSION = 4
_LATE = 0.3  # seconds


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """Another vector for every text, of numbers that single precision holds exactly."""
    return [byte / 64 - 2 for byte in hashlib.sha256(text.encode()).digest()[:dimension]]


class EmbeddingServer(LoopbackServer):
    """What it does is said when it is made, and may change."""

    def __init__(self, behaviour: str = "well", **settings: Any) -> None:
        super().__init__(_Handler)
        self.behave(behaviour, **settings)
        self.start()

    def behave(
        self,
        behaviour: str,
        *,
        models: tuple[str, ...] | None = (MODEL,),
        key: str = "",
        dimension: int = DIMENSION,
        times: int = 1,
        most: int = 8,
        retry_after: str = "7",
    ) -> None:
        """Do this from now on."""
        self.behaviour, self.models, self.key, self.dimension = behaviour, models, key, dimension
        self.times, self.most, self.retry_after = times, most, retry_after

    def batches(self) -> list[list[str]]:
        """The texts of each request, in order of arrival."""
        return [asked.body["input"] for asked in self.asked("/embeddings")]

    def texts(self) -> list[str]:
        """All texts that were asked for, sorted."""
        return sorted(text for batch in self.batches() for text in batch)


class _Handler(LoopbackHandler):
    server: EmbeddingServer
    route = "/v1/embeddings"

    def is_refused(self, authorization: str) -> bool:
        if self.server.behaviour == "echo":
            self.send(400, {"error": {"message": f"what is {authorization.removeprefix('Bearer ')!r}?"}})
            return True
        return super().is_refused(authorization)

    def answer(self, body: Any) -> None:
        server, behaviour, texts = self.server, self.server.behaviour, body["input"]
        asked = len(server.batches())
        if behaviour.isdigit():
            self.send(int(behaviour), {"error": {"message": ERROR}})
        elif behaviour == "limited" and asked <= server.times:
            self.send(429, {"error": {"message": "slow down"}}, {"Retry-After": server.retry_after})
        elif behaviour == "never" or (behaviour == "stuck" and asked > server.times):
            server.closing.wait()
            self.close_connection = True
        elif behaviour == "html":
            self.send(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"})
        elif behaviour == "error":
            self.send(200, {"error": {"message": ERROR, "code": 7}})
        elif behaviour == "shape":
            self.send(200, {"embeddings": [[1, 2]]})
        elif behaviour == "bare":
            self.send(200, [vector_of(text) for text in texts])
        elif not self._is_too_much(behaviour, texts):
            if behaviour == "slow":
                time.sleep(_LATE)
            self._embed(behaviour, texts, server.dimension + (asked if behaviour == "growing" else 0))

    def _is_too_much(self, behaviour: str, texts: list[str]) -> bool:
        """Whether it is; then it has been said."""
        server, longest = self.server, max(len(text.encode()) for text in texts)
        if behaviour in ("batches", "large") and len(texts) > server.most:
            what = f"batch size {len(texts)} > maximum allowed batch size {server.most}"
            if behaviour == "batches":
                self.send(422, {"error": what, "error_type": "Validation"})
            else:
                self.send(413, b"Failed to buffer the request body", {"Content-Type": "text/plain"})
        elif behaviour == "tokens" and longest > server.most:
            what = f"input ({longest} tokens) is too large to process. increase the physical batch size"
            self.send(500, {"error": {"code": 500, "message": what, "type": "server_error"}})
        elif behaviour == "context" and longest > server.most:
            what = f"This model's maximum context length is {server.most} tokens. However, you requested {longest}."
            self.send(400, {"object": "error", "message": what, "error": {"message": what}})
        else:
            return False
        return True

    def _embed(self, behaviour: str, texts: list[str], dimension: int) -> None:
        vectors: list[Any] = [vector_of(text, dimension) for text in texts]
        if behaviour == "base64":
            vectors = [base64.b64encode(np.array(vector, "<f4").tobytes()).decode() for vector in vectors]
        spoilt: dict[str, Callable[[list[float]], object]] = {
            "nan": lambda vector: [*vector[1:], float("nan")],
            "null": lambda vector: [None] * len(vector),
            "huge": lambda vector: [*vector[1:], 10**400],
            "words": lambda vector: [*map(str, vector)],
            "nested": lambda vector: [vector, vector],
            "empty": lambda _: [],
            "ragged": lambda vector: vector[1:],
            "bad64": lambda _: "AAA",
        }
        if behaviour in spoilt:
            vectors[-1] = spoilt[behaviour](vectors[-1])
        data = [{"object": "embedding", "index": place, "embedding": found} for place, found in enumerate(vectors)]
        if behaviour == "turned":
            data.reverse()
        if behaviour == "unnumbered":
            data = [{"embedding": one["embedding"]} for one in data]
        if behaviour == "misnumbered":
            data[-1]["index"] = 0 if len(data) > 1 else 1
        if behaviour in ("fewer", "none"):
            data = data[:-1] if behaviour == "fewer" else []
        self.send(200, {"object": "list", "data": data, "model": MODEL, "usage": {"prompt_tokens": 3}})
