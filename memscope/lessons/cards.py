"""Mistakes seen again and again as cards: one for each, how often and when it was seen, and what it teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memscope.lessons.block import by_seen
from memscope.lessons.model import MistakeCard, SeenMistake

DEFAULT_LESSON = "Avoid repeating this failure."
"""What a card teaches as long as no episode said anything better."""

MOST = 30
NEWEST = 5
"""Cards that are kept, and how many of those are the newest, however seldom they were seen: else a memory that is full
of old ones would never learn another."""


def merged(cards: tuple[MistakeCard, ...], seen: Sequence[SeenMistake], episode: int) -> tuple[MistakeCard, ...]:
    """The cards once an episode, counted from 1, has shown these mistakes; the most seen first, then the latest. As
    they are where it has shown none."""
    if not seen:
        return cards
    found = list(cards)
    for mistake in seen:
        new = _new(mistake, episode)
        at = _place(found, new)
        if at is None:
            found.append(new)
        else:
            lesson = found[at].lesson if new.lesson == DEFAULT_LESSON else new.lesson
            found[at] = _seen_again(found[at], new, lesson or DEFAULT_LESSON)
    return _kept(found)


def merged_classic(
    cards: tuple[MistakeCard, ...], seen: Sequence[SeenMistake], episode: int
) -> tuple[MistakeCard, ...]:
    """The same as classic mode has it: the default lesson replaces any, cards are only put in order when there is a new
    one, and no new one is protected."""
    found = list(cards)
    for mistake in seen:
        new = _new(mistake, episode)
        at = _place(found, new)
        if at is not None:
            found[at] = _seen_again(found[at], new, new.lesson)
        else:
            found = by_seen([*found, new])[:MOST]
    return tuple(found)


def _new(mistake: SeenMistake, episode: int) -> MistakeCard:
    return MistakeCard(
        mistake_type=mistake.mistake_type,
        task_id=mistake.task_id,
        worker_id=mistake.worker_id,
        bad_decision=mistake.bad_decision,
        correct_decision=mistake.correct_decision,
        evidence=mistake.evidence,
        lesson=mistake.lesson or DEFAULT_LESSON,
        first_seen_episode=episode,
        last_seen_episode=episode,
        rest=mistake.rest,
    )


def _place(cards: Sequence[MistakeCard], new: MistakeCard) -> int | None:
    return next((at for at, card in enumerate(cards) if card.key == new.key), None)


def _seen_again(card: MistakeCard, new: MistakeCard, lesson: str) -> MistakeCard:
    return replace(
        card,
        evidence=new.evidence or card.evidence,
        lesson=lesson,
        seen_count=card.seen_count + 1,
        last_seen_episode=new.last_seen_episode,
    )


def _kept(cards: Sequence[MistakeCard]) -> tuple[MistakeCard, ...]:
    """In order, as many as are kept. Of cards that came up in one episode those further behind are newer."""
    places = range(len(cards))
    newest = sorted(places, key=lambda at: (cards[at].first_seen_episode, at))[-NEWEST:]
    ranked = sorted(places, key=lambda at: (cards[at].seen_count, cards[at].last_seen_episode), reverse=True)
    others = [at for at in ranked if at not in newest]
    kept = {*newest, *others[: MOST - len(newest)]}
    return tuple(cards[at] for at in ranked if at in kept)
