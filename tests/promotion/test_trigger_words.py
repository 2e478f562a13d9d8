"""The words by which a request is known."""

from __future__ import annotations

import pytest

from memscope.base.masking import REMOVED
from memscope.promotion.trigger_words import trigger_words


def test_the_commonest_come_first_then_the_order_of_the_first_text() -> None:
    texts = ["Deploy the staging branch", "deploy the branch", "the branch of mine"]

    assert trigger_words(texts, 8) == ["branch", "deploy"]
    assert trigger_words(texts, 1) == ["branch"]
    assert trigger_words(["Deploy the staging branch"], 8) == ["deploy", "staging", "branch"]


@pytest.mark.parametrize(
    "text",
    [
        "please let me know, I'll start, can you help?",
        "https://github.com/jdx/mise/pull/1, www.mise.dev, jdx/mise#12, src/app/main.py, ~/notes, me@mise.dev",
        "[](https://mise.dev/x)",
        f"{REMOVED}",
        "S3cretPw99 k8s hunter2",
    ],
)
def test_stop_words_addresses_paths_and_what_has_digits_are_none(text: str) -> None:
    assert trigger_words([text, text], 8) == []


def test_of_the_forms_of_a_word_there_is_one() -> None:
    text = "the repo, repository; solve, solving; tests, test; contest, context"

    assert trigger_words([text, text], 8) == ["repo", "solve", "test", "contest", "context"]


def test_a_hostile_text_is_read_through() -> None:
    for atom in ("a/", "a.", "://", "@", "a"):
        assert trigger_words([atom * 20_000], 8) in ([], ["aaa"])
