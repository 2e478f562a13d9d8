"""Placeholders: gone before texts are compared, and nothing else with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.placeholders import without_placeholders

PLACEHOLDERS = """
REDACTED
[REDACTED]
<REDACTED>
<redacted>
(redacted)
[[REDACTED]]
[REDACTED EMAIL]
[Redacted: api-key]
[EMAIL REDACTED]
<EMAIL_REDACTED>
redacted_email
REDACTED_API_KEY
email_redacted
[name removed]
[hidden]
<masked>
***
********
xxxx
XXXXXXXX
xxxx-xxxx-xxxx
<path>
<PATH>
<your-api-key>
<user name>
<PERSON_1>
<FILE_NAME>
[EMAIL]
[your name]
[PHONE_NUMBER]
{{name}}
{{ user.name }}
{{person}}
${HOME}
${{ secrets.TOKEN }}
$VAR
$API_KEY
%USERNAME%
%(name)s
{file_name}
{name}
{% if x %}
__TOKEN__
██████
•••••
""".split("\n")[1:-1]

KEPT = """
the redacted document
List<String> and Map<Key, Value>
<div>
<T>
[ERROR] cannot open
[tool.ruff]
[path](docs/path.md)
the flag (removed in 3.0)
costs $5 and 20% of $x
a[i] and b[name_of]
def __init__(self)
{"a": 1}
{}
**bold** and *not*
xx and fox
the box, 0xxxff
see [1]
""".split("\n")[1:-1]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_goes_and_what_stands_around_it_stays(placeholder: str) -> None:
    assert without_placeholders(f"mail {placeholder}, please") == without_placeholders("mail xxxx, please")
    assert without_placeholders(f"send it to {placeholder}\nnow").split() == ["send", "it", "to", "now"]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_text_of_placeholders_alone_is_empty(placeholder: str) -> None:
    assert without_placeholders(placeholder) == ""
    assert without_placeholders(f" {placeholder}, {placeholder}\n- {placeholder}.") == ""


@pytest.mark.parametrize("text", [*KEPT, "", " ", "???", "…", "  two  blanks ", "密钥是 1234"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert without_placeholders(text) == text


def test_texts_that_were_blanked_alike_are_not_alike_for_it() -> None:
    assert without_placeholders("Mail [EMAIL] about [EMAIL].") == "Mail about ."
    assert without_placeholders("密钥是 [REDACTED]") == "密钥是"


@given(st.text(st.sampled_from("<>[](){}$%*x_- \nAREDACTEDredacted名"), max_size=60))
def test_nothing_is_added(text: str) -> None:
    bare = without_placeholders(text)
    assert len(bare) <= len(text)
    assert set(bare) <= set(text) | {" "}


@pytest.mark.parametrize(
    "text", ["<" * 50_000, "{{" * 50_000, "[x_" * 30_000, "a_" * 50_000, "x" * 100_000], ids=range(5)
)
def test_a_hostile_text_takes_no_time_beyond_its_length(text: str) -> None:
    without_placeholders(text)
