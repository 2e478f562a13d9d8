"""How alike texts are by their words."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]{3,}")

# Words that say nothing about what a text is on.
_COMMON = frozenset(
    """
    the and for are but not you all any can had has have her his how its may new now off one our out see she too two
    use was way who why will with from this that they them then than when what were your been each just like make
    more most much must only over said same some such take very well also into about after again could every first
    here other should since still their there these thing those through under until where which while would
    """.split()
)


def content_words(text: str) -> frozenset[str]:
    """The distinct words of `text` that carry meaning, case-folded: three letters or more, none of the commonest."""
    return frozenset(_WORD.findall(text.casefold())) - _COMMON
