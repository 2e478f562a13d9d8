"""The line that says what failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.text import clean_line
from memscope.conversation.failed_calls import failure_of, has_failed
from memscope.conversation.model import ToolResult


def told(text: str, code: int | None = None) -> str:
    return failure_of(ToolResult("c", text, True, code), "Bash")


def test_what_was_marked_or_ended_with_a_code_has_failed() -> None:
    assert has_failed(ToolResult("c", "", is_error=True))
    assert has_failed(ToolResult("c", "", exit_code=2))
    assert not has_failed(ToolResult("c", "error", exit_code=0))


@pytest.mark.parametrize(
    "text",
    [
        "The user doesn't want to proceed with this tool use. The tool use was rejected. The user said:\nnot now",
        "[Request interrupted by user for tool use]",
        "Error: The user rejected permission to use this specific tool call",
        "exec command rejected by user",
        '{"output": "Command was cancelled by the user"}',
    ],
)
def test_what_a_person_stopped_has_not_failed(text: str) -> None:
    assert not has_failed(ToolResult("c", text, is_error=True))
    assert has_failed(ToolResult("c", f"error: no such file\n{text}", is_error=True))


def test_a_credential_is_masked_before_a_line_is_cut() -> None:
    for front in range(120, 160):
        assert "hunter" not in told(f"error {'w' * front} password=hunter2hunter2hunter2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Exit code 1\nran\nE  ValueError: no\nmore errors", "Bash: E ValueError: no"),
        ("first\nlast words\n---\n", "Bash: last words"),
        ("<tool_use_error>File has not been read</tool_use_error>", "Bash: File has not been read"),
        ('{"output": "a\\nfatal: b", "exit_code": 1, "error": null}', "Bash: fatal: b"),
        *(('{"output": "", "error": null}', ""), ("", ""), ("Exit code 1", ""), ("Command exited with code 2\n\n", "")),
        ("{broken error", "Bash: {broken error"),
    ],
)
def test_the_line_that_tells_most(text: str, words: str) -> None:
    assert told(text) == words


@given(st.text(), st.none() | st.integers())
def test_it_is_one_clean_line(text: str, code: int | None) -> None:
    line = told(text, code)
    assert len(line) <= 160
    assert line == clean_line(line)


def test_a_long_answer_is_looked_at_from_both_ends() -> None:
    assert told("x y z\n" * 100_000 + "Error: at last\n") == "Bash: Error: at last"
    assert told("\x1b]0;x\x07 error here") == "Bash: ␛]0;x␇ error here"
