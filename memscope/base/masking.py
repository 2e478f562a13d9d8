"""Words of transcripts without what nobody should pass on: credentials, and the names of home folders.

A skill is shared, and a prompt leaves the machine, so that this net is wider than `base.secrets`: whatever stands as
the value of something called a password or a token counts, and ordinary words are lost now and then. It is no proof
either. Every pattern is read in a time that grows with the text alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memscope.base.secrets import Credential, credentials

REMOVED = "[credential removed]"

_Span = tuple[int, int]


def masked(text: str, *, wide: bool = True) -> tuple[str, int]:
    """`text` with `REMOVED` in place of what looks like a credential, and how many there were. `wide`: where ordinary
    words may be lost."""
    pieces, at, count = [], 0, 0
    for start, end in _spans(text, wide):
        pieces += [text[at:start], REMOVED]
        at, count = end, count + 1
    return "".join([*pieces, text[at:]]), count


def without_homes(text: str) -> str:
    """`text` with ~ for the home folders of people, whose names they are."""
    return _HOME.sub("~", text)


def _spans(text: str, wide: bool) -> Iterator[_Span]:
    """Where credentials stand, in order; those that touch or overlap as one."""
    found = [(one.start, _end(text, one)) for one in credentials(text)]
    if wide:
        found += _wide(text)
    start = end = -1
    for begins, ends in sorted(found):
        if begins > end:
            if end >= 0:
                yield start, end
            start, end = begins, ends
        end = max(end, ends)
    if end >= 0:
        yield start, end


def _end(text: str, one: Credential) -> int:
    """Where a credential ends: of a private key only the beginning is looked at, but all of it is one."""
    if one.kind != "private key":
        return one.end
    rest = _KEY_REST.match(text, one.end)
    return rest.end() if rest is not None else one.end


def _wide(text: str) -> Iterator[_Span]:
    removed = [match.start() for match in _REMOVED.finditer(text)]
    folded = text.lower()
    for shape in _SHAPES:
        if not any(hint in folded for hint in shape.hints):
            continue
        for match in shape.pattern.finditer(text):
            start, end = match.span("value")
            place = bisect_right(removed, start) - 1
            if place >= 0 and start < removed[place] + len(REMOVED):
                continue  # it was masked before
            end -= len(match["value"]) - len(match["value"].rstrip(_ENDS))
            if start < end and shape.fits(text[start:end]):
                yield start, end


_KEY_REST = re.compile(r"[A-Za-z0-9+/=\s\\\"',]*(?:-----END [A-Z0-9 ]{1,60}-----)?")
_REMOVED = re.compile(re.escape(REMOVED))
_ENDS = ".,;:)]}>\\"  # of a sentence or an expression, behind a value

_HOME = re.compile(
    r"(?<![\w.~-])(?:/(?:var|usr|export))?/home/[^/\s\"'`<>|:;,()\[\]]{1,64}"
    r"|(?<![\w.~-])(?:/mnt/[a-z]|/[a-z])?/Users/[^/\s\"'`<>|:;,()\[\]]{1,64}"
    r"|(?<!\w)[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)"
    r"(?:[^\\/\s\"'`<>|:*?]{1,40} [^\\/\s\"'`<>|:*?]{1,40}(?=\\)|[^\\/\s\"'`<>|:*?]{1,64})",
    re.IGNORECASE,
)

# What stands where a credential would, and is none: nothing yet, a type, a word that goes on with the sentence.
_NO_VALUE = frozenset(
    """
    none null nil true false undefined str string int integer bytes bool boolean float any optional object text number
    required missing invalid expired wrong empty unset needed the this that these a an and or not is are was in from for
    to of with if you your it its my our we i as by on at no new same what which when how where must should can has have
    """.split()
)
_PLACE = re.compile(
    r"\$\{?\w+\}?|\$\(.*|%\w+%|<[^<>]*|\{[^{}]*|\*{3,}|x{3,}|\.{3,}|…|(?:os\.|process\.|self\.).*", re.I
)


def _is_value(value: str) -> bool:
    return value.casefold() not in _NO_VALUE and _PLACE.fullmatch(value) is None


def _is_mixed(value: str) -> bool:
    """Whether it is no word of a sentence: it has a digit or another sign, and no sign of an expression."""
    return _is_value(value) and any(not sign.isalpha() for sign in value.strip("\"'-_/.")) and value[-1:] != "("


def _is_key(value: str) -> bool:
    """Whether what is called some key is as long and as mixed as one."""
    return len(value) >= 8 and _is_mixed(value) and any(sign.isdigit() for sign in value)


_SECRET = (
    r"passwords?|passwd|passphrase|passcode|pwd|secret|credentials?|token|passwort|kennwort|mot de passe|contrase[nñ]a"
    r"|senha|пароль|密码|密碼|パスワード|auth[_-]?key|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key"
    r"|[_-]pass|[_-]pw|\bauthorization|\bpass(?=\s{0,3}=)"
)
# Between a name and its value: the rest of the name, a quote that ends it, the sign, a scheme.
_SIGN = r"\\?[\"'`]?\]?\s{0,3}(?::=|=>|[:=：＝])\s{0,3}(?:(?:bearer|basic|token|digest)\s{1,3})?"


@dataclass(frozen=True, slots=True)
class _Shape:
    """A place where credentials stand: one of the `hints`, in lower case, is in every text that has one. The group
    `value` of the pattern is the credential, where it `fits`."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    fits: Callable[[str], bool]


def _shapes() -> Iterator[_Shape]:
    def shape(hints: str, pattern: str, fits: Callable[[str], bool]) -> _Shape:
        return _Shape(tuple(hints.split()), re.compile(pattern, re.IGNORECASE), fits)

    named = "pass pw pwd secret credential token key kennwort mot contrase senha парол 密码 密碼 パスワード authoriz"
    quoted, bare = r"\\?(?P<quote>[\"'`])(?P<value>[^\n\"'`]{1,300})", r"(?P<value>[^\s\"'`]{1,300})"
    for value in (quoted, bare):
        yield shape(named, rf"(?:{_SECRET})(?:[_-]\w{{1,20}}|\d{{1,3}})?{_SIGN}{value}", _is_value)
        yield shape("key", rf"(?<=[a-z0-9_-])key{_SIGN}{value}", _is_key)
        yield shape(
            "pass pwd secret token key",
            rf"--?(?:[a-z]{{1,20}}-)?(?:password|passwd|passphrase|pass|pwd|secret|token|key)[ =]{value}",
            _is_value,
        )
    yield shape(
        "passw passphrase token secret",
        r"\b(?:password|passwd|passphrase|passwort|token|secret)[\"'`]?\s{1,3}(?:(?:is|was|to|as)\s{1,3})?[\"'`]?"
        rf"(?![=:(\[]){bare}",
        _is_mixed,
    )
    yield shape("bearer basic", r"\b(?:bearer|basic)\s{1,3}(?P<value>[\w.~+/=-]{8,300})", _is_mixed)
    yield shape("-u", rf"(?<!\S)(?:-u|--user|--proxy-user)[ =]{{0,3}}[\"']?[^\s:\"']{{1,100}}:{bare}", _is_value)
    yield shape("://", r"://[^\s/:@\"'<>]{0,100}:(?P<value>[^\s/@\"'<>]{1,200})@", _is_value)
    yield shape("mysql mariadb", rf"\b(?:mysql\w{{0,10}}|mariadb[\w-]{{0,10}})\b[^\n]{{0,200}}?\s-p{bare}", _is_value)
    yield shape("sshpass 7z zip", rf"\b(?:sshpass|7z|zip|unzip)\b[^\n]{{0,100}}?\s-[pP]\s{{0,3}}{bare}", _is_value)
    yield shape("login", rf"\blogin\b[^\n]{{0,200}}?\s-p\s{{0,3}}{bare}", _is_value)
    yield shape("redis-cli", rf"\bredis-cli\b[^\n]{{0,200}}?\s-a\s{{0,3}}{bare}", _is_value)
    yield shape("cookie:", r"\bcookie:\s{0,3}(?P<value>[^\s=;]{1,60}=[^\n\"']{1,1000})", _is_value)


_SHAPES = tuple(_shapes())
