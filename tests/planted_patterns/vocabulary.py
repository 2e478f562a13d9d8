"""Words of this folder's text files: sections of a name, as "# nouns", and what is in them, parted by " | "."""

from __future__ import annotations

from functools import cache
from pathlib import Path

Sections = dict[str, tuple[str, ...]]


@cache
def sections(name: str) -> Sections:
    """The sections of a file. What comes before the first is about the file."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in Path(__file__).with_name(name).read_text("utf-8").splitlines():
        if line.startswith("# ") and " " not in line[2:]:
            section = line[2:]
            found[section] = []
        elif line and section:
            found[section] += line.split(" | ")
    return {section: tuple(of) for section, of in found.items()}
