"""JSON objects, for formats that look far into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def at(holder: Any, *names: str) -> Json:
    """The object at the end of the `names`, `holder` itself for none; an empty one where there is no object."""
    found = holder
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
