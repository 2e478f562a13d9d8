"""What a value of somebody's JSON is, in words and as the few types that lessons are made of."""

from __future__ import annotations

import json
import math

LARGEST = 2**53 - 1
"""The most that is counted: as far as every reader of JSON counts one by one."""

_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def kind(value: object) -> str:
    """What a value of JSON is, for a person."""
    return _KINDS.get(type(value), "a number")


def whole(value: object) -> int | None:
    """A whole number, also where it is written as 7.0; None for anything else, true and false included."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    """A finite number that a float holds exactly; None for anything else, true and false included."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found == value else None


def said(value: object) -> str | None:
    """A text as it is, None for null, and anything else as JSON: a decision may be an object. Raises `RecursionError`
    for what is nested too deeply."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
