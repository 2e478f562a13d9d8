"""`llama-server`: llama.cpp's server.

    POST /apply-template  {"messages", "tools", "add_generation_prompt": false}                 -> {"prompt": text}
    POST /tokenize        {"content", "add_special", "parse_special", "with_pieces": true}      -> {"tokens": [...]}
    POST /completion      {"prompt": [id, ...], "n_predict", "n_probs": 1, "grammar": "root ::= <[id]> <[id]> ..."}
    ->                    completion_probabilities: [{"id", "logprob", "bytes", "top_logprobs"}, ...]

It gives log-probabilities to what it generates alone, so it is made to generate the response: a grammar leaves one
token at each place, and the log-probabilities are those from before the grammar. Two kinds of tokens cannot be in one:
what ends a generation, and a token that is a part of a character. Each of those is one request that favours it beyond
all others. A token that leaves a character open is never reported; its log-probability is read from a list of what else
could have stood there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.clients.http import Server
from memscope.clients.served import ServedModel, names
from memscope.engines.chat import Chat
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import connect, engine_at, number
from memscope.engines.templates import refused
from memscope.engines.token_checks import token_checks
from memscope.engines.token_engine import TokenEngine, TokenScores
from memscope.engines.token_text import spelled

_CLOSING = {"role": "user", "content": "."}  # behind a last answer, which the server's template would leave open
_FAVOUR = 10_000  # added to a logit: more than any model gives
_LISTS = (1_000, 2**20)  # how many alternatives are asked for at a time: the second is every token there is
_OF_A_TEMPLATE = re.compile("jinja|template|while executing", re.IGNORECASE)  # what a failure of one is told with
_NOTHING = -1e30  # what the server writes for the logarithm of 0
_OPENS = ((0xE0, 0xC0, 2), (0xF0, 0xE0, 3), (0xF8, 0xF0, 4))  # first bytes of a character: mask, value, its length

# What the server may have been started with and must not do here: shift kept keys and values to where they were not
# computed, and forbid tokens that end a generation.
_EXACT = {"cache_prompt": True, "n_cache_reuse": 0, "ignore_eos": False}


class LlamaServer:
    """A model behind llama-server. The server keeps what it read last, and reads on from the first difference."""

    capabilities = Capabilities(
        label="llama-server",
        tokens=True,
        concurrency=1,
        limits="exact but slow: the server generates every response again, token by token, for every memory before it",
        reuses=True,
    )

    def __init__(self, server: Server, model: ServedModel, options: EngineOptions) -> None:
        self._server, self._model, self._url = server, model, server.base_url
        self.identity = EngineIdentity("llama-server", model=model.name, url=server.base_url, options=options.shown())
        self._context: int | None = None
        self._pieces: dict[int, bytes] = {}  # of every token that was seen; entries are only ever added, each at once
        self._alone: set[int] = set()  # tokens that no grammar takes, learned from a server that refused one

    def close(self) -> None:
        self._server.close()

    def longest(self, job: Job) -> int | None:
        if self._context is None:
            self._context = self._slot(job) or self._model.longest(job) or 0
        return self._context or None

    def lay(self, said: Chat, job: Job) -> list[int]:
        body: dict[str, Any] = {"messages": [*said.messages, _CLOSING], "add_generation_prompt": False}
        if said.tools:
            body["tools"] = said.tools
        try:
            answer = self._post("/apply-template", body, job)
        except EngineError as error:
            if error.status in (400, 422) or (error.status == 500 and _OF_A_TEMPLATE.search(error.what)):
                raise refused(error.what, where=self._url, status=error.status) from error
            raise
        text = answer.get("prompt") if isinstance(answer, Mapping) else None
        if not isinstance(text, str):
            raise EngineError("the answer to /apply-template has no prompt", where=self._url)
        return self._tokenise(text, job)

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        scored = []
        for start, end in spans:
            values = self._span(ids, start, end, job)
            pieces = spelled([self._pieces.get(token, b"") for token in ids[start:end]])
            scored.append(TokenScores(np.array(values, np.float64), pieces))
        return scored

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        made: list[tuple[int, float]] = []
        # What ends a generation is forbidden by a bias, and log-probabilities are those from before any bias.
        answer = self._complete({"prompt": ids, "n_predict": count, "ignore_eos": True}, job)
        for token, entry in zip(_list(answer, "tokens"), _entries(answer), strict=False):
            if not isinstance(entry, Mapping) or entry.get("id") != token:
                break  # behind a token that leaves a character open, which has no entry
            self._learn(token, entry.get("bytes"))
            made.append((token, self._value(entry, token, len(ids) + len(made))))
        if not made:
            raise self._silent()
        return made

    # tokens

    def _tokenise(self, text: str, job: Job) -> list[int]:
        body = {"content": text, "add_special": True, "parse_special": True, "with_pieces": True}
        answer = self._post("/tokenize", body, job)
        tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
        ids = []
        for entry in tokens if isinstance(tokens, list) else [None]:
            if not isinstance(entry, Mapping) or type(entry.get("id")) is not int:
                raise EngineError("the answer to /tokenize has no ids with their pieces", where=self._url)
            ids.append(entry["id"])
            self._learn(entry["id"], entry.get("piece"))
        return ids[1:] if self._doubled(ids, text) else ids

    def _doubled(self, ids: list[int], text: str) -> bool:
        """Whether the server set a token at the beginning that the template had written already."""
        first = self._pieces.get(ids[0], b"").decode("utf-8", "replace") if len(ids) > 1 and ids[0] == ids[1] else ""
        return bool(first) and text.startswith(first) and not text.startswith(first * 2)

    def _learn(self, token: int, piece: object) -> None:
        """Keeps the text of a token; of a special one that the server has generated it says nothing."""
        if not self._pieces.get(token) and (found := _bytes(piece)) is not None:
            self._pieces[token] = found

    def _takes_grammar(self, token: int) -> bool:
        """Whether a grammar takes a token, as far as can be told: special ones, which may end a generation, are written
        <so>."""
        piece = self._pieces.get(token, b"")
        special = piece.startswith(b"<") and piece.endswith(b">") and len(piece) > 2
        return bool(piece) and not special and token not in self._alone and _is_text(piece)

    # scoring

    def _span(self, ids: list[int], start: int, end: int, job: Job) -> list[float]:
        values: list[float] = []
        while (at := start + len(values)) < end:
            run = at
            while run < end and self._takes_grammar(ids[run]):
                run += 1
            values += self._run(ids, at, run, job) if run > at else [self._one(ids, at, job)]
        return values

    def _run(self, ids: list[int], at: int, end: int, job: Job) -> list[float]:
        """Of tokens from `at` on, in one request: at least the first, and as many more as the server generates at a
        time."""
        wanted = ids[at:end]
        grammar = "root ::= " + " ".join(f"<[{token}]>" for token in wanted)
        try:
            answer = self._complete({"prompt": ids[:at], "n_predict": len(wanted), "grammar": grammar}, job)
        except EngineError as error:
            if "grammar" not in error.what:
                raise
            return [self._one(ids, place, job) for place in range(at, end)]
        entries = _entries(answer)
        if not entries:
            raise self._silent()
        return [
            self._value(entry, token, place)
            for place, (entry, token) in enumerate(zip(entries, wanted, strict=False), at)
        ]

    def _one(self, ids: list[int], at: int, job: Job) -> float:
        token = ids[at]
        entry = None if _is_open(self._pieces.get(token, b"")) else self._favoured(ids, at, token, job)
        if entry is None:
            return self._listed(ids, at, job)
        if entry.get("bytes") == []:  # special: it may be what ends a generation
            self._alone.add(token)
        return self._value(entry, token, at)

    def _favoured(self, ids: list[int], at: int, token: int, job: Job, count: int = 1) -> Mapping[str, Any] | None:
        """What the server says when it is made to generate `token` at a place, with so many alternatives; None where it
        says nothing of it."""
        favour = {"logit_bias": [[token, _FAVOUR]], "samplers": ["temperature"]}
        entries = _entries(self._complete({"prompt": ids[:at], "n_predict": 1, "n_probs": count, **favour}, job))
        return entries[0] if entries and isinstance(entries[0], Mapping) else None

    def _listed(self, ids: list[int], at: int, job: Job) -> float:
        """Of a token that is never reported: read from the alternatives to another, which is."""
        other = next((token for token in ids if _is_text(self._pieces.get(token, b"\xff"))), ids[0])
        for count in _LISTS:
            entry = self._favoured(ids, at, other, job, count)
            for alternative in _list(entry, "top_logprobs"):
                if isinstance(alternative, Mapping) and alternative.get("id") == ids[at]:
                    return self._number(alternative, ids[at], at)
            if entry is None:
                raise self._silent()
        raise EngineError(f"position {at} has no log-probability: token {ids[at]} is not listed", where=self._url)

    def _value(self, entry: object, token: int, at: int) -> float:
        """The log-probability of what had to be generated at a place, in nats."""
        got = entry.get("id") if isinstance(entry, Mapping) else None
        got = got if type(got) is int else None
        if not isinstance(entry, Mapping) or got != token:
            what = f"at position {at} token {token} had to be generated, and the score is of {got}"
            raise EngineError(what, where=self._url, do="The server has to be llama.cpp's own, which obeys grammars.")
        if entry.get("top_logprobs") == []:
            raise EngineError(
                f"position {at} has no log-probability: the server drafted the token and did not compute one",
                where=self._url,
                do="Start llama-server without speculative decoding (--model-draft, --spec-type).",
            )
        return self._number(entry, token, at)

    def _number(self, entry: Mapping[str, Any], token: int, at: int) -> float:
        value = number(entry.get("logprob"))
        if value is None or not math.isfinite(value):
            raise EngineError(f"position {at} has no log-probability", where=self._url)
        if value < _NOTHING:
            what = f"position {at}: the server rounds the probability of token {token} to 0 and has no logarithm of it"
            raise EngineError(what, where=self._url)
        return value

    def _silent(self) -> EngineError:
        what = "the answer has no completion_probabilities, though n_probs was sent"
        do = "The server has to be llama.cpp's own llama-server, and not be old."
        return EngineError(what, where=self._url, do=do)

    # requests

    def _complete(self, body: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
        job.check()
        sent = {"n_probs": 1, "temperature": 0, "return_tokens": True, **_EXACT, **body}
        answer = self._post("/completion", sent, job)
        if not isinstance(answer, Mapping):
            raise EngineError("the answer to /completion is no object", where=self._url)
        return answer

    def _slot(self, job: Job) -> int:
        """How many tokens one of the server's slots takes; 0 where it does not say."""
        try:
            answer = self._server.get("/props", job)
        except EngineError as error:
            if error.status in (404, 405, 501):
                return 0
            advise(error)
            raise
        settings = answer.get("default_generation_settings") if isinstance(answer, Mapping) else None
        found = settings.get("n_ctx") if isinstance(settings, Mapping) else None
        return found if type(found) is int and found > 0 else 0

    def _post(self, path: str, body: Mapping[str, Any], job: Job) -> Any:
        try:
            return self._server.post(path, {"model": self.identity.model, **body}, job)
        except EngineError as error:
            advise(error)
            raise


def advise(error: EngineError) -> None:
    """Writes into an error of the server what to do about it."""
    if error.status == 503 and "loading" in error.what.lower():
        error.do = "The server has not read its model yet: wait until its /health answers, then try again."
    elif "context size" in error.what:
        error.do = "Start llama-server with a larger -c: its slots (-np) share it."


def _entries(answer: Mapping[str, Any]) -> list[Any]:
    """What the server says of each token it generated; nothing of those that leave a character open."""
    return _list(answer, "completion_probabilities")


def _list(found: Mapping[str, Any] | None, name: str) -> list[Any]:
    value = found.get(name) if found is not None else None
    return value if isinstance(value, list) else []


def _bytes(piece: object) -> bytes | None:
    """A token's text as the server writes it: a text, or numbers where it is none."""
    if isinstance(piece, str):
        return piece.encode("utf-8", "surrogatepass")
    try:
        return bytes(piece) if isinstance(piece, list) else None
    except (TypeError, ValueError):
        return None


def _is_text(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_open(piece: bytes) -> bool:
    """Whether a character begins in a token and does not end there."""
    for behind, byte in enumerate(reversed(piece[-4:]), 1):
        for mask, value, length in _OPENS:
            if byte & mask == value:
                return behind < length
    return False


def _build(options: EngineOptions) -> TokenEngine:
    try:
        return engine_at("llama-server", options, LlamaServer)
    except EngineError as error:
        advise(error)
        raise


ENGINE = EngineSpec(
    "llama-server",
    "llama.cpp's server: exact, and slow",
    LlamaServer.capabilities,
    _build,
    lambda options, job: names(connect("llama-server", options, hasty=True), job),
    check=token_checks,
)
