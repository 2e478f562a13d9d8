"""How patterns stand: what is on disk counts, then what was decided, then what they have in common with others of which
something was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions import promotion_decisions as decisions
from memscope.actions.promotion_decisions import NOTHING, Said, left, name_given
from memscope.base.files import shown_path
from memscope.base.text import clean_line
from memscope.promotion import decided
from memscope.promotion.skill_file import default_name
from memscope.promotion.skills_found import existing
from memscope.reports.promotions import Standing, verdict_on

if TYPE_CHECKING:
    from memscope.promotion.decided import Decided, Outcome
    from memscope.promotion.pattern import Pattern
    from memscope.promotion.skills_found import Skill, Skills
    from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is of patterns at a time: what was said of each, and how each stands, by signature. `skills`: those
    that there are; `latest` grows with every decision, here or elsewhere."""

    said: Mapping[str, Said]
    standings: Mapping[str, Standing]
    skills: Skills
    latest: int

    def said_of(self, pattern: Pattern) -> Said:
        return self.said.get(pattern.signature, NOTHING)

    def skill_of(self, pattern: Pattern) -> Skill | None:
        """The skill that it is on disk, an accepted one first."""
        return next(iter(self.skills.of(pattern.signature)), None)


def look(patterns: Sequence[Pattern], skills: Path, database: Database | None) -> Looked:
    """How patterns stand. Raises `StoreError`, `UsageError` for a folder of skills that is none."""
    latest = decisions.latest(database) if database is not None else 0  # first: what comes meanwhile is read again
    there = existing(skills)
    said = decisions.said(database)
    known = list(_decided(said, there))
    standings = {
        pattern.signature: _standing(pattern, said.get(pattern.signature, NOTHING), known) for pattern in patterns
    }
    return Looked(said, standings, there, latest)


def known_words(pattern: Pattern, looked: Looked) -> tuple[str, ...]:
    """What a person should hear of a pattern before a skill is made of it, each a clean line: that it was rejected,
    what it has grown from, which skill is like it."""
    return tuple(_known(pattern, looked))


def _decided(said: Mapping[str, Said], skills: Skills) -> Iterable[Decided]:
    """The patterns that are skills, and those that were rejected."""
    on_disk = {skill.signature: skill for skill in (*skills.broken, *skills.skills) if skill.signature}
    for signature, skill in on_disk.items():
        own = said.get(signature, NOTHING)
        state: Outcome = "accepted" if not skill.is_draft else "rejected" if own.rejected else "draft"
        yield decided.read(signature, state, skill.name, own.about or {})
    for signature, one in said.items():
        if one.rejected and signature not in on_disk:
            yield decided.read(signature, "rejected", "", one.about or {})


def _standing(pattern: Pattern, said: Said, known: Sequence[Decided]) -> Standing:
    own = next((one for one in known if one.signature == pattern.signature), None)
    kinds = tuple(dict.fromkeys(kind for member in left(pattern, said.dropped) for kind in member.flags))
    standing = Standing("new", name_given(said) or default_name(pattern.signature), None, said.dropped, kinds)
    if own is not None:
        return replace(standing, state=own.state, name=own.name or standing.name, decided=own.name or None)
    if (grown := decided.grown_from(pattern, known)) is not None:
        return replace(standing, state="grown", decided=grown.name or grown.signature, was=grown.state)
    return standing


_WAS = {"draft": "is a draft", "accepted": "is a skill", "rejected": "was rejected"}


def _known(pattern: Pattern, looked: Looked) -> Iterator[str]:
    standing, near = looked.standings[pattern.signature], pattern.nearest_skill
    if standing.state == "rejected":
        yield "it was rejected before"
    if standing.was is not None:
        what = clean_line(standing.decided or "")
        yield f"it has grown from {what}, which {_WAS[standing.was]}"
    if near is None or all(str(skill.path) != near.path for skill in looked.skills.skills):  # it may be gone since
        return
    if (verdict := verdict_on(near.similarity)) is not None:
        how = "says the same" if verdict == "duplicate" else "is near it, and may be where this belongs"
        yield f"the skill {clean_line(near.name)} {how} (cosine {near.similarity:.2f}): {shown_path(Path(near.path))}"
