"""The words of a text that say what it is on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.base.similar import content_words


def test_words_that_carry_meaning_remain() -> None:
    assert content_words("Use TABS, never the spaces: they are in my way.") == {"tabs", "never", "spaces"}


def test_short_words_numbers_of_three_digits_and_other_scripts() -> None:
    assert content_words("ab 443 id_token Straße 東京都") == {"443", "token", "strasse", "東京都"}


def test_nothing_to_say() -> None:
    assert content_words("") == content_words("?! -- a b, the and") == frozenset()


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_order_and_repetition_do_not_matter(a: str, b: str) -> None:
    assert content_words(f"{a} {b}") == content_words(f"{b} {a} {b}") == content_words(a) | content_words(b)
