"""What the chat server and the embeddings server of the tests share: a log, a count of what is in work, a door."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it; header names are lower-case."""

    path: str
    headers: dict[str, str]
    body: Any


class LoopbackServer(ThreadingHTTPServer):
    """Listens at `.url` until it is closed. `key`: the bearer key it wants, empty for none; `models`: those it lists,
    None for no such route."""

    daemon_threads = True
    request_queue_size = 128
    key: str
    models: tuple[str, ...] | None

    def __init__(self, handler: type[LoopbackHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.log: list[Asked] = []
        self.live = self.peak = 0  # requests in work, and the most there were at once
        self.reached = threading.Event()  # one of them has come
        self.closing = threading.Event()
        self.lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), name=type(self).__name__, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def asked(self, route: str) -> list[Asked]:
        """The requests to a route, in order of arrival."""
        with self.lock:
            return [asked for asked in self.log if asked.path.endswith(route)]

    @contextmanager
    def working(self) -> Iterator[None]:
        with self.lock:
            self.live += 1
            self.peak = max(self.peak, self.live)
        self.reached.set()
        try:
            yield
        finally:
            with self.lock:
                self.live -= 1

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class LoopbackHandler(BaseHTTPRequestHandler):
    """`route`: where it is asked; `answer` says what comes of it."""

    protocol_version = "HTTP/1.1"
    server: Any
    route: str

    def answer(self, body: Any) -> None:
        raise NotImplementedError

    def is_refused(self, authorization: str) -> bool:
        """Whether a request with this header is turned away; then it has been said."""
        if self.server.key and authorization != f"Bearer {self.server.key}":
            self.send(401, {"error": {"message": f"{authorization.removeprefix('Bearer ')!r} is not the key"}})
            return True
        return False

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        if not self._is_welcome(None):
            return
        if self.server.models is None:
            self.send(404, {"error": "Not Found"})
        else:
            models = [{"id": model, "object": "model"} for model in self.server.models]
            self.send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if not self._is_welcome(body):
            return
        if self.path != self.route:
            self.send(404, {"error": {"message": "there is no such route"}})
            return
        with self.server.working():
            self.answer(body)

    def _is_welcome(self, body: Any) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.log.append(Asked(self.path, headers, body))
        return not self.is_refused(headers.get("authorization", ""))

    def send(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """An answer: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
