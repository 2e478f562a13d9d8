"""Text becomes word tokens: what the model predicts, and where each stands.

A token is a run of letters and digits (at most 20), a contraction's ending ('s, 't, 're ...), or any other single
character that is not white space. Scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) are cut into
characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.engines.embedded.vocabulary import APOSTROPHE, Vocabulary

LONGEST = 20  # letters of a token: a base64 run becomes several, so no spelling underflows

_SINGLE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Combining marks are no \w, but belong to the letter before them: Latin, Hebrew, Arabic, and the Indic blocks whole.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
_WORD = (
    rf"[A-Za-z0-9]{{1,{LONGEST}}}(?![^\W_]|[{_MARKS}])"  # plain ASCII first: three times as fast as the general form
    rf"|(?:[^\W_{_SINGLE}]|[{_MARKS}]){{1,{LONGEST}}}"
    rf"|(?<=[^\W_])['{APOSTROPHE}](?i:s|t|re|ve|ll|d|m)(?![^\W_])"
)
# Every character but trailing space falls into a gap or a token, so lengths alone give the offsets.
_PLAIN = re.compile(rf"(\s*)({_WORD}|\S)")
_ESCAPED = re.compile(rf'((?:\s|\\[nrt])*)({_WORD}|\\["\\/]|\\u[0-9a-fA-F]{{4}}|\S)')
_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\\[nr]")  # what str.splitlines splits at, and its escapes

# p(gap | sign or word): how a token is set off from the one before. Fixed, so no ablation moves it.
_ATTACHED, _SPACE, _LINE, _WIDE = range(4)
_LOG_GAP = np.log(np.array([[0.80, 0.12, 0.05, 0.03], [0.15, 0.70, 0.10, 0.05]]))


@dataclass(frozen=True, slots=True)
class Cut:
    """The T tokens of one text: five arrays [T].

    `words` are ids of the vocabulary, `starts` and `ends` character offsets in the text, `opens` tells whether a token
    begins a line, `form` is log p(spacing, capitals | word) in nats.
    """

    words: NDArray[np.int64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    opens: NDArray[np.bool_]
    form: NDArray[np.float64]


def surfaces(text: str) -> list[str]:
    """The tokens of `text` as they are written."""
    return [surface for _, surface in _PLAIN.findall(text)]


def is_json(text: str) -> bool:
    r"""Whether backslash escapes in `text` mean what they mean in JSON. Elsewhere, C:\new is a path."""
    return text[:64].lstrip()[:1] in {"{", "[", '"'}


def cut(text: str, vocabulary: Vocabulary, *, escaped: bool) -> Cut:
    r"""The tokens of `text`; its first token begins a line.

    `escaped`: JSON string escapes count as what they stand for (\n breaks the line, \t is a space, \" a quotation
    mark), so that code in the arguments of a tool call is the same words as the code elsewhere.
    """
    found = (_ESCAPED if escaped else _PLAIN).findall(text)
    gaps, surfaces = zip(*found, strict=True) if found else ((), ())
    size = len(found)
    lengths = np.fromiter(map(len, surfaces), np.int32, size)
    ends = np.cumsum(np.fromiter(map(len, gaps), np.int32, size) + lengths, dtype=np.int32)

    gap_kinds = {gap: _gap_kind(gap) for gap in set(gaps)}
    kinds = np.fromiter(map(gap_kinds.__getitem__, gaps), np.intp, size)
    kinds[:1] = _LINE
    words, lettered, log_capitals = vocabulary.look_up(surfaces)
    return Cut(words, ends - lengths, ends, kinds == _LINE, _LOG_GAP[lettered, kinds] + log_capitals)


def _gap_kind(gap: str) -> int:
    if not gap:
        return _ATTACHED
    if gap == " ":
        return _SPACE
    return _LINE if _BREAK.search(gap) else _WIDE
