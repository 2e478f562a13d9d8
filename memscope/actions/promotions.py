"""Finding what recurs: messages are gathered, embedded and grouped, and the candidates among the groups are kept.

Nothing is sent anywhere unless the settings name a server that embeds, and nothing is written but to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memscope.actions.embedder import open_embedder, what_is_sent
from memscope.actions.promotion_rows import KINDS, gather
from memscope.base.errors import StoreError, UsageError
from memscope.promotion.kinds import clustered_by_kind, stabilities_by_kind
from memscope.promotion.model import Grouping, Method, RowKind, Skipped
from memscope.promotion.pattern import NearestSkill, Pattern, decoded, encoded, pattern_of
from memscope.promotion.repeats import without_repeats
from memscope.promotion.skill_file import embedded_text
from memscope.promotion.skills_found import existing
from memscope.promotion.vectors import units
from memscope.store.candidates import Candidates
from memscope.store.database import Database

if TYPE_CHECKING:
    from memscope.actions.promotion_rows import Gathered
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.promotion.model import Candidate, Vector, Vectors
    from memscope.promotion.skills_found import Skill

Store = Database
"""What candidates, vectors and decisions are kept in."""

OWN_VECTORS = 0.85  # the threshold of vectors that rows brought: what is usual for embeddings of what texts mean
_FEWEST = 6  # signs of a signature that name it
_AMBIGUOUS = 5  # that are listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, and where: `inputs` are files and folders, none for the folders of the agents. Of transcripts
    messages of these `kinds`. `threshold`: None for that of the embedder. `embed`: also rows that brought a vector.
    `stability`: whether that is looked at too. `skills`: the folder of the skills that there are."""

    inputs: tuple[Path, ...] = ()
    kinds: tuple[RowKind, ...] = KINDS
    method: Method = "stable"
    threshold: float | None = None
    min_occurrences: int = 3
    min_sessions: int = 2
    classic: bool = False
    embed: bool = False
    stability: bool = True
    skills: Path = field(default_factory=Path)
    input_format: str = ""


class Unread(NamedTuple):
    """A file that could not be read, or a line of it (0: all of it), and why."""

    source: str
    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the `patterns` in their order among `rows` messages of so many `sessions`, in `clusters` of which
    most are none. `space`: the name of the embedder, None where the rows brought their vectors. `left_out` counts
    messages, or sessions, by the reason. `complete`: stability is known, where it was asked for. `trouble`: why not all
    of it was kept, "" where it was."""

    grouping: Grouping
    patterns: tuple[Pattern, ...]
    rows: int
    sessions: int
    clusters: int
    skipped: Skipped
    left_out: Mapping[str, int]
    unread: Sequence[Unread]
    space: str | None
    lexical: bool
    complete: bool = True
    trouble: str = ""


def find(
    wanted: Wanted,
    settings: Settings,
    database: Database | None,
    job: Job,
    show: Callable[[Found], object] = lambda found: None,
    *,
    sending: Callable[[str], object] = lambda sent: None,
) -> Found:
    """Finds the patterns. `show` is told of them, in this thread, before their stability is looked at; `sending`, what
    is sent and where to, before it is. Raises `UsageError`, `SourceError` for what cannot be done, `EngineError` where
    an embedder fails, `Cancelled`."""
    skills = existing(wanted.skills).skills  # first: a folder that is none is known before anything is read
    gathered = gather(wanted.inputs, settings, database, job, kinds=wanted.kinds, input_format=wanted.input_format)
    if not wanted.classic:
        gathered = _once(gathered)
    space = _embedded(gathered, skills, wanted, settings=settings, database=database, job=job, sending=sending)
    how = Grouping(
        "greedy" if wanted.classic else wanted.method,
        space.threshold if wanted.threshold is None else wanted.threshold,
        wanted.min_occurrences,
        wanted.min_sessions,
        wanted.classic,
    )
    groups = clustered_by_kind(gathered.rows, space.vectors, how, job)
    candidates = groups.grouped.candidates
    near = _nearest(candidates, skills, space.skills)
    found = Found(
        grouping=how,
        patterns=tuple(
            pattern_of(candidate, gathered.rows, space.vectors, space.name or "", skill)
            for candidate, skill in zip(candidates, near, strict=True)
        ),
        rows=len(gathered.rows),
        sessions=gathered.sessions,
        clusters=groups.grouped.clusters,
        skipped=groups.grouped.skipped,
        left_out=gathered.left_out._asdict(),
        unread=_unread(gathered),
        space=space.name,
        lexical=space.lexical,
        trouble=gathered.trouble or space.trouble,
    )
    if wanted.stability and groups.has_stability:
        show(_kept(replace(found, complete=False), database))
        shares = stabilities_by_kind(groups, job)
        steady = [replace(one, stability=share) for one, share in zip(found.patterns, shares, strict=True)]
        found = replace(found, patterns=tuple(steady))
    return _kept(found, database)


def known_pattern(signature: str, database: Database | None) -> Pattern:
    """The pattern, found before, whose signature begins so. Raises `UsageError` where there is none, or a choice."""
    begun = _begun(signature)
    kept = Candidates(database).beginning(begun) if database is not None and begun.isascii() else {}
    patterns = [pattern for name, text in kept.items() if (pattern := decoded(name, text)) is not None]
    if not patterns:
        do = "`memscope promotions` finds those that there are, and keeps them in the store."
        raise UsageError(f"no pattern is known whose signature begins with {begun}", do=do)
    return _one(patterns, begun)


def found_pattern(signature: str, found: Found) -> Pattern:
    """The same, among the patterns of `found` alone."""
    begun = _begun(signature)
    patterns = sorted((one for one in found.patterns if one.signature.startswith(begun)), key=lambda one: one.signature)
    if not patterns:
        do = "`memscope promotions` with the same paths and options lists those that there are."
        raise UsageError(f"no pattern was found there whose signature begins with {begun}", do=do)
    return _one(patterns, begun)


def _begun(signature: str) -> str:
    begun = signature.strip().lower()
    if len(begun) < _FEWEST:
        raise UsageError(f"{begun!r} names no pattern", do=f"Give the first {_FEWEST} signs of its signature, or more.")
    return begun


def _one(patterns: Sequence[Pattern], begun: str) -> Pattern:
    """The only pattern, or the one that is called so and no longer. Raises `UsageError` where that is a choice."""
    if len(patterns) == 1 or patterns[0].signature == begun:
        return patterns[0]
    names = ", ".join(pattern.signature[:16] for pattern in patterns[:_AMBIGUOUS])
    raise UsageError(f"{len(patterns)} patterns have signatures that begin with {begun}", do=f"Give more: {names}.")


def _once(gathered: Gathered) -> Gathered:
    """Each row once; how many there are again is counted."""
    rows, vectors = gathered.rows, gathered.vectors
    places = without_repeats(rows, vectors)
    again = len(rows) - len(places)
    if not again:
        return gathered
    if vectors is not None:
        vectors = vectors[places] if isinstance(vectors, np.ndarray) else [vectors[place] for place in places]
    left_out = gathered.left_out._replace(repeated=gathered.left_out.repeated + again)
    return replace(gathered, rows=[rows[place] for place in places], vectors=vectors, left_out=left_out)


class _Space(NamedTuple):
    """The vectors of the rows and of the skills, and what made them: see `Found`. `skills`: None where they cannot be
    compared with the rows."""

    vectors: Vectors | Sequence[Vector | None]
    skills: Vectors | None
    name: str | None
    lexical: bool
    threshold: float
    trouble: str = ""


def _embedded(
    gathered: Gathered,
    skills: Sequence[Skill],
    wanted: Wanted,
    *,
    settings: Settings,
    database: Database | None,
    job: Job,
    sending: Callable[[str], object],
) -> _Space:
    """Vectors that rows brought are used as they are, unless it was asked for others: those without one are then
    skipped. Skills are placed among the messages, whose vectors they leave as they are: a pattern whose skill is
    accepted is the same pattern."""
    if wanted.classic and wanted.embed:
        raise UsageError("classic mode embeds nothing", do="Leave the embedder away, or --compat.")
    if gathered.vectors is not None and not wanted.embed:
        return _Space(gathered.vectors, None, None, False, OWN_VECTORS)
    if wanted.classic:
        do = "Classic mode embeds nothing; leave --compat away, or give rows with embeddings."
        raise UsageError("no row has an embedding", do=do)
    if gathered.rows and (sent := what_is_sent(settings)):
        sending(sent)
    with open_embedder(settings, database if settings.store else None, job) as embedder:
        texts = [row.text for row in gathered.rows]
        named = [embedded_text(skill.name, skill.description) for skill in skills]
        vectors = embedder.embed(texts, job, named)
        own, of_skills = vectors[: len(texts)], vectors[len(texts) :]
        return _Space(own, of_skills, embedder.name, embedder.lexical, embedder.threshold, embedder.trouble or "")


def _nearest(
    candidates: Sequence[Candidate], skills: Sequence[Skill], vectors: Vectors | None
) -> list[NearestSkill | None]:
    """The skill nearest to each candidate, but for one that was made of it; `vectors` of the skills."""
    if vectors is None or not len(vectors) or not candidates:
        return [None] * len(candidates)
    cosines = units(np.stack([one.centroid for one in candidates])) @ units(vectors).T
    nearest: list[NearestSkill | None] = []
    for candidate, row in zip(candidates, cosines, strict=True):
        order = sorted(range(len(skills)), key=lambda at: (-row[at], str(skills[at].path)))
        others = (at for at in order if skills[at].signature != candidate.signature)
        at = next(others, None)
        found = None if at is None else NearestSkill(skills[at].name, str(skills[at].path), float(row[at]))
        nearest.append(found)
    return nearest


def _unread(gathered: Gathered) -> list[Unread]:
    """What could not be read: files, then the first lines of others."""
    files = [Unread(str(path), 0, error) for path, error in gathered.unread]
    return [*files, *(Unread(str(bad.path), bad.line, bad.reason) for bad in gathered.bad)]


def _kept(found: Found, database: Database | None) -> Found:
    """`found`, kept in the store; or with why it is not."""
    if database is None:
        return found
    try:
        Candidates(database).keep({pattern.signature: encoded(pattern) for pattern in found.patterns})
    except StoreError as error:
        return replace(found, trouble=str(error))
    return found
