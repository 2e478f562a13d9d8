"""Words of transcripts as they may stand in a skill: without credentials and hidden signs, and as words alone.

Quoted text opens no heading, fence, list or HTML, links to nothing by a definition of its own, and ends no frontmatter.
Nor does it hold what an agent fills in when it reads a skill: a command to run (!`date`), a file (@notes.md), arguments
($1, $ARGUMENTS). Such are looked for in the plain text of a file, within code too, so that escaping is not enough.
"""

from __future__ import annotations

import re

from memscope.base.masking import masked, without_homes
from memscope.base.text import clean, clean_line

_OPENING = re.compile(r"(?:[#>*+=|~`_:\[-]|\d{1,9}(?=[.)]))")  # what begins a block of Markdown, at the start of a line
_INLINE = re.compile(r"<|!(?=\[)|&(?=#?\w{1,32};)|`{3,}|~{3,}")
_COMMAND = re.compile(r"!`")
_FENCED_COMMAND = re.compile(r"(`{3,}|~{3,})[ \t]{0,20}!+")
_FILLED_IN = re.compile(r"\$(?=\{?(?:ARGUMENTS|CLAUDE_))")
_ARGUMENT = re.compile(r"\$(?=\{?\d)")
_FILE = re.compile(r"(?<!\S)@(?=[\w./~\"'-])")
_NUMBER = re.compile(r"(\d{1,9})([.)])")


def safe(text: str, limit: int = 20_000) -> str:
    """The beginning of `text` without credentials and names of home folders; it is cut between words, so that none is
    cut in two."""
    return without_homes(masked(shortened(text, limit))[0]).strip()


def without_commands(text: str) -> str:
    """`text` without what is run or filled in when a skill is read: with a sign in between, or one that looks alike."""
    return _FILLED_IN.sub("＄", _COMMAND.sub("!\\\\`", _FENCED_COMMAND.sub(r"\1", text)))


def inert(text: str) -> str:
    """`text` as `without_commands`, and without what may stand for a file or an argument, as words of no author do."""
    return _FILE.sub("\\\\@", _ARGUMENT.sub("＄", without_commands(text)))


def shortened(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, at the end of a word where one is near, with … for the rest."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:space] if space > limit * 3 // 4 else cut).rstrip() + "…"


def escaped(line: str) -> str:
    """A line of words such that Markdown shows it as it is and opens nothing; it has to stand in a block already."""
    line = inert(_INLINE.sub(_backslashed, clean_line(line).strip()))
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
    name = clean_line(name).replace("`", "ʼ").strip(" !")  # after a ! the last ` would begin a command
    return f"`{shortened(inert(name), limit) or '?'}`"


def one_line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, its blanks as single spaces, nothing escaped."""
    return shortened(clean_line(" ".join(text[: limit * 8].split())), limit)


def _backslashed(match: re.Match[str]) -> str:
    return "".join(f"\\{sign}" for sign in match.group())
