"""Engines: every file of the folder that is one can be named, and is announced in the same way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from memscope.base.errors import UsageError
from memscope.engines.registry import EngineOptions, EngineSpec, engine_names, engine_spec


def test_the_names_are_what_a_person_types() -> None:
    assert {"embedded", "score-api"} <= set(engine_names())
    assert engine_names() == sorted(engine_names())
    assert not [name for name in engine_names() if "_" in name]


@pytest.mark.parametrize("name", engine_names())
def test_every_engine_announces_itself(name: str) -> None:
    spec = engine_spec(name)
    assert isinstance(spec, EngineSpec)
    assert spec.name == name
    assert spec.summary
    assert "\n" not in spec.summary


@pytest.mark.parametrize("name", ["", "embeded", "score_api", "http", "registry", "../x", "Embedded"])
def test_what_is_no_engine_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        engine_spec(name)
    assert f"there is no engine {name!r}" in str(refused.value)
    assert ", ".join(engine_names()) in str(refused.value)


def test_naming_engines_imports_none() -> None:
    code = """
import sys
from memscope.engines.registry import engine_names, engine_spec
assert engine_names()
assert not {"httpx", "numpy"} & set(sys.modules), "listing"
engine_spec("embedded")
assert "httpx" not in sys.modules, "another engine than the one named"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_key_is_not_in_the_options_repr() -> None:
    options = EngineOptions(base_url="http://h", model="m", api_key="sesame-open")
    assert "sesame-open" not in repr(options) + str(options) + f"{options}"
    assert "http://h" in repr(options)
