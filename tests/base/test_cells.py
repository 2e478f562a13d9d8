from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memscope.base.cells import beginning, ending, middle

texts = st.text(st.sampled_from("ab -é好🙂"), max_size=30)


@pytest.mark.parametrize("cut", [beginning, ending, middle])
@given(text=texts, width=st.integers(0, 40))
def test_a_cut_text_fits_and_one_that_fits_is_whole(cut: Callable[[str, int], str], text: str, width: int) -> None:
    found = cut(text, width)

    assert cell_len(found) <= width
    assert (found == text) == (cell_len(text) <= width)


def test_a_key_keeps_both_ends() -> None:
    assert middle("memory/topics/package-manager.md", 16) == "memor…manager.md"
    assert beginning("memory/topics/package-manager.md", 8) == "memory/…"


def test_of_a_line_that_grows_the_end_stays() -> None:
    assert ending("▁▂▃▄▅", 2) == "▄▅"
    assert ending("a好", 1) == ""
