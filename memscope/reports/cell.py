"""One cell of a matrix for reading: the memory, the place in the response, how strong, and what the number is worth."""

from __future__ import annotations

from dataclasses import dataclass

from memscope.attribution.aggregates import Cutoffs, share
from memscope.attribution.matrix import Matrix, State
from memscope.attribution.redundancy import Verdict
from memscope.attribution.tokens import Heat
from memscope.base.text import clean_line, preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.matrix import STATE_NAMES, CellState
from memscope.reports.verdicts import VerdictRow, verdict_words
from memscope.reports.view import number

EXCERPT = 140  # characters
_WORD = 40


@dataclass(frozen=True, slots=True)
class CellDetail:
    """A cell: effects, `noise` (floor) and `cutoff` in nats, None where there is nothing to say.

    `share`: of the response's stripped effect, for positive effects. `counts`: the effect exceeds the cutoff either
    way. `told`: the state in words, with the reason of a failure. `memory` (as the response could see it) and
    `response` are excerpts on one clean line.

    From the tokens, where there are any: `word` is the one that did most in the effect's direction, `word_effect` its
    nats, `word_at` where it stands in `response` ([start, end)). `spread`: no few words carry the effect, as when a
    long memory dilutes all others. `verdict`: what the memory is to the response, and `verdict_told` the same with its
    numbers, where that was asked for.
    """

    key: str
    message: int
    effect: float | None
    per_token: float | None
    share: float | None
    noise: float | None
    cutoff: float
    counts: bool
    state: CellState
    told: str
    memory: str
    response: str
    word: str = ""
    word_effect: float = 0.0
    word_at: tuple[int, int] | None = None
    spread: bool = False
    verdict: Verdict | None = None
    verdict_told: str = ""


def cell_detail(
    conversation: Conversation,
    matrix: Matrix,
    cut: Cutoffs,
    row: int,
    column: int,
    *,
    heat: Heat | None = None,
    verdict: VerdictRow | None = None,
    width: int = EXCERPT,
) -> CellDetail:
    """The cell at (row, column), with its words when its `heat` is given, and its `verdict`; excerpts are at most
    `width` characters.

    Costs the same for any matrix: a cursor that moves asks for one each time.
    """
    key, message = matrix.keys[row], matrix.responses[column]
    effect, state = number(matrix.effects[row, column]), int(matrix.state[row, column])
    tokens, cutoff = int(matrix.tokens[column]), float(cut.cutoff[column])
    stripped = number(matrix.baseline[column] - matrix.stripped[column])
    counts = effect is not None and abs(effect) > cutoff
    text = response_text(conversation, message)
    strongest = heat.strongest(effect) if heat is not None and effect is not None else None
    start, end, word_effect = strongest or (0, 0, 0.0)
    excerpt, word_at = _excerpt(text, start, end, width)
    return CellDetail(
        key=key,
        message=message,
        effect=effect,
        per_token=effect / tokens if effect is not None and tokens else None,
        share=share(effect, stripped, cutoff) if effect is not None and effect > 0 and stripped is not None else None,
        noise=number(cut.noise[column]),
        cutoff=cutoff,
        counts=counts,
        state=STATE_NAMES[state],
        told=_told(state, matrix.error(row, column), counts),
        memory=preview(conversation.memory_text(key, before=message), width),
        response=excerpt,
        word=preview(text[start:end], _WORD),
        word_effect=word_effect,
        word_at=word_at,
        spread=heat is not None and effect is not None and not heat.concentrated(effect),
        verdict=verdict.verdict if verdict is not None else None,
        verdict_told=clean_line(verdict_words(verdict)) if verdict is not None else "",
    )


def _told(state: int, error: str | None, counts: bool) -> str:
    if state == State.PENDING:
        return "not scored yet"
    if state == State.FAILED:
        return clean_line(f"could not be scored: {error or 'no reason was given'}")
    if state == State.BEFORE:
        return "the memory comes after this response, so its effect is 0"
    return "measured" if counts else "measured, and not beyond the cutoff"


def _excerpt(text: str, start: int, end: int, width: int) -> tuple[str, tuple[int, int] | None]:
    """The beginning of a text, or what stands around a word further on; and where the word is in it."""
    found = text[start:end]
    word = _one_line(found.strip())
    start += len(found) - len(found.lstrip())
    first = max(0, start - width // 2)
    if not word:
        return ("…" if first else "") + preview(text[first:], width - bool(first)), None
    opening = _one_line(text[first:start]).lstrip()
    if first or len(opening) > width // 2:  # signs for what was cleaned take room
        opening = "…" + opening[max(0, len(opening) - width // 2 + 1) :].lstrip()
    rest = text[start + len(found.strip()) :]
    whole = opening + word + _one_line(rest[: 8 * width]).rstrip()
    if len(whole) > width:
        whole = whole[: width - 1].rstrip() + "…"
    return whole, (min(len(opening), len(whole)), min(len(opening + word), len(whole)))


def _one_line(text: str) -> str:
    """`text` with its white space as single spaces, at both ends too, and the rest cleaned."""
    if not text:
        return ""
    return clean_line(f"{' ' * text[0].isspace()}{' '.join(text.split())}{' ' * text[-1].isspace()}")
