"""Scoring a conversation: the run that fills a matrix."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from memscope.actions.engine import Scorer
from memscope.attribution.classic import ClassicRun, with_returning
from memscope.attribution.columns import columns
from memscope.attribution.matrix import Matrix, MatrixRun
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure, ResponseScore
from memscope.reports.matrix import CostPart


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: scorings the engine made, scorings found on disk, and seconds. `note`: what went wrong with
    keeping what came of it, if anything did."""

    scorings: int
    from_store: int
    seconds: float
    note: str = ""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.scorings + other.scorings,
            self.from_store + other.from_store,
            self.seconds + other.seconds,
            self.note or other.note,
        )


def cost_part(cost: Cost | None) -> CostPart:
    """What a run took, for a document; None: one that has not ended."""
    cost = cost or Cost(0, 0, 0.0)
    return CostPart(scorings=cost.scorings, from_store=cost.from_store, seconds=cost.seconds)


class Filled(Protocol):
    """What scorings of ablations of a conversation land in."""

    @property
    def conversation(self) -> Conversation: ...

    def land(self, ablation: Ablation, result: list[ResponseScore] | Failure) -> None: ...


def new_run(conversation: Conversation, *, keep_tokens: bool, classic: bool = False) -> MatrixRun:
    """A run with nothing in it yet. `keep_tokens`: for want of a store that does; `classic`: its numbers are those of
    classic mode."""
    return (ClassicRun if classic else MatrixRun)(conversation, keep_tokens=keep_tokens)


def document_matrix(run: MatrixRun) -> Matrix:
    """The matrix of a run as the documents of commands tell it: in classic mode a memory that returns has a row each
    time, everywhere else one."""
    matrix = run.snapshot()
    return with_returning(run.conversation, matrix) if isinstance(run, ClassicRun) else matrix


def score_matrix(
    conversation: Conversation, scorer: Scorer, job: Job, *, workers: int | None = None
) -> tuple[MatrixRun, Cost]:
    """The whole matrix of a conversation. A run with no memory or no response makes no scoring and says why."""
    run = new_run(conversation, keep_tokens=scorer.database is None, classic=scorer.classic)
    return run, fill(run, run.plan, scorer, job, workers=workers)


def retry_failed(run: MatrixRun, scorer: Scorer, job: Job, *, workers: int | None = None) -> Cost:
    """Scores the failed ablations of a run again, those alone; all that has no numbers, when its baseline failed."""
    return fill(run, run.failed(), scorer, job, workers=workers)


def rescore(run: MatrixRun, key: str, scorer: Scorer, job: Job, *, workers: int | None = None) -> Cost:
    """Scores without one memory once more, past what is on disk, and keeps the new scores there.

    The memory's row is pending until they land; when they do not, what was there before comes back. A memory that no
    response could have seen costs nothing. Raises `UsageError` for a key that is not in the conversation, `Cancelled`.
    """
    if key not in run.keys:
        raise unknown_memory(key, list(run.keys))
    single = Ablation.of(key)
    asked = [single] if single in run.plan else []
    taken = run.forget(asked)
    try:
        return fill(run, asked, scorer.afresh(), job, workers=workers)
    finally:
        run.restore(taken)


def reason_upto(conversation: Conversation, message: int, reason: str | None) -> str | None:
    """The `reason` why there is no matrix of a conversation up to `message`: where its memories all come after that
    response, this one."""
    if message in conversation.responses and conversation.memories and not conversation.upto(message).memories:
        return f"no memory comes before the response #{message}"
    return reason


def unknown_memory(key: str, keys: Sequence[str]) -> UsageError:
    """The error for a key that is not in the conversation, naming near matches."""
    near = difflib.get_close_matches(key, keys, 3, 0.4) or [k for k in keys if key.casefold() in k.casefold()][:3]
    hint = f"Did you mean {', '.join(near)}?" if near else "`memscope memories FILE` lists them."
    return UsageError(f"there is no memory {key!r} in the conversation", do=hint)


def fill(run: Filled, ablations: Sequence[Ablation], scorer: Scorer, job: Job, *, workers: int | None = None) -> Cost:
    """Lands the scorings of `ablations` in `run`, each as it comes. A failed baseline ends the run. Raises `Cancelled`
    when the job is cancelled; what has landed stays, in the run and on disk."""
    began, part = time.monotonic(), job.child()
    if ablations:
        label = scorer.engine.capabilities.label
        job.progress(0, len(ablations), "scorings", label)
        with closing(
            columns(scorer.engine, run.conversation, ablations, part, workers=workers, lenient=scorer.classic)
        ) as landing:
            for landed, (ablation, result) in enumerate(landing, 1):
                run.land(ablation, result)
                job.progress(landed, len(ablations), "scorings", label)
                if ablation == BASELINE and isinstance(result, Failure):
                    break
    found = part.tally("found")
    return Cost(part.tally("asked") - found, found, time.monotonic() - began)
