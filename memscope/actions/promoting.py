"""From a pattern to a skill: the draft, and what a person does with it. Each step is in the journal, and can be undone.

A draft is first written below the folder of the skills, where no agent reads it; accepting moves it among the skills.
What somebody has changed by hand is never overwritten, moved over or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions import promotion_decisions as decisions
from memscope.actions.promotion_decisions import NOTHING, MemberName, Said, name_of
from memscope.base.clock import now
from memscope.base.errors import MemscopeError, UsageError
from memscope.promotion import decided, skills_folder
from memscope.promotion.draft import MemberFlag, Origin, member_flags, metadata, template
from memscope.promotion.injection import flags
from memscope.promotion.skill_checks import check, name_problem
from memscope.promotion.skill_file import LARGEST, Finding, SkillFile, default_name, written
from memscope.promotion.skill_reading import read
from memscope.promotion.skills_found import existing, skills_root
from memscope.reports.promotions import Standing

if TYPE_CHECKING:
    from memscope.promotion.decided import Decided, Outcome
    from memscope.promotion.pattern import Member, Pattern
    from memscope.promotion.skills_folder import Placed
    from memscope.promotion.skills_found import Skill, Skills
    from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Draft:
    """A SKILL.md as it would be written: its `text`, and what is wrong with it. `skill`: None where a text of one's own
    cannot be read. `flagged`: what reads like an instruction to override, or to hide, in the members (by their place
    among all), and `flags` the same of the text itself, in words. `is_own`: somebody wrote it, or a chat model did."""

    skill: SkillFile | None
    text: str
    findings: tuple[Finding, ...]
    flagged: tuple[MemberFlag, ...]
    flags: tuple[str, ...]
    is_own: bool

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


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


def look(patterns: Sequence[Pattern], skills: Path, database: Database | None) -> Looked:
    """How patterns stand: what is on disk counts, then what was decided. Raises `StoreError`, `UsageError` for a folder
    of skills that is none."""
    latest = decisions.latest(database) if database is not None else 0  # first: what comes meanwhile is read again
    there = existing(skills)
    said = decisions.said(database)
    known = list(_decided(said, there))
    standings = {
        pattern.signature: _standing(pattern, said.get(pattern.signature, NOTHING), known) for pattern in patterns
    }
    return Looked(said, standings, there, latest)


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
    standing = Standing("new", said.name or default_name(pattern.signature), None, said.dropped, kinds)
    if own is not None:
        return replace(standing, state=own.state, name=own.name or standing.name, decided=own.name or None)
    if (grown := decided.grown_from(pattern, known)) is not None:
        return replace(standing, state="grown", decided=grown.name or grown.signature)
    return standing


def left(pattern: Pattern, dropped: frozenset[MemberName]) -> list[Member]:
    """The members of a pattern that were not dropped, the closest first."""
    return [member for member in pattern.members if name_of(member) not in dropped]


# The draft.


def origin_of(pattern: Pattern, said: Said) -> Origin:
    """What a skill is made of. Raises `UsageError` where all members were dropped."""
    members = left(pattern, said.dropped)
    if not members:
        raise UsageError("all messages of this pattern were dropped", do="Take one back first.")
    sessions = len({member.session_id for member in members}) if said.dropped else len(pattern.sessions)
    return Origin(pattern.signature, members, pattern.size - len(said.dropped), sessions, now())


def draft_of(pattern: Pattern, said: Said = NOTHING) -> Draft:
    """The draft as it is now: of the members that are left, or the text that was written in its place, with the name
    that was given to it; its metadata are always ours. Errors as `origin_of`."""
    origin = origin_of(pattern, said)
    flagged = tuple(member_flags(pattern.members))
    if not said.text:
        skill = template(origin, said.name)
        return _draft(skill, tuple(check(skill)), flagged, is_own=False)
    found = read(said.text)
    if found.skill is None:
        return Draft(None, said.text, found.findings, flagged, _kinds(said.text), is_own=True)
    name = said.name or found.skill.name
    skill = replace(found.skill, name=name, metadata={**found.skill.metadata, **metadata(origin)})
    other = read(written(skill)).findings
    lost = (one for one in found.errors if one.field != "name" and one not in other)  # what writing would leave out
    return _draft(skill, (*lost, *other), flagged, is_own=True)


def as_it_is(pattern: Pattern, looked: Looked) -> Draft:
    """The skill that a pattern is already, as somebody may have edited it on disk; the draft where it is none yet.
    Raises as those two do."""
    there = looked.skills.of(pattern.signature)
    return on_disk(pattern, there[0]) if there else draft_of(pattern, looked.said_of(pattern))


def on_disk(pattern: Pattern, skill: Skill) -> Draft:
    """The skill that a pattern is, as its file has it. Raises `MemscopeError` where that cannot be read."""
    path = skill.path
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise MemscopeError(f"it cannot be read ({error.strerror or error})", where=path) from error
    found, text = read(data, path.parent.name), data.decode("utf-8", "replace")
    return Draft(found.skill, text, found.findings, tuple(member_flags(pattern.members)), _kinds(text), is_own=True)


def _draft(skill: SkillFile, findings: tuple[Finding, ...], flagged: tuple[MemberFlag, ...], *, is_own: bool) -> Draft:
    text = written(skill)
    return Draft(skill, text, findings, flagged, _kinds(text), is_own)


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag.kind for flag in flags(text)))


# What is decided.


def rename(database: Database, pattern: Pattern, name: str) -> None:
    """Gives the skill of a pattern another name; "" for the one it has by default. Raises `UsageError` for a name that
    no skill can have, `StoreError`."""
    if name and (problem := name_problem(name)):
        raise UsageError(f"the name {problem}", do="Use up to 64 of a-z, 0-9 and single hyphens between them.")
    decisions.decide(database, pattern.signature, "name", {"name": name})


def rewrite(database: Database, pattern: Pattern, text: str) -> None:
    """Puts a text in place of the draft that is made from the members; "" for that again. Raises `StoreError`."""
    decisions.decide(database, pattern.signature, "text", {"text": text})


def drop(database: Database, pattern: Pattern, members: Sequence[Member], *, back: bool = False) -> None:
    """Leaves members out of the skill, or takes them `back`. Raises `StoreError`."""
    names = [list(name_of(member)) for member in members]
    decisions.decide(database, pattern.signature, "keep" if back else "drop", {"members": names})


def reject(database: Database, pattern: Pattern) -> None:
    """Remembers that a pattern is to be no skill: it is not offered again, nor what grows from it. Raises
    `StoreError`."""
    decisions.decide(database, pattern.signature, "reject", decided.told(pattern))


def write_draft(database: Database, pattern: Pattern, said: Said, skills: Path) -> Placed:
    """Writes the draft below the folder of the skills; where the pattern has a skill already, wherever that is, it is
    left as it is. Raises `UsageError` for a draft that is no skill or a name that is taken, `MemscopeError` of the
    disk, `StoreError`."""
    if there := existing(skills).of(pattern.signature):
        return skills_folder.Placed(there[0].path, there[0].digest, False)
    draft = draft_of(pattern, said)
    if draft.skill is None or draft.errors:
        raise UsageError(f"the draft is no skill yet: {draft.errors[0]}", do="Change its name or its text.")
    done = skills_folder.write_draft(skills, draft.skill, pattern.signature)
    if done.is_new:
        place = {"folder": str(skills_root(skills)), "path": str(done.path), "digest": done.digest}
        decisions.decide(database, pattern.signature, "draft", {**decided.told(pattern), **place})
    return done


def accept(database: Database, pattern: Pattern, said: Said, skills: Path) -> Placed:
    """Moves the draft among the skills, as it is on disk; where there is none, writes it first. Errors as
    `write_draft`."""
    write_draft(database, pattern, said, skills)
    done = skills_folder.accept(skills, pattern.signature)
    if done.is_new:
        place = {"folder": str(skills_root(skills)), "path": str(done.path)}
        decisions.decide(database, pattern.signature, "accept", {**decided.told(pattern), **place})
    return done


def undo(database: Database, signatures: Iterable[str] | None = None) -> tuple[str, str] | None:
    """Takes back the latest step on any of these patterns (None: any at all), on disk too: the signature, and what it
    was in words. None: there is nothing to undo. Raises `UsageError` where a file was changed since, which stays, and
    the step with it; `StoreError`, `MemscopeError` of the disk."""
    step = decisions.latest_step(database, signatures)
    if step is None:
        return None
    folder, path, digest = (str(step.payload.get(name, "")) for name in ("folder", "path", "digest"))
    if step.verdict in ("draft", "accept") and not existing(Path(folder)).of(step.subject):
        pass  # it was removed by hand, so that there is nothing to take back
    elif step.verdict == "draft":
        skills_folder.retract(Path(folder), Path(path), digest)
    elif step.verdict == "accept":
        skills_folder.unaccept(Path(folder), Path(path))
    decisions.undo_latest(database, step.subject)
    return step.subject, _WORDS.get(step.verdict, "a decision")


_WORDS = {
    "draft": "the draft",
    "accept": "accepting it",
    "reject": "rejecting it",
    "name": "the name",
    "text": "the text of the draft",
    "drop": "dropping a message",
    "keep": "taking a message back",
}
