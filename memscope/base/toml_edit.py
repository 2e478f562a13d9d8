"""Changing one entry of a TOML file and nothing else: a person's comments, order and spelling stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any


def with_entry(text: str, name: str, value: object) -> str:
    """The TOML `text` with `name` at its top set to `value`; None takes the entry out.

    An entry that is there under hyphens keeps them. Raises `ValueError` where this cannot be done without harm to
    another entry.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = {**entries(text), name: value}
    if value is None:
        del wanted[name]
    try:
        document = tomlkit.parse(text)
        spelled = next((found for found in document if found.replace("-", "_") == name), name)
        if value is None:
            document.pop(spelled, None)
        elif isinstance(value, Mapping) and spelled in document:
            _change_table(document[spelled], value)
        else:
            document[spelled] = value
        changed = document.as_string()
    except (TOMLKitError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
    if entries(changed) != wanted:  # whatever the editor made of it, nothing else may change
        raise ValueError("other entries would change")
    return changed


def entries(text: str) -> dict[str, Any]:
    """What a TOML text holds, names with underscores. Raises `ValueError`; `RecursionError` for absurd nesting."""
    return {name.replace("-", "_"): value for name, value in tomllib.loads(text).items()}


def _change_table(table: Any, wanted: Mapping[str, object]) -> None:
    """Entry by entry, so that the comments beside those that stay do so too."""
    for name in [name for name in table if name not in wanted]:
        del table[name]
    for name, value in wanted.items():
        if table.get(name) != value:
            table[name] = value
