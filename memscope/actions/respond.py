"""Everything about one response: what mattered to it, where, and what explains the rest away."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.actions.redundancy import screen_run
from memscope.actions.score import reason_upto, score_matrix, unknown_memory
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.response import ResponseDocument, Words, no_response, response_document
from memscope.reports.verdicts import VerdictReader


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the response at `message`: the memories whose effect exceeds the cutoff, which is at least
    `threshold` nats, and the heat of a `memory` (None: of all of them together). With `spans` of its text the memories
    are ranked for these words, where the engine has tokens. `workers`: scorings at a time, None: what the engine says.
    `verdicts`: also what each memory is to the response, which takes further scorings.
    """

    message: int
    threshold: float
    memory: str | None = None
    spans: tuple[Span, ...] = ()
    workers: int | None = None
    verdicts: bool = False


def explain_response(conversation: Conversation, question: Question, scorer: Scorer, job: Job) -> ResponseDocument:
    """Scores the conversation and answers the question; see `explain`.

    An index that is no response costs no scoring and has an empty list. Raises `UsageError` for an unknown memory.
    """
    if question.memory is not None and question.memory not in (keys := [entry.key for entry in conversation.memories]):
        raise unknown_memory(question.memory, keys)
    if question.message not in conversation.responses:
        return no_response(conversation, question.message)
    run, _ = score_matrix(conversation, scorer, job, workers=question.workers)
    verdicts = None
    if question.verdicts:
        screen = screen_run(run, scorer, job, workers=question.workers).snapshot()
        verdicts = VerdictReader(screen, question.threshold)
    return explain(run, question, scorer, job, verdicts=verdicts)


def explain(
    run: MatrixRun,
    question: Question,
    scorer: Scorer | None,
    job: Job,
    *,
    only_landed: bool = False,
    verdicts: VerdictReader | None = None,
) -> ResponseDocument:
    """What mattered to one response of a run, as far as that has come. Without a scorer nothing is told of its words.
    `verdicts`: those of the run, where they were computed.

    `only_landed`: nothing is scored for it. Heat whose scoring has not landed is left out, and words are not asked
    about while the scoring without any memory is missing.
    """
    matrix, heat, words = run.snapshot(), {}, None
    shown = Ablation.of(question.memory) if question.memory is not None else run.everything
    if question.spans and scorer is not None:
        words = Words(question.spans)
    if not matrix.reason and scorer is not None:
        column = matrix.responses.index(question.message)
        landed = _landed(run, matrix, column)
        if only_landed and run.everything not in landed:
            words = None
        singles = {a: key for a, key in landed.items() if key is not None} if words is not None else {}
        asked = dict.fromkeys((shown, run.everything, *singles) if words is not None else (shown,))
        if only_landed:
            asked = {ablation: None for ablation in asked if ablation in landed}
        if asked:
            heat = token_heat(run, column, tuple(asked), scorer, job, workers=question.workers)
        if words is not None and (all_of_them := heat.get(run.everything)) is not None:
            spans = words.spans
            effects = {key: heat[single].within(spans) for single, key in singles.items() if single in heat}
            words = Words(spans, effects, all_of_them.within(spans), int(all_of_them.at(spans).sum()))
    return response_document(
        run.conversation,
        matrix,
        question.message,
        question.threshold,
        heat=heat.get(shown),
        memory=question.memory,
        words=words,
        verdicts=verdicts,
    )


def why(
    conversation: Conversation,
    question: Question,
    scorer: Scorer,
    job: Job,
    *,
    span: Span | None = None,
    text: str | None = None,
) -> ResponseDocument:
    """`explain_response` from a scoring of the context up to that response only. `span`, or every place where `text`
    stands in the response, selects words. Raises `UsageError` for a message or words that are not there."""
    message = question.message
    if not 0 <= message < len(conversation.messages):
        last = len(conversation.messages) - 1
        raise UsageError(f"there is no message #{message}", do=f"The conversation has #0 to #{last}.")
    if (span is not None or text is not None) and message in conversation.responses:
        question = replace(question, spans=_spans(response_text(conversation, message), span, text))
    document = explain_response(conversation.upto(message), question, scorer, job)
    return document.model_copy(update={"reason": reason_upto(conversation, message, document.reason)})


def _landed(run: MatrixRun, matrix: Matrix, column: int) -> dict[Ablation, str | None]:
    """The ablations whose effect on a response is measured; each with its memory, None for several or unknown ones."""
    landed: dict[Ablation, str | None] = {}
    if np.isfinite(matrix.baseline[column] - matrix.stripped[column]):
        landed[run.everything] = None
    for key, row in zip(matrix.keys, matrix.state, strict=True):
        if row[column] == State.OK:
            landed[Ablation.of(key)] = key
    return landed


def _spans(response: str, span: Span | None, text: str | None) -> tuple[Span, ...]:
    if text is not None:
        words = re.escape(text)
        found = list(re.finditer(words, response)) or list(re.finditer(words, response, re.IGNORECASE))
        if not text or not found:
            raise UsageError(f"the response does not contain {text!r}", do="Give words as they stand in it.")
        return tuple(match.span() for match in found)
    assert span is not None
    if not 0 <= span[0] < span[1] <= len(response):
        raise UsageError(
            f"--span {span[0]}:{span[1]} is not in the response", do=f"It has the characters 0:{len(response)}."
        )
    return (span,)
