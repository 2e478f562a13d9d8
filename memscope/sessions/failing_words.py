"""Words that say that something failed, and the line of a text that says it best."""

from __future__ import annotations

import re

WORDS = ("error", "failed", "cannot", "unable", "exception", "traceback", "rejected", "denied")
_ENDS = 2000  # characters at either end of a text that are looked at: errors open or close what a tool says

# A word of its own: no part of a name, a path, a call or a hyphenated word ("error.log", "on_error", "error-free").
# Nor one of the phrases that say something else.
_OTHER = {"error": r"(?! handl(?:er|ers|ing)\b)", "exception": r"(?! (?:handl(?:er|ers|ing)|of|to)\b)"}
_ANY = "|".join(word + _OTHER.get(word, "") for word in WORDS)
_WORD = re.compile(rf"(?<![\w./\\-])(?<!\bstandard )(?:{_ANY})(?![\w/\\(-])(?!\.\w)", re.IGNORECASE)
_MEND = r"(?:fix(?:e[sd])?|(?:re)?solve[sd]?)\b"
_ANOTHER = rf"(?:and|but|because|why|how|when|where|while|since|{_MEND})\b"  # clause
_BETWEEN = rf"""(?:[ \t]+(?!{_ANOTHER})[\w'’"`*-]+){{0,3}}?[ \t]+["'`*]*"""  # of the same clause
_NEGATED = re.compile(  # from the negation to the end of the word. "not found error" is one, "the fix failed" none
    rf"""(?: \b(?:no|never|without|nor|neither|none|nothing|zero|free[ ](?:of|from)) | (?<![\d.,])0
           | (?:\bnot|n['’]t)(?![ \t]+(?:found|exist|\w+ed(?:[ \t]+in)?)[ \t]+\w+$) )
         {_BETWEEN}(?!cannot|unable)\w+$
       | (?<!not[ ])(?<!never[ ])(?<!yet[ ])(?<!n['’]t[ ])\b{_MEND}
         (?: [ \t]+(?:the|an?|this|that|all|every|both|its|my|your|\d+)\b{_BETWEEN}\w+
           | (?:[ \t]+[\w-]+)?[ \t]+(?:error|exception|traceback) )$""",
    re.IGNORECASE | re.VERBOSE,
)
_NONE_OF_IT = re.compile(  # "failed: 0", "error": null, error = None
    r"""["'`*]*[ \t]*[:=][ \t]*
            (?: 0(?![\d.]) | (?:no|none|null|nil|false|n/a)[ \t]*(?:$|[.,;|)\]}]) | "" | '' | \[\] | \{\} )
        | [ \t]*[:=]?[ \t]*\(?(?:0|none)\)?[ \t]*(?:$|[,;|)\]}])
        | [ \t]+free\b
        | [ \t]+(?:is|was|are|were|has[ ]been|have[ ]been)(?:[ \t]+(?!not\b|never\b)\w+)?
          [ \t]+(?:fixed|resolved|solved|gone)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TAG = re.compile(r"</?[A-Za-z_]{1,40}>")


def failing_line(text: str) -> str:
    """The last line of `text`, at either end of it, that says that something failed, around that word; "" for none."""
    ends = [text] if len(text) <= 2 * _ENDS else [text[-_ENDS:], text[:_ENDS]]
    for end in ends:
        folded = end.lower()
        if not any(word in folded for word in WORDS):
            continue
        for line in reversed(end.splitlines()):
            for match in _WORD.finditer(line):
                if not is_negated(line, match.start(), match.end()):
                    return _around(line, match.start())
    return ""


def is_negated(line: str, start: int, end: int) -> bool:
    """Whether `line` says of the word in [start, end) that it did not happen."""
    return _NEGATED.search(line[max(0, start - 80) : end]) is not None or _NONE_OF_IT.match(line, end) is not None


def telling_line(text: str, otherwise: int = 0) -> str:
    """The line of a failure's `text` that says most: the last with one of the words in it, or as a part of one, such as
    `ValueError: ...`; else, of the lines that say anything, the one at the place `otherwise`. "" for none."""
    ends = text if len(text) <= 2 * _ENDS else f"{text[:_ENDS]}\n{text[-_ENDS:]}"
    lines = [line for line in (_TAG.sub("", line).strip() for line in ends.splitlines()) if line]
    folded = ((line, line.lower()) for line in reversed(lines))
    telling = (line for line, lower in folded if any(word in lower for word in WORDS))
    return next(telling, lines[otherwise] if lines else "")


def _around(line: str, place: int) -> str:
    """What stands around `place`, for lines can be as long as a file."""
    start = max(0, place - 60)
    return ("…" if start else "") + line[start : place + 300].strip()
