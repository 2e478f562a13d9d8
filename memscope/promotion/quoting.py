"""Words of transcripts as they may stand in a skill: without credentials and hidden signs, and as words alone.

Quoted text opens no heading, fence, list or HTML, links to nothing by a definition of its own, and ends no frontmatter.
"""

from __future__ import annotations

import re

from memscope.base.secrets import Credential, credentials
from memscope.base.text import clean, clean_line

REMOVED = "[credential removed]"

_OPENING = re.compile(r"(?:[#>*+=|~`_:\[-]|\d{1,9}(?=[.)]))")  # what begins a block of Markdown, at the start of a line
_INLINE = re.compile(r"<|!(?=\[)|&(?=#?\w{1,32};)|`{3,}|~{3,}")
_KEY_REST = re.compile(r"[A-Za-z0-9+/=\s\\\"',]*(?:-----END [A-Z0-9 ]{1,60}-----)?")
_NUMBER = re.compile(r"(\d{1,9})([.)])")


def masked(text: str) -> tuple[str, int]:
    """`text` with `REMOVED` in place of every credential, and how many there were."""
    pieces, at, count = [], 0, 0
    for one in credentials(text):
        if one.start >= at:
            pieces += [text[at : one.start], REMOVED]
            at, count = _end(text, one), count + 1
    return "".join([*pieces, text[at:]]), count


def safe(text: str, limit: int = 20_000) -> str:
    """The beginning of `text` without credentials; it is cut between words, so that none is cut in two."""
    return masked(shortened(text, limit))[0].strip()


def _end(text: str, one: Credential) -> int:
    """Where a credential ends: of a private key only the beginning is looked at, but all of it is one."""
    if one.kind != "private key":
        return one.end
    rest = _KEY_REST.match(text, one.end)
    return rest.end() if rest is not None else one.end


def shortened(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, at the end of a word where one is near, with … for the rest."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:space] if space > limit * 3 // 4 else cut).rstrip() + "…"


def escaped(line: str) -> str:
    """A line of words such that Markdown shows it as it is and opens nothing; it has to stand in a block already."""
    line = _INLINE.sub(_backslashed, clean_line(line).strip())
    number = _NUMBER.match(line)
    if number is not None:
        return f"{number[1]}\\{line[number.end(1) :]}"
    return "\\" + line if _OPENING.match(line) else line


def blockquote(text: str, *, limit: int, lines: int) -> str:
    """`text` as a quotation of at most so many characters and lines, blank ones left out."""
    kept = [line for line in shortened(clean(text).strip(), limit).split("\n") if line.strip()]
    if len(kept) > lines:
        kept = [*kept[:lines], "…"]
    return "\n".join(f"> {escaped(line)}" for line in kept)


def code(name: str, limit: int = 80) -> str:
    """A name as code within a line."""
    return f"`{shortened(clean_line(name).replace('`', chr(0x2BC)).strip(), limit) or '?'}`"


def one_line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, its blanks as single spaces, nothing escaped."""
    return shortened(clean_line(" ".join(text[: limit * 8].split())), limit)


def _backslashed(match: re.Match[str]) -> str:
    return "".join(f"\\{sign}" for sign in match.group())
