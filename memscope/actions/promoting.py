"""From a pattern to a skill: the draft, and what a person does with it. Each step is in the journal, and can be undone.

A draft is first written to _drafts below the folder of the skills, which Claude Code does not read; accepting moves it
among the skills. What somebody has changed by hand is never overwritten, moved over or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import promotion_decisions as decisions
from memscope.actions.promotion_decisions import NOTHING, Said, left, name_given, name_of
from memscope.base.clock import now
from memscope.base.errors import MemscopeError, UsageError
from memscope.promotion import decided, skills_folder
from memscope.promotion.draft import MemberFlag, Origin, member_flags, metadata, template
from memscope.promotion.injection import Flag, flags
from memscope.promotion.skill_checks import check, name_problem
from memscope.promotion.skill_file import LARGEST, MADE_AT, SKILL_FILE, Finding, SkillFile, written
from memscope.promotion.skill_reading import read
from memscope.promotion.skills_found import DRAFTS, existing, skills_root

if TYPE_CHECKING:
    from memscope.actions.promotion_decisions import MemberName, Verdict
    from memscope.actions.promotion_standing import Looked
    from memscope.promotion.pattern import Member, Pattern
    from memscope.promotion.skills_folder import Placed
    from memscope.promotion.skills_found import Skill
    from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Draft:
    """A SKILL.md as it would be written: its `text`, and what is wrong with it. `skill`: None where a text of one's own
    cannot be read. `flagged`: what reads like an instruction to override, or to hide, in the members that were not
    dropped (by their place among all), and `marks` the same of the text itself. `is_own`: somebody wrote it, or a chat
    model did."""

    skill: SkillFile | None
    text: str
    findings: tuple[Finding, ...]
    flagged: tuple[MemberFlag, ...]
    marks: tuple[Flag, ...]
    is_own: bool

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def flags(self) -> tuple[str, ...]:
        """The kinds of `marks`, in words."""
        return tuple(dict.fromkeys(mark.kind for mark in self.marks))


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
    flagged = _flagged(pattern, said.dropped)
    if not said.text:
        skill = template(origin, said.name)
        return _draft(skill, tuple(check(skill)), flagged, is_own=False)
    found = read(said.text)
    if found.skill is None:
        return Draft(None, said.text, found.findings, flagged, tuple(flags(said.text)), is_own=True)
    name = name_given(said)
    skill = replace(found.skill, name=name, metadata={**found.skill.metadata, **metadata(origin)})
    other = read(written(skill)).findings
    lost = (one for one in found.errors if one.field != "name" and one not in other)  # what writing would leave out
    return _draft(skill, (*lost, *other), flagged, is_own=True)


def as_it_is(pattern: Pattern, looked: Looked) -> Draft:
    """The skill that a pattern is already, as somebody may have edited it on disk; the draft where it is none yet.
    Raises as those two do."""
    there, said = looked.skill_of(pattern), looked.said_of(pattern)
    return on_disk(pattern, there, said.dropped) if there is not None else draft_of(pattern, said)


def flags_before(pattern: Pattern, looked: Looked) -> tuple[str, ...]:
    """What a person should look at in the draft before it is accepted, in words: as it is on disk, or would be written.
    Nothing of a skill that is accepted already. Raises as `as_it_is` does."""
    there = looked.skill_of(pattern)
    return () if there is not None and not there.is_draft else as_it_is(pattern, looked).flags


def on_disk(pattern: Pattern, skill: Skill, dropped: frozenset[MemberName] = frozenset()) -> Draft:
    """The skill that a pattern is, as its file has it. `dropped`: members it was made without. Raises `MemscopeError`
    where that cannot be read."""
    path = skill.path
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise MemscopeError(f"it cannot be read ({error.strerror or error})", where=path) from error
    found, text = read(data, path.parent.name), data.decode("utf-8", "replace")
    return Draft(found.skill, text, found.findings, _flagged(pattern, dropped), tuple(flags(text)), is_own=True)


def places(skills: Path, name: str) -> tuple[Path, Path]:
    """Where the draft of a skill of this name is written, and where that is once it is accepted."""
    return skills / DRAFTS / name / SKILL_FILE, skills / name / SKILL_FILE


def _draft(skill: SkillFile, findings: tuple[Finding, ...], flagged: tuple[MemberFlag, ...], *, is_own: bool) -> Draft:
    text = written(skill)
    return Draft(skill, text, findings, flagged, tuple(flags(text)), is_own)


def _flagged(pattern: Pattern, dropped: frozenset[MemberName]) -> tuple[MemberFlag, ...]:
    found = member_flags(pattern.members)
    return tuple(one for one in found if name_of(pattern.members[one.member]) not in dropped)


# What is decided.


def rename(database: Database, pattern: Pattern, name: str) -> None:
    """Gives the skill of a pattern another name; "" for the one it has by default. Raises `UsageError` for a name that
    no skill can have, `StoreError`."""
    check_name(name)
    decisions.decide(database, pattern.signature, "name", {"name": name})


def check_name(name: str) -> None:
    """Raises `UsageError` for a name that no skill can have; "" stands for the one it has by default."""
    if name and (problem := name_problem(name)):
        raise UsageError(f"the name {problem}", do="Use up to 64 of a-z, 0-9 and single hyphens between them.")


def rewrite(database: Database, pattern: Pattern, text: str, name: str | None = None) -> None:
    """Puts a text in place of the draft that is made from the members, "" for that again; with it the `name` of the
    skill, in the same step, where that is another. Raises `UsageError` for a name that no skill can have, `StoreError`.
    """
    check_name(name or "")
    decisions.decide(database, pattern.signature, "text", {"text": text} | ({} if name is None else {"name": name}))


def drop(database: Database, pattern: Pattern, members: Sequence[Member], *, back: bool = False) -> None:
    """Leaves members out of the skill, or takes them `back`. Raises `StoreError`."""
    names = [list(name_of(member)) for member in members]
    decisions.decide(database, pattern.signature, "keep" if back else "drop", {"members": names})


def reject(database: Database, pattern: Pattern) -> None:
    """Remembers that a pattern is to be no skill: it is not offered again, nor what grows from it. Raises
    `StoreError`."""
    decisions.decide(database, pattern.signature, "reject", decided.told(pattern))


def check_draft(pattern: Pattern, said: Said, skills: Path) -> SkillFile:
    """The skill that would be written for a pattern that has none. Raises `UsageError` where that is no skill, or its
    name is taken."""
    draft = draft_of(pattern, said)
    if draft.skill is None or draft.errors:
        error = draft.errors[0]
        do = "Give it another name." if error.field == "name" else f"Change its {error.field or 'text'}."
        raise UsageError(f"the draft is no skill yet: {error}", do=do)
    skills_folder.check_place(skills, draft.skill.name)
    return draft.skill


def write_draft(database: Database, pattern: Pattern, said: Said, skills: Path) -> Placed:
    """Writes the draft below the folder of the skills; where the pattern has a skill already, wherever that is, it is
    left as it is. Raises `UsageError` for a draft that is no skill or a name that is taken, `MemscopeError` of the
    disk, `StoreError`."""
    if there := existing(skills).of(pattern.signature):
        done = skills_folder.Placed(there[0].path, there[0].digest, False)
        if not decisions.in_force(database, pattern.signature) & {"draft", "accept"}:
            digest = _as_written(pattern, said, there[0]) if there[0].is_draft else None
            _keep(database, pattern, skills, done, digest=digest)
        return done
    done = skills_folder.write_draft(skills, check_draft(pattern, said, skills), pattern.signature)
    if done.is_new:
        _keep(database, pattern, skills, done, digest=done.digest)
    return done


def accept(database: Database, pattern: Pattern, said: Said, skills: Path) -> Placed:
    """Moves the draft among the skills, as it is on disk; where there is none, writes it first. Errors as
    `write_draft`."""
    write_draft(database, pattern, said, skills)
    done = skills_folder.accept(skills, pattern.signature)
    if done.is_new or "accept" not in decisions.in_force(database, pattern.signature):
        _keep(database, pattern, skills, done)
    return done


def _keep(database: Database, pattern: Pattern, skills: Path, done: Placed, *, digest: str | None = None) -> None:
    """Tells the journal of a draft with this `digest`, or of what was accepted (None). Of what is on disk without its
    being told, too: whoever wrote that was killed before, or did it elsewhere."""
    place = {"folder": str(skills_root(skills)), "path": str(done.path)}
    more = {} if digest is None else {"digest": digest}
    verdict: Verdict = "accept" if digest is None else "draft"
    decisions.decide(database, pattern.signature, verdict, {**decided.told(pattern), **place, **more})


def _as_written(pattern: Pattern, said: Said, skill: Skill) -> str:
    """The digest of a draft on disk that is, but for the time, what would be written now; "" of what somebody may have
    written by hand: an undo leaves that alone."""
    members, there = left(pattern, said.dropped), on_disk(pattern, skill)
    own = draft_of(pattern, said).skill if members else None
    if own is None or there.skill is None:
        return ""
    metadata = {**own.metadata, MADE_AT: there.skill.metadata.get(MADE_AT, "")}
    return skill.digest if written(replace(own, metadata=metadata)) == there.text else ""


class Undone(NamedTuple):
    """A step that was taken back: of which pattern, and `what` it was in words. `stays`: the skill that was left where
    it is, because somebody has moved or changed it, and `why` in words; None where nothing was."""

    signature: str
    what: str
    stays: Path | None = None
    why: str = ""


def undo(database: Database, signatures: Iterable[str] | None = None) -> Undone | None:
    """Takes back the latest step on any of these patterns (None: any at all), on disk too, unless somebody has moved
    or changed the file since: that stays, and only the journal's entry is undone. None: there is nothing to undo.
    Raises `StoreError`, `MemscopeError` of the disk; the step stays then."""
    step = decisions.latest_step(database, signatures)
    if step is None:
        return None
    done = Undone(step.subject, _WORDS.get(step.verdict, "a decision"))
    folder, path, digest = (str(step.payload.get(name, "")) for name in ("folder", "path", "digest"))
    # Without any skill of the pattern, it was removed by hand, and there is nothing to take back.
    if step.verdict in ("draft", "accept") and (there := existing(Path(folder)).of(step.subject)):
        try:
            if step.verdict == "draft":
                skills_folder.retract(Path(folder), Path(path), digest)
            else:
                skills_folder.unaccept(Path(folder), Path(path))
        except skills_folder.TouchedError as error:
            done = done._replace(stays=there[0].path, why=error.what)
    decisions.undo_latest(database, step.subject)
    return done


_WORDS = {
    "draft": "the draft",
    "accept": "accepting it",
    "reject": "rejecting it",
    "name": "the name",
    "text": "the text of the draft",
    "drop": "dropping a message",
    "keep": "taking a message back",
}
