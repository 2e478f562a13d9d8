"""Token heat: from what is stored, or computed again by an engine that does so in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memscope.actions.engine import Scorer
from memscope.attribution.columns import columns
from memscope.attribution.tokens import Heat, heat
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure, OnePassEngine, Tokens


def token_heat(
    conversation: Conversation, column: int, ablations: Sequence[Ablation], scorer: Scorer, job: Job
) -> dict[Ablation, Heat]:
    """Each ablation's effect on the tokens of one response (a position in `conversation.responses`).

    Empty for an engine without tokens; an ablation that failed or was cut otherwise is not in it.
    """
    if not scorer.engine.capabilities.tokens:
        return {}
    tokens = _tokens(conversation, column, (BASELINE, *ablations), scorer, job)
    found = {ablation: heat(tokens.get(BASELINE), tokens.get(ablation)) for ablation in ablations}
    return {ablation: one for ablation, one in found.items() if one is not None}


def _tokens(
    conversation: Conversation, column: int, ablations: Sequence[Ablation], scorer: Scorer, job: Job
) -> Mapping[Ablation, Tokens | None]:
    engine = scorer.engine
    if isinstance(engine, OnePassEngine):
        return engine.tokens(conversation, column, ablations, job)
    scored = columns(engine, conversation, ablations, job)
    return {ablation: result[column].tokens for ablation, result in scored if not isinstance(result, Failure)}
