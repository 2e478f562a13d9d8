"""How far work is, in words."""

from __future__ import annotations

import pytest

from memscope.base.job import Progress
from memscope.base.text import clock
from memscope.tui.progress import progress_words


def test_done_of_total_rate_time_left_and_what_is_being_done() -> None:
    words = progress_words("scoring", Progress(12, 53, "scorings", "embedded"), 3.0)
    assert words == "12/53 scorings · 4.0/s · 0:10 left · embedded"


def test_requests_in_flight_are_told_where_there_are_some() -> None:
    progress = Progress(12, 53, "scorings", "vllm")
    words = progress_words("scoring", progress, 3.0, in_flight=4)
    assert words == "12/53 scorings · 4.0/s · 0:10 left · 4 in flight · vllm"
    assert "in flight" not in progress_words("scoring", progress, 3.0, in_flight=0)


def test_without_a_total_no_time_left_is_told() -> None:
    assert progress_words("scan", Progress(500, None, "files", ""), 10.0) == "500 files · 50/s"


def test_before_anything_is_known_its_name_stands_there_clean() -> None:
    assert progress_words("reading a\x1bb", None, 0.1) == "reading a␛b …"


@pytest.mark.parametrize(("seconds", "words"), [(7, "0:07"), (760, "12:40"), (11100, "3:05:00"), (59.6, "1:00")])
def test_a_clock_reads_like_one(seconds: float, words: str) -> None:
    assert clock(seconds) == words
