"""Addresses: gone before texts are compared, and nothing else with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.addresses import without_addresses
from memscope.promotion.compared import compared

ADDRESSES = r"""
https://github.com/jdx/mise/pull/10922
http://127.0.0.1:8080/v1/embeddings?x=1&y=2#top
https://en.wikipedia.org/wiki/Rust_(programming_language)
ssh://git@example.org/repo.git
git@github.com:jdx/mise.git
file:///home/dev/a.txt
www.example.org
www.example.org/about
github.com/jdx/mise
example.com
docs.example.com:8443
localhost:8000/health
10.0.0.7:5432
dev@example.org
mailto:dev@example.org
~/notes/today.md
~/
$HOME/.config/app
/home/dev/project/src/main.py
/tmp/out
/var/log/syslog
/Users/dev/a
/testbed/tests
/Kernel/init/main.c
/Kernel/init/main.c:12
C:\Users\dev\a.txt
D:/code/a
jdx/mise#10922
""".split("\n")[1:-1]

KEPT = """
foo.py
README.md and package.json
src/app/main.py
./run.sh
and/or
tests/test_x.py::test_it
v1.2.3
e.g. this
node.js
asp.net
socket.io
the end.Then
/api/v1/users
GET /users/me
/review this
std::io::Error
self.app.run()
10.0.0.7
#12
@dev/tool
""".split("\n")[1:-1]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_goes_and_what_stands_around_it_stays(address: str) -> None:
    for text in ("look at {} now", "look at `{}` now", "look at ({}) now", "look at <{}>, now", '"look at {}" now'):
        assert [word.strip("`()<>,\"") for word in without_addresses(text.format(address)).split()] in (
            ["look", "at", "now"],
            ["look", "at", "", "now"],
            ["look", "at", "", "", "now"],
        )  # fmt: skip


@pytest.mark.parametrize("text", [*KEPT, "", "  two  blanks ", "请看 foo.py"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert compared(text) == text


@pytest.mark.parametrize(
    ("link", "left"),
    [
        ("see [the guide](https://example.org/a_(b)) now", "see the guide now"),
        ("see [the guide](docs/guide.md 'x')", "see [the guide](docs/guide.md 'x')"),
        ('see ![a drawing](a.png "words")', "see a drawing"),
        ("see [https://example.org](https://example.org)", "see"),
        ("summarize [jdx/mise#1](https://github.com/jdx/mise/pull/1)", "summarize"),
        ("[]( )", "[]( )"),
        ("请看https://example.org/a。然后修复", "请看 。然后修复"),
    ],
)
def test_of_a_link_the_words_stay(link: str, left: str) -> None:
    assert compared(link) == left


def test_a_text_of_addresses_and_placeholders_alone_is_empty() -> None:
    assert compared(" https://example.org, /home/dev/x - [EMAIL]!") == ""
    assert compared("Mail [EMAIL] the page https://example.org.") == "Mail the page"


@given(st.text(st.sampled_from("htps:/.~\\[]()#@ cogmx1\n名"), max_size=80))
def test_nothing_is_added(text: str) -> None:
    assert set(compared(text)) <= set(text) | {" "}


@pytest.mark.parametrize(
    "piece", ["[", "[a](", "a.", "/home/", "https://", "a@", "~/", "/a", "a-", "C:\\", "a/b", "(("]
)
def test_a_hostile_text_takes_no_time_beyond_its_length(piece: str) -> None:
    compared(piece * 20_000)
