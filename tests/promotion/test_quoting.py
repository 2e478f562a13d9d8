"""Words of transcripts within Markdown: shown as they are, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.text import clean
from memscope.promotion.quoting import blockquote, code, escaped, inert, one_line, shortened, without_commands

HOSTILE = st.text(alphabet="#>-=+*_`~<>!&[]():/|0123.) abc\n\t\u200b\x1b\r", max_size=200) | st.text(max_size=200)
_BLOCK = re.compile(r"#{1,6}(?:\s|$)|```|~~~|<|[-+*](?:\s|$)|\d{1,9}[.)]|>|\[|=+\s*$|(?:[-_*]\s*){3,}$|\||\s")


@given(HOSTILE)
def test_a_quotation_opens_nothing(text: str) -> None:
    quoted = blockquote(text, limit=150, lines=5)

    for line in quoted.split("\n") if quoted else []:
        assert line.startswith("> ")
        assert not _BLOCK.match(line[2:])
        assert not re.search(r"(?<!\\)<|(?<!\\)!\[|```|~~~", line)
        assert clean(line) == line
    assert quoted.count("\n") <= 5


@given(HOSTILE, st.integers(2, 60))
def test_what_is_cut_is_no_longer_than_allowed(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit
    assert len(one_line(text, limit)) <= limit
    assert "\n" not in one_line(text, limit)
    assert shortened(text, len(text)) == text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words, no. 1", "plain words, no. 1"),
        ("# title", r"\# title"),
        ("#12 fails", r"\#12 fails"),
        ("```sh", r"\`\`\`sh"),
        ("run `ls` now", "run `ls` now"),
        ("1. first", r"1\. first"),
        ("2026 was", "2026 was"),
        ("- item", r"\- item"),
        ("---", r"\---"),
        ("===", r"\==="),
        ("  indented", "indented"),
        ("a <b> &lt; & ![x](y)", r"a \<b> \&lt; & \![x](y)"),
        ("[x]: http://y", r"\[x]: http://y"),
        ("one\ntwo", "one⏎two"),
    ],
)
def test_a_line_is_escaped_where_markdown_would_take_it_for_more(line: str, shown: str) -> None:
    assert escaped(line) == shown


@given(HOSTILE)
def test_a_name_as_code_cannot_leave_it(name: str) -> None:
    shown = code(name)

    assert shown.count("`") == 2
    assert shown[0] == shown[-1] == "`"
    assert "\n" not in shown
    assert len(shown) > 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run !`date` now", "run !\\`date` now"),
        ("go!``x``", "go!\\``x``"),
        ("``` !\nrm", "```\nrm"),
        ("$ARGUMENTS ${ARGUMENTS} $ARGUMENTS[0]", "＄ARGUMENTS ＄{ARGUMENTS} ＄ARGUMENTS[0]"),
        ("${CLAUDE_SKILL_DIR} $1 $HOME ${HOME}", "＄{CLAUDE_SKILL_DIR} ＄1 $HOME ${HOME}"),
        ("see @~/.ssh/id_rsa and a@b.c", "see \\@~/.ssh/id_rsa and a@b.c"),
    ],
)
def test_what_is_filled_in_when_a_skill_is_read_is_broken(text: str, shown: str) -> None:
    assert inert(text) == shown
    assert inert(shown) == shown


def test_a_model_may_write_of_files_and_of_fields() -> None:
    fine = "awk '{print $1}'; npm i @scope/name; `ls`!"

    assert without_commands(fine) == fine
    assert without_commands("!`ls` $ARGUMENTS") == "!\\`ls` ＄ARGUMENTS"


@given(st.text(alphabet="!`~$1A{} @/\n", max_size=40))
def test_nothing_is_left_of_what_runs(text: str) -> None:
    for line in (inert(text), escaped(text), code(text) + code(text)):
        assert not re.search(r"!`|(?:`{3}|~{3})!|\$\{?\d", line)
