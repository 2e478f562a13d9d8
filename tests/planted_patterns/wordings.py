"""The patterns: for each its wordings, and what looks like it and means something else; see wordings.txt."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple


class Wordings(NamedTuple):
    """`near`: a wording and its near-repeats; `other`: true paraphrases; `unlike`: same words, another intent."""

    name: str
    near: tuple[str, ...]
    other: tuple[str, ...]
    unlike: tuple[str, ...]


@cache
def wordings() -> tuple[Wordings, ...]:
    """All thirty, in the order of the file."""
    read: list[tuple[str, dict[str, list[str]]]] = []
    for line in Path(__file__).with_name("wordings.txt").read_text("utf-8").splitlines():
        if line[:2] in ("= ", "~ ", "! "):
            read[-1][1][line[0]].append(line[2:])
        elif line and not line.startswith("#"):
            read.append((line, {"=": [], "~": [], "!": []}))
    return tuple(Wordings(name, *(tuple(of[sign]) for sign in "=~!")) for name, of in read)
