"""Patterns for tests, made without looking for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from memscope.conversation.model import Ref, Source
from memscope.promotion.injection import flags
from memscope.promotion.model import Id, RowKind, content_hash
from memscope.promotion.pattern import Member, Pattern
from memscope.promotion.signature import signature


def member(
    text: str,
    session: Id = "s1",
    message: Id = "0:1",
    kind: RowKind = "request",
    tools: tuple[str, ...] = (),
    path: str = "",
) -> Member:
    ref = Ref(Source(Path(path), "claude-code", 0, 0), 1) if path else None
    kinds = tuple(dict.fromkeys(flag.kind for flag in flags(text)))
    return Member(message, session, text, kind, tools, 1_700_000_000.0, ref, (), 0.9, kinds)


def pattern(*members: Member, centroid: tuple[float, ...] = (1.0, 0.0), space: str = "lexical-1") -> Pattern:
    """What these members make."""
    hashes = tuple(sorted(content_hash(one.text) for one in members))
    return Pattern(
        signature=signature(hashes),
        members=members,
        names=tuple(one.message_id for one in members),
        named_in=tuple(one.session_id for one in members),
        sessions=tuple(dict.fromkeys(one.session_id for one in members)),
        hashes=hashes,
        centroid=np.array(centroid, np.float32),
        space=space,
        cohesion=0.9,
        nearest=0.25,
        stability=0.75,
    )


TESTS = (
    member("run the tests and fix what fails", "s1", "0:1", tools=("Bash", "Edit"), path="/srv/a.jsonl"),
    member("please run all tests, fix what fails", "s2", "0:3", tools=("Bash", "Edit"), path="/srv/b.jsonl"),
    member("run the tests and fix the failures", "s3", "0:5", tools=("Bash",), path="/srv/c.jsonl"),
)
"""The messages of a pattern, of three sessions."""


def run_the_tests() -> Pattern:
    return pattern(*TESTS)
