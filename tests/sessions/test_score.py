"""The parts of a score: their bounds, and the date a session is taken to be of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.facts import LAST_SECOND
from memscope.sessions.score import DAY, date_named, date_of, length_of, recency_of, tool_calls_of

NOW = 1_777_636_800.0


@pytest.mark.parametrize(
    ("days", "points"),
    [(-400, 3), (0, 3), (7, 3), (7.99, 3), (8, 2), (30, 2), (30.99, 2), (31, 1), (20_000, 1)],
)
def test_recency_is_told_by_whole_days(days: float, points: int) -> None:
    assert recency_of(NOW - days * DAY, NOW) == points


@pytest.mark.parametrize(("messages", "points"), [(0, 1), (20, 1), (21, 2), (50, 2), (51, 3), (10_000, 3)])
def test_length_is_told_by_messages(messages: int, points: int) -> None:
    assert length_of(messages) == points


@pytest.mark.parametrize(("calls", "points"), [(0, 0), (10, 0), (11, 2)])
def test_tool_calls_count_above_ten(calls: int, points: int) -> None:
    assert tool_calls_of(calls) == points


@pytest.mark.parametrize(
    ("name", "iso"),
    [
        ("session_20260504_232127_4587ec.json", "2026-05-04T23:21:27"),
        ("20260504_232127_4587ec.jsonl", "2026-05-04T23:21:27"),
        ("session_cron_job_20260504_232127.json", "2026-05-04T23:21:27"),
        ("session_20260504_ab.jsonl", "2026-05-04"),
        ("session_20260504.jsonl", "2026-05-04"),
        ("20260504", "2026-05-04"),
        ("session_20260504_999999_x.jsonl", "2026-05-04"),
        ("session_20260504_abcdef.jsonl", "2026-05-04"),
        ("s_20261340_20260504_101112.jsonl", "2026-05-04T10:11:12"),
        ("s_19700101.jsonl", "1970-01-01"),
    ],
)
def test_a_name_has_a_date(name: str, iso: str) -> None:
    assert date_named(name) == datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "name",
    [
        *("session_20260230.jsonl", "session_20261301.jsonl", "session_00010101.jsonl", "session_99999999.jsonl"),
        *("rollout-2026-07-12T00-06-24-019f.jsonl", "a120260504_x", "x20260504.jsonl", "202605041_1.jsonl"),
        *("s_٢٠٢٦٠٥٠٤.jsonl", "s_2026-05-04.jsonl", "", "s_20260504x_1.jsonl"),
    ],
)
def test_a_name_without_a_date_that_can_be(name: str) -> None:
    assert date_named(name) is None


def test_a_date_is_told_by_the_name_the_last_message_or_the_file() -> None:
    assert date_of("s_20260504.jsonl", 5.0, 7) == (date_named("s_20260504.jsonl"), "name")
    assert date_of("s_20261304.jsonl", 5.0, 7) == (5.0, "message")
    assert date_of("s.jsonl", None, 7_500_000_000) == (7.5, "file")


@given(st.text("0123456789_.s", max_size=30), st.integers(-(2**63), 2**63))
def test_a_date_is_always_one_that_a_calendar_has(name: str, modified: int) -> None:
    at, _ = date_of(name, None, modified)
    assert 0 <= at <= LAST_SECOND
    datetime.fromtimestamp(at, UTC)
    assert recency_of(at, NOW) in (1, 2, 3)
