"""Responses worth training on: those that owe much to memories which the model has not internalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.actions.alike import Alike
from memscope.actions.batch import Transcript, each
from memscope.actions.cost import Estimate, added_up, cost_before, may_ask, needs_asking
from memscope.actions.score import Cost, fill, new_run
from memscope.actions.triage import decided, subjects_of
from memscope.attribution.classic import classic_dependences
from memscope.attribution.finetune import THRESHOLD, dependences
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.windows import Stretch, cut, last_messages
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.reports.finetune import (
    Dependents,
    FinetuneConversation,
    FinetuneDocument,
    finetune_conversation,
    unread_conversation,
    with_decisions,
)

if TYPE_CHECKING:
    from memscope.actions.engine import Scorer
    from memscope.actions.open import Opened, Opening
    from memscope.base.settings import Settings


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: in the conversations of `files` (as `batch.transcripts` finds them), each opened as `opening`
    says, responses among the last `count` messages (None: all) whose divergence exceeds `threshold` nats."""

    files: Sequence[Transcript]
    opening: Opening
    count: int | None = None
    threshold: float = THRESHOLD


def finetune(search: Search, settings: Settings, scorer: Scorer, job: Job) -> FinetuneDocument:
    """The candidates of every conversation, each scored twice: with all its memories and
    without any. What cannot be read or scored is told in its place, and when conversations fail alike in a row, the
    others are not tried. Raises `Cancelled`; what was scored by then is kept."""
    alike = Alike()

    def work(opened: Opened, job: Job) -> tuple[FinetuneConversation, dict[int, str]]:
        conversation = opened.conversation
        if alike.why_not is not None:
            return finetune_conversation(conversation, Dependents(error=alike.why_not), search.threshold), {}
        seen, _ = dependents_of(conversation, search.count, settings, scorer, job)
        if seen.reason is None:
            alike.take(seen.error if not seen.found else None)
        row = finetune_conversation(conversation, seen, search.threshold)
        subjects = subjects_of(conversation) if row.candidates and scorer.database is not None else {}
        return row, {one.message: subjects[one.message] for one in row.candidates if one.message in subjects}

    rows: list[tuple[FinetuneConversation, dict[int, str]]] = []
    for done in each(search.files, search.opening, work, job, settings=settings, database=scorer.database):
        rows.append(done.result or (unread_conversation(done.path, done.item, done.error), {}))
    conversations = [row for row, _ in rows]
    if scorer.database is not None:
        known = decided(scorer.database, {subject for _, subjects in rows for subject in subjects.values()})
        conversations = [
            with_decisions(row, {m: known[subject].bucket for m, subject in subjects.items() if subject in known})
            for row, subjects in rows
        ]
    return FinetuneDocument(threshold=search.threshold, conversations=conversations)


def finetune_cost(search: Search, settings: Settings, scorer: Scorer, job: Job) -> Estimate | None:
    """What all of it would take, where a person should be asked before it; None where it can begin. Every conversation
    is opened for that. Raises `Cancelled`."""
    if not may_ask(scorer, settings):
        return None

    def work(opened: Opened, job: Job) -> Estimate:
        return dependents_cost(opened.conversation, search.count, settings, scorer, job)

    costs = each(search.files, search.opening, work, job, settings=settings, database=scorer.database)
    whole = added_up((done.result for done in costs if done.result is not None), scorer)
    return whole if needs_asking(whole, settings) else None


def dependents_of(
    conversation: Conversation, count: int | None, settings: Settings, scorer: Scorer, job: Job
) -> tuple[Dependents, Cost]:
    """What the responses among the last `count` messages (None: all) owe to all memories together, and what finding
    that took. Raises `Cancelled`."""
    stretch, run = _run(conversation, count, settings, scorer)
    seen, free = Dependents(len(stretch.responses)), Cost(0, 0, 0.0)
    if not stretch.responses:
        return replace(seen, reason="there is no response among the messages looked at"), free
    if not run.plan:
        return replace(seen, reason=run.reason), free
    if run.everything == BASELINE:
        return replace(seen, reason="every memory comes after the responses"), free
    cost = fill(run, _asked(run), scorer, job, workers=settings.workers)
    matrix = run.snapshot()
    if matrix.reason is not None:
        return replace(seen, error=matrix.reason), cost
    found = classic_dependences(matrix) if scorer.classic else dependences(matrix)
    first = len(matrix.responses) - len(stretch.responses)
    ours = [replace(one, message=stretch.responses[one.column - first]) for one in found if one.column >= first]
    (stripped,) = run.totals([run.everything]).values()
    return replace(seen, found=ours, error=None if scorer.classic else stripped.failure), cost


def dependents_cost(
    conversation: Conversation, count: int | None, settings: Settings, scorer: Scorer, job: Job
) -> Estimate:
    """What finding that would take. Raises `Cancelled`."""
    run = _run(conversation, count, settings, scorer)[1]
    return cost_before(run.conversation, scorer, _asked(run), job, count=False)


def _run(
    conversation: Conversation, count: int | None, settings: Settings, scorer: Scorer
) -> tuple[Stretch, MatrixRun]:
    """The stretch, and the run that its responses are the last columns of."""
    stretch = last_messages(conversation, count)
    part = cut(conversation, stretch, settings.context)
    return stretch, new_run(part, keep_tokens=False, classic=scorer.classic)


def _asked(run: MatrixRun) -> tuple[Ablation, ...]:
    """The two scorings; none where there is nothing to be found."""
    return (BASELINE, run.everything) if run.plan and run.everything != BASELINE else ()
