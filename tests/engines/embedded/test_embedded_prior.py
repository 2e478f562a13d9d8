"""p_0 of the embedded engine: a distribution over all strings."""

from __future__ import annotations

from importlib.resources import files
from math import exp, isfinite, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.engines.embedded.prior import END, START, Prior, Speller, english
from memscope.engines.embedded.tokens import LONGEST, surfaces
from memscope.engines.embedded.vocabulary import fold


@pytest.mark.parametrize(
    "before", [(START, START), (START, "t"), ("t", "h"), ("q", "7"), ("ж", "и"), ("a", "你"), ("\ud800", "\0")]
)
def test_the_letters_of_the_speller_sum_to_one(before: tuple[str, str]) -> None:
    speller = english().speller
    reach = 0x9000  # brute force as far as any letter is special, the closed form of log(1 + 1/c) beyond
    total = speller.letter(END, before) + sum(speller.letter(chr(c), before) for c in range(reach))
    beyond = 0x1F000
    total += speller.letter(chr(beyond), before) / log1p(1 / beyond) * log1p((0x110000 - reach) / reach)
    if before[1] == "\ud800":  # its block lies beyond: add what being in it is worth
        block = range(0xD800, 0xD840)
        total += sum(
            speller.letter(chr(c), before) - speller.letter(chr(beyond), before) / log1p(1 / beyond) * log1p(1 / c)
            for c in block
        )
    assert total == pytest.approx(1, abs=1e-12)


def test_the_listed_words_have_their_share() -> None:
    prior = Prior(["the", "of", "rivet"])
    listed = sum(exp(prior.log_probability(w)) - 0.2 * exp(prior.speller.log_probability(w)) for w in prior.words)
    assert listed == pytest.approx(0.8, abs=1e-12)
    assert prior.log_probability("the") > prior.log_probability("of") > prior.log_probability("fivet")


def test_a_speller_of_two_letters_sums_to_one_over_words() -> None:
    """All strings over the letters seen, to a length where what is left is nothing, plus those that use another."""
    speller = Speller(["a", "ab", "ba"])
    ends, alive = 0.0, {("", START, START): 1.0}
    other = 0.0
    for step in range(14):
        grown: dict[tuple[str, str, str], float] = {}
        for (_, a, b), p in alive.items():
            closing = speller.letter(END, (a, b))
            scale = 1 / (1 - closing) if step == 0 else 1.0
            ends += 0.0 if step == 0 else p * closing
            letters = {x: scale * speller.letter(x, (a, b)) for x in "ab"}
            other += p * (1 - (0.0 if step == 0 else closing) - sum(letters.values()))
            for x, q in letters.items():
                key = ("", b, x)
                grown[key] = grown.get(key, 0.0) + p * q
        alive = grown
    assert ends + other + sum(alive.values()) == pytest.approx(1, abs=1e-12)


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=LONGEST))
def test_every_string_has_a_probability(word: str) -> None:
    value = english().log_probability(word)
    assert isfinite(value)
    assert value < 0


def test_the_word_list_is_what_it_says() -> None:
    text = files("memscope").joinpath("data/words.txt").read_text("utf-8")
    header, words = text.split("\n\n", 1)
    assert all(line.startswith("# ") for line in header.splitlines())
    assert "CC BY-SA 4.0" in header
    listed = words.splitlines()
    assert 2_000 <= len(listed) <= 5_000
    assert len(set(listed)) == len(listed)
    assert all(
        [fold(surface) for surface in surfaces(f"x{word}" if word[0] == "'" else word)][-1] == word for word in listed
    )
    assert english() is english()
