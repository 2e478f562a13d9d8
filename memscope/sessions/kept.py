"""What was read of a file as one line of text, between processes and in the store: JSON, values by their places.

There are thousands, read back whenever sessions are shown: what they are parsed by makes the values and checks them.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as schemas

from memscope.sessions.facts import Facts


class Reading(NamedTuple):
    """What reading a file came to: its `format`, "" where it was not recognised, and its `sessions`; or else why it has
    none (`error`). `is_other`: it is whole JSON, or a database, but of something else than a conversation."""

    format: str
    sessions: tuple[Facts, ...]
    error: str = ""
    is_other: bool = False


def encoded(reading: Reading) -> str:
    """A reading as a text of ASCII alone: lone surrogates, which names may hold, are escaped as JSON has it."""
    return json.dumps(reading, separators=(",", ":"))


def decoded(text: str | None) -> Reading | None:
    """The reading that was encoded so; None for what is no such text."""
    reading: Reading
    try:
        reading = _JSON.validate_json(text)  # type: ignore[arg-type]
    except ValueError:
        try:  # a lone surrogate, among other things
            reading = _VALUE.validate_python(json.loads(text))  # type: ignore[arg-type]
        except (ValueError, TypeError, RecursionError):
            return None
    return reading


def _schema(kind: Any, text: CoreSchema) -> CoreSchema:
    """Of values of a type that is told as `Reading` and its parts are; `text`: of strings."""
    hints = get_args(kind)
    if kind is str:
        return text
    if kind is int:
        return schemas.int_schema(strict=True)
    if kind is bool:
        return schemas.bool_schema(strict=True)
    if kind is float:
        return schemas.float_schema(strict=True)
    if get_origin(kind) is Literal:
        return schemas.literal_schema([*hints])
    if get_origin(kind) is tuple:
        return schemas.tuple_schema([_schema(hints[0], text)], variadic_item_index=0)
    if hints:  # or None
        return schemas.nullable_schema(_schema(hints[0], text))
    fields = [_schema(hint, text) for hint in get_type_hints(kind).values()]
    return schemas.no_info_after_validator_function(partial(tuple.__new__, kind), schemas.tuple_schema(fields))


_JSON = SchemaValidator(_schema(Reading, schemas.str_schema(strict=True)), schemas.CoreConfig(cache_strings="none"))
_VALUE = SchemaValidator(_schema(Reading, schemas.is_instance_schema(str)))
