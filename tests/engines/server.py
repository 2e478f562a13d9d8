"""A scoring server for the tests: a process of its own on the loopback, whose every score can be computed by hand.

`total_logprob` of a response is `score` below: a constant, the response's length, and the `pull` of every message
before it, all in 64ths of a nat so that sums and differences are exact. Leaving out a message that is a memory as a
whole therefore changes a later response by exactly its `pull`.

One process serves all tests, each in a room of its own: an address, a configuration and a log. A request that one test
left behind reaches nothing of the next. What a room's server does wrong is configured by name:

    KEY           the bearer key it wants ("sesame"; empty: it wants none)
    MODELS        the models it serves, with commas ("scorer"; empty: it lists none)
    LATENCY       seconds before an answer to /score
    ANSWERS       so many requests to /score are answered; the ones after it wait until the server is configured anew
    NOISE         nats by which each repetition of the same request differs from the one before
    FAULT         an HTTP status, or one of `Faults`
    FAULT_UNLESS  only requests in which no message holds this text are hit
    FAULT_TIMES   each distinct request is hit so many times at most
    RETRY_AFTER   the header that goes with an HTTP status
    MESSAGE       what an error says

`python tests/engines/server.py` prints the port it listens on.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import select
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sesame"
MODEL = "scorer"
NAMES = "KEY MODELS LATENCY ANSWERS NOISE FAULT FAULT_UNLESS FAULT_TIMES RETRY_AFTER MESSAGE".split()


def pull(earlier: str, response: str) -> float:
    """What a message does for a response that comes after it: nats, from -1 to 2, in 64ths."""
    return (zlib.crc32(f"{earlier}\0{response}".encode("utf-8", "surrogatepass")) % 193 - 64) / 64


def score(messages: Sequence[Mapping[str, str]]) -> list[float]:
    """The log-probability of every assistant message, in nats."""
    return [
        -5000 - len(message["content"]) / 64 + sum(pull(m["content"], message["content"]) for m in messages[:index])
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
    ]


# --- the tests' side -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """A request as the server saw it; header names are lower-case. `live`: requests in work, this one included."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    live: int


class Process:
    """The running server process; `room` opens a new room in it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-I", __file__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        self._rooms = itertools.count(1)

    def room(self, **config: object) -> ScoreServer:
        server = ScoreServer(self._port, next(self._rooms))
        server.configure(**config)
        return server

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass
class ScoreServer:
    """A server as one test sees it: `url` is what --base-url takes."""

    port: int
    room: int
    key: str = KEY

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.room}/v1"

    def configure(self, **config: object) -> None:
        """Behave like this from now on, and like nothing before; the log starts anew."""
        assert config.keys() <= set(NAMES), f"there are: {', '.join(NAMES)}"
        self._ask("POST", "control", {name: str(value) for name, value in config.items()})
        self.key = str(config.get("KEY", KEY))

    def log(self, path: str = "") -> list[Request]:
        """The requests since the server was configured, in order of arrival; those to one route, such as "/score"."""
        return [r for r in (Request(**r) for r in self._ask("GET", "log")) if r.path.endswith(path)]

    def _ask(self, method: str, route: str, body: object = None) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, f"/{self.room}/{route}", json.dumps(body))
            return json.loads(connection.getresponse().read())


# --- the server's side -----------------------------------------------------------------------------------------------


@dataclass
class Behaviour:
    """One configuration and what happened under it."""

    config: Mapping[str, str]
    log: list[dict[str, Any]] = field(default_factory=list)
    live: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    hits: Counter[bytes] = field(default_factory=Counter)
    seen: Counter[bytes] = field(default_factory=Counter)
    answers: itertools.count[int] = field(default_factory=itertools.count)
    over: threading.Event = field(default_factory=threading.Event)

    def fault(self, body: bytes, texts: Sequence[str]) -> str:
        """The name of the fault that hits a request, if one does."""
        name, unless = self.config.get("FAULT", ""), self.config.get("FAULT_UNLESS", "")
        if not name or (unless and any(unless in text for text in texts)):
            return ""
        with self.lock:
            self.hits[body] += 1
            return name if self.hits[body] <= float(self.config.get("FAULT_TIMES") or "inf") else ""

    def noise(self, body: bytes) -> float:
        with self.lock:
            self.seen[body] += 1
            return float(self.config.get("NOISE") or 0) * (self.seen[body] - 1)


class Faults:
    """What can be wrong with an answer that has come as far as status 200, by the name of the method."""

    def __init__(self, handler: Handler, totals: list[float], message: str) -> None:
        self.handler, self.totals, self.message = handler, totals, message

    def json(self) -> None:
        self.handler.reply(200, b'{"scores": [{"total_logprob": -1.0}, ')

    def html(self) -> None:
        self.handler.reply(200, b"<html><title>Bad gateway</title></html>", {"Content-Type": "text/html"})

    def empty(self) -> None:
        self.handler.reply(200, b"")

    def count(self) -> None:
        self.scores(self.totals[:-1])

    def surplus(self) -> None:
        self.scores([*self.totals, -1.0])

    def nan(self) -> None:
        self.scores([float("nan")] * len(self.totals))

    def null(self) -> None:
        self.scores([None] * len(self.totals))

    def text(self) -> None:
        self.scores([str(total) for total in self.totals])

    def huge(self) -> None:
        self.scores([-1e308] * len(self.totals))

    def infinite(self) -> None:
        self.handler.reply(200, {"scores": [{"total_logprob": float("-inf")}] * len(self.totals)})

    def bignum(self) -> None:
        self.scores([-(10**400)] * len(self.totals))

    def positive(self) -> None:
        self.scores([1.0] * len(self.totals))

    def other(self) -> None:
        """The answer of another API that lives on the same path."""
        self.handler.reply(200, {"object": "list", "data": [{"index": 0, "object": "score", "score": 0.9}]})

    def error(self) -> None:
        self.handler.reply(200, {"error": self.message})

    def error_object(self) -> None:
        self.handler.reply(200, {"error": {"message": self.message, "code": 7}})

    def redirect(self) -> None:
        self.handler.reply(307, b"", {"Location": f"http://127.0.0.1:{self.handler.server.server_port}/1/v1/elsewhere"})

    def slow(self) -> None:
        time.sleep(20)

    def trickle(self) -> None:
        """Never silent for long, and not done for seconds."""
        self.handler.reply(200, b" ", length=10**6)
        with contextlib.suppress(OSError):
            for _ in range(100):
                time.sleep(0.02)
                self.handler.wfile.write(b" ")
        self.handler.close_connection = True

    def drop(self) -> None:
        """The connection closes in the middle of the answer."""
        self.handler.reply(200, b'{"scores": [', length=1000)
        self.handler.close_connection = True

    def hang_up(self) -> None:
        """The connection closes before any answer."""
        self.handler.close_connection = True

    def scores(self, totals: Sequence[float | str | None]) -> None:
        self.handler.reply(200, {"scores": [{"total_logprob": total} for total in totals]})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rooms: dict[str, Behaviour] = {}

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def reply(
        self, status: int, body: object, headers: Mapping[str, str] | None = None, *, length: int | None = None
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(length or len(data)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        room, _, route = self.path[1:].partition("/")
        if route == "log":
            self.reply(200, self.server.rooms[room].log)
        else:
            self._serve(self.server.rooms[room], b"")

    def do_POST(self) -> None:
        room, _, route = self.path[1:].partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if route == "control":
            before = self.server.rooms.get(room)
            self.server.rooms[room] = Behaviour(json.loads(body))
            if before is not None:
                before.over.set()
            self.reply(200, "done")
        elif not self._left():
            self._serve(self.server.rooms[room], body)

    def _left(self) -> bool:
        """Whether who asked is gone: what a killed process has sent must not get into the log of the one after it."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _serve(self, behaviour: Behaviour, body: bytes) -> None:
        with behaviour.lock:
            behaviour.live += 1
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Request(self.command, self.path, headers, json.loads(body) if body else None, behaviour.live)
            behaviour.log.append(vars(seen))
        try:
            self._answer(behaviour, body, seen)
        finally:
            with behaviour.lock:
                behaviour.live -= 1

    def _answer(self, behaviour: Behaviour, body: bytes, request: Request) -> None:
        config = behaviour.config
        key, given = config.get("KEY", KEY), request.headers.get("authorization", "")
        if key and given != f"Bearer {key}":
            self.reply(401, {"error": {"message": f"{given.removeprefix('Bearer ')!r} is not the key"}})
        elif request.path.endswith("/models"):
            ids = [model for model in config.get("MODELS", MODEL).split(",") if model]
            self.reply(200, {"object": "list", "data": [{"id": model, "object": "model"} for model in ids]})
        elif request.path.endswith("/score") and request.method == "POST":
            self._score(behaviour, body, request.body["messages"])
        else:
            self.reply(404, {"error": "there is no such route"})

    def _score(self, behaviour: Behaviour, body: bytes, messages: list[dict[str, str]]) -> None:
        config = behaviour.config
        if next(behaviour.answers) >= float(config.get("ANSWERS") or "inf"):
            behaviour.over.wait()
            self.close_connection = True
            return
        time.sleep(float(config.get("LATENCY") or 0))
        message = config.get("MESSAGE", "the scorer is out of order")
        faults = Faults(self, [total - behaviour.noise(body) for total in score(messages)], message)
        fault = behaviour.fault(body, [m["content"] for m in messages])
        if fault.isdigit():
            after = {"Retry-After": config["RETRY_AFTER"]} if "RETRY_AFTER" in config else {}
            self.reply(int(fault), {"error": message}, after)
        elif fault:
            getattr(faults, fault)()
        else:
            faults.scores(faults.totals)


if __name__ == "__main__":
    server = Server()
    print(server.server_port, flush=True)
    server.serve_forever()
