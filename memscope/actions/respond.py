"""Everything about one response: what mattered to it, where, and what explains the rest away."""

from __future__ import annotations

import difflib
import re

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.response import ResponseDocument, response_document


def explain_response(
    conversation: Conversation,
    message: int,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    workers: int | None = None,
    memory: str | None = None,
    selection: tuple[int, int] | None = None,
) -> ResponseDocument:
    """Scores the conversation and tells what mattered to the response at `message`.

    `memory`: the heat is that memory's alone. `selection`: characters of the response's text; the memories are then
    ranked for these words, where the engine has tokens. A message that is no response costs no scoring and has an empty
    list. Raises `UsageError` for an unknown memory.
    """
    keys = [entry.key for entry in conversation.memories]
    if memory is not None and memory not in keys:
        raise unknown_memory(memory, keys)
    if message not in conversation.responses:
        return response_document(conversation, MatrixRun(conversation).snapshot(), message, threshold)
    run, _ = score_matrix(conversation, scorer, job, workers=workers)
    matrix = run.snapshot()
    if matrix.reason:
        return response_document(conversation, matrix, message, threshold)
    column = matrix.responses.index(message)
    singles = {Ablation.of(key): key for key in _scored(matrix, column)} if selection else {}
    shown = Ablation.of(memory) if memory is not None else run.everything
    asked = tuple(dict.fromkeys((shown, *singles)))
    heat = token_heat(conversation, column, asked, scorer, job, run=run, workers=workers)
    words = None
    if selection is not None and heat:
        words = {key: heat[single].within(*selection) for single, key in singles.items() if single in heat}
    return response_document(
        conversation,
        matrix,
        message,
        threshold,
        heat=heat.get(shown),
        memory=memory,
        selection=selection,
        word_effects=words,
    )


def why(
    conversation: Conversation,
    message: int,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    workers: int | None = None,
    span: tuple[int, int] | None = None,
    text: str | None = None,
) -> ResponseDocument:
    """`explain_response` from a scoring of the context up to that response only. `span`, or the first place where
    `text` stands in the response, selects words. Raises `UsageError` for a message or words that are not there."""
    if not 0 <= message < len(conversation.messages):
        last = len(conversation.messages) - 1
        raise UsageError(f"there is no message #{message}", do=f"The conversation has #0 to #{last}.")
    asked = (span is not None or text is not None) and message in conversation.responses
    selection = _selection(response_text(conversation, message), span, text) if asked else None
    return explain_response(
        conversation.upto(message), message, scorer, job, threshold=threshold, workers=workers, selection=selection
    )


def unknown_memory(key: str, keys: list[str]) -> UsageError:
    """The error for a key that is not in the conversation, naming near matches."""
    near = difflib.get_close_matches(key, keys, 3, 0.4) or [k for k in keys if key.casefold() in k.casefold()][:3]
    hint = f"Did you mean {', '.join(near)}?" if near else "`memscope memories FILE` lists them."
    return UsageError(f"there is no memory {key!r} in the conversation", do=hint)


def _scored(matrix: Matrix, column: int) -> list[str]:
    """The memories that have a measured effect on a response."""
    return [key for key, row in zip(matrix.keys, matrix.state, strict=True) if row[column] == State.OK]


def _selection(response: str, span: tuple[int, int] | None, text: str | None) -> tuple[int, int]:
    if text is not None:
        words = re.escape(text)
        found = re.search(words, response) or re.search(words, response, re.IGNORECASE)
        if not text or found is None:
            raise UsageError(f"the response does not contain {text!r}", do="Give words as they stand in it.")
        return found.span()
    assert span is not None
    if not 0 <= span[0] < span[1] <= len(response):
        raise UsageError(
            f"--span {span[0]}:{span[1]} is not in the response", do=f"It has the characters 0:{len(response)}."
        )
    return span
