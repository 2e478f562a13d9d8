"""Incremental scoring: the memories whose weight is out of date are scored again, one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from memscope.actions.cost import Estimate, cost_before, needs_asking
from memscope.actions.engine import Scorer
from memscope.actions.memory import score_memory, stretch_after, what_is_scored
from memscope.actions.score import Cost
from memscope.actions.tokens import token_positions
from memscope.attribution.incremental import RESPONSES, Round, round_of, score_of, weight_after
from memscope.base.clock import iso, now
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.lineage import lineage
from memscope.conversation.model import Conversation
from memscope.engines.checked import make_sure
from memscope.reports.incremental import (
    FailedMemory,
    FreshMemory,
    IncrementalDocument,
    Limits,
    ScoreAt,
    ScoredMemory,
    SkippedMemory,
    Standing,
)
from memscope.reports.matrix import CostPart, EnginePart, conversation_part, settings_part
from memscope.store.weights import Weighed, Weights

if TYPE_CHECKING:
    from memscope.store.database import Database


@dataclass(frozen=True)
class Due:
    """What is to be done of the memories of a conversation at the time `at`, in seconds since the epoch, and what they
    were scored so far, by key."""

    conversation: Conversation
    at: float
    round: Round
    history: dict[str, list[Weighed]]


def look_what_is_due(
    conversation: Conversation, scorer: Scorer, settings: Settings, job: Job, *, at: float | None = None
) -> Due:
    """What is due now, or at another time, by the settings `max_age`, `cutoff` and `responses`. Nothing is scored; an
    engine that counts tokens is asked how many there are. Raises `StoreError`, `Cancelled`."""
    history = _history(conversation, scorer.database)
    time, responses = now() if at is None else at, settings.responses or RESPONSES
    found = round_of(
        (memory.key for memory in conversation.memories),
        {key: times[-1].at for key, times in history.items()},
        time,
        max_age=settings.max_age,
        cutoff=settings.cutoff,
        place=token_positions(conversation, scorer, job),
        responded=lambda key: bool(stretch_after(conversation, key, responses).responses),
    )
    return Due(conversation, time, found, history)


def standings(due: Due) -> list[Standing]:
    """How every memory of a conversation stands, in the conversation's order."""
    found = []
    for memory in due.conversation.memories:
        key, reason = memory.key, due.round.skipped.get(memory.key, "")
        past = tuple(ScoreAt(one.at, one.score, one.weight) for one in due.history.get(key, ()))
        fresh = key in due.round.fresh
        found.append(Standing(key, "fresh" if fresh else "skipped" if reason else "due", reason, past))
    return found


def cost_of_due(due: Due, scorer: Scorer, settings: Settings, job: Job) -> Estimate | None:
    """What scoring the memories that are due would take, where a person should be asked before it; None where it can
    begin. Raises `EngineError` where the engine does not pass its check, `Cancelled`."""
    if not due.round.score or not needs_asking(_cost(due, scorer, settings, job, count=False), settings):
        return None
    make_sure(scorer.engine, job)
    estimate = _cost(due, scorer, settings, job, count=True)
    return estimate if needs_asking(estimate, settings) else None


def score_due(
    due: Due,
    scorer: Scorer,
    settings: Settings,
    job: Job,
    *,
    told: Callable[[str], object] = lambda _: None,
    dry_run: bool = False,
) -> IncrementalDocument:
    """Scores the memories that are due, one after another, and keeps weight and time of each as soon as it is scored:
    whatever ends the work, what was scored before is on disk. `told` is called with the key of each that is done with.

    One that fails is reported, keeps its weight and its time, and does not stop the others; in classic mode it is
    passed over in silence. `dry_run`: nothing is scored. Raises `Cancelled`, also between two memories, `StoreError`.
    """
    conversation, keys = due.conversation, due.round.score
    scored: list[ScoredMemory] = []
    failed: list[FailedMemory] = []
    total = Cost(0, 0, 0.0)
    for number, key in enumerate(() if dry_run else keys):
        job.check()
        job.progress(number, len(keys), "memories", key)
        found, cost = score_memory(
            conversation,
            key,
            scorer,
            job.child(lambda _: None),
            responses=settings.responses or RESPONSES,
            context=settings.context,
            workers=settings.workers,
        )
        total = _sum(total, cost)
        if not found.failed:
            scored.append(_weighed(due, key, score_of(found.measured.tolist()), scorer.database))
        elif not scorer.classic:
            failed.append(FailedMemory(key=key, error=found.reason or ""))
        told(key)
    if keys and not dry_run:
        job.progress(len(keys), len(keys), "memories")
    identity = scorer.engine.identity
    return IncrementalDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        settings=settings_part(settings),
        now=iso(due.at),
        limits=Limits(max_age=settings.max_age, cutoff=settings.cutoff, responses=settings.responses or RESPONSES),
        due=list(keys),
        scored=scored,
        skipped=[SkippedMemory(key=key, reason=reason) for key, reason in due.round.skipped.items()],
        failed=failed,
        fresh=[_fresh(key, due.history[key][-1]) for key in due.round.fresh],
        dry_run=dry_run,
        kept=scorer.database is not None,
        reason=_nothing(conversation),
        cost=CostPart(scorings=total.scorings, from_store=total.from_store, seconds=total.seconds),
    )


def _weighed(due: Due, key: str, score: float, database: Database | None) -> ScoredMemory:
    """What a score makes of the weight, on disk."""
    past = due.history.get(key)
    before = past[-1].weight if past else None
    after = Weighed(due.at, score, weight_after(before, score))
    if database is not None:
        Weights(database).add(lineage(due.conversation), key, after)
    return ScoredMemory(key=key, score=score, weight=after.weight, before=before, last_scored=iso(due.at))


def _history(conversation: Conversation, database: Database | None) -> dict[str, list[Weighed]]:
    return {} if database is None else Weights(database).histories(lineage(conversation))


def _cost(due: Due, scorer: Scorer, settings: Settings, job: Job, *, count: bool) -> Estimate:
    parts: Sequence[Estimate] = [
        cost_before(conversation, scorer, ablations, job, workers=settings.workers, count=count)
        for conversation, ablations in (
            what_is_scored(due.conversation, key, settings.responses or RESPONSES, settings.context)
            for key in due.round.score
        )
    ]
    return reduce(_added, parts)


def _added(one: Estimate, other: Estimate) -> Estimate:
    return replace(
        one,
        scorings=one.scorings + other.scorings,
        known=one.known + other.known,
        characters=one.characters + other.characters,
        size=one.size + other.size,
        tokens=None if one.tokens is None or other.tokens is None else one.tokens + other.tokens,
        seconds=None if one.seconds is None or other.seconds is None else one.seconds + other.seconds,
    )


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.scorings + other.scorings, one.from_store + other.from_store, one.seconds + other.seconds)


def _fresh(key: str, last: Weighed) -> FreshMemory:
    return FreshMemory(key=key, weight=last.weight, last_scored=iso(last.at))


def _nothing(conversation: Conversation) -> str | None:
    if not conversation.responses:
        return "the conversation has no response"
    return None if conversation.memories else "no memory was found in the conversation"
