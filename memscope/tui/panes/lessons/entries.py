"""The rules, mistakes and episodes of the row under the cursor, as lines of which each leads to all of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from memscope.base.clock import from_iso, time_words
from memscope.base.text import counted, preview
from memscope.reports.lessons import ignored_words, score_words
from memscope.tui.widgets.links import Linked

if TYPE_CHECKING:
    from memscope.reports.lessons import LessonsCard, LessonsConflict, LessonsDocument, LessonsEpisode
    from memscope.tui.panes.lessons.rows import TaskRow

View = Literal["rules", "mistakes", "episodes", "block"]
"""What can be looked at; the block is no list of entries."""

_MOST = 200  # entries of a kind that are listed
_TEXT = 300  # characters of one
_INDENTED = " "  # a label of nothing
_CONFLICT = "!"


@dataclass(frozen=True, slots=True)
class Entry:
    """One of them: its `text`, what it is called, and all that is known of it, each with a label."""

    title: str
    text: str
    more: tuple[tuple[str, str], ...] = ()


def entries_of(view: View, row: TaskRow, document: LessonsDocument) -> list[Linked]:
    """The lines of a view; beside the block, where that is asked for, the rules."""
    if view == "mistakes":
        return [*_mistakes(row, document)]
    return [*(_episodes(row, document) if view == "episodes" else _rules(row, document))]


def counts_of(row: TaskRow, document: LessonsDocument) -> dict[View, int]:
    """How many entries each list has."""
    general = 0 if row.name is None else len(document.global_rules)
    told = len(document.mistake_cards) + len(document.mistakes)
    return {
        "rules": len(row.told.rules) + general,
        "mistakes": told,
        "episodes": sum(row.name in (None, one.task) for one in document.episodes),
    }


# Rules.


def _rules(row: TaskRow, document: LessonsDocument) -> Iterator[Linked]:
    against = _against(row, document)
    if row.name is not None:
        yield Linked(f"Rules for {preview(row.title)}, the newest first", "title")
        why = "None yet: what works in a good episode, and mistakes of a bad one, become rules."
        yield from _ruled(row.told.rules, f"a rule for {row.title}", against, why)
        yield Linked("")
    yield Linked("General rules, for all tasks, the newest first", "title")
    yield from _ruled(document.global_rules, "a general rule", against, "None yet: c derives them from the episodes.")
    if row.name is None and (found := [one for one in document.conflicts if one.task is not None]):
        yield Linked("")
        yield Linked("Rules of a task that contradict each other, or a general one", "title")
        yield from _contradictions(found)
    if document.successes and row.name is None:
        yield Linked("")
        yield Linked("What worked, in any task, the newest first", "title")
        yield from _plain(document.successes, "what worked")
    if row.name is None and (words := ignored_words(document)):
        yield Linked("")
        yield Linked(f"Not listed: {words}.", "note")


def _ruled(rules: Sequence[str], title: str, against: dict[str, list[str]], why_none: str) -> Iterator[Linked]:
    if not rules:
        yield Linked(why_none, "note")
    for rule in _newest(rules):
        others = against.get(rule, [])
        more = tuple(("contradicts", other) for other in others)
        label = _CONFLICT if others else ""
        entry = Entry(title, rule, more)
        yield Linked(preview(rule, _TEXT), "warning" if others else "text", label=label, goal=entry)
        for other in others:
            yield Linked(f"contradicts {preview(other, _TEXT)}", "note", label=_INDENTED)
    yield from _more(len(rules))


def _contradictions(found: Sequence[LessonsConflict]) -> Iterator[Linked]:
    for one in islice(found, _MOST):
        entry = Entry(f"a rule for {one.task}", one.works, (("contradicts", one.avoid),))
        yield Linked(preview(one.works, _TEXT), "warning", label=_CONFLICT, goal=entry)
        yield Linked(f"of {preview(one.task or '')} · contradicts {preview(one.avoid, _TEXT)}", "note", label=_INDENTED)
    yield from _more(len(found))


def _against(row: TaskRow, document: LessonsDocument) -> dict[str, list[str]]:
    """What contradicts each rule that is shown; among all tasks, with the task it is of."""
    found: dict[str, list[str]] = {}
    for one in document.conflicts:
        if row.name is not None and one.task not in (None, row.name):
            continue
        of = f" (of {one.task})" if row.name is None and one.task is not None else ""
        found.setdefault(one.works, []).append(one.avoid + of)
        found.setdefault(one.avoid, []).append(one.works + of)
    return {rule: list(dict.fromkeys(others)) for rule, others in found.items()}


# Mistakes.


def _mistakes(row: TaskRow, document: LessonsDocument) -> Iterator[Linked]:
    cards = sorted(document.mistake_cards, key=lambda card: (card.task != row.name, -card.seen, -card.last_episode))
    first = "those seen most first" if row.name is None else "those of this task first"
    yield Linked(f"Mistake cards, {first}", "title")
    if not cards:
        yield Linked("None yet: an episode may tell them as its mistake_cards.", "note")
    for card in islice(cards, _MOST):
        yield from _card(card, row.name)
    yield from _more(len(cards))
    if document.mistakes:
        yield Linked("")
        yield Linked("Mistakes told, in any task, the newest first", "title")
        yield from _plain(document.mistakes, "a mistake")


def _card(card: LessonsCard, task: str | None) -> Iterator[Linked]:
    told = [
        ("task", card.task),
        ("worker", card.worker),
        ("instead of", card.bad_decision),
        ("do", card.correct_decision),
        ("evidence", card.evidence),
        ("seen", f"{counted(card.seen, 'time')}, in episodes {card.first_episode} to {card.last_episode}"),
    ]
    more = tuple((label, words) for label, words in told if words)
    entry = Entry(f"a mistake card: {card.mistake_type}", card.lesson, more)
    text = preview(f"[{card.mistake_type}] {card.lesson}", _TEXT)
    yield Linked(text, label=f"{card.seen}x", goal=entry)
    of = [] if card.task == task else [f"of {preview(card.task)}"]
    of += [f"evidence: {preview(card.evidence, _TEXT)}"] if card.evidence else []
    if of:
        yield Linked(" · ".join(of), "note", label=_INDENTED)


# Episodes.


def _episodes(row: TaskRow, document: LessonsDocument) -> Iterator[Linked]:
    of = "of all tasks" if row.name is None else f"of {preview(row.title)}"
    yield Linked(f"Episodes {of}, the newest first", "title")
    found = [one for one in document.episodes if row.name in (None, one.task)]
    if not found:
        yield Linked("None in the log, which has the last hundred of all tasks.", "note")
    for one in islice(reversed(found), _MOST):
        yield from _episode(one, row.name)
    yield from _more(len(found))


def _episode(one: LessonsEpisode, task: str | None) -> Iterator[Linked]:
    when, score = _time(one.time), score_words(one.score)
    more = (("task", one.task), ("score", score), ("steps", str(one.steps)), ("time", when))
    entry = Entry(f"an episode of {one.task}", one.summary, more)
    yield Linked(preview(one.summary, _TEXT) or "no summary", label=score, goal=entry)
    said = [when, counted(one.steps, "step"), *([preview(one.task)] if task is None else [])]
    yield Linked(" · ".join(filter(None, said)), "note", label=_INDENTED)


def _time(text: str) -> str:
    """A time as a person reads it; one that is none as it was found."""
    try:
        return time_words(from_iso(text))
    except (ValueError, OverflowError, OSError):
        return preview(text, 30)


# What they have in common.


def _plain(texts: Sequence[str], title: str) -> Iterator[Linked]:
    for text in _newest(texts):
        yield Linked(preview(text, _TEXT), goal=Entry(title, text))
    yield from _more(len(texts))


def _newest(texts: Sequence[str]) -> Iterator[str]:
    return islice(reversed(texts), _MOST)


def _more(number: int) -> Iterator[Linked]:
    if number > _MOST:
        yield Linked(f"and {number - _MOST:,} more in the file", "note")
