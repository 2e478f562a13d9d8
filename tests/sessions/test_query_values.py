"""Numbers, sizes, days and words in queries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.query_values import DAY, age, days, folded, last_name, number, size
from tests.sessions.rows import NOW


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("900", 900), ("12k", 12_000), ("12kB", 12_000), ("1.5M", 1_500_000), ("2G", 2e9), ("7 b", 7), ("1m", 1e6),
        ("", None), ("k", None), ("1.5.2", None), ("-1", None), ("1T", None), ("٣", None), ("1e9", None),
    ],
)  # fmt: skip
def test_sizes(text: str, bytes_: float | None) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("-1", -1), ("007", 7), ("1.5", None), ("", None), ("1_0", None), ("٣", None)]
)
def test_whole_numbers(text: str, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("7d", 7), ("2W", 14), ("d", None), ("7h", None)])
def test_ages(text: str, value: int | None) -> None:
    assert age(text) == value


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("2026", "2026-01-01", 365),
        ("2024", "2024-01-01", 366),
        ("2026-02", "2026-02-01", 28),
        ("2026-12", "2026-12-01", 31),
        ("2026-4-1", "2026-04-01", 1),
        ("2026-04-01", "2026-04-01", 1),
        ("today", "2026-05-01", 1),
        ("Yesterday", "2026-04-30", 1),
        ("7d", "2026-04-24", 1),
        ("2w", "2026-04-17", 1),
    ],
)
def test_days(text: str, first: str, length: int) -> None:
    start = datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp()
    assert days(text, NOW) == (start, start + length * DAY)


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-02-30", "26-04-01", "2026-04-01-02", "999999d", "0", "9999", "٢٠٢٦"]
)
def test_what_is_no_day(text: str) -> None:
    assert days(text, NOW) is None


@given(st.dates(max_value=date(9998, 1, 1)), st.integers(0, 86_399))
def test_a_day_a_month_and_a_year_hold_each_of_their_seconds(day: date, second: int) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    whole = day.isoformat()
    for text in (whole, whole[:7], whole[:4]):
        found = days(text, NOW)
        assert found is not None
        assert found.start <= moment.timestamp() < found.end


@pytest.mark.parametrize(
    ("text", "name"), [("mise", "mise"), ("jdx/mise/", "mise"), ("a/b/c", "c"), ("/", ""), ("", "")]
)
def test_a_repository_is_its_last_name(text: str, name: str) -> None:
    assert last_name(text) == name


@pytest.mark.parametrize(
    ("one", "other"), [("Été", "ete"), ("STRASSE", "straße"), ("İstanbul", "istanbul"), ("Ünïcode", "unicode")]
)
def test_case_and_accents_do_not_count(one: str, other: str) -> None:
    assert folded(one) == folded(other)
