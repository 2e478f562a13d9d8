"""Scoring many ablations of one conversation: the only place that knows whether an engine has a way of its own."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.landing import landing
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, Renderer
from memscope.engines.protocol import Engine, Failure, OnePassEngine, ResponseScore
from memscope.engines.validity import problem

Column = tuple[Ablation, list[ResponseScore] | Failure]
NO_SCORE = "no score came back for this response"


def columns(
    engine: Engine,
    conversation: Conversation,
    ablations: Sequence[Ablation],
    job: Job,
    *,
    workers: int | None = None,
    lenient: bool = False,
) -> Generator[Column, None, None]:
    """Each ablation once, in any order, as it lands: one score a response, checked, or why there is none.

    `workers` bounds how many are scored at a time (None: what does the engine good). The numbers are the same for any.
    `lenient`: scores that are missing at the end are those of responses that failed, and surplus ones are passed over.
    Raises `Cancelled` soon after the job was cancelled, without waiting for a request in flight; closing the iterator
    stops the rest too. Counts every ablation an engine was asked for as "asked" on the job.
    """
    renderer = Renderer(conversation)
    if isinstance(engine, OnePassEngine):
        landing = engine.columns(conversation, ablations, job)
    else:
        landing = _threaded(engine, renderer, ablations, job, workers or engine.capabilities.concurrency)
    whole = renderer.prompt()  # no ablation changes a response
    with closing(landing):  # at once, and not when somebody forgets the iterator
        for ablation, result in landing:
            if isinstance(engine, OnePassEngine):
                job.count("asked")
            if isinstance(result, Failure):
                yield ablation, result
                continue
            scores = _as_many(result, len(whole.responses)) if lenient else result
            why = problem(whole, scores)
            yield ablation, Failure(why) if why else scores


def _as_many(scores: list[ResponseScore], responses: int) -> list[ResponseScore]:
    """The scores of so many responses, whatever came back. The engine's own list stays: nobody may keep this one."""
    missing = responses - len(scores)
    return scores[:responses] + [ResponseScore(math.nan, failure=NO_SCORE)] * missing


def _threaded(
    engine: Engine, renderer: Renderer, ablations: Sequence[Ablation], job: Job, workers: int
) -> Generator[Column, None, None]:
    """Several at a time. What will not be any better next time is asked once."""
    lasting: list[Failure] = []  # why nothing more need be asked

    def ask(prompt: Prompt, ours: Job) -> list[ResponseScore] | Failure:
        if lasting:
            return lasting[0]
        ours.count("asked")
        try:
            return engine.score(prompt, ours)
        except EngineError as error:
            failure = Failure(str(error))
            if error.lasting:
                lasting.append(failure)
            return failure

    questions = [partial(ask, renderer.prompt(ablation)) for ablation in ablations]
    with closing(landing(questions, job, workers, name="score")) as landed:
        for place, result in landed:
            yield ablations[place], result
