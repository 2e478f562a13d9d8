"""Keeping what came of a scored conversation, for the totals of its memories across conversations."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import replace

import numpy as np

from memscope.actions.engine import Scorer
from memscope.actions.open import Opening
from memscope.actions.score import Cost
from memscope.actions.tokens import memory_tokens
from memscope.attribution.aggregates import cutoffs
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.clock import now
from memscope.base.errors import Cancelled, StoreError
from memscope.base.job import Job
from memscope.base.text import preview
from memscope.conversation.lineage import lineage
from memscope.conversation.model import Conversation
from memscope.conversation.native import sha256
from memscope.conversation.sources import RESULT_RULE, TURN_RULE
from memscope.engines.checked import digest
from memscope.reports.matrix import memory_rows
from memscope.store.runs import Outcome, Run, Runs

_PREVIEW = 100  # characters of a memory's text
_LATEST = 253_402_300_799.0  # the end of the year 9999: a later time is none
_SOURCES = frozenset({RESULT_RULE, TURN_RULE})


def kept_run(
    cost: Cost, run: MatrixRun, scorer: Scorer, job: Job, *, threshold: float, opening: Opening | None = None
) -> Cost:
    """Keeps what came of a run that has ended, and returns its cost, with a note where it could not be kept.

    Not kept is a run whose baseline failed, one in classic mode, whose numbers are clamped, and one over tool results
    or turns, which are no memories. `threshold` in nats; `opening`: how the conversation was opened. No effect counts
    that any text may have under the engine (`Scorer.blur`): else nothing was ever unused under some.
    """
    conversation, matrix = run.conversation, run.snapshot()
    rules = {rule for memory in conversation.memories for rule in memory.rules}
    failed = matrix.reason is not None and bool(matrix.keys and matrix.responses)
    if scorer.database is None or scorer.classic or failed or not rules.isdisjoint(_SOURCES):
        return cost
    try:
        runs, identity, source = Runs(scorer.database), scorer.engine.identity, conversation.source
        name, engine = run_name(conversation), digest(identity)
        outcomes: tuple[Outcome, ...] = ()
        if matrix.reason is None:
            before = next((found for found, _ in runs.of(name) if found.engine == engine), None)
            outcomes = _outcomes(conversation, matrix, max(threshold, scorer.blur))
            known = before.outcomes if before is not None else ()
            outcomes = _counted(outcomes, known, conversation, scorer, job, asks=bool(cost.scorings))
        runs.keep(
            Run(
                conversation=name,
                engine=engine,
                path=os.path.abspath(source.path) if source is not None else "",  # noqa: PTH100 - links stay
                form=source.format if source is not None else "",
                item=source.item if source is not None else 0,
                window=source.window if source is not None else 0,
                title=conversation.title,
                messages=len(conversation.messages),
                sha256=sha256(conversation),
                memories=tuple(map(os.path.abspath, opening.memories)) if opening is not None else (),
                split=(opening.split or "") if opening is not None else "",
                name=identity.name,
                model=identity.model,
                url=identity.url,
                threshold=float(threshold),
                time=_last(conversation),
                responses=len(matrix.responses),
                outcomes=outcomes,
            )
        )
    except StoreError as error:
        return replace(cost, note=f"the run is not kept for totals across conversations: {error}")
    return cost


def run_name(conversation: Conversation) -> str:
    """What the runs of a conversation are kept under: its lineage and its context window."""
    window = conversation.source.window if conversation.source is not None else 0
    return f"{lineage(conversation)}/{window}"


def file_of(name: str) -> str:
    """The file of the conversation whose runs are kept under `name`, links resolved; empty where it came from none."""
    return name.rpartition("#")[0]


def _last(conversation: Conversation) -> float:
    """When the conversation was last, in seconds since the epoch: the time of its last message that has one."""
    times = (message.time for message in reversed(conversation.messages) if message.time is not None)
    last = next(times, None)
    return float(last) if last is not None and math.isfinite(last) and 0 <= last <= _LATEST else now()


def _outcomes(conversation: Conversation, matrix: Matrix, threshold: float) -> tuple[Outcome, ...]:
    cutoff = cutoffs(matrix, threshold).cutoff
    most = np.where(matrix.effects > cutoff, matrix.effects, 0.0)  # what is not known is beyond nothing
    least = np.where(matrix.effects < -cutoff, matrix.effects, 0.0)
    measured = np.count_nonzero(matrix.state == State.OK, axis=1)
    rows = memory_rows(conversation, matrix, threshold)
    return tuple(
        Outcome(
            key=row.key,
            text=text_digest(memory.texts[-1]),
            preview=preview(memory.texts[-1], _PREVIEW),
            chars=row.chars,
            tokens=None,
            occurrences=len(row.occurrences),
            total=row.total,
            net=row.net,
            max=row.max,
            against=row.against,
            above=int(np.count_nonzero(most[place])),
            below=int(np.count_nonzero(least[place])),
            most=float(most[place].max()),
            least=float(least[place].min()),
            measured=int(measured[place]),
            left_out=row.left_out,
        )
        for place, (row, memory) in enumerate(zip(rows, conversation.memories, strict=True))
    )


def _counted(
    outcomes: tuple[Outcome, ...],
    before: tuple[Outcome, ...],
    conversation: Conversation,
    scorer: Scorer,
    job: Job,
    *,
    asks: bool,
) -> tuple[Outcome, ...]:
    """The same with the tokens of each memory, where they are known from the run `before` or the engine counts them. A
    server is not troubled for that by a run that was wholly on disk: it `asks` nothing else."""
    known = {(one.key, one.text, one.chars): one.tokens for one in before if one.tokens is not None}
    tokens = [known.get((one.key, one.text, one.chars)) for one in outcomes]
    if None in tokens and (asks or not scorer.engine.identity.url):
        try:
            counts = memory_tokens(conversation, scorer, job) or {}
        except Cancelled:  # somebody does not want to wait for that: the run has ended all the same
            counts = {}
        tokens = [counts.get(one.key, found) for one, found in zip(outcomes, tokens, strict=True)]
    return tuple(one._replace(tokens=found) for one, found in zip(outcomes, tokens, strict=True))


def text_digest(text: str) -> str:
    """What tells a memory's text from others: blank ends do not count, for a text gets a newline where another follows
    it."""
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]
