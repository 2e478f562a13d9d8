"""Transcript formats: one module each, exporting `FORMAT`, found by listing this folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import memscope.conversation.formats as package
from memscope.base.errors import SourceError, UsageError
from memscope.base.plugins import member, member_names
from memscope.conversation.formats._other_files import looks_like
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import CERTAIN, Format, No, Yes


def format_names() -> list[str]:
    """The names `--input-format` takes."""
    return list(_names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(name.replace("_", "-") for name in member_names(package))


def format_named(name: str) -> Format:
    """The format called `name`; `UsageError` when there is none."""
    if name not in _names():
        raise UsageError(f"there is no input format {name!r}", do=f"There are: {', '.join(_names())}.")
    return _format(name)


@cache
def _format(name: str) -> Format:
    found: Format = member(package, name.replace("-", "_"), "FORMAT")
    return found


def claims(raw: Raw) -> dict[str, Yes | No]:
    """What each format says of a source."""
    return {name: _claim(format_named(name), raw) for name in format_names()}


def _claim(form: Format, raw: Raw) -> Yes | No:
    if form.is_database != raw.is_database:
        return No("it is an SQLite database" if raw.is_database else "it is no SQLite database")
    return form.sniff(raw)


def recognise(raw: Raw) -> Format:
    """The format that claims a source most strongly, by its content alone; `SourceError` saying why each declined."""
    said: dict[str, Yes | No] = {}
    for name in _names():
        said[name] = claim = _claim(_format(name), raw)
        if isinstance(claim, Yes) and claim.strength >= CERTAIN:
            return _format(name)
    strengths = {name: claim.strength for name, claim in said.items() if isinstance(claim, Yes)}
    if strengths:
        return format_named(max(strengths, key=lambda name: strengths[name]))
    raise _unrecognised(raw, said)


def _unrecognised(raw: Raw, said: Mapping[str, Yes | No]) -> SourceError:
    """What to tell of a file that no format claims: why the formats declined to which such files are shown."""
    asked = (name for name in said if format_named(name).is_database == raw.is_database)
    declined = ((name, said[name]) for name in asked)
    reasons = "; ".join(f"not {name}: {claim.reason}" for name, claim in declined if isinstance(claim, No))
    do = "A transcript is JSON or JSON lines."
    if raw.is_database:
        do = "Export its conversations as JSON or JSON lines and open that."
        return SourceError(f"this is an SQLite database that memscope cannot read ({reasons})", where=raw.path, do=do)
    if not raw.head and raw.looks_binary:
        return SourceError("this is a binary file, not a transcript", where=raw.path, do=do)
    if not raw.head:
        do = f"{do} Markdown with memories is given with --memories." if raw.path.suffix == ".md" else do
        passed = next((f" (line {v.line}: {v.reason})" for v in raw.values() if isinstance(v, Skipped)), "")
        return SourceError(f"this file holds no JSON{passed}", where=raw.path, do=do)
    known = looks_like(raw.head)
    what = f"this is no transcript that memscope reads{f': it looks like {known}' if known else ''} ({reasons})"
    return SourceError(what, where=raw.path, do="Name its format with --input-format if you know better.")
