"""Scoring one memory: what it did for the responses that came after it, from two scorings."""

from __future__ import annotations

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.engine import Scorer
from memscope.actions.score import Cost, cost_part, fill, new_run, unknown_memory
from memscope.attribution.one_memory import RESPONSES, MemoryEffects, memory_effects, no_effects
from memscope.attribution.windows import Context, Stretch, after_memory, cut
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.reports.one_memory import MemoryDocument, one_memory_document


def stretch_after(conversation: Conversation, key: str, responses: int) -> Stretch:
    """From the first occurrence of a memory to the end of so many responses after it. Raises `UsageError` for a key
    that is not in the conversation, naming near matches."""
    try:
        return after_memory(conversation, key, responses)
    except KeyError:
        raise unknown_memory(key, [memory.key for memory in conversation.memories]) from None


def what_is_scored(
    conversation: Conversation, key: str, responses: int, context: Context
) -> tuple[Conversation, tuple[Ablation, ...]]:
    """What `score_memory` scores, and without what; nothing where no response came after the memory. Errors as
    `stretch_after`."""
    stretch = stretch_after(conversation, key, responses)
    return cut(conversation, stretch, context), (BASELINE, Ablation.of(key)) if stretch.responses else ()


def score_memory(
    conversation: Conversation,
    key: str,
    scorer: Scorer,
    job: Job,
    *,
    responses: int = RESPONSES,
    context: Context = "full",
    workers: int | None = None,
) -> tuple[MemoryEffects, Cost]:
    """The effects of one memory on the first `responses` after it. Where there are none, nothing is scored. With all
    that was said before as `context`, scorings of a whole matrix are shared where they are the same. Raises
    `UsageError` as `stretch_after`, `Cancelled`."""
    stretch = stretch_after(conversation, key, responses)
    if not stretch.responses:
        return no_effects(key, stretch), Cost(0, 0, 0.0)
    scored, ablations = what_is_scored(conversation, key, responses, context)
    run = new_run(scored, keep_tokens=False, classic=scorer.classic)
    cost = fill(run, ablations, scorer, job, workers=workers)
    return memory_effects(run.snapshot(), key, stretch), cost


def cost_of_memory(
    conversation: Conversation, key: str, scorer: Scorer, settings: Settings, job: Job
) -> Estimate | None:
    """What `one_memory` would take, where a person should be asked before it. Errors as there, and `EngineError`."""
    scored, ablations = what_is_scored(conversation, key, settings.responses or RESPONSES, settings.context)
    return cost_to_ask(scored, scorer, settings, job, ablations) if ablations else None


def one_memory(conversation: Conversation, key: str, scorer: Scorer, settings: Settings, job: Job) -> MemoryDocument:
    """The document of one memory, as the settings say: `responses`, `context`, `workers`. Errors as `score_memory`."""
    effects, cost = score_memory(
        conversation,
        key,
        scorer,
        job,
        responses=settings.responses or RESPONSES,
        context=settings.context,
        workers=settings.workers,
    )
    return one_memory_document(conversation, effects, scorer.engine.identity, settings, cost_part(cost))
