"""Names and small JSON objects as the store keeps them: any text goes in, lone surrogates included, and comes out as it
was."""

from __future__ import annotations

import json
from typing import Any


def kept(name: str) -> bytes:
    """A name as the store keeps it."""
    return name.encode("utf-8", "surrogatepass")


def name_of(value: object) -> str:
    """The name that was kept; raises ValueError for what never was one."""
    if not isinstance(value, bytes):
        raise ValueError("a name")
    return value.decode("utf-8", "surrogatepass")


def object_of(value: object) -> dict[str, Any]:
    """The JSON object that was kept; raises ValueError for what is none."""
    if not isinstance(value, str):
        raise ValueError("an object")
    try:
        found = json.loads(value)
    except RecursionError as error:
        raise ValueError("an object") from error
    if not isinstance(found, dict):
        raise ValueError("an object")
    return found
