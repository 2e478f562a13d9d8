"""A candidate with all that a person needs to decide on it: its members' words and places, the closest first. It is
kept, so that it can be promoted without looking for it again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from memscope.conversation.model import Ref, Source
from memscope.promotion.injection import flags
from memscope.promotion.model import Candidate, Id, Row, RowKind

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

_MOST_KEPT = 2000  # members whose words are kept; the closest


class Member(NamedTuple):
    """A message of a pattern: see `model.Row`. `closeness`: its cosine to the centroid; `flags`: the kinds of what a
    person should look at in it (see `injection`)."""

    message_id: Id
    session_id: Id
    text: str
    kind: RowKind
    tools: tuple[str, ...]
    time: float | None
    ref: Ref | None
    failures: tuple[str, ...]
    closeness: float
    flags: tuple[str, ...] = ()


class NearestSkill(NamedTuple):
    """The skill that there is already and that is most like a pattern: its name, its file, and the cosine."""

    name: str
    path: str
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """See `model.Candidate`. `members`: the closest to the centroid first, of very many only those; `names`: what all
    are called, in the order of the candidate, and `named_in`: the session of each. `space`: the embedder's name, ""
    where rows brought their vectors. `nearest_skill`: None where there is none, or no embedder to compare with."""

    signature: str
    members: tuple[Member, ...]
    names: tuple[Id, ...]
    named_in: tuple[Id, ...]
    sessions: tuple[Id, ...]
    hashes: tuple[str, ...]
    centroid: Vector
    space: str
    cohesion: float
    nearest: float | None = None
    stability: float | None = None
    nearest_skill: NearestSkill | None = None

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools of the members, those that most of them use first."""
        counts: dict[str, int] = {}
        for member in self.members:
            for tool in dict.fromkeys(member.tools):
                counts[tool] = counts.get(tool, 0) + 1
        return tuple(sorted(counts, key=lambda tool: (-counts[tool], tool)))


def pattern_of(
    candidate: Candidate,
    rows: Sequence[Row],
    vectors: Vectors | Sequence[Vector | None],
    space: str,
    skill: NearestSkill | None = None,
) -> Pattern:
    """A candidate among `rows` with `vectors`, one each, of an embedder called `space`."""
    members = candidate.members
    own = np.stack([cast("Vector", vectors[at]) for at in members]).astype(np.float64)
    length = np.linalg.norm(own, axis=1) * float(np.linalg.norm(candidate.centroid.astype(np.float64)))
    cosines = np.divide(own @ candidate.centroid, length, out=np.zeros(len(own)), where=length > 0)
    order = np.lexsort((np.arange(len(own)), -cosines.round(6)))
    closest = [_member(rows[members[at]], float(cosines[at])) for at in order[:_MOST_KEPT]]
    return Pattern(
        signature=candidate.signature,
        members=tuple(closest),
        names=tuple(rows[at].message_id for at in members),
        named_in=tuple(rows[at].session_id for at in members),
        sessions=candidate.sessions,
        hashes=candidate.hashes,
        centroid=candidate.centroid,
        space=space,
        cohesion=candidate.cohesion,
        nearest=candidate.nearest,
        stability=candidate.stability,
        nearest_skill=skill,
    )


def _member(row: Row, closeness: float) -> Member:
    return Member(
        row.message_id,
        row.session_id,
        row.text,
        row.kind,
        row.tools,
        row.time,
        row.ref,
        row.failures,
        closeness,
        tuple(dict.fromkeys(flag.kind for flag in flags(row.text))),
    )


def encoded(pattern: Pattern) -> str:
    """A pattern as JSON, for the store."""
    kept = {
        "members": [[*member._replace(ref=None), _placed(member.ref)] for member in pattern.members],
        "names": pattern.names,
        "named_in": pattern.named_in,
        "sessions": pattern.sessions,
        "hashes": pattern.hashes,
        "centroid": packed(pattern.centroid),
        "space": pattern.space,
        "figures": [pattern.cohesion, pattern.nearest, pattern.stability],
        "skill": pattern.nearest_skill,
    }
    return json.dumps(kept)


def decoded(signature: str, text: str) -> Pattern | None:
    """The pattern that was encoded; None for what is none."""
    try:
        kept = json.loads(text)
        cohesion, nearest, stability = kept["figures"]
        return Pattern(
            signature=signature,
            members=tuple(_read(member) for member in kept["members"]),
            names=tuple(kept["names"]),
            named_in=tuple(kept["named_in"]),
            sessions=tuple(kept["sessions"]),
            hashes=tuple(kept["hashes"]),
            centroid=unpacked(kept["centroid"]),
            space=kept["space"],
            cohesion=cohesion,
            nearest=nearest,
            stability=stability,
            nearest_skill=NearestSkill(*kept["skill"]) if kept["skill"] else None,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def packed(vector: Vector) -> str:
    """A vector as text."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> Vector:
    """The vector that was packed. Raises `ValueError`."""
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4").astype(np.float32)


def _placed(ref: Ref | None) -> Mapping[str, Any] | None:
    if ref is None:
        return None
    source = ref.source
    return {
        "path": str(source.path),
        "format": source.format,
        "item": source.item,
        "window": source.window,
        "message": ref.message,
    }


def _read(kept: Sequence[Any]) -> Member:
    *told, place = kept
    message_id, session_id, text, kind, tools, time, _, failures, closeness, flagged = told
    ref = None
    if place is not None:
        source = Source(Path(place["path"]), place["format"], place["item"], place["window"])
        ref = Ref(source, place["message"])
    return Member(
        message_id, session_id, text, kind, tuple(tools), time, ref, tuple(failures), closeness, tuple(flagged)
    )
