"""Placeholders: what stands in a text for something that was taken out, or is still to be filled in.

Two texts are not alike because the same tool blanked them, so placeholders do not count when texts are compared.
"""

from __future__ import annotations

import re

_INSIDE = r"[^<>\[\](){}\n]"
_TAKEN = r"(?:removed|masked|hidden|omitted|scrubbed|saniti[sz]ed|anonymi[sz]ed|filtered|censored|placeholder)"
_KIND = (
    r"(?:e?mail|phone|name|user|person|address|ip|url|uri|link|host|token|key|secret|password|credential|path|file|dir"
    r"|directory|folder|id|uuid|date|time|number|org|organi[sz]ation|company|project|repo|branch|value|location|api|ssn"
    r"|card|account|customer|model|version|command)"
)
_KINDS = rf"(?:(?:your|the|my|some|a|an)[ _-])?{_KIND}(?:[ _-]?{_KIND}){{0,2}}[ _-]?\d{{0,4}}"

_PLACEHOLDER = re.compile(
    "|".join(
        (
            rf"[<\[({{]{{1,2}}{_INSIDE}{{0,40}}(?<![a-z])redacted(?![a-z]){_INSIDE}{{0,40}}[>\])}}]{{1,2}}",
            rf"[<\[]{{1,2}}(?:[\w-]{{1,20}}[ _-]){{0,2}}{_TAKEN}(?:[ _:-][\w-]{{1,20}}){{0,2}}[>\]]{{1,2}}",
            r"(?<![a-z0-9])redacted(?:[_-][a-z0-9]+)+|(?<![a-z0-9_-])(?:[a-z0-9]+[_-]){1,4}redacted(?![a-z0-9])",
            r"(?-i:\bREDACTED\b)",  # in small letters it is a word
            r"\$?\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{0,80}%\}|\$\{[^{}\n]{0,80}\}",
            r"(?-i:\$[A-Z][A-Z0-9_]+\b|%[A-Z][A-Z0-9_]+%|(?<!\w)__[A-Z][A-Z0-9_]*__(?!\w))",
            r"%\([a-z_]\w{0,40}\)[sdrf]",
            rf"\{{(?:{_KINDS}|[a-z0-9]+(?:_[a-z0-9]+)+)\}}",
            # A name in brackets: of a kind of thing, of several words, or in capitals. Not a type, a tag, a link.
            rf"(?<!\w)<(?:{_KINDS}|[a-z0-9]+(?:[ _-][a-z0-9]+)+|(?-i:[A-Z][A-Z0-9]+))>",
            rf"(?<!\w)\[{{1,2}}(?:{_KINDS}|(?-i:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+))\]{{1,2}}(?!\()",
            r"\*{3,}|(?<![a-z0-9])x{3,}(?:[-_.]x{3,})*(?![a-z0-9])|[█▇■●•]{3,}",
        )
    ),
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[ \t]{2,}")
_SAYS = re.compile(r"[^\W_]")


def without_placeholders(text: str) -> str:
    """`text` without its placeholders; as it is where there are none, and empty where nothing else says anything."""
    bare = _PLACEHOLDER.sub(" ", text)
    if bare == text:
        return text
    return _BLANKS.sub(" ", bare).strip() if _SAYS.search(bare) else ""
