"""Text that looks like a credential: where it stands and what kind it is, never the text itself.

A net for what is about to leave the machine, not a proof. Known shapes of keys are found wherever they stand, and long
values under names such as `password` where they have the mixture of signs that made-up ones have. Placeholders are
none. Every pattern is read in a time that grows with the text alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credential:
    """Something at [start, end) of a text that looks like a credential of a `kind`, which is in words."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of credential: one of the `hints` stands in every text that holds one (lower-case where `folded`), and the
    last group of the pattern is the secret. `fits` has the last word."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    fits: Callable[[re.Match[str]], bool]
    folded: bool = False


def credentials(text: str) -> list[Credential]:
    """What looks like a credential in `text`, in order, of two at one place the more telling one."""
    found: list[Credential] = []  # in order, and none touches another
    folded = text.lower()
    for shape in _SHAPES:
        if not any(hint in (folded if shape.folded else text) for hint in shape.hints):
            continue
        for match in shape.pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            place = bisect_right(found, start, key=_start)
            is_free = (not place or found[place - 1].end <= start) and (
                place == len(found) or end <= found[place].start
            )
            if is_free and shape.fits(match):
                found.insert(place, Credential(shape.kind, start, end))
    return found


def _start(credential: Credential) -> int:
    return credential.start


_PLACEHOLDER = re.compile(
    r"""xxx|\*{3}|\.{3}|…|[<>{}$]|%[(s]|example|placeholder|redacted|removed|masked|hidden|dummy|sample|changeme
    |change[-_]?me|replace|insert|your|todo|fake|secret[-_]?here|key[-_]?here|not[-_]?a[-_]?real|1234567890?abc
    |abcdefgh|0123456789abcdef|deadbeef""",
    re.IGNORECASE | re.VERBOSE,
)
_WORDS = frozenset("password passwd pass secret token key user username admin root test guest postgres none".split())
_FEWEST = 7  # different signs in what somebody made at random


def _is_made_up(value: str) -> bool:
    """Whether it is no placeholder, and as mixed as what is made at random: digits and letters, not always the same."""
    return (
        len(set(value)) >= min(_FEWEST, len(value) - 1)
        and any(sign.isdigit() for sign in value)
        and any(sign.isalpha() for sign in value)
        and not _PLACEHOLDER.search(value)
    )


def _is_real(match: re.Match[str]) -> bool:
    """Of shapes that nothing but such a key has."""
    value = match[match.lastindex or 0]
    return len(set(value)) >= _FEWEST and not _PLACEHOLDER.search(value)


def _is_random(match: re.Match[str]) -> bool:
    return _is_made_up(match[match.lastindex or 0])


def _is_value(match: re.Match[str]) -> bool:
    """A value under a telling name: in quotes, or long; no path, address or expression."""
    value = match[match.lastindex or 0]
    if not match["quote"] and (len(value) < _UNQUOTED or "." in value or "[" in value):
        return False
    return not value.startswith(("/", "./", "~", "@", "#")) and "://" not in value and _is_made_up(value)


def _is_login(match: re.Match[str]) -> bool:
    user, password = match["user"], match["password"]
    known = password.casefold() in _WORDS or password == user
    return not known and not password.isdigit() and not _PLACEHOLDER.search(password)


_UNQUOTED = 16  # characters of a value that is in no quotes
_NAMES = (
    r"password|passwd|passphrase|secret|credential|api[-_]?key|apikey|access[-_]?key|secret[-_]?key|private[-_]?key"
    r"|(?:auth|access|refresh|bearer|api|session|client|secret|security)[-_]?token"
)


def _shapes() -> Iterator[_Shape]:
    # What may stand in front is never a sign that the key itself may hold, so that a run of those is tried once.
    def token(kind: str, hints: str, pattern: str, fits: Callable[[re.Match[str]], bool] = _is_real) -> _Shape:
        return _Shape(kind, tuple(hints.split()), re.compile(pattern), fits)

    yield token(
        "private key",
        "PRIVATE",
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]){1,8}"
        r"(?:[A-Z][A-Za-z-]{1,30}: [^\n\\]{1,100}(?:\s|\\[nr]){1,8}){0,4}[A-Za-z0-9+/=]{30,}",
    )
    yield token(
        "AWS access key", "AKIA ASIA ABIA ACCA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"
    )
    yield token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}")
    yield token("GitHub token", "github_pat_", r"(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9_]{50,}")
    yield token("GitLab token", "gl", r"(?<![\w-])gl(?:pat|dt|rt|ptt|soat|cbt|ft|imt|agent|oas)-[\w-]{20,}", _is_random)
    yield token("Slack token", "xox", r"(?<![\w-])xox[abceoprs]-[A-Za-z0-9-]{20,}", _is_random)
    yield token("Slack token", "xapp-", r"(?<![\w-])xapp-\d-[A-Za-z0-9-]{20,}")
    yield token("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/(T\w{6,20}/B\w{6,20}/\w{20,40})")
    yield token("Anthropic key", "sk-ant-", r"(?<![\w-])sk-ant-[\w-]{20,}", _is_random)
    yield token("OpenAI key", "sk-", r"(?<![\w-])sk-[\w-]{20,}", _is_random)
    yield token("Google API key", "AIza", r"(?<![\w-])AIza[\w-]{35}(?![\w-])")
    yield token("Google OAuth token", "ya29.", r"(?<![\w-])ya29\.[\w-]{30,}")
    yield token("Google OAuth secret", "GOCSPX-", r"(?<![\w-])GOCSPX-[\w-]{20,}")
    yield token("Stripe key", "_live_ _test_", r"(?<![A-Za-z0-9_])[sr]k_(?:live|test)_[A-Za-z0-9]{16,}")
    yield token("webhook secret", "whsec_", r"(?<![A-Za-z0-9_])whsec_[A-Za-z0-9+/]{24,}")
    yield token("npm token", "npm_", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])")
    yield token("PyPI token", "pypi-", r"(?<![\w-])pypi-[\w-]{50,}")
    yield token("Hugging Face token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}")
    yield token("SendGrid key", "SG.", r"(?<![\w-])SG\.[\w-]{20,24}\.[\w-]{39,50}")
    yield token("DigitalOcean token", "_v1_", r"(?<![A-Za-z0-9_])do[opr]_v1_[a-f0-9]{64}")
    yield token("JSON web token", "eyJ", r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
    yield _Shape(
        "authorization header",
        ("bearer", "authorization"),
        re.compile(
            r"(?:\bbearer|authorization[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?:basic|token))\s{1,2}([\w.~+/=-]{20,})",
            re.IGNORECASE,
        ),
        _is_random,
        folded=True,
    )
    yield _Shape(
        "password in an address",
        ("://",),
        re.compile(
            r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s/:@?#\"'<>]{0,100}):"
            r"(?P<password>[^\s/:@\"'<>]{3,200})@(?=[\w\[])",
            re.IGNORECASE,
        ),
        _is_login,
    )
    yield _Shape(
        "secret value",
        ("pass", "secret", "credential", "key", "token"),
        re.compile(
            rf"(?:{_NAMES})\\?[\"'`]?\]?\s{{0,3}}(?::=|=>|[:=])\s{{0,3}}(?P<quote>\\?[\"'`])?"
            r"(?P<value>[^\s\"'`,;()\\]{8,300})",
            re.IGNORECASE,
        ),
        _is_value,
        folded=True,
    )


_SHAPES = tuple(_shapes())
