"""The models a server serves, and which of them is meant: for whoever speaks OpenAI's API to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.http import Server

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


def listed(server: Server, job: Job, path: str = "/v1/models") -> list[Served]:
    """The models a server lists; none where it does not say. Raises `EngineError`."""
    answer = server.get(path, job)
    entries = answer.get("data") if isinstance(answer, Mapping) else None
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str):
            found.append(Served(entry["id"], str(entry.get("owned_by") or ""), _longest(entry)))
    return found


def only(server: Server, job: Job, path: str = "/v1/models") -> Served:
    """The one model a server serves. Raises `UsageError` where there is none or a choice, `EngineError` where the
    server does not answer."""
    models, where, setting = listed(server, job, path), server.base_url, server.named.model
    if len(models) == 1:
        return models[0]
    if not models:
        raise UsageError("the server does not say which models it serves", where=where, do=f"Give {setting}.")
    do = server.hidden(f"Choose with {setting}: {', '.join(model.name for model in models[:20])}.")
    raise UsageError(f"the server serves {len(models)} models", where=where, do=do)


class ServedModel:
    """The model that is meant, of those a server serves: the one `named`, else the one there is.

    Nothing is asked of the server where one is named, until its length is wanted. Raises as `only` does.
    """

    def __init__(self, server: Server, named: str, path: str = "/v1/models") -> None:
        self._server, self._path = server, path
        self._found = None if named else only(server, Job(), path)
        self.name = named or (self._found.name if self._found is not None else "")

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


def names(server: Server, job: Job, path: str = "/v1/models") -> list[str]:
    """The names of the models a server lists, to choose from; closes the server."""
    try:
        return [server.hidden(model.name) for model in listed(server, job, path)[:MOST_MODELS]]
    finally:
        server.close()


def _longest(entry: Mapping[str, Any]) -> int | None:
    meta = entry.get("meta")
    for value in (entry.get("max_model_len"), meta.get("n_ctx") if isinstance(meta, Mapping) else None):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
