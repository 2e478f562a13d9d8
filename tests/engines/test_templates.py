"""Chat templates that are rendered here: what they may do, how they are given, and what is said of those that fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import EngineError, UsageError
from memscope.conversation.model import Message, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from memscope.engines.chat import Chat, chat
from memscope.engines.templates import BUILT_IN, Template, template_of
from tests.fakes import assistant, talk, user

TALK = chat(render(talk(Message("system", (Text("Be brief."),)), user("Tea?"), assistant("Green."))))
CALLS = chat(
    render(
        talk(
            user("Look."),
            assistant("Yes.", ToolCall("1", "look", '{"at": "the sea"}'), ToolCall("2", "wait", "not JSON")),
            Message("tool", (ToolResult("1", "blue"),)),
            assistant("Blue."),
        )
    )
)


def rendered(source: str, said: Chat = TALK) -> str:
    return Template(source, bos="<s>", eos="</s>").render(said)


# --- what a template sees --------------------------------------------------------------------------------------------


def test_a_template_sees_what_models_templates_are_written_for() -> None:
    source = (
        "{{ bos_token }}{% for m in messages %}{{ m['role'] }}={{ m.content }};{% endfor %}"
        "{{ add_generation_prompt }} {{ tools is none }}{{ eos_token }}"
    )
    assert rendered(source) == "<s>system=Be brief.;user=Tea?;assistant=Green.;False True</s>"


def test_arguments_of_calls_are_objects_where_they_are_json() -> None:
    call = "{{ c.function.arguments | tojson }};"
    source = "{% for m in messages %}{% for c in m.tool_calls or [] %}" + call + "{% endfor %}{% endfor %}"

    assert rendered(source, CALLS) == '{"at": "the sea"};"not JSON";'
    assert CALLS.messages[1]["tool_calls"][0]["function"]["arguments"] == '{"at": "the sea"}'  # as it is sent


def test_json_is_written_as_it_stands() -> None:
    assert rendered("{{ {'b': '<é>', 'a': 1} | tojson }}") == '{"b": "<é>", "a": 1}'
    assert rendered("{{ [1] | tojson(indent=2) }}") == "[\n  1\n]"


def test_loops_may_be_left_and_blocks_leave_no_lines() -> None:
    assert (
        rendered("{% for m in messages %}\n  {% if loop.index > 1 %}\n  {% break %}\n  {% endif %}\nx\n{% endfor %}")
        == "x\n"
    )


def test_generation_tags_are_taken_for_nothing() -> None:
    assert rendered("a{% generation %}b{% endgeneration %}c {%- generation -%} d {%+ endgeneration %}e") == "abcd e"


def test_the_date_is_the_same_every_day_so_that_scores_of_two_days_compare() -> None:
    assert rendered("{{ strftime_now('%d %b %Y') }}") == "26 Jul 2024"


# --- what it may not do ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ raise_exception('Roles must alternate') }}", "Roles must alternate"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.__class__.__base__.__subclasses__() }}", "unsafe"),
        ("{{ raise_exception.__globals__['json'] }}", "unsafe"),
        ("{{ ''.__class__.mro()[1].__subclasses__() }}", "unsafe"),
        ("{% set _ = messages.append(1) %}", "unsafe"),
        ("{{ messages[0].pop('role') }}", "unsafe"),
        ("{{ '{0.__class__.__mro__}'.format(messages) }}", "unsafe"),
        ("{{ range(10 ** 9) | list }}", "range"),
        ("{{ 1 / 0 }}", "division"),
        ("{{ messages[99].role }}", "no element 99"),
        ("{{ nothing.at.all }}", "undefined"),
        ("{{ 'a' + 1 }}", "str"),
        ("{% include 'passwd' %}", ""),
        ("{% if %}", "Expected an expression"),
        ("{{ messages | nothing }}", "nothing"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
def test_whatever_a_template_does_wrong_is_an_error_that_says_what_to_do(source: str, reason: str) -> None:
    with pytest.raises(EngineError, match=f"(?i)the chat template refuses the conversation: .*{reason}") as refused:
        rendered(source)
    assert "--fold" in refused.value.do


# --- how it is given -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_of_ours_shows_every_message_and_call(name: str) -> None:
    template = template_of(name)
    assert template.name == name

    assert all(text in template.render(TALK) for text in ("Be brief.", "Tea?", "Green."))
    assert all(text in template.render(CALLS) for text in ("Look.", "Yes.", "look", "the sea", "blue", "Blue."))


def test_ours_are_what_such_models_are_trained_on() -> None:
    assert template_of("chatml").render(TALK) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nTea?<|im_end|>\n"
        "<|im_start|>assistant\nGreen.<|im_end|>\n"
    )
    assert template_of("llama3").render(chat(render(talk(user(" Tea? "), assistant("Green."))))) == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nTea?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nGreen.<|eot_id|>"
    )
    assert template_of("mistral").render(chat(render(talk(user("Tea?"), assistant("Green."))))) == (
        "<s>[INST] Tea? [/INST] Green.</s>"
    )
    assert template_of("gemma").render(chat(render(talk(user("Tea?"), assistant("Green."))))) == (
        "<bos><start_of_turn>user\nTea?<end_of_turn>\n<start_of_turn>model\nGreen.<end_of_turn>\n"
    )


SOURCE = "{{ bos_token }}{% for m in messages %}{{ m.content }}|{% endfor %}{{ eos_token }}"
TEXT = "<b>Be brief.|Tea?|Green.|</e>"
SPECIAL = {"bos_token": "<b>", "eos_token": {"content": "</e>", "special": True}}


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "held",
    [
        SOURCE,
        [{"name": "tool_use", "template": "x"}, {"name": "default", "template": SOURCE}],
        [{"name": "other", "template": SOURCE}],
    ],
)
def test_a_tokenizers_configuration_holds_it_and_its_special_tokens(held: object, tmp_path: Path) -> None:
    path = write(tmp_path, "tokenizer_config.json", {"chat_template": held, **SPECIAL})

    for given_ in (path, tmp_path):
        assert template_of(str(given_)).render(TALK) == TEXT


def test_a_jinja_file_takes_the_special_tokens_from_the_configuration_beside_it(tmp_path: Path) -> None:
    """As models ship it today: the file of the template apart, and named nowhere."""
    path = write(tmp_path, "chat_template.jinja", SOURCE)
    assert template_of(str(path)).render(TALK) == "Be brief.|Tea?|Green.|"

    config = write(tmp_path, "tokenizer_config.json", SPECIAL)
    for given_ in (path, config, tmp_path):
        assert template_of(str(given_)).render(TALK) == TEXT


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '{"chat_template": 1}',
        '{"chat_template": []}',
        '{"chat_template": [{}]}',
        "[" * 100_000,
    ],
)
def test_a_file_that_holds_none_says_so(content: str, tmp_path: Path) -> None:
    path = write(tmp_path, "tokenizer_config.json", content)

    with pytest.raises(UsageError, match=r"this file holds no chat_template\. Give the Jinja file itself") as refused:
        template_of(str(path))
    assert refused.value.where == str(path)


def test_a_name_that_is_neither_ours_nor_a_file_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no chat template .*There are: chatml, llama3, mistral, gemma"):
        template_of(str(tmp_path / "nothing.jinja"))
    with pytest.raises(UsageError, match="there is no chat template 'chatnl'"):
        template_of("chatnl")
    with pytest.raises(UsageError, match="there is no chat template"):
        template_of(str(tmp_path))  # a folder with no model in it


def test_a_file_that_is_no_text_or_too_large_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.jinja"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        template_of(str(path))
    monkeypatch.setattr("memscope.engines.templates._LARGEST", 2)
    with pytest.raises(UsageError, match="too large for a chat template"):
        template_of(str(path))


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_a_digest_tells_templates_apart(source: str, bos: str, eos: str, other: str) -> None:
    one = Template(source, bos, eos)

    assert one.digest == Template(source, bos, eos, name=other).digest
    assert (one.digest == Template(other, bos, eos).digest) == (source == other)
    assert (one.digest == Template(source, other, eos).digest) == (bos == other)
