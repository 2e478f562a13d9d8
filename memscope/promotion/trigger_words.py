"""The words by which a request is known: those that most of its wordings use, and that say what it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from memscope.base.masking import REMOVED
from memscope.base.similar import content_words

_LONGEST = 30  # characters of a word
_STEM = 4  # letters that two forms of a word have in common at least

# Addresses, paths, names of repositories and what was masked: their parts are words of nobody's.
_NO_WORDS = re.compile(
    rf"{re.escape(REMOVED)}|\b[a-z][a-z0-9+.-]{{1,20}}://\S+|\bwww\.\S+|(?<!\S)[^\s@]*+@\S++"
    r"|(?<![\w.~-])(?:[\w.~-]*+/)++[\w.-]*+(?:#\d+)?",
    re.IGNORECASE,
)

# Words of any request, whatever it asks for.
_STOP = frozenset(
    """
    let lets please can could would should tell know want wants need needs help helping start starting look looking see
    seeing use used using make making get getting give giving take taking try trying put going come say show does doing
    done did work works working thing things way something anything everything someone maybe really currently current
    here within without around sure okay thanks thank hello hey yes also still already actually now new good better best
    able via per etc own first then next last one two three lot bit don doesn isn aren wasn won ain didn haven hasn
    """.split()
)


def trigger_words(texts: Sequence[str], most: int) -> list[str]:
    """Up to `most` words that at least half of the texts use, and two of them where there are two: the commonest first,
    of equals in the order of the first text; of several forms of one word only the first. Words with digits are left
    out: they may be parts of names and keys."""
    counts = Counter(word for text in texts for word in content_words(_NO_WORDS.sub(" ", text)) if _says_much(word))
    order = texts[0].casefold()

    def rank(word: str) -> tuple[int, int, str]:
        place = order.find(word)
        return -counts[word], place if place >= 0 else len(order), word

    enough = max(min(2, len(texts)), (len(texts) + 1) // 2)
    found: list[str] = []
    for word in sorted((word for word, count in counts.items() if count >= enough), key=rank):
        if not any(_is_form(word, other) for other in found):
            found.append(word)
    return found[:most]


def _says_much(word: str) -> bool:
    return len(word) <= _LONGEST and word not in _STOP and not any(sign.isdigit() for sign in word)


def _is_form(word: str, other: str) -> bool:
    """Whether two words are forms of one: `repo` and `repository`, `solve` and `solving`."""
    shorter, longer = sorted((word, other), key=len)
    alike = next((n for n, sign in enumerate(shorter) if sign != longer[n]), len(shorter))
    return alike >= max(_STEM, len(shorter) - 1)
