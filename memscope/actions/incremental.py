"""Incremental scoring: the memories whose weight is out of date are scored again, one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from memscope.actions.alike import Alike
from memscope.actions.cost import Estimate, added_up, cost_before, may_ask, needs_asking
from memscope.actions.engine import Scorer
from memscope.actions.known import weights_of
from memscope.actions.memory import score_memory, stretch_after, what_is_scored
from memscope.actions.score import Cost, cost_part
from memscope.actions.tokens import token_positions
from memscope.attribution.incremental import RESPONSES, Round, is_due, round_of, score_of, weight_after
from memscope.attribution.matrix import nothing_to_score
from memscope.base.clock import iso, now
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.ablation import Ablation
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
from memscope.reports.matrix import EnginePart, conversation_part, settings_part
from memscope.store.weights import Weighed, Weights


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
    engine that counts tokens is asked how many there are, where something may be due. Raises `StoreError`,
    `Cancelled`."""
    weights = weights_of(conversation, scorer)
    history = {} if weights is None else weights.histories()
    time, responses = now() if at is None else at, settings.responses or RESPONSES
    found = round_of(
        (memory.key for memory in conversation.memories),
        {key: times[-1].at for key, times in history.items()},
        time,
        max_age=settings.max_age,
        cutoff=settings.cutoff,
        place=partial(token_positions, conversation, scorer, job),
        responded=lambda key: bool(stretch_after(conversation, key, responses).responses),
    )
    return Due(conversation, time, found, history)


def standings(due: Due) -> list[Standing]:
    """How every memory of a conversation stands, in the conversation's order."""
    found, fresh = [], set(due.round.fresh)
    for memory in due.conversation.memories:
        key, reason = memory.key, due.round.skipped.get(memory.key, "")
        past = tuple(ScoreAt(one.at, one.score, one.weight) for one in due.history.get(key, ()))
        found.append(Standing(key, "fresh" if key in fresh else "skipped" if reason else "due", reason, past))
    return found


def cost_of_due(due: Due, scorer: Scorer, settings: Settings, job: Job) -> Estimate | None:
    """What scoring the memories that are due would take, where a person should be asked before it; None where it can
    begin. Raises `EngineError` where the engine does not pass its check, `Cancelled`."""
    if not due.round.score or not may_ask(scorer, settings):
        return None
    if _cost(due, scorer, settings, job, count=False).characters <= settings.ask_above:
        return None  # whatever its tokens are, they are no more
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

    One that fails is reported, keeps its weight and its time, and does not stop the others, unless the conversation as
    it was fails alike three times in a row; in classic mode it is passed over in silence. One that was scored by
    somebody else meanwhile is not due any more. `dry_run`: nothing is scored. Raises `Cancelled`, also between two
    memories, `StoreError`.
    """
    conversation, keys, weights = due.conversation, due.round.score, weights_of(due.conversation, scorer)
    scored: list[ScoredMemory] = []
    failed: list[FailedMemory] = []
    fresh = [_fresh(key, due.history[key][-1]) for key in due.round.fresh]
    total, alike = Cost(0, 0, 0.0), Alike()
    for number, key in enumerate(() if dry_run else keys):
        job.check()
        job.progress(number, len(keys), "memories", key)
        past = [] if weights is None else weights.history(key)
        if past and not is_due(past[-1].at, due.at, settings.max_age):
            fresh.append(_fresh(key, past[-1]))
            told(key)
            continue
        if alike.why_not is not None and not scorer.classic:
            failed.append(FailedMemory(key=key, error=alike.why_not))
            continue
        found, cost = score_memory(
            conversation,
            key,
            scorer,
            job.child(lambda _: None),
            responses=settings.responses or RESPONSES,
            context=settings.context,
            workers=settings.workers,
        )
        total += cost
        alike.take(found.reason if found.baseline else None)
        if not found.failed:
            scored.append(_weighed(key, score_of(found.measured.tolist()), due.at, past, weights))
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
        fresh=fresh,
        dry_run=dry_run,
        kept=scorer.database is not None,
        reason=nothing_to_score(conversation),
        cost=cost_part(total),
    )


def _weighed(key: str, score: float, at: float, past: list[Weighed], weights: Weights | None) -> ScoredMemory:
    """What a score makes of the weight, on disk."""
    before = past[-1].weight if past else None
    after = Weighed(at, score, weight_after(before, score))
    if weights is not None:
        weights.add(key, after)
    return ScoredMemory(key=key, score=score, weight=after.weight, before=before, last_scored=iso(at))


def _cost(due: Due, scorer: Scorer, settings: Settings, job: Job, *, count: bool) -> Estimate:
    """Memories whose stretches end together share the scoring of all as it was, where a store keeps it."""
    shares = settings.context == "full" and scorer.database is not None
    parts: dict[object, tuple[Conversation, dict[Ablation, None]]] = {}
    for key in due.round.score:
        part, ablations = what_is_scored(due.conversation, key, settings.responses or RESPONSES, settings.context)
        name = len(part.messages) if shares else key
        parts.setdefault(name, (part, {}))[1].update(dict.fromkeys(ablations))
    costs = [
        cost_before(part, scorer, tuple(ablations), job, workers=settings.workers, count=count)
        for part, ablations in parts.values()
    ]
    return added_up(costs, scorer)


def _fresh(key: str, last: Weighed) -> FreshMemory:
    return FreshMemory(key=key, weight=last.weight, last_scored=iso(last.at))
