"""What the engines' tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from memscope.base.job import Job
from memscope.clients.http import Server
from tests.engines.server import ScoreServer


class Hasty(Job):
    """A job that writes down how long it was to wait, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.check()


@pytest.fixture
def job() -> Hasty:
    return Hasty()


@pytest.fixture
def client() -> Iterator[Callable[..., Server]]:
    """`client(server, timeout=5.0)` speaks to it, with its key unless another is given, and is closed in the end."""
    made: list[Server] = []

    def speak_to(server: ScoreServer | str, *, timeout: float = 30.0, api_key: str | None = None) -> Server:
        url, key = (server, "") if isinstance(server, str) else (server.url, server.key)
        made.append(Server(url, api_key=key if api_key is None else api_key, timeout=timeout))
        return made[-1]

    yield speak_to
    for server in made:
        server.close()
