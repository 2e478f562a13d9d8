"""Screening a run for what leaving one memory out at a time cannot see, on demand: it takes about as many scorings as
the run did.
"""

from __future__ import annotations

from memscope.actions.engine import Scorer
from memscope.actions.score import fill, new_run, score_matrix
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.redundancy import Screening
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation


def new_screening(run: MatrixRun, scorer: Scorer) -> Screening:
    """The screening of a run with `scorer`, with nothing in it yet."""
    return Screening(run, blur=scorer.blur)


def fill_screening(screening: Screening, scorer: Scorer, job: Job, *, workers: int | None = None) -> None:
    """Scores what is missing of it; nothing where the run has no baseline. Raises `Cancelled`; what has landed
    stays."""
    if screening.run.reason is None:
        fill(screening, screening.missing(), scorer, job, workers=workers)


def screen_run(run: MatrixRun, scorer: Scorer, job: Job, *, workers: int | None = None) -> Screening:
    """Scores what the verdicts on the memories of a run need beyond it: each memory put back alone, and those near
    each other by their words left out together. Raises `Cancelled`."""
    screening = new_screening(run, scorer)
    fill_screening(screening, scorer, job, workers=workers)
    return screening


def try_pairs(
    screening: Screening, threshold: float, scorer: Scorer, job: Job, *, workers: int | None = None
) -> Screening:
    """Leaves out together what may stand in for each other by what has landed, effects counted from `threshold` nats
    on: the second half of screening a whole conversation. Raises `Cancelled`."""
    job.check()
    screening.choose_pairs(threshold)
    fill_screening(screening, scorer, job, workers=workers)
    return screening


def screen_response(
    conversation: Conversation, message: int, scorer: Scorer, job: Job, *, workers: int | None = None
) -> Screening:
    """The same for one response, from the context up to it alone. Raises `UsageError` for what is no response,
    `Cancelled`."""
    if message not in conversation.responses:
        there = ", ".join(f"#{index}" for index in conversation.responses[:5]) or "none"
        raise UsageError(f"message #{message} is no response", do=f"Responses of the conversation: {there}, ...")
    run, _ = score_matrix(conversation.upto(message), scorer, job, workers=workers)
    return screen_run(run, scorer, job, workers=workers)


def planned(run: MatrixRun, *, pairs: bool = True) -> tuple[Ablation, ...]:
    """What screening a run asks for beyond it, at most; without `pairs`: for the verdicts alone."""
    screening = Screening(run)
    return screening.at_most() if pairs else screening.plan


def screening_plan(conversation: Conversation, scorer: Scorer, *, pairs: bool = False) -> tuple[Ablation, ...]:
    """All that a run and its screening ask for, at most; with the trying of `pairs`, if that is asked for."""
    run = new_run(conversation, keep_tokens=False, classic=scorer.classic)
    return (*run.plan, *planned(run, pairs=pairs))
