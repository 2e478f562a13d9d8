"""Members found by listing a folder: adding a format, an engine or a command is adding one file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def member_names(package: ModuleType) -> list[str]:
    """The names of the public modules in `package`, sorted; nothing is imported."""
    return sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))


def member(package: ModuleType, name: str, constant: str) -> Any:
    """The `constant` that the module `name` of `package` exports; imports that one module."""
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), constant)


def members(package: ModuleType, constant: str) -> dict[str, Any]:
    """Every member of `package` by its module's name, sorted; imports them all."""
    return {name: member(package, name, constant) for name in member_names(package)}
