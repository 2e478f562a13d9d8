"""Attributes with dotted names, as OpenTelemetry's `gen_ai` conventions and OpenInference's `llm` have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from memscope.conversation.formats._content import entries
from memscope.conversation.formats._traced_messages import plain, unwrapped

_DEEPEST_NAME = 12  # dots in the name of an attribute
_MOST_ENTRIES = 100_000  # of a list that attributes spell out


def attributes(flat: Mapping[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """What went in, what came out, and the tools, as attributes with dotted names or with JSON in them tell."""
    look = partial(_at, _nested(flat))
    system = look("gen_ai", "system_instructions")
    into = look("gen_ai", "input", "messages") or look("gen_ai", "prompt") or look("llm", "input_messages")
    out = look("gen_ai", "output", "messages") or look("gen_ai", "completion") or look("llm", "output_messages")
    tools = look("gen_ai", "tool", "definitions") or look("llm", "tools") or look("llm", "request", "functions")
    opening = [{"role": "system", "content": plain(system)}] if system and plain(system) else []
    return [*opening, *_unfolded(into)], _unfolded(out), [_definition(tool) for tool in _unfolded(tools)]


def _definition(tool: Any) -> Any:
    """A tool's definition, out of the `json_schema` that OpenInference keeps it in."""
    tool = unwrapped(tool)
    return unwrapped(tool["json_schema"]) if isinstance(tool, Mapping) and "json_schema" in tool else tool


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.0.b": 1}` as `{"a": {"0": {"b": 1}}}`; a name that is also the beginning of another keeps the others."""
    top: dict[str, Any] = {}
    for name, value in flat.items():
        path = str(name).split(".")
        if not str(name).startswith(("gen_ai.", "llm.")) or len(path) > _DEEPEST_NAME:
            continue
        at = top
        for step in path[:-1]:
            held = at.get(step)
            at[step] = held if isinstance(held, dict) else {}
            at = at[step]
        if not isinstance(at.get(path[-1]), dict):
            at[path[-1]] = value
    return top


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _unfolded(value: Any) -> list[Any]:
    """A list that was spelt out by places, or that JSON holds; each entry out of the `message` or `tool` around it."""
    value = unwrapped(value)
    if isinstance(value, Mapping):
        places = sorted((int(k), k) for k in value if isinstance(k, str) and k.isdecimal() and len(k) < 6)
        value = [_folded(value[k]) for _, k in places[:_MOST_ENTRIES]]
    found = []
    for entry in entries(value):
        inner = entry.get("message", entry.get("tool")) if isinstance(entry, Mapping) else None
        found.append(inner if isinstance(inner, Mapping) else entry)
    return found


def _folded(value: Any) -> Any:
    """Within an entry, objects whose names are places are lists."""
    if not isinstance(value, Mapping):
        return value
    if value and all(isinstance(k, str) and k.isdecimal() and len(k) < 6 for k in value):
        return [_folded(value[k]) for k in sorted(value, key=int)]
    return {k: _folded(v) for k, v in value.items()}
