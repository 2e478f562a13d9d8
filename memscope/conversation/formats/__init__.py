"""Transcript formats: one module each, exporting `FORMAT`, found by listing this folder."""

from __future__ import annotations

import memscope.conversation.formats as package
from memscope.base.errors import SourceError, UsageError
from memscope.base.plugins import member, member_names
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import Format, No, Yes


def format_names() -> list[str]:
    """The names `--input-format` takes."""
    return [name.replace("_", "-") for name in member_names(package)]


def format_named(name: str) -> Format:
    """The format called `name`; `UsageError` when there is none."""
    if name not in format_names():
        raise UsageError(f"there is no input format {name!r}", do=f"There are: {', '.join(format_names())}.")
    found: Format = member(package, name.replace("-", "_"), "FORMAT")
    return found


def claims(raw: Raw) -> dict[str, Yes | No]:
    """What each format says of a source."""
    return {name: format_named(name).sniff(raw) for name in format_names()}


def recognise(raw: Raw) -> Format:
    """The format that claims a source most strongly, by its content alone; `SourceError` saying why each declined."""
    said = claims(raw)
    strengths = {name: claim.strength for name, claim in said.items() if isinstance(claim, Yes)}
    if strengths:
        return format_named(max(strengths, key=lambda name: strengths[name]))
    reasons = "; ".join(f"not {name}: {claim.reason}" for name, claim in said.items() if isinstance(claim, No))
    if not raw.head and raw.looks_binary:
        what = "this is a binary file, not a transcript"
        raise SourceError(what, where=raw.path, do="A transcript is JSON or JSON lines.")
    if not raw.head:
        passed = next((f" (line {v.line}: {v.reason})" for v in raw.values() if isinstance(v, Skipped)), "")
        raise SourceError(f"this file holds no JSON{passed}", where=raw.path, do="A transcript is JSON or JSON lines.")
    what = f"this is no transcript that memscope reads ({reasons})"
    raise SourceError(what, where=raw.path, do="Name its format with --input-format if you know better.")
