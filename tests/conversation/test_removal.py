from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.memory_files import read_memories
from memscope.conversation.removal import without_lines

LONG = "says enough to stand quite alone in a unit"


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("one\ntwo\nthree\n", [2], "one\nthree\n"),
        ("one\ntwo", [2], "one\n"),
        ("one\ntwo", [], "one\ntwo"),
        ("one\ntwo", [7], "one\ntwo"),
        ("one\r\ntwo\r\n", [1], "two\r\n"),
        ("one\n\n\n", [1], ""),
        ("---\nname: tea\n---\n\nShe likes tea.\n", [5], ""),
        ("---\nname: tea\n---\n- one\n- two\n", [5], "---\nname: tea\n---\n- one\n"),
    ],
)
def test_lines_go_and_with_the_last_of_them_all_goes(text: str, gone: list[int], left: str) -> None:
    assert without_lines(text, gone) == left


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("# A\n- one\n- two\n", [1, 2], "# A\n- two\n"),
        ("# A\n\n- one\n- two\n", [1, 2, 3], "# A\n\n- two\n"),
        ("# A\n- one\n# B\n- two\n", [1, 2], "# B\n- two\n"),
        ("# A\n- one\n## B\n- two\n", [1, 2], "# A\n## B\n- two\n"),
        ("# A\n## B\n- one\n## C\n- two\n", [1, 2, 3], "# A\n## C\n- two\n"),
        ("## A\n- one\n# B\n- two\n", [1, 2], "# B\n- two\n"),
        ("# A\n- one\n- two\n", [1, 2, 3], ""),
        ("**Always**\n- one\n- two\n# B\n", [1, 2], "**Always**\n- two\n# B\n"),
        ("**Always**:\n- one\n**Never**:\n- two\n", [1, 2], "**Never**:\n- two\n"),
        ("```\n# no heading\n```\nmore\n", [1, 2, 3], "more\n"),
    ],
)
def test_a_heading_stays_as_long_as_something_stands_under_it(text: str, gone: list[int], left: str) -> None:
    assert without_lines(text, gone) == left


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("one\n§\ntwo\n§\nthree\n", [1], "two\n§\nthree\n"),
        ("one\n§\ntwo\n§\nthree\n", [3], "one\n§\nthree\n"),
        ("one\n§\ntwo\n§\nthree\n", [5], "one\n§\ntwo\n"),
        ("one\n§\ntwo\n§\nthree\n", [1, 3], "three\n"),
        ("one\n§\ntwo\n§\nthree\n", [1, 5], "two\n"),
        ("one\n§\ntwo", [1, 3], ""),
        ("one\n\n§\n\ntwo\n", [5], "one\n\n"),
        ("one\n§\ntwo\n§\n", [3], "one\n§\n"),
        ("# one\nmore\n§\ntwo\n", [1, 2], "two\n"),
    ],
)
def test_between_entries_one_sign_stays(text: str, gone: list[int], left: str) -> None:
    assert without_lines(text, gone) == left


_LINES = ["# A", "## B", f"- one {LONG}", f"- two {LONG}", f"  - nested {LONG}", "", "words", "**Label**", "```", "§"]


@given(st.lists(st.sampled_from(_LINES), min_size=1, max_size=14), st.data())
def test_what_goes_is_gone_and_what_stays_stays(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("memory") / "CLAUDE.md"
    file.write_text("\n".join(f"{line} {n}" if line[-1:].isalpha() else line for n, line in enumerate(lines)) + "\n")
    found = read_memories([file])
    pruned = data.draw(st.sets(st.sampled_from(found.memories))) if found.memories else set()
    gone = {n for memory in pruned for place in found.places[memory.key, memory.text.strip()] for n in place.lines}

    left = without_lines(file.read_text(), gone)

    stay = [line for memory in found.memories if memory not in pruned for line in memory.text.split("\n") if line]
    assert [line for line in stay if line not in left.split("\n")] == []
    for memory in pruned:
        said = [line for line in memory.text.split("\n") if line.strip() and not line.startswith(("#", "**", "```"))]
        assert [line for line in said if line in left.split("\n")] == []
