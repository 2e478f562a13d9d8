"""Tiny models, made once a session, and engines over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.transformers.engine import TransformersEngine
from tests.engines.transformers.models import KINDS, REFUSED, make


@pytest.fixture(scope="session")
def library() -> Any:
    """The library, which is not to look for anything outside."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    pytest.importorskip("torch")
    return pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def folder(library: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`folder("llama")` is that of a tiny model; what else is said of its configuration makes another one."""
    made: dict[tuple[object, ...], Path] = {}

    def of(kind: str = "llama", **more: Any) -> Path:
        key = (kind, *sorted(more.items()))
        if key not in made:
            made[key] = make(tmp_path_factory.mktemp(kind), kind, **more)
        return made[key]

    return of


@pytest.fixture
def engine(folder: Callable[..., Path]) -> Iterator[Callable[..., TransformersEngine]]:
    """`engine("llama")`, or of a folder, with what `EngineOptions` take."""
    built: list[TransformersEngine] = []

    def of(model: str | Path = "llama", **options: Any) -> TransformersEngine:
        path = folder(model) if isinstance(model, str) and model in KINDS | REFUSED else model
        made = engine_spec("transformers").build(EngineOptions(**{"model": str(path), "device": "cpu"} | options))
        assert isinstance(made, TransformersEngine)
        built.append(made)
        return made

    yield of
    for each in built:
        each.close()
