"""Replies of chat models: each under everything that was asked, and of whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memscope.base.clock import set_clock
from memscope.store.database import Database
from memscope.store.replies import Replies, reply_key

URL, MODEL = "http://127.0.0.1:8000", "talker"
SAID: list[dict[str, Any]] = [{"role": "user", "content": "Good day? \ud800"}]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    set_clock(lambda: 1_000.0)
    opened = Database(tmp_path)
    yield opened
    opened.close()
    set_clock(None)


def test_the_last_reply_counts_with_its_time(database: Database) -> None:
    replies = Replies(database)
    assert replies.get(b"one") is None

    replies.put(b"one", {"text": "a"})
    replies.put(b"other", {})
    set_clock(lambda: 2_000.0)
    replies.put(b"one", {"text": "b \ud800"})

    assert replies.get(b"one") == ({"text": "b \ud800"}, 2_000.0)
    assert replies.get(b"other") == ({}, 1_000.0)


@pytest.mark.parametrize("reply", ["", "[1]", "{", "null", "[" * 100_000])
def test_what_cannot_be_read_is_none(database: Database, reply: str) -> None:
    database.write("INSERT INTO replies (key, reply, at) VALUES (?, ?, ?)", b"one", reply, 1.0)

    assert Replies(database).get(b"one") is None


def test_a_server_is_known_by_the_model_it_was_last_seen_to_serve(database: Database) -> None:
    replies = Replies(database)
    assert replies.serving(URL) == ""

    for model in ("one", "one", "other"):
        replies.seen_serving(URL, model)

    assert replies.serving(URL) == "other"
    assert replies.serving(URL + "/else") == ""


def test_everything_that_is_asked_is_part_of_the_key() -> None:
    keys = [
        reply_key(URL, MODEL, SAID),
        reply_key(URL + "/b", MODEL, SAID),
        reply_key(URL, "other", SAID),
        reply_key(URL, MODEL, SAID * 2),
        reply_key(URL, MODEL, [{**SAID[0], "role": "system"}]),
        reply_key(URL, MODEL, SAID, [{"type": "function"}]),
        reply_key(URL, MODEL, SAID, (), {"temperature": 0.0}),
        reply_key(URL, MODEL, SAID, (), {"temperature": 1.0}),
    ]

    assert len(set(keys)) == len(keys)


def test_what_makes_no_difference_to_a_server_is_no_part_of_the_key() -> None:
    turned = [dict(reversed(message.items())) for message in SAID]

    assert reply_key(URL, MODEL, turned, (), {"max_tokens": None}) == reply_key(URL, MODEL, SAID)
