"""Token heat: from what is stored, or computed again by an engine that does so in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memscope.actions.engine import Scorer
from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.tokens import Heat, heat
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.engines.protocol import Failure, RecomputingEngine, Tokens


def token_heat(
    run: MatrixRun,
    column: int,
    ablations: Sequence[Ablation],
    scorer: Scorer,
    job: Job,
    *,
    workers: int | None = None,
) -> dict[Ablation, Heat]:
    """Each ablation's effect on the tokens of one response of a run (a position in `run.responses`).

    Empty for an engine without tokens; an ablation that failed or was cut otherwise is not in it. Scores that landed in
    the run, or are on disk, are not made a second time.
    """
    if not scorer.engine.capabilities.tokens:
        return {}
    asked = (BASELINE, *ablations)
    if isinstance(scorer.engine, RecomputingEngine):
        tokens: Mapping[Ablation, Tokens | None] = scorer.engine.tokens(run.conversation, column, asked, job)
    else:
        known = run.landed(asked)
        missing = [ablation for ablation in asked if ablation not in known]
        scored = {**known, **dict(columns(scorer.engine, run.conversation, missing, job, workers=workers))}
        tokens = {a: result[column].tokens for a, result in scored.items() if not isinstance(result, Failure)}
    found = {ablation: heat(tokens.get(BASELINE), tokens.get(ablation)) for ablation in ablations}
    return {ablation: one for ablation, one in found.items() if one is not None}
