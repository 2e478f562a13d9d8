"""What engines behind a server share: how they are reached and built, and the server's tokeniser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.http import Server
from memscope.clients.served import ServedModel, root
from memscope.engines.chat import Chat
from memscope.engines.registry import EngineOptions
from memscope.engines.templates import FOLDING
from memscope.engines.token_engine import TokenEngine, TokenModel

TIMEOUT = 600.0
QUICK = 3.0  # seconds that a person who chooses an engine waits for a server


def connect(name: str, options: EngineOptions, *, hasty: bool = False) -> Server:
    """The server at the address of its API with or without /v1; paths then begin at its root. `hasty`: for somebody who
    chooses, and waits. Raises `UsageError`."""
    return server_at(name, root(options.base_url), options, hasty=hasty)


def server_at(name: str, url: str, options: EngineOptions, *, timeout: float = TIMEOUT, hasty: bool = False) -> Server:
    """The server at `url`; see `connect`. `timeout`: seconds, where the options say nothing."""
    if not options.base_url:
        raise UsageError(f"{name} needs the address of a server", do="Give --base-url, or set MEMSCOPE_BASE_URL.")
    seconds = options.timeout or timeout
    if hasty:
        return Server(url, api_key=options.api_key, timeout=min(seconds, QUICK), retries=0)
    return Server(url, api_key=options.api_key, timeout=seconds, retries=options.retries)


def engine_at(
    name: str, options: EngineOptions, model: Callable[[Server, ServedModel, EngineOptions], TokenModel]
) -> TokenEngine:
    """The engine of a `model` behind the server at the options' address. Raises `UsageError`, `EngineError`."""
    server = connect(name, options)
    try:
        return TokenEngine(model(server, ServedModel(server, options.model), options), options.fold)
    except BaseException:
        server.close()
        raise


def tokenise(server: Server, model: str, said: Chat, job: Job) -> list[int]:
    """A chat as the token ids that the server's own template makes of it. Raises `EngineError`."""
    body: dict[str, Any] = {"model": model, "messages": said.messages, "add_generation_prompt": False}
    if said.tools:
        body["tools"] = said.tools
    try:
        return tokenised(server, body, job)
    except EngineError as error:
        if error.status in (400, 422):
            error.do = FOLDING
        raise


def tokenised(server: Server, body: Mapping[str, Any], job: Job) -> list[int]:
    """The token ids a server's /tokenize answers with. Raises `EngineError`."""
    answer = server.post("/tokenize", body, job)
    tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
    if not isinstance(tokens, list) or not all(type(token) is int for token in tokens):
        raise EngineError("the answer to /tokenize has no token ids", where=server.base_url)
    return tokens


def number(value: object) -> float | None:
    """A number of an answer; None for what is none, truth values and numbers beyond all measure among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def may_lack_memory(error: EngineError) -> bool:
    """Whether a server that failed like this may have run out of memory: it breaks down, or says so."""
    return error.status >= 500 or not error.status or "memory" in error.what
