"""Whatever state a writer left a file in, its values come out, and what was passed over is named."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memscope.__main__ import run
from memscope.base.errors import SourceError
from memscope.conversation import raw as module
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw, Value


def written(tmp_path: Path, content: str | bytes, name: str = "a.jsonl") -> Raw:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Raw(path)


def read(raw: Raw) -> tuple[list[Any], list[Skipped]]:
    told = list(raw.values())
    return [v.json for v in told if isinstance(v, Value)], [s for s in told if isinstance(s, Skipped)]


def test_a_value_a_line_with_line_numbers(tmp_path: Path) -> None:
    raw = written(tmp_path, '{"a": 1}\n\n{"a": 2}\n')
    assert list(raw.values()) == [Value(1, {"a": 1}), Value(3, {"a": 2})]


def test_two_objects_on_one_line(tmp_path: Path) -> None:
    raw = written(tmp_path, '{"a": 1}{"a": 2} {"a": 3}\n{"a": 4}\n')
    assert list(raw.values()) == [Value(1, {"a": n}) for n in (1, 2, 3)] + [Value(2, {"a": 4})]


def test_two_objects_on_the_only_line(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"a": 1}{"a": 2}')) == ([{"a": 1}, {"a": 2}], [])


def test_a_truncated_last_line_is_named(tmp_path: Path) -> None:
    values, skipped = read(written(tmp_path, '{"a": 1}\n{"a": "unfin'))
    assert values == [{"a": 1}]
    assert skipped == [Skipped(2, "the last line breaks off")]


@pytest.mark.parametrize(
    "end", ['{"type": "text", "n": 1}, x', '{"type": "text", "n": 1}]}, \\', '{"type":', '{"type": "text", "te']
)
def test_a_last_line_that_breaks_off_is_told_once(tmp_path: Path, end: str) -> None:
    start = '{"type": "user", "n": 0}\n{"type": "user", "x": \\, "content": [{"type": "text", "n": 1}, '
    values, skipped = read(written(tmp_path, start + end))
    assert values == [{"type": "user", "n": 0}]
    assert skipped == [Skipped(2, "the last line breaks off")]


@pytest.mark.parametrize(
    "text", ['{"a": N}', '{"a": 1}\n{"a": N, "content": [{"a": 2}]}', '{\n"a": [\n{"a": N}\n]\n}', '[{"a": N}]\n']
)
def test_a_number_too_long_is_named(tmp_path: Path, text: str) -> None:
    values, skipped = read(written(tmp_path, text.replace("N", "9" * 5000)))
    assert values == ([{"a": 1}] if "1" in text else [])
    assert [s.reason for s in skipped] == ["a number too long to read"]


def test_a_last_line_without_newline_is_whole(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"a": 1}\n{"a": 2}')) == ([{"a": 1}, {"a": 2}], [])


def test_a_broken_line_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    values, skipped = read(written(tmp_path, '{"a": 1}\n{"a": \n{"a": 3}\n'))
    assert values == [{"a": 1}, {"a": 3}]
    assert skipped == [Skipped(2, "the line holds no whole JSON value")]


def test_a_partial_object_followed_by_a_full_one(tmp_path: Path) -> None:
    text = '{"time": 1, "x": "a"}\n{"time": 2, "x": "b{"time": 3, "x": "c"}\n{"time": 4}\n'
    values, skipped = read(written(tmp_path, text))
    assert [v["time"] for v in values] == [1, 3, 4]
    assert [s.line for s in skipped] == [2]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_pretty_printed_document_under_any_name(tmp_path: Path, name: str) -> None:
    document = {"messages": [{"role": "user", "content": "hi"}]}
    raw = written(tmp_path, json.dumps(document, indent=2) + "\n", name)
    assert list(raw.values()) == [Value(1, document)]


def test_a_document_behind_blank_lines_keeps_its_line(tmp_path: Path) -> None:
    assert list(written(tmp_path, '\n \r\n{\n"a": 1}').values()) == [Value(3, {"a": 1})]


def test_blank_leading_lines(tmp_path: Path) -> None:
    assert list(written(tmp_path, '\n\n{"a": 1}\n{"a": 2}\n').values()) == [Value(3, {"a": 1}), Value(4, {"a": 2})]


def test_json_in_a_json_string(tmp_path: Path) -> None:
    inner = json.dumps({"a": [1]})
    assert read(written(tmp_path, json.dumps(inner)))[0] == [{"a": [1]}]
    assert read(written(tmp_path, json.dumps(json.dumps(inner))))[0] == [{"a": [1]}]
    assert read(written(tmp_path, f"{json.dumps(inner)}\n{json.dumps(inner)}\n"))[0] == [{"a": [1]}] * 2


def test_a_string_that_only_looks_like_json_stays_a_string(tmp_path: Path) -> None:
    assert read(written(tmp_path, json.dumps("{not json")))[0] == ["{not json"]


def test_byte_order_mark(tmp_path: Path) -> None:
    assert read(written(tmp_path, b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n')) == ([{"a": 1}, {"a": 2}], [])
    assert read(written(tmp_path, b'\xef\xbb\xbf{\n"a": 1}')) == ([{"a": 1}], [])


def test_crlf_line_ends(tmp_path: Path) -> None:
    assert list(written(tmp_path, '{"a": 1}\r\n{"a": 2}\r\n').values()) == [Value(1, {"a": 1}), Value(2, {"a": 2})]


def test_raw_control_characters_in_strings(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"a": "x\x00y\x1b[31m\tz"}\n{"a": 2}\n'))[0] == [
        {"a": "x\x00y\x1b[31m\tz"},
        {"a": 2},
    ]


def test_lone_surrogate_escapes(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"a": "\\ud83d"}\n'))[0] == [{"a": "\ud83d"}]


def test_bytes_that_are_no_utf8_are_replaced(tmp_path: Path) -> None:
    note = "bytes that are not UTF-8 were replaced"
    assert read(written(tmp_path, b'{"a": "caf\xe9"}\n')) == ([{"a": "caf�"}], [Skipped(1, note)])
    lines = b'{"a": 1}\n' + b'{"a": "caf\xe9"}\n' * 3
    assert read(written(tmp_path, lines)) == ([{"a": 1}, *[{"a": "caf�"}] * 3], [Skipped(2, note)])
    assert read(written(tmp_path, b'{\n"a":\n"caf\xe9"}\n')) == ([{"a": "caf�"}], [Skipped(3, note)])


@pytest.mark.parametrize("around", ["{}", '{"a": 1}\n{}\n{"a": 2}\n'])
def test_deep_nesting_is_passed_over(tmp_path: Path, around: str) -> None:
    values, skipped = read(written(tmp_path, around.replace("{}", "[" * 100_000 + "]" * 100_000)))
    assert values == ([] if around == "{}" else [{"a": 1}, {"a": 2}])
    assert [s.reason for s in skipped] == ["the JSON is nested too deeply"]


def nested(depth: int, kind: str = "list") -> str:
    opening, closing = {"list": ("[", "]"), "object": ('{"a":', "}"), "both": ('[{"a":', "}]")}[kind]
    times = depth // (2 if kind == "both" else 1)
    return opening * times + "1" + closing * times


@pytest.mark.parametrize("kind", ["list", "object", "both"])
@pytest.mark.parametrize("around", ["{}", '{"a": 1}\n{}\n{"a": 2}\n', "[1,\n{}]"], ids=["line", "lines", "document"])
def test_nesting_has_a_limit(tmp_path: Path, kind: str, around: str) -> None:
    inside = module.DEEPEST - (2 if around.startswith("[") else 0)
    for depth, too_deep in ((inside, False), (inside + 2, True)):
        text = around.replace("{}", nested(depth, kind))
        values, skipped = read(written(tmp_path, text))
        assert len(values) == (3 if around.startswith("{") and around != "{}" else 1) - too_deep
        assert [s.reason for s in skipped] == ["the JSON is nested too deeply"] * too_deep


def test_the_limit_holds_in_a_string_too(tmp_path: Path) -> None:
    hidden = json.dumps(nested(module.DEEPEST + 1)).replace("[", "\\u005b")
    assert read(written(tmp_path, hidden)) == ([], [Skipped(1, "the JSON is nested too deeply")])


def test_what_may_be_nested_can_be_written(tmp_path: Path) -> None:
    block = {"type": "odd", "deep": json.loads(nested(module.DEEPEST - 6))}
    value = {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, block]}]}
    path = written(tmp_path, json.dumps(value)).path
    code = run(["convert", str(path), "--to", "native"])
    assert code == 0


def test_brackets_side_by_side_are_not_nested(tmp_path: Path) -> None:
    assert read(written(tmp_path, "[" + "[]," * 1000 + "{}]"))[1] == []


@pytest.mark.parametrize("inner", ['{"a": [1, ', '{"a": x', '{"a": "', '{"a": 1' + "9" * 5000 + ", "])
def test_a_broken_line_full_of_starts_takes_no_time(tmp_path: Path, inner: str) -> None:
    line = inner * (4_000_000 // len(inner))
    values, skipped = read(written(tmp_path, f'{{"a": 1}}\n{line}\n{{"a": 3}}\n'))
    assert [v for v in values if v["a"] in (1, 3)] == [{"a": 1}, {"a": 3}]
    assert 1 <= len(skipped) <= 20


def test_inner_objects_of_a_broken_record_are_no_records(tmp_path: Path) -> None:
    text = '{"type": "a"}\n{"type": "b", "content": [{"type": "text"}, {"type": "text"}, \n{"type": "c"}\n'
    values, skipped = read(written(tmp_path, text))
    assert [v["type"] for v in values] == ["a", "c"]
    assert [s.line for s in skipped] == [2]


def test_huge_integers(tmp_path: Path) -> None:
    values, skipped = read(written(tmp_path, f'{{"a": {"9" * 400}}}\n{{"a": {"9" * 9000}}}\n{{"a": 3}}\n'))
    assert values == [{"a": int("9" * 400)}, {"a": 3}]
    assert [s.line for s in skipped] == [2]


def test_a_line_longer_than_the_limit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 64)
    long = json.dumps({"a": "x" * 500})
    values, skipped = read(written(tmp_path, f'{{"a": 1}}\n{long}\n{{"a": 3}}\n'))
    assert values == [{"a": 1}, {"a": 3}]
    assert [s.line for s in skipped] == [2]
    assert "longer than" in skipped[0].reason
    values, skipped = read(written(tmp_path, long))
    assert (values, len(skipped)) == ([], 1)


def test_a_line_of_exactly_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"a": "x" * 50}) + "\n"
    monkeypatch.setattr(module, "LONGEST_LINE", len(line))
    assert read(written(tmp_path, line * 2)) == ([json.loads(line)] * 2, [])


def test_a_document_longer_than_a_line_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 64)
    document = {"a": ["x" * 10] * 100}
    assert read(written(tmp_path, json.dumps(document, indent=1))) == ([document], [])


def test_the_head_is_bounded_and_leaves_the_rest(tmp_path: Path) -> None:
    raw = written(tmp_path, "".join(f'{{"a": {n}}}\n' for n in range(200)))
    assert [v["a"] for v in raw.head] == list(range(module.HEAD_VALUES))
    assert len(read(raw)[0]) == 200


def test_a_file_with_no_json(tmp_path: Path) -> None:
    values, skipped = read(written(tmp_path, "# Notes\n\nNothing here.\n", "MEMORY.md"))
    assert values == []
    assert [s.line for s in skipped] == [1, 3]


def test_reading_changes_nothing(tmp_path: Path) -> None:
    raw = written(tmp_path, '{"a": 1}\n{"a": ')
    before = (raw.path.read_bytes(), raw.path.stat().st_mtime_ns)
    list(raw.values())
    assert (raw.path.read_bytes(), raw.path.stat().st_mtime_ns) == before


def sqlite_bytes(path: Path) -> bytes:
    database = sqlite3.connect(path)
    database.execute("create table messages (id integer)")
    database.commit()
    database.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (bytes(range(256)) * 16, "binary"),
        (gzip.compress(b'{"a": 1}', mtime=0), "compressed"),
        (b"PK\x03\x04rest", "compressed"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        written(tmp_path, content)


def test_a_database_has_no_values(tmp_path: Path) -> None:
    raw = written(tmp_path, sqlite_bytes(tmp_path / "state.db"))
    assert raw.is_database
    assert not written(tmp_path, "{}").is_database
    for read in (lambda: raw.head, lambda: list(raw.values())):
        with pytest.raises(SourceError, match="this is an SQLite database, not JSON"):
            read()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        Raw(tmp_path / "missing.jsonl")
    with pytest.raises(SourceError, match="Check the path") as caught:
        Raw(tmp_path / ("x" * 5000))
    assert len(str(caught.value)) < 350
    with pytest.raises(SourceError, match="folder"):
        Raw(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="pipe"):
        Raw(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    (tmp_path / "a.jsonl").chmod(0)
    with pytest.raises(SourceError, match="no permission"):
        Raw(tmp_path / "a.jsonl")


def scalars() -> st.SearchStrategy[str]:
    """The JSON of one value each, as `json` or somebody else may write it."""
    numbers = (
        "-0 -0.0 0.1 1e400 -1e400 5e-324 1E+2 9007199254740993 1.7976931348623159e308 NaN Infinity -Infinity".split()
    )
    broken = ["01", "1.", ".5", "+1", "nan", "tru", "'a'", '"\\x"', '"\\u12"', '"a', "-", "\ufeff1", "\x0c1"]
    texts = [
        '"\\ud83d"',
        '"\\ud83d\\ude00"',
        '"\\ude00\\ud83d"',
        '"\\u0000"',
        '"\x00\x1b\t"',
        '"\\/"',
        '"\u2028"',
        '"{"',
    ]
    written = st.text() | st.integers() | st.floats() | st.booleans() | st.none()
    digits = st.sampled_from([18, 19, 20, 40, 400, 4299, 4300, 4301]).map(lambda n: "7" * n)
    plain = st.builds(lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only), written, st.booleans())
    deep = st.builds(nested, st.integers(module.DEEPEST - 3, module.DEEPEST + 3), st.sampled_from(["list", "object"]))
    return st.one_of(plain, plain, st.sampled_from([*numbers, *texts]), digits, deep, st.sampled_from(broken))


def json_texts() -> st.SearchStrategy[str]:
    names = st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"type"'])  # few, so that they recur in an object

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        spaces = st.sampled_from(["", " ", "\t", "\r"])
        lists = st.builds(lambda held, space: f"[{f',{space}'.join(held)}]", st.lists(inner, max_size=4), spaces)
        pairs = st.lists(st.builds("{}:{}".format, names, inner), max_size=4)
        return lists | st.builds(lambda held, space: f"{{{f'{space},'.join(held)}}}", pairs, spaces)

    return st.recursive(scalars(), larger, max_leaves=6)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of JSON, whole and broken."""
    lines = draw(st.lists(json_texts() | st.just("") | json_texts().map(json.dumps), min_size=1, max_size=4))
    data = draw(st.sampled_from(["", "\ufeff", "\n"])).encode()
    data += draw(st.sampled_from(["\n", "\n", "\r\n", "", " "])).join(lines).encode(errors="surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        new = draw(
            st.sampled_from(
                [b"", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b'"', b"\\", b"}", b"]", b",", b"\n", b"1"]
            )
        )
        data = data[:at] + new + data[at + draw(st.integers(0, 2)) :]
    return data


def told_of(data: bytes, path: Path) -> str:
    """All that reading tells, types and signs of zeros included; where a file is refused, why."""
    path.write_bytes(data)
    try:
        return repr(list(Raw(path).values()))
    except SourceError as error:
        return error.what


@given(files())
@example(b'{"a":1,"a":2}\n{"a":-0}')
@example(b'{"a":1e400}{"b":NaN}\n')
@example(b'\xef\xbb\xbf{"a":1}\n{"a":"\\ud800"}\n{"a":"\xff"}')
def test_the_fast_parser_and_the_slow_way_tell_the_same(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    def refuse(data: bytes, **how: Any) -> Any:
        raise ValueError

    path = tmp_path_factory.getbasetemp() / "same.jsonl"
    fast = told_of(data, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "from_json", refuse)
        assert told_of(data, path) == fast
