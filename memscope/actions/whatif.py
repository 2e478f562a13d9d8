"""What-if: leaving memories out together, and scoring all the others again without them."""

from __future__ import annotations

from collections.abc import Collection

from memscope.actions.engine import Scorer
from memscope.actions.score import Cost, fill, new_run, score_matrix, unknown_memory
from memscope.actions.tokens import memory_tokens
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.whatif import WhatIfRun
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.without import without


def new_what_if(whole: MatrixRun, keys: Collection[str], *, classic: bool = False, blur: float = 0.0) -> WhatIfRun:
    """The run without these memories beside that of the whole, with nothing in it yet. `blur`: the scorer's, in nats.
    Raises `UsageError` for a key that is not in the conversation."""
    _check(keys, whole.conversation)
    less = new_run(without(whole.conversation, keys), keep_tokens=False, classic=classic)
    return WhatIfRun(whole, less, blur=blur)


def what_if_plan(run: WhatIfRun) -> tuple[Ablation, ...]:
    """What it asks for, as ablations of the whole conversation: for what it costs."""
    removed = frozenset(run.removed)
    return tuple(Ablation(removed | ablation.removed, ablation.repeat) for ablation in run.plan)


def fill_what_if(run: WhatIfRun, scorer: Scorer, job: Job, *, workers: int | None = None) -> Cost:
    """Scores what is missing without the memories; nothing where the conversation as it was has no score. Raises
    `Cancelled`; what has landed stays."""
    return fill(run.less, () if run.whole.reason else run.missing(), scorer, job, workers=workers)


def tokens_saved(run: WhatIfRun, scorer: Scorer, job: Job) -> int | None:
    """How many tokens the memories that are gone take in the conversation; None where the engine does not count.
    Raises `Cancelled`."""
    counts = memory_tokens(run.whole.conversation, scorer, job, run.removed)
    return None if counts is None else sum(counts.values())


def what_if(
    conversation: Conversation, keys: Collection[str], scorer: Scorer, job: Job, *, workers: int | None = None
) -> tuple[WhatIfRun, Cost]:
    """The conversation as it was and without these memories, both scored as far as they are not on disk; the cost is of
    both. Raises `UsageError` for an unknown key, `Cancelled`."""
    _check(keys, conversation)
    whole, first = score_matrix(conversation, scorer, job, workers=workers)
    run = new_what_if(whole, keys, classic=scorer.classic, blur=scorer.blur)
    return run, first + fill_what_if(run, scorer, job, workers=workers)


def _check(keys: Collection[str], conversation: Conversation) -> None:
    there = [memory.key for memory in conversation.memories]
    for key in keys:
        if key not in there:
            raise unknown_memory(key, there)
