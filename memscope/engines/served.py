"""What engines behind a server share: its address, the models it serves, which of them is meant, and its tokeniser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.http import Server
from memscope.engines.chat import Chat
from memscope.engines.registry import EngineOptions
from memscope.engines.templates import FOLDING
from memscope.engines.token_engine import TokenEngine, TokenModel

TIMEOUT = 600.0
QUICK = 3.0  # seconds that a person who chooses an engine waits for a server
MOST_MODELS = 500  # that anybody chooses from


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server lists: its name, who the server says owns it, and the most tokens it takes, where told."""

    name: str
    owner: str = ""
    longest: int | None = None


def root(url: str) -> str:
    """The server's own address: that of its API without the /v1 at its end."""
    return url.rstrip("/").removesuffix("/v1")


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
    return Server(url, api_key=options.api_key, timeout=seconds)


def engine_at(
    name: str, options: EngineOptions, model: Callable[[Server, ServedModel, EngineOptions], TokenModel]
) -> TokenEngine:
    """The engine of a `model` behind the server at the options' address. Raises `UsageError`, `EngineError`."""
    server = connect(name, options)
    try:
        return TokenEngine(model(server, ServedModel(server, options), options), options.fold)
    except BaseException:
        server.close()
        raise


def listed(server: Server, job: Job, path: str = "/v1/models") -> list[Served]:
    """The models a server lists; none where it does not say. Raises `EngineError`."""
    answer = server.get(path, job)
    entries = answer.get("data") if isinstance(answer, Mapping) else None
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str):
            found.append(Served(entry["id"], str(entry.get("owned_by") or ""), _longest(entry)))
    return found


class ServedModel:
    """The model that is meant, of those a server serves: the one named, else the one there is.

    Nothing is asked of the server where one is named, until its length is wanted. Raises `UsageError` where there is
    none or a choice, `EngineError` where the server does not answer.
    """

    def __init__(self, server: Server, options: EngineOptions, path: str = "/v1/models") -> None:
        self._server, self._path = server, path
        self._found: Served | None = None
        if not options.model:
            self._found = self._only()
        self.name = options.model or (self._found.name if self._found is not None else "")

    def longest(self, job: Job) -> int | None:
        """The most tokens the model takes; None where the server does not say."""
        if self._found is None:
            try:
                models = listed(self._server, job, self._path)
            except EngineError as error:
                if error.status not in (404, 405, 501):
                    raise
                models = []  # it lists none
            self._found = next((model for model in models if model.name == self.name), Served(self.name))
        return self._found.longest

    def _only(self) -> Served:
        models, where = listed(self._server, Job(), self._path), self._server.base_url
        if len(models) == 1:
            return models[0]
        if not models:
            raise UsageError("the server does not say which models it serves", where=where, do="Give --model.")
        do = self._server.hidden(f"Choose with --model: {', '.join(model.name for model in models[:20])}.")
        raise UsageError(f"the server serves {len(models)} models", where=where, do=do)


def names(server: Server, job: Job, path: str = "/v1/models") -> list[str]:
    """The names of the models a server lists, to choose from; closes the server."""
    try:
        return [server.hidden(model.name) for model in listed(server, job, path)[:MOST_MODELS]]
    finally:
        server.close()


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


def _longest(entry: Mapping[str, Any]) -> int | None:
    meta = entry.get("meta")
    for value in (entry.get("max_model_len"), meta.get("n_ctx") if isinstance(meta, Mapping) else None):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
