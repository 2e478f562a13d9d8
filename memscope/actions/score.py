"""Scoring a conversation: the run that fills a matrix."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from memscope.actions.engine import Scorer
from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: scorings the engine made, scorings found on disk, and seconds."""

    scorings: int
    from_store: int
    seconds: float


def score_matrix(
    conversation: Conversation, scorer: Scorer, job: Job, *, workers: int | None = None
) -> tuple[MatrixRun, Cost]:
    """The whole matrix of a conversation. A run with no memory or no response makes no scoring and says why."""
    run = MatrixRun(conversation, keep_tokens=scorer.database is None)
    return run, fill(run, run.plan, scorer, job, workers=workers)


def retry_failed(run: MatrixRun, scorer: Scorer, job: Job, *, workers: int | None = None) -> Cost:
    """Scores the failed ablations of a run again, those alone; all that has no numbers, when its baseline failed."""
    return fill(run, run.failed(), scorer, job, workers=workers)


def fill(
    run: MatrixRun, ablations: Sequence[Ablation], scorer: Scorer, job: Job, *, workers: int | None = None
) -> Cost:
    """Lands the scorings of `ablations` in `run`, each as it comes. A failed baseline ends the run. Raises `Cancelled`
    when the job is cancelled; what has landed stays, in the run and on disk."""
    began, part = time.monotonic(), job.child()
    if ablations:
        label = scorer.engine.capabilities.label
        job.progress(0, len(ablations), "scorings", label)
        with closing(columns(scorer.engine, run.conversation, ablations, part, workers=workers)) as landing:
            for landed, (ablation, result) in enumerate(landing, 1):
                run.land(ablation, result)
                job.progress(landed, len(ablations), "scorings", label)
                if ablation == BASELINE and isinstance(result, Failure):
                    break
    found = part.tally("found")
    return Cost(part.tally("asked") - found, found, time.monotonic() - began)
