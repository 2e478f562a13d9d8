"""What makes a session one that failed: marks first and near the end, words last and un-negated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.model import Message, Text, ToolResult
from memscope.conversation.records import Fact, Item, Record, outcome_facts
from memscope.sessions.facts import Evidence, Failure
from memscope.sessions.failing_words import WORDS, failing_line, telling_line
from memscope.sessions.fold import read_facts
from memscope.sessions.outcome import ENDING, LAST_WORDS
from memscope.sessions.repositories import Patterns


def failure_of(*records: Record, marks_failures: bool = False) -> Failure | None:
    return read_facts(Item(records, marks_failures=marks_failures), 0, Patterns.of([])).failure


def said(role: str, text: str, line: int = 0) -> Message:
    return Message(role, (Text(text),), line=line)


def answered(text: str, line: int = 0, *, is_error: bool = False, exit_code: int | None = None) -> Message:
    return Message("tool", (ToolResult("c", text, is_error, exit_code),), line=line)


ASK, ANSWER = said("user", "Fix the error."), said("assistant", "Done.")


def test_an_error_is_told_by_its_most_telling_line() -> None:
    text = "Traceback (most recent call last):\n  File x\nValueError: no such thing\n"
    found = failure_of(ASK, answered(text, 4, is_error=True), Fact("error", text, 4), ANSWER)
    assert found == Failure("error", Evidence(0, 1, 4, "ValueError: no such thing"))


def test_a_failed_command_is_told_by_its_code_and_its_last_words() -> None:
    text = "Exit code 2\nmake: *** [all]\nsome more"
    facts = Fact("exit_code", "2", 4), Fact("error", text, 4)
    found = failure_of(answered(text, 4, is_error=True, exit_code=2), *facts)
    assert found == Failure("exit_code", Evidence(0, 0, 4, "exit code 2: some more"))
    assert found.evidence.quote == "some more"
    bare = failure_of(answered("", 4, exit_code=2), Fact("exit_code", "2", 4))
    assert bare == Failure("exit_code", Evidence(0, 0, 4, "exit code 2"))
    assert bare.evidence.quote == ""


@pytest.mark.parametrize("facts_first", [False, True])
@pytest.mark.parametrize("is_both", [False, True])
def test_of_two_results_on_a_line_that_say_the_same_the_last_counts(facts_first: bool, is_both: bool) -> None:
    """A document is all on one line."""
    both: list[Record] = []
    for message in (answered("same", 1, is_error=is_both, exit_code=2), answered("same", 1, is_error=True)):
        told = [*outcome_facts(message.parts[0], 1)]  # type: ignore[arg-type]
        both += [*told, message] if facts_first else [message, *told]
    assert failure_of(*both) == Failure("error", Evidence(0, 1, 1, "same"))


def test_an_event_stands_at_the_message_before_it() -> None:
    found = failure_of(ASK, ANSWER, Fact("error", "API Error: 500", 9), said("user", "go on", 10))
    assert found == Failure("error", Evidence(0, 1, 9, "API Error: 500"))
    alone = failure_of(Fact("error", "Rate limit exceeded", 3))
    assert alone == Failure("error", Evidence(0, 0, 3, "Rate limit exceeded"))


def test_an_interrupted_turn_is_a_failure() -> None:
    words = "[Request interrupted by user]"
    found = failure_of(ASK, said("user", words, 5), Fact("interrupted", words, 5))
    assert found == Failure("interrupted", Evidence(0, 1, 5, words))


@pytest.mark.parametrize("later", [ENDING - 1, ENDING])
def test_what_a_session_worked_past_is_no_failure(later: int) -> None:
    failed = answered("boom", 1, is_error=True), Fact("error", "boom", 1)
    assert (failure_of(*failed, *[ANSWER] * later) is not None) is (later < ENDING)
    assert (failure_of(Fact("error", "boom", 1), *[ANSWER] * later, ANSWER) is not None) is (later + 1 < ENDING)


def test_words_decide_only_where_nothing_is_ever_marked() -> None:
    words = said("assistant", "The build failed.")
    assert failure_of(ASK, words) == Failure("words", Evidence(0, 1, 0, "The build failed."))
    assert failure_of(ASK, answered("ok"), words, marks_failures=True) is None
    assert failure_of(ASK, words, marks_failures=True) is not None, "no tool was used, so none could be marked"
    assert failure_of(ASK, answered("ok", exit_code=0), words) is None
    assert failure_of(ASK, answered("ok"), words) is not None


def test_words_are_looked_for_in_the_last_messages_of_assistant_and_tool() -> None:
    failed = said("tool", "permission denied")
    assert failure_of(failed, *[ANSWER] * (LAST_WORDS - 1), *[ASK] * 9) is not None
    assert failure_of(failed, *[ANSWER] * LAST_WORDS) is None
    assert failure_of(ASK, said("system", "an error"), ANSWER) is None
    found = failure_of(failed, said("assistant", "I am unable to.\nAll was rejected, twice.\nSorry."))
    assert found is not None
    assert found.evidence.text == "All was rejected, twice."


FAILS = """It failed.
ERROR: no such file
3 failed, 2 passed
10 failed
the request was denied
I cannot do that, no.
No, it failed
It is not ready; the build failed
Traceback (most recent call last):
an exception was thrown
error
"error": "boom"
failed: 2
permission denied
**Failed** to build
I was unable to find it, and nothing else.
exit 0, but with one error
The fix failed.
not sure why it failed
user not logged in error
My fix was rejected.
The fixes failed to apply
The resolved path cannot be read
404 Not Found error when fetching
I got a file not found error.
It says "no such module" or does not exist error
I did not fix the error
I could not yet resolve the error
There is no fix for the error
The error is not fixed
The error was never resolved
Without sudo this cannot work. I stopped.
not one but two failed
It did not finish and failed
a use-after-free error""".splitlines()

FINE = """No error was found.
0 failed, 12 passed
12 passed, 0 failed
no unexpected error occurred
without a single error
it never failed
The access is not denied
it didn't cause an exception
That is error-free now
error free
errors: 0
failed: 0
failed=0
Failed: none
"error": null, "output": "x"
"error": ""
failed 0, passed 3
see error.log and src/error.rs
on_error and handle_error(x)
error_handling is an error-handling module
it writes to standard error
with the exception of one
exception handling
we fixed the failed test
Fixed 2 failed tests
Fixed import error in main
I have not found any error
it is free of any error
the syntax error is now resolved
neither rejected nor denied
the terrors of errorless unfailed things""".splitlines()


@pytest.mark.parametrize("line", FAILS)
def test_a_line_that_says_so(line: str) -> None:
    assert failing_line(f"Fine.\n{line}\nFine.") == line


@pytest.mark.parametrize("line", FINE)
def test_a_line_that_does_not(line: str) -> None:
    assert failing_line(f"Fine.\n{line}\nFine.") == ""


def test_of_long_lines_the_place_is_shown_and_of_long_texts_the_ends() -> None:
    line = failing_line("x" * 1000 + " the tests failed here " + "y" * 1000)
    assert "the tests failed here" in line
    assert len(line) < 400
    assert failing_line("it failed\n" + "fine\n" * 10_000) == "it failed"
    assert failing_line("fine\n" * 10_000 + "it failed\n" + "fine\n" * 10_000) == ""


@given(st.text(max_size=200) | st.lists(st.sampled_from([*WORDS, " ", "no ", "0 ", "\n", "-", "."]), max_size=30))
def test_any_text_has_one_line_of_its_own_or_none(found: str | list[str]) -> None:
    text = "".join(found)
    for line in (failing_line(text), telling_line(text)):
        assert line.lstrip("…").strip() in text or "<" in text
        assert len(line.splitlines()) <= 1
    assert not failing_line(text) or any(word in text.lower() for word in WORDS)


def test_the_telling_line_of_a_text_without_those_words() -> None:
    assert telling_line("\n<tool_use>first</tool_use>\nlast\n") == "first"
    assert telling_line("first\nlast\n\n", -1) == "last"
    assert telling_line(" \n") == ""
