"""What every test stands on: folders of its own, no settings from outside, and a server whose scores are known."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from textual import constants

from memscope.base.clock import set_clock
from memscope.store.database import Database
from tests.clients.chat_server import ChatServer
from tests.clients.embedding_server import EmbeddingServer
from tests.engines.server import Process, ScoreServer
from tests.engines.token_server import Dialect, TokenServer

# Pictures are the same everywhere. The snapshot plugin has imported Textual by now, which reads the environment then.
constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
os.environ.pop("NO_COLOR", None)

# How long an example takes says something of the machine. (Where CI is set, examples are the same every time.)
settings.register_profile("untimed", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
gc.set_threshold(50_000, 20, 50)  # a test makes much and keeps little: it is not gone through again and again


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what belongs to the person who runs it."""
    for name in os.environ:
        if name.startswith(("MEMSCOPE_", "OPENAI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MEMSCOPE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("MEMSCOPE_SKILLS_FOLDER", str(tmp_path / "skills"))


@pytest.fixture
def noon() -> Iterator[None]:
    """It is always the same time: 1,800,000,000 seconds since the epoch."""
    set_clock(lambda: 1_800_000_000.0)
    yield
    set_clock(None)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A store of its own, apart from the person's."""
    opened = Database(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _server_process() -> Iterator[Process]:
    process = Process()
    yield process
    process.stop()


@pytest.fixture
def score_server(_server_process: Process) -> Callable[..., ScoreServer]:
    """`score_server(FAULT="503", ...)` is a server that behaves so; `tests.engines.server` lists the names."""
    return _server_process.room


@pytest.fixture
def token_server() -> Iterator[Callable[..., TokenServer]]:
    """`token_server("vllm", ...)` is a server that speaks so, and is gone in the end."""
    made: list[TokenServer] = []

    def serve(dialect: str | type[Dialect] = "vllm", **settings: Any) -> TokenServer:
        made.append(TokenServer(dialect, **settings))
        return made[-1]

    yield serve
    for server in made:
        server.die()


@pytest.fixture
def embedding_server() -> Iterator[Callable[..., EmbeddingServer]]:
    """`embedding_server("base64", ...)` is an embeddings server that answers so, and is gone in the end."""
    made: list[EmbeddingServer] = []

    def server(behaviour: str = "well", **settings: Any) -> EmbeddingServer:
        made.append(EmbeddingServer(behaviour, **settings))
        return made[-1]

    yield server
    for one in made:
        one.close()


@pytest.fixture
def chat_server() -> Iterator[Callable[..., ChatServer]]:
    """`chat_server("fences", ...)` is a chat server that answers so, and is gone in the end."""
    made: list[ChatServer] = []

    def serve(behaviour: str = "well", **settings: Any) -> ChatServer:
        made.append(ChatServer(behaviour, **settings))
        return made[-1]

    yield serve
    for server in made:
        server.close()
