"""Every kind of document there is, by name: what `memscope schema` knows."""

from __future__ import annotations

from typing import Any

from memscope.base.errors import UsageError
from memscope.reports.across import ACROSS, SIGHTINGS
from memscope.reports.batch import BATCH
from memscope.reports.config import CONFIG
from memscope.reports.doctor import DOCTOR
from memscope.reports.finetune import FINETUNE
from memscope.reports.incremental import INCREMENTAL
from memscope.reports.insights import INSIGHTS
from memscope.reports.insights_prompt import INSIGHTS_PROMPT
from memscope.reports.lessons import LESSONS
from memscope.reports.lessons_change import LESSONS_CHANGE
from memscope.reports.lessons_context import LESSONS_CONTEXT
from memscope.reports.matrix import MATRIX, MEMORIES, RESPONSES
from memscope.reports.native import NATIVE
from memscope.reports.one_memory import ONE_MEMORY
from memscope.reports.promotion import PROMOTION
from memscope.reports.promotions import PROMOTIONS
from memscope.reports.prune import PRUNE
from memscope.reports.redundancy import PAIRS, REDUNDANCY
from memscope.reports.response import RESPONSE
from memscope.reports.sessions import SESSIONS
from memscope.reports.training import TRAINING
from memscope.reports.view import View
from memscope.reports.whatif import WHATIF

VIEWS: dict[str, View[Any, Any]] = {
    view.name: view
    for view in (
        BATCH,
        CONFIG,
        DOCTOR,
        FINETUNE,
        INCREMENTAL,
        INSIGHTS,
        INSIGHTS_PROMPT,
        LESSONS,
        LESSONS_CHANGE,
        LESSONS_CONTEXT,
        MATRIX,
        MEMORIES,
        ACROSS,
        ONE_MEMORY,
        NATIVE,
        PAIRS,
        PROMOTION,
        PROMOTIONS,
        PRUNE,
        REDUNDANCY,
        RESPONSE,
        RESPONSES,
        SESSIONS,
        SIGHTINGS,
        TRAINING,
        WHATIF,
    )
}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON schema of the documents called `name` (`matrix` or `memscope/matrix@1`)."""
    short = name.removeprefix("memscope/").split("@")[0]
    if short not in VIEWS:
        raise UsageError(f"there is no document {name!r}", do=f"There are: {', '.join(VIEWS)}.")
    schema: dict[str, Any] = VIEWS[short].document.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
