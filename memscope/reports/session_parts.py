"""What a session's score rests on: each part in words, and where in the session that stands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from memscope.base.files import shown_path
from memscope.base.text import counted
from memscope.sessions.facts import Evidence, Facts, Failure
from memscope.sessions.ranked import Place, RankedSession

Look = Literal["text", "title", "note", "warning"]

_DAY = 86_400  # seconds
_DATED = {"name": "the name of its file", "message": "its last message", "file": "the time of its file"}
_NAMED = 3  # repositories that are told by name


class Part(NamedTuple):
    """A part of a score: its `name` in every document, its points (None: it has none), `words` for a person, and where
    they can be checked."""

    name: str
    points: int | None
    words: str
    evidence: Evidence | None = None


class Told(NamedTuple):
    """A line on a session: a `label` before the `text` (either may be empty), how it looks, and where it leads."""

    label: str
    text: str
    look: Look = "text"
    evidence: Evidence | None = None


def score_parts(row: RankedSession, now: float) -> list[Part]:
    """The five parts of a session's score, and its memories, at a time in seconds since the epoch. Nothing for a file
    that holds no session."""
    facts = row.facts
    if facts is None:
        return []
    points = row.parts
    return [
        Part("recency", points.recency, _recency(row, now)),
        Part("length", points.length, counted(facts.messages, "message")),
        Part("repo_unique", points.repo_unique, *_repositories(row, facts)),
        Part("outcome", points.outcome, *_outcome(facts)),
        Part("tool_calls", points.tool_calls, counted(facts.tool_calls, "call")),
        Part("memories", None, *_memories(facts)),
    ]


def place_words(place: Place) -> str:
    """A conversation by its file, and by its number where that is not the first; not yet cleaned for a screen."""
    return shown_path(Path(place.path)) + (f" --item {place.item}" if place.item else "")


def _recency(row: RankedSession, now: float) -> str:
    days = int((now - row.date) // _DAY)
    when = "in the time to come" if days < 0 else f"{counted(days, 'day')} ago" if days else "less than a day ago"
    return f"{when}, by {_DATED.get(row.dated, row.dated)}"


def _repositories(row: RankedSession, facts: Facts) -> tuple[str, Evidence | None]:
    if not facts.repositories:
        return "no repository is known", None
    if row.copy_of is not None:
        return f"{_listed([one.name for one in facts.repositories])}: see the session it is part of", None
    elsewhere = dict(row.holder)
    own = [one for one in facts.repositories if one.name not in elsewhere]
    words = [f"the first session of {_listed([one.name for one in own])}"] if own else []
    words += [f"{name} was first in {place_words(place)}" for name, place in row.holder]
    return _listed(words), (own or facts.repositories)[0].evidence


def _outcome(facts: Facts) -> tuple[str, Evidence | None]:
    if facts.failure is not None:
        return _failure(facts.failure, facts), facts.failure.evidence
    return ("nothing in it says that it failed" if facts.has_content else "nothing is said in it"), None


def _failure(failure: Failure, facts: Facts) -> str:
    kinds = {"error": "an error", "exit_code": "", "interrupted": "interrupted", "words": "by its words alone"}
    where = f"line {failure.evidence.line}" if failure.evidence.line else ""
    told = ", ".join(filter(None, (kinds[failure.kind], where, _window(failure.evidence, facts))))
    return ": ".join(filter(None, (told, failure.evidence.text)))


def _memories(facts: Facts) -> tuple[str, Evidence | None]:
    if not facts.memories:
        return "none were found: it cannot be scored", None
    first = ""
    if facts.memory is not None:
        window = _window(facts.memory, facts)
        first = f", the first in #{facts.memory.message}" + (f" of {window}" if window else "")
    if not facts.responses:
        first += "; without a response it cannot be scored"
    elif facts.memory is not None and facts.memory.window < facts.windows - 1:
        first += f"; a batch scores window {facts.windows}"
    return f"{counted(facts.memories, 'memory', 'memories')}{first}", facts.memory


def _window(evidence: Evidence, facts: Facts) -> str:
    """The context window of something, from 1, where there are several."""
    return f"window {evidence.window + 1}" if facts.windows > 1 else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def told(row: RankedSession, now: float) -> list[Told]:
    """All there is to say of a session, line by line: what it is, each part of its score, and what else is known of it;
    texts as found. `now` in seconds since the epoch. What other sessions have to do with it is not in here."""
    facts = row.facts
    if facts is None:
        return [Told("", row.error, "warning"), Told("", place_words(row.place), "note")]
    lines = [Told("", headline(row), "title")]
    if facts.title and facts.request and facts.request != facts.title:
        lines.append(Told("", facts.request))
    kept = [row.format, counted(facts.responses, "response"), counted(facts.windows, "window")]
    lines.append(Told("", ", ".join(filter(None, kept)), "note"))
    lines.append(Told(f"score {row.score}", "of 16 points"))
    for part in score_parts(row, now):
        label = part.name if part.points is None else f"{part.name} {part.points}"
        lines.append(Told(label, part.words, evidence=part.evidence))
    if facts.is_subagent:
        lines.append(Told("sub-agent", f"of the session {facts.parent}" if facts.parent else "of another session"))
    if facts.malformed:
        lines.append(Told("malformed", f"{counted(facts.malformed, 'line')} passed over as broken", "warning"))
    if row.error:
        lines.append(Told("error", row.error, "warning"))
    lines.append(Told("file", place_words(row.place), "note"))
    return lines


def headline(row: RankedSession) -> str:
    """What a session is known by: its title, else its first request, else the name of its file."""
    told_as = row.facts and (row.facts.title or row.facts.request)
    return told_as or os.path.basename(row.path)  # noqa: PTH119 - thousands of them
