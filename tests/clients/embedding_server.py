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
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from tests.clients.chat_server import ERROR, Asked

MODEL = "embedder"
DIMENSION = 4
_LATE = 0.3  # seconds


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """Another vector for every text, of numbers that single precision holds exactly."""
    return [byte / 64 - 2 for byte in hashlib.sha256(text.encode()).digest()[:dimension]]


class EmbeddingServer(ThreadingHTTPServer):
    """`models`: those it lists, None for no such route; `key`: the bearer key it wants, empty for none."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behaviour: str = "well", **settings: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log: list[Asked] = []
        self.live = self.peak = 0  # batches in work, and the most there were at once
        self.reached = threading.Event()  # a batch has been asked
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.behave(behaviour, **settings)
        threading.Thread(target=self.serve_forever, args=(0.02,), name="embedding server", daemon=True).start()

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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def batches(self) -> list[list[str]]:
        """The texts of each request, in order of arrival."""
        with self.lock:
            return [asked.body["input"] for asked in self.log if asked.path.endswith("/embeddings")]

    def texts(self) -> list[str]:
        """All texts that were asked for, sorted."""
        return sorted(text for batch in self.batches() for text in batch)

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EmbeddingServer

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        if not self._welcome(None):
            return
        if self.server.models is None:
            self._send(404, {"error": "Not Found"})
        else:
            self._send(200, {"object": "list", "data": [{"id": model} for model in self.server.models]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if not self._welcome(body):
            return
        if not self.path.endswith("/embeddings"):
            self._send(404, {"error": {"message": "there is no such route"}})
            return
        server = self.server
        with server.lock:
            server.live += 1
            server.peak = max(server.peak, server.live)
        server.reached.set()
        try:
            self._answer(server.behaviour, body["input"])
        finally:
            with server.lock:
                server.live -= 1

    def _welcome(self, body: Any) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.log.append(Asked(self.path, headers, body))
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self.server.behaviour == "echo":
            self._send(400, {"error": {"message": f"what is {given!r}?"}})
            return False
        if self.server.key and given != self.server.key:
            self._send(401, {"error": {"message": f"{given!r} is not the key"}})
            return False
        return True

    def _answer(self, behaviour: str, texts: list[str]) -> None:
        server = self.server
        asked = len(server.batches())
        if behaviour.isdigit():
            self._send(int(behaviour), {"error": {"message": ERROR}})
        elif behaviour == "limited" and asked <= server.times:
            self._send(429, {"error": {"message": "slow down"}}, {"Retry-After": server.retry_after})
        elif behaviour == "never" or (behaviour == "stuck" and asked > server.times):
            server.closing.wait()
            self.close_connection = True
        elif behaviour == "html":
            self._send(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"})
        elif behaviour == "error":
            self._send(200, {"error": {"message": ERROR, "code": 7}})
        elif behaviour == "shape":
            self._send(200, {"embeddings": [[1, 2]]})
        elif behaviour == "bare":
            self._send(200, [vector_of(text) for text in texts])
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
                self._send(422, {"error": what, "error_type": "Validation"})
            else:
                self._send(413, b"Failed to buffer the request body", {"Content-Type": "text/plain"})
        elif behaviour == "tokens" and longest > server.most:
            what = f"input ({longest} tokens) is too large to process. increase the physical batch size"
            self._send(500, {"error": {"code": 500, "message": what, "type": "server_error"}})
        elif behaviour == "context" and longest > server.most:
            what = f"This model's maximum context length is {server.most} tokens. However, you requested {longest}."
            self._send(400, {"object": "error", "message": what, "error": {"message": what}})
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
        self._send(200, {"object": "list", "data": data, "model": MODEL, "usage": {"prompt_tokens": 3}})

    def _send(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
