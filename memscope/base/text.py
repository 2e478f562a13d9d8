"""The border between untrusted text and a screen.

Transcripts are hostile: an escape sequence in a tool result can retitle a terminal, fill its clipboard or hide what it
shows. Everything that leaves the model for a table, a message, a title or an error passes through `clean` (several
lines) or `clean_line` (one); JSON passes through `json_text`, which loses nothing.
"""

from __future__ import annotations

import json
import re
import unicodedata

Span = tuple[int, int]
"""[start, end) of a text, in characters."""

# C0 but tab and newline, DEL, C1, soft hyphen, joiners and other zero-widths, bidirectional controls, line and
# paragraph separators, invisible operators, byte-order mark, annotation marks, invisible controls of shorthand and of
# music, surrogates, tags, supplementary variation selectors. The other variation selectors stay: emoji need them.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_ANY_UNSAFE = re.compile(f"[{_UNSAFE}]")
_LINE_UNSAFE = re.compile(f"[\t\n{_UNSAFE}]")


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␀ to ␟
    if code == 0x7F:
        return "␡"
    return f"‹{code:04X}›"


def _line_sign(match: re.Match[str]) -> str:
    char = match.group()
    return {"\n": "⏎", "\t": " "}.get(char) or _sign(match)


def clean(text: str) -> str:
    """`text` with every character that could act on a terminal, or hide in it, replaced by a visible sign.

    Newlines and tabs stay. CRLF counts as a newline. Cleaning twice changes nothing.
    """
    text = text.replace("\r\n", "\n")
    return _ANY_UNSAFE.sub(_sign, text) if _ANY_UNSAFE.search(text) else text


def clean_line(text: str) -> str:
    """`text` as `clean` leaves it, on one line: newlines shown as ⏎, tabs as a space."""
    text = text.replace("\r\n", "\n")
    return _LINE_UNSAFE.sub(_line_sign, text) if _LINE_UNSAFE.search(text) else text


def preview(text: str, limit: int = 60) -> str:
    """The opening words of `text`, on one clean line of at most `limit` characters."""
    line = clean_line(" ".join(text.lstrip()[: limit * 8].split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 scoring`, `3 scorings`, `2 memories`, `12,000 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def slug(text: str, limit: int = 40) -> str:
    """Lower-case letters and digits of any script joined by hyphens: the readable part of a made-up key."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    out = ""
    for word in words:
        if out and len(out) + 1 + len(word) > limit:
            break
        out = f"{out}-{word}" if out else word[:limit]
    return out


def byte_count(size: int) -> str:
    """A number of bytes for a person: 900 bytes, 12 kB, 1.2 MB."""
    if size < 1000:
        return f"{size} bytes" if size != 1 else "1 byte"
    value, unit = next(
        (size / 10**power, unit) for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")) if size >= 10**power
    )
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def character_count(number: int) -> str:
    """A number of characters for a person: 900 characters, 12k characters, 1.2M characters."""
    if number < 1000:
        return f"{number} characters" if number != 1 else "1 character"
    return f"{number / 1000:.0f}k characters" if number < 999_500 else f"{number / 1_000_000:.1f}M characters"


def clock(seconds: float) -> str:
    """0:07, 12:40, 3:05:00."""
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def json_text(value: object, *, indent: int | None = 2) -> str:
    """`value` as JSON that is safe to print: what `clean` would replace is written as an escape, nothing is lost.

    Raises ValueError for NaN and infinities: a document says null instead.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _ANY_UNSAFE.sub(_escape, text)
