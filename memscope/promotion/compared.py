"""What of a text counts when it is compared with others: neither placeholders nor addresses do."""

from __future__ import annotations

import re

from memscope.promotion.addresses import without_addresses
from memscope.promotion.placeholders import without_placeholders

_BLANKS = re.compile(r"[ \t]{2,}")
_SAYS = re.compile(r"[^\W_]")


def compared(text: str) -> str:
    """`text` without what says nothing of what is asked; as it is where there is no such thing, and empty where there
    is nothing else."""
    bare = without_placeholders(without_addresses(text))
    if bare == text:
        return text
    return _BLANKS.sub(" ", bare).strip() if _SAYS.search(bare) else ""
