"""A query while it is typed: what of it can be asked for already."""

from __future__ import annotations

from memscope.sessions.query import QueryError, parse
from memscope.sessions.query_fields import FIELDS
from memscope.sessions.query_text import SAME, Piece, normal, pieces


def sound(text: str, now: float) -> str:
    """`text` without its terms that are wrong: a query, at a time in seconds since the epoch."""
    while True:
        try:
            parse(text, now)
        except QueryError as error:
            text = _without(text, next(piece for piece in pieces(text, FIELDS) if piece.whole[1] > error.start))
        else:
            return text


def without_begun(text: str) -> str:
    """`text` without a word at its end that the name of a field may begin with."""
    last = next((piece for piece in pieces(text, FIELDS) if piece.whole[1] == len(text)), None)
    if last is None or last.operator or last.quoted or not _begins_a_name(last.value):
        return text
    return _without(text, last)


def _begins_a_name(word: str) -> bool:
    return any(name.startswith(normal(word)) for name in (*FIELDS, *SAME))


def _without(text: str, piece: Piece) -> str:
    start, end = piece.whole
    return f"{text[: start - piece.negated].rstrip()} {text[end:].lstrip()}".strip()
