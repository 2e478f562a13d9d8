"""Stand-ins for servers that score tokens: each speaks one protocol on the loopback, over a model whose every value can
be computed by hand.

    with TokenServer("vllm") as server:
        server.url                      what --base-url takes
        server.log("/generate")         what it was asked
        server.fault("shifted")         what it does wrong from now on; `FAULTS` and `Answers` list the names
        server.die(), server.revive()   connections refused, and taken again at the same address

Protocols are subclasses of `Dialect`; a fault is a function of what would have been right. Any other model can stand
behind the same protocols: see `Model`.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import TracebackType
from typing import Any, Protocol

NAME = "tiny"
SPECIAL = ("<|im_start|>", "<|im_end|>", "<s>", "</s>", "<bos>", "<|eot_id|>", "<|begin_of_text|>")
_PIECE = re.compile(rf"{'|'.join(map(re.escape, SPECIAL))}| ?\w+|\s+|[^\w\s]")
_LONGEST_PIECE = 6  # bytes: a longer word, or a character beside others, is cut
_WORDS = [" tea", " is", " the", " and", " green", " tabs", ".", " of", " quite", " what", " you", " want", ",", " it"]

Render = Callable[[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]], str]
"""Messages and tools as text; raises ValueError for what a template refuses."""


# --- models ----------------------------------------------------------------------------------------------------------


class Model(Protocol):
    """What stands behind a protocol."""

    def encode(self, text: str) -> list[int]: ...

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as text; U+FFFD where one is a part of a character."""
        ...

    def logprobs(self, ids: Sequence[int]) -> list[float]:
        """For each position the log-probability of its token given those before; the first is not used."""
        ...

    def next(self, ids: Sequence[int]) -> int:
        """The likeliest next token."""
        ...


class Formula:
    """A model in closed form: a token's log-probability is a checksum of everything up to it, from -1 to -11 nats in
    64ths, so that sums and differences are exact. Ids are made of the pieces' bytes: no table is needed."""

    def encode(self, text: str) -> list[int]:
        return [token for piece in _PIECE.findall(text) for token in self._cut(piece)]

    def _cut(self, piece: str) -> list[int]:
        if piece in SPECIAL:
            return [SPECIAL.index(piece) + 1]
        data = piece.encode("utf-8", "surrogatepass")
        cuts = [data[at : at + _LONGEST_PIECE] for at in range(0, len(data), _LONGEST_PIECE)]
        return [int.from_bytes(b"\x01" + cut) for cut in cuts]

    def text(self, ids: Sequence[int]) -> str:
        return b"".join(map(self._bytes, ids)).decode("utf-8", "replace")

    def _bytes(self, token: int) -> bytes:
        if token <= len(SPECIAL):
            return SPECIAL[token - 1].encode()
        return token.to_bytes((token.bit_length() + 7) // 8)[1:]

    def logprobs(self, ids: Sequence[int]) -> list[float]:
        values, checksum = [], 0
        for token in ids:
            checksum = zlib.crc32(token.to_bytes(8), checksum)
            values.append(self._value(checksum))
        return values

    def next(self, ids: Sequence[int]) -> int:
        checksum = 0
        for token in ids:
            checksum = zlib.crc32(token.to_bytes(8), checksum)
        tokens = [self._cut(word)[0] for word in _WORDS]
        return max(tokens, key=lambda token: self._value(zlib.crc32(token.to_bytes(8), checksum)))

    @staticmethod
    def _value(checksum: int) -> float:
        return -(64 + checksum % 641) / 64


def chatml(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
    """The default template: it shows tools and tool calls."""
    head = f"<|im_start|>tools\n{json.dumps(tools)}<|im_end|>\n" if tools else ""
    return head + "".join(
        f"<|im_start|>{m['role']}\n{m['content'] or ''}"
        + "".join(f"\n<tool_call>{json.dumps(call['function'])}</tool_call>" for call in m.get("tool_calls") or [])
        + "<|im_end|>\n"
        for m in messages
    )


# --- faults ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Position:
    """One scored token: what it is, what it reads, and its log-probability, None where there is none."""

    token: int
    piece: str
    logprob: float | None


Positions = list[Position]


def shifted(right: Positions, known: int) -> Positions:
    """Each token has the value of the one behind it."""
    return [replace(p, logprob=q.logprob) for p, q in zip(right, [*right[1:], right[-1]], strict=True)]


def shifted_ids(right: Positions, known: int) -> Positions:
    """Each entry is of the token behind it."""
    return [*right[1:], right[-1]]


def missing(right: Positions, known: int) -> Positions:
    """One position in the middle has no entry."""
    return right[: len(right) // 2] + right[len(right) // 2 + 1 :]


def stale_ids(right: Positions, known: int) -> Positions:
    """What was seen before comes with the entries of other tokens: a prefix cache that is read where it must not be."""
    others = [replace(p, token=q.token) for p, q in pairwise(right)]
    return others[:known] + right[min(known, len(others)) :]


def stale(right: Positions, known: int) -> Positions:
    """What was seen before comes with values that are not its own, under the right ids."""
    return [p if p.logprob is None else replace(p, logprob=p.logprob - 1.5) for p in right[:known]] + right[known:]


def border(right: Positions, known: int) -> Positions:
    """Where the last whole block of what was seen before begins, the value is not its own."""
    at = known // 16 * 16 - 16
    return [replace(p, logprob=p.logprob - 5) if n == at > 0 and p.logprob else p for n, p in enumerate(right)]


def raw_logits(right: Positions, known: int) -> Positions:
    """Logits instead of log-probabilities."""
    return [p if p.logprob is None else replace(p, logprob=p.logprob + 9) for p in right]


def nulls(right: Positions, known: int) -> Positions:
    """No value anywhere."""
    return [replace(p, logprob=None) for p in right]


def textless(right: Positions, known: int) -> Positions:
    """Special tokens have no text."""
    return [replace(p, piece="") if p.piece in SPECIAL else p for p in right]


FAULTS: dict[str, Callable[[Positions, int], Positions]] = {
    made.__name__: made
    for made in (shifted, shifted_ids, missing, stale_ids, stale, border, raw_logits, nulls, textless)
}
"""What can be wrong with scores; `known` is how many positions begin as an earlier request did."""


class Answers:
    """What can be wrong with an answer as a whole, by the name of the method; `body` is the right one."""

    def __init__(self, handler: Handler, body: object) -> None:
        self.handler, self.body = handler, body

    def loading(self) -> None:
        self.handler.reply(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})

    def queue_full(self) -> None:
        self.handler.reply(503, {"error": {"message": "The request queue is full.", "code": 503}})

    def unauthorized(self) -> None:
        self.handler.reply(401, {"error": "Unauthorized"})

    def crash(self) -> None:
        self.handler.reply(500, {"error": {"message": "EngineCore encountered an issue", "code": 500}})

    def html(self) -> None:
        self.handler.reply(200, b"<html><title>Bad gateway</title></html>", {"Content-Type": "text/html"})

    def gateway(self) -> None:
        self.handler.reply(502, b"<html><title>502 Bad Gateway</title></html>", {"Content-Type": "text/html"})

    def error_inside(self) -> None:
        self.handler.reply(200, {"error": {"message": "CUDA out of memory", "type": "server_error", "code": 500}})

    def error_string(self) -> None:
        self.handler.reply(200, {"error": "CUDA out of memory"})

    def other(self) -> None:
        self.handler.reply(200, {"hello": "world"})

    def redirect(self) -> None:
        self.handler.reply(307, b"", {"Location": "http://elsewhere.invalid/"})

    def cut(self) -> None:
        """The connection closes in the middle of the answer."""
        data = json.dumps(self.body).encode()
        self.handler.reply(200, data[: len(data) // 2], length=len(data))
        self.handler.close_connection = True

    def hang_up(self) -> None:
        """The connection closes before any answer."""
        self.handler.close_connection = True

    def dies(self) -> None:
        """The server is gone, this request with it."""
        self.handler.close_connection = True
        self.handler.server.owner.die()


@dataclass
class Fault:
    """A fault in force: on which route, how many more times, and for which prompts."""

    name: str
    path: str
    times: int | None
    where: Callable[[str], bool]


# --- protocols -------------------------------------------------------------------------------------------------------


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def refusal(status: int, message: str, kind: str = "BadRequestError", param: str | None = None) -> RefusedError:
    return RefusedError(status, {"error": {"message": message, "type": kind, "param": param, "code": status}})


class Dialect:
    """A protocol: `routes` are its paths, each with the method that answers it. What all of them have stands here."""

    owner = "memscope"
    open_paths: tuple[str, ...] = ("/health",)  # asked without a key

    def __init__(self, server: TokenServer) -> None:
        self.server = server
        self.routes: dict[str, Callable[[Any], object]] = {
            "GET /health": lambda _: {},
            "GET /v1/models": self.models,
            "POST /v1/completions": self.completions,
        }

    def models(self, _: object) -> object:
        entries = [{"id": name, "object": "model", "owned_by": self.owner} for name in self.server.models]
        return {"object": "list", "data": [entry | self.about() for entry in entries]}

    def about(self) -> dict[str, Any]:
        return {"max_model_len": self.server.longest} if self.server.longest else {}

    def asked(self, body: Mapping[str, Any]) -> None:
        """Refuses a model that is not served."""
        if body.get("model") not in (None, *self.server.models):
            raise refusal(404, f"The model `{body['model']}` does not exist.", "NotFoundError", "model")

    def ids(self, prompt: object) -> list[int]:
        """A prompt as token ids. Refuses one that is too long."""
        ids = self.server.model.encode(prompt) if isinstance(prompt, str) else prompt
        if not isinstance(ids, list) or not all(isinstance(token, int) for token in ids):
            raise refusal(422, "Input should be a valid string or a list of token ids")
        if self.server.longest and len(ids) >= self.server.longest:
            what = (
                f"This model's maximum context length is {self.server.longest} tokens. However, your prompt contains"
                f" {len(ids)} input tokens. Please reduce the length of the input prompt."
            )
            raise refusal(400, what, param="input_tokens")
        return ids

    def rendered(self, body: Mapping[str, Any]) -> list[int]:
        try:
            text = self.server.render(body["messages"], body.get("tools") or [])
        except ValueError as error:
            raise refusal(400, str(error)) from None
        if body.get("add_generation_prompt", True):
            text += "<|im_start|>assistant\n"
        self.server.prompt(text)
        return self.server.model.encode(text)

    def completions(self, body: Mapping[str, Any]) -> object:
        """OpenAI's completions, with echo."""
        self.asked(body)
        ids = self.ids(body["prompt"])
        made = self.server.generated(ids, body.get("max_tokens", 16), endless=body.get("ignore_eos", False))
        positions = self.server.positions(ids) if body.get("echo") else []
        return self.completed(body, positions, made)

    def completed(self, body: Mapping[str, Any], positions: Positions, made: Positions) -> dict[str, Any]:
        shown = [*positions, *made]
        text = body["prompt"] if isinstance(body["prompt"], str) else self.server.text(positions)
        text = (text if body.get("echo") else "") + self.server.text(made)
        choice: dict[str, Any] = {"index": 0, "text": text, "finish_reason": "length"}
        if body.get("logprobs") is not None:
            at, offsets = 0, []
            for p in shown:
                offsets.append(at)
                at += len(p.piece)
            choice["logprobs"] = {
                "tokens": [p.piece for p in shown],
                "token_logprobs": [p.logprob for p in shown],
                "text_offset": offsets,
                "top_logprobs": [p.logprob if p.logprob is None else {p.piece: p.logprob} for p in shown],
            }
        if body.get("return_token_ids"):
            choice["token_ids"] = [p.token for p in made]
        return {"object": "text_completion", "model": NAME, "choices": [choice]}


class VllmDialect(Dialect):
    """vLLM."""

    owner = "vllm"
    open_paths = ("/health", "/version", "/tokenize", "/detokenize")

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes |= {
            "GET /version": lambda _: {"version": "0.32.0"},
            "POST /tokenize": self.tokenize,
        }

    def tokenize(self, body: Mapping[str, Any]) -> object:
        self.asked(body)
        ids = self.rendered(body) if "messages" in body else self.server.model.encode(body["prompt"])
        return {"count": len(ids), "max_model_len": self.server.longest, "tokens": ids, "token_strs": None}

    def completed(self, body: Mapping[str, Any], positions: Positions, made: Positions) -> dict[str, Any]:
        answer = super().completed(body, positions, made)
        if body.get("prompt_logprobs") is not None:
            entries = [self._entry(p) for p in self.server.positions(self.ids(body["prompt"]))]
            answer["choices"][0]["prompt_logprobs"] = entries
        return answer

    @staticmethod
    def _entry(p: Position) -> dict[str, Any] | None:
        if p.logprob is None:
            return None
        return {str(p.token): {"logprob": p.logprob, "rank": 1, "decoded_token": p.piece}}


class SglangDialect(Dialect):
    """SGLang. `tokenizes_messages`: releases before that take a text alone."""

    owner = "sglang"
    tokenizes_messages = True
    start_from_zero = False  # some releases return all positions, whatever is asked
    texts = True

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes |= {
            "GET /get_model_info": lambda _: {"model_path": NAME, "is_generation": True},
            "POST /tokenize": self.tokenize,
            "POST /generate": self.generate,
        }

    def tokenize(self, body: Mapping[str, Any]) -> object:
        if "prompt" in body:
            self.server.prompt(body["prompt"])
            ids = self.server.model.encode(body["prompt"])
            # special tokens of its own at the front, unless they are refused
            return {"tokens": [3, *ids] if body.get("add_special_tokens", True) else ids, "count": len(ids)}
        if not self.tokenizes_messages:
            raise RefusedError(
                422, {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}
            )
        self.asked(body)
        ids = self.rendered(body)
        return {"tokens": ids, "count": len(ids), "max_model_len": self.server.longest}

    def generate(self, body: Mapping[str, Any]) -> object:
        ids = self.ids(body.get("input_ids") or body.get("text"))
        sampling = body["sampling_params"]
        count, endless = sampling.get("max_new_tokens", 128), sampling.get("ignore_eos", False)
        made = self.server.generated(ids, count, endless=endless)
        meta: dict[str, Any] = {"id": "1", "prompt_tokens": len(ids), "completion_tokens": len(made)}
        if body.get("return_logprob"):
            start = 0 if self.start_from_zero else body.get("logprob_start_len", -1)
            if start < 0:
                start = len(ids) - 1
            # the first of them is read from no logits
            right = [p if at > start else replace(p, logprob=None) for at, p in enumerate(self.server.right(ids))]
            meta["input_token_logprobs"] = self._entries(self.server.spoiled(ids, right)[start:], body)
            meta["output_token_logprobs"] = self._entries(made, body)
        return {"text": "".join(p.piece for p in made), "meta_info": meta}

    def _entries(self, positions: Positions, body: Mapping[str, Any]) -> list[list[object]]:
        told = self.texts and body.get("return_text_in_logprobs")
        return [[p.logprob, p.token, p.piece if told else None] for p in positions]


class EchoDialect(Dialect):
    """A completions server with echo and no ids: prompts are texts."""

    def ids(self, prompt: object) -> list[int]:
        if not isinstance(prompt, str):
            raise refusal(500, "Input should be a valid string", "internal_server_error")
        return super().ids(prompt)


class DeafDialect(EchoDialect):
    """One that ignores echo: the text is the generated token's alone."""

    def completions(self, body: Mapping[str, Any]) -> object:
        return super().completions({**body, "echo": False})


class ChatLogprobsDialect(DeafDialect):
    """llama.cpp's server: it ignores echo, and its log-probabilities have the form of chats."""

    owner = "llamacpp"

    def completed(self, body: Mapping[str, Any], positions: Positions, made: Positions) -> dict[str, Any]:
        answer = super().completed(body, positions, made)
        content = [{"id": p.token, "token": p.piece, "bytes": [*p.piece.encode()], "logprob": p.logprob} for p in made]
        answer["choices"][0]["logprobs"] = {"content": content}
        return answer


class RangesDialect(VllmDialect):
    """The later form of the scoring API: it takes token ids and ranges, and answers 422 to messages."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes["POST /v1/score"] = self.score

    def score(self, body: Mapping[str, Any]) -> object:
        if "prompt" not in body:
            raise RefusedError(
                422, {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}
            )
        self.asked(body)
        values = self.server.positions(self.ids(body["prompt"]))
        totals = [sum(p.logprob or 0.0 for p in values[start:end]) for start, end in body["score_ranges"]]
        return {"scores": [{"total_logprob": total} for total in totals]}


DIALECTS: dict[str, type[Dialect]] = {
    "vllm": VllmDialect,
    "sglang": SglangDialect,
    "echo": EchoDialect,
    "deaf": DeafDialect,
    "chat-logprobs": ChatLogprobsDialect,
    "ranges": RangesDialect,
}


# --- the server ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """A request as the server saw it; header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class TokenServer:
    """A server in a thread of this process. What it is can be changed while it runs; `key`, where not empty, is wanted
    as a bearer key; `longest` 0: it takes any length and does not say how much; `terse`: the model ends its turn at
    once, wherever it is to go on from."""

    dialect: str | type[Dialect] = "vllm"
    model: Model = field(default_factory=Formula)
    models: tuple[str, ...] = (NAME,)
    key: str = ""
    longest: int = 4096
    render: Render = chatml
    noise: float = 0.0  # nats by which a repeated request differs from the one before
    terse: bool = False

    def __post_init__(self) -> None:
        self.speaks = (DIALECTS[self.dialect] if isinstance(self.dialect, str) else self.dialect)(self)
        self.port = 0
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._seen: list[list[int]] = []
        self._lock = threading.RLock()
        self._local = threading.local()
        self._http: Http | None = None
        self.revive()

    def __enter__(self) -> TokenServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.die()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def log(self, path: str = "") -> list[Request]:
        """The requests so far, those to one route."""
        with self._lock:
            return [request for request in self.requests if request.path.endswith(path)]

    def forget(self) -> None:
        """The log and the cache begin anew."""
        with self._lock:
            self.requests.clear()
            self._seen.clear()

    def fault(
        self, name: str, *, path: str = "", times: int | None = None, where: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Go wrong like this from now on: on routes that end with `path`, so many `times`, for prompts of which `where`
        holds. A fault of `Answers` hits any route, one of `FAULTS` wherever something is scored."""
        assert name in FAULTS or hasattr(Answers, name), f"there are: {', '.join(FAULTS)}, and the methods of Answers"
        with self._lock:
            self._faults.append(Fault(name, path, times, where))

    def well(self) -> None:
        """No fault any more."""
        with self._lock:
            self._faults.clear()

    def die(self) -> None:
        """Nobody listens any more, and every connection is closed."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.stop()

    def revive(self) -> None:
        """Somebody listens again, at the same address."""
        with self._lock:
            assert self._http is None
            self._http = Http(self, self.port)
            self.port = self._http.server_port

    # what dialects use

    def prompt(self, text: str) -> None:
        """Notes what the request being answered is about."""
        self._local.prompt = text

    def right(self, ids: Sequence[int]) -> Positions:
        """What is true of each position."""
        values = self.model.logprobs(ids)
        return [Position(token, self.model.text([token]), values[at] if at else None) for at, token in enumerate(ids)]

    def text(self, positions: Positions) -> str:
        return self.model.text([p.token for p in positions])

    def spoiled(self, ids: Sequence[int], right: Positions) -> Positions:
        """What is said of each position."""
        self.prompt(self.text(right))
        with self._lock:
            known = max((self._shared(ids, seen) for seen in self._seen), default=0)
            again = self._seen.count(list(ids))
            self._seen.append(list(ids))
        positions = right
        for fault in self._hit(FAULTS):
            positions = FAULTS[fault](positions, known)
        if self.noise and again:
            positions = [p if p.logprob is None else replace(p, logprob=p.logprob - self.noise) for p in positions]
        return positions

    def positions(self, ids: Sequence[int]) -> Positions:
        return self.spoiled(ids, self.right(ids))

    def generated(self, ids: Sequence[int], count: int, *, endless: bool = False) -> Positions:
        """What the model goes on with; `endless`: it may not end its turn."""
        whole = list(ids)
        if self.terse and not endless:
            whole.append(SPECIAL.index("<|im_end|>") + 1)
        else:
            for _ in range(count):
                whole.append(self.model.next(whole))
        values = self.model.logprobs(whole)
        return [Position(whole[at], self.model.text([whole[at]]), values[at]) for at in range(len(ids), len(whole))]

    def _hit(self, among: object) -> Iterator[str]:
        """The faults in force that hit the request being answered."""
        path, prompt = getattr(self._local, "path", ""), getattr(self._local, "prompt", "")
        for fault in list(self._faults):
            there = fault.name in among if isinstance(among, Mapping) else hasattr(among, fault.name)
            if not (there and path.endswith(fault.path) and fault.where(prompt)):
                continue
            with self._lock:
                if fault.times == 0:
                    continue
                fault.times = None if fault.times is None else fault.times - 1
            yield fault.name

    @staticmethod
    def _shared(one: Sequence[int], other: Sequence[int]) -> int:
        return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))

    def answer(self, handler: Handler, request: Request) -> None:
        with self._lock:
            self.requests.append(request)
        self._local.path, self._local.prompt = request.path, ""
        if self.key and request.path not in self.speaks.open_paths:
            given = request.headers.get("authorization", "")
            if given != f"Bearer {self.key}":
                handler.reply(401, {"error": "Unauthorized"})
                return
        status, body = self._body(request)
        for fault in self._hit(Answers):
            getattr(Answers(handler, body), fault)()
            return
        handler.reply(status, body)

    def _body(self, request: Request) -> tuple[int, object]:
        route = self.speaks.routes.get(f"{request.method} {request.path}")
        if route is None:
            return 404, {"detail": "Not Found"}
        try:
            return 200, route(request.body)
        except RefusedError as refused:
            return refused.status, refused.body


class Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, owner: TokenServer, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""

    def stop(self) -> None:
        """May be called by a request that is being answered."""
        self.shutdown()
        self._thread.join()
        self.socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Http

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
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

    def _serve(self, body: object) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.answer(self, Request(self.command, self.path, headers, body))
