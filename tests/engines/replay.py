"""Answers of real servers, as they were recorded: a server that gives them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engines.token_server import Dialect, RefusedError, TokenServer

FOLDER = Path(__file__).parent / "recorded"


def recorded(name: str) -> Any:
    """A request to a real server and its answer: "request", "status", "response"."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def replaying(*names: str) -> type[Dialect]:
    """A protocol of these recordings alone, each at its own route."""

    class Replay(Dialect):
        def __init__(self, server: TokenServer) -> None:
            super().__init__(server)
            for name in names:
                told = recorded(name)
                self.routes[f"{told['request']['method']} {told['request']['path']}"] = self.again(told)

        @staticmethod
        def again(told: Any) -> Any:
            def answer(_: object) -> Any:
                if told["status"] != 200:
                    raise RefusedError(told["status"], told["response"])
                return told["response"]

            return answer

    return Replay
