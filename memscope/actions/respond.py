"""Everything about one response: what mattered to it, where, and what explains the rest away."""

from __future__ import annotations

import re

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.actions.score import score_matrix, unknown_memory
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.attribution.tokens import Span
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.response import ResponseDocument, Words, no_response, response_document


def explain_response(
    conversation: Conversation,
    message: int,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    workers: int | None = None,
    memory: str | None = None,
    spans: tuple[Span, ...] = (),
) -> ResponseDocument:
    """Scores the conversation and tells what mattered to the response at `message`; see `explain`.

    An index that is no response costs no scoring and has an empty list. Raises `UsageError` for an unknown memory.
    """
    if memory is not None and memory not in (keys := [entry.key for entry in conversation.memories]):
        raise unknown_memory(memory, keys)
    if message not in conversation.responses:
        return no_response(conversation, message)
    run, _ = score_matrix(conversation, scorer, job, workers=workers)
    return explain(run, message, scorer, job, threshold=threshold, workers=workers, memory=memory, spans=spans)


def explain(
    run: MatrixRun,
    message: int,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    workers: int | None = None,
    memory: str | None = None,
    spans: tuple[Span, ...] = (),
) -> ResponseDocument:
    """What mattered to one response of a run, as far as that has come.

    `memory`: the heat is that memory's alone. `spans` of the response's text: the memories are then ranked for these
    words, where the engine has tokens.
    """
    matrix = run.snapshot()
    words = Words(spans) if spans else None
    if matrix.reason:
        return response_document(run.conversation, matrix, message, threshold, memory=memory, words=words)
    column = matrix.responses.index(message)
    shown = Ablation.of(memory) if memory is not None else run.everything
    singles = {Ablation.of(key): key for key in _scored(matrix, column)} if spans else {}
    asked = tuple(dict.fromkeys((shown, run.everything, *singles) if spans else (shown,)))
    heat = token_heat(run, column, asked, scorer, job, workers=workers)
    if spans and (all_of_them := heat.get(run.everything)) is not None:
        effects = {key: heat[single].within(spans) for single, key in singles.items() if single in heat}
        words = Words(spans, effects, all_of_them.within(spans), int(all_of_them.at(spans).sum()))
    return response_document(
        run.conversation, matrix, message, threshold, heat=heat.get(shown), memory=memory, words=words
    )


def why(
    conversation: Conversation,
    message: int,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    workers: int | None = None,
    span: Span | None = None,
    text: str | None = None,
) -> ResponseDocument:
    """`explain_response` from a scoring of the context up to that response only. `span`, or every place where `text`
    stands in the response, selects words. Raises `UsageError` for a message or words that are not there."""
    if not 0 <= message < len(conversation.messages):
        last = len(conversation.messages) - 1
        raise UsageError(f"there is no message #{message}", do=f"The conversation has #0 to #{last}.")
    asked = (span is not None or text is not None) and message in conversation.responses
    spans = _spans(response_text(conversation, message), span, text) if asked else ()
    return explain_response(
        conversation.upto(message), message, scorer, job, threshold=threshold, workers=workers, spans=spans
    )


def _scored(matrix: Matrix, column: int) -> list[str]:
    """The memories that have a measured effect on a response."""
    return [key for key, row in zip(matrix.keys, matrix.state, strict=True) if row[column] == State.OK]


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
