"""Where a message of a pattern stands: its session, and the place in that, as a jump into a transcript takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memscope.base.text import preview
from memscope.sessions.facts import Evidence
from memscope.sessions.ranked import Place

if TYPE_CHECKING:
    from memscope.promotion.pattern import Member

_WORDS = 120  # characters


def place_of(member: Member) -> tuple[Place, Evidence] | None:
    """The session and the place of a message; None for one that came from no transcript. A plan stands nowhere in
    words: its place is the message alone."""
    if member.ref is None:
        return None
    source = member.ref.source
    words = preview(member.text, _WORDS) if member.kind == "request" else ""
    return Place(str(source.path), source.item), Evidence(source.window, member.ref.message, 0, words)
