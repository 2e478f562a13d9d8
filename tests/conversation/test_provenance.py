from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.memory_files import Places, add_memories, read_memories
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.provenance import place_in, places_of
from memscope.conversation.rules import find_memories
from tests.fakes import assistant, talk, user

LONG = "says enough to stand quite alone in a unit"
STYLE = f"# Style\n- one {LONG}\n- two {LONG}\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def lines(conversation: Conversation, key: str, known: Places | None = None) -> list[tuple[str, tuple[int, ...]]]:
    """Where a memory stands: names of files, and lines."""
    memory = next(memory for memory in conversation.memories if memory.key == key)
    found = places_of(conversation, key, memory.texts[-1], known or {})
    return [(place.path.name, place.lines) for place in found]


def standing(*paths: Path, split: object = None) -> dict[str, list[tuple[int, ...]]]:
    found = read_memories(paths, split=split)  # type: ignore[arg-type]
    return {key: [place.lines for place in places] for (key, _), places in found.places.items()}


# Files that a person named.


def test_units_know_their_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"{STYLE}\n# Imports\n@docs/a.md {LONG}\n  more\n")
    assert standing(file) == {
        "CLAUDE.md#style/1": [(1, 2)],
        "CLAUDE.md#style/2": [(3, 4)],
        "CLAUDE.md#imports/1": [(5, 6, 7)],
    }
    assert standing(file, split="file") == {"CLAUDE.md": [(1, 2, 3, 4, 5, 6, 7)]}


def test_nested_bullets_belong_to_theirs(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"- one {LONG}\r\n  - below it {LONG}\r\n- two {LONG}\r\n")
    assert standing(file) == {"CLAUDE.md#start/1": [(1, 2)], "CLAUDE.md#start/2": [(3,)]}


def test_a_file_that_is_one_memory_is_all_of_its_lines(tmp_path: Path) -> None:
    head = "\ufeff---\nname: tea\ndescription: what she drinks\n---\n"
    assert standing(write(tmp_path / "a.md", f"{head}\n{LONG}\nmore")) == {"tea": [(1, 2, 3, 4, 5, 6, 7)]}
    assert standing(write(tmp_path / "b.md", head)) == {"tea": [(1, 2, 3, 4)]}
    assert standing(write(tmp_path / "b.md", head), split="heading") == {"tea#start/1": [(1, 2, 3, 4)]}
    cut = write(tmp_path / "c.md", f"{head}\n\n- {LONG}\n- {LONG}\n")
    assert standing(cut, split="bullet") == {"tea#start/1": [(7,)], "tea#start/2": [(8,)]}


def test_an_entry_that_stands_twice_has_two_places(tmp_path: Path) -> None:
    file = write(tmp_path / "MEMORY.md", "\none\nmore\n\n§\ntwo\n§\none\nmore\n")
    assert list(standing(file).values()) == [[(2, 3), (8, 9)], [(6,)]]


def test_lines_of_an_index_are_not_of_the_memory_around_them(tmp_path: Path) -> None:
    write(tmp_path / "tea.md", LONG)
    write(tmp_path / "MEMORY.md", f"# Index\n- [Tea](tea.md) - hook\n- {LONG}\n")
    assert standing(tmp_path)["MEMORY.md#index/1"] == [(1, 3)]


_LINES = ["# A", "- [T](a.md) - hook", "words", f"- {LONG}", "", "  more", "```", "§", "---", "name: x", "\x0c"]


@given(st.lists(st.sampled_from(_LINES)), st.sampled_from([None, "file", "heading", "bullet"]))
def test_the_lines_of_a_memory_hold_its_text(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], split: object
) -> None:
    folder = tmp_path_factory.mktemp("memory")
    write(folder / "a.md", LONG)
    file = write(folder / "MEMORY.md", "\n".join(written))
    rows = file.read_text(encoding="utf-8").split("\n")
    found = read_memories([folder], split=split)  # type: ignore[arg-type]
    assert {key for key, _ in found.places} == {memory.key for memory in found.memories}
    for (_, text), places in found.places.items():
        for place in (place for place in places if place.path == file):
            stand = "\n".join(rows[number - 1] for number in place.lines)
            assert stand.strip().endswith(text) if written[:1] == ["---"] else stand.strip() == text


def test_a_text_that_got_a_newline_or_is_there_under_another_key_keeps_its_place(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"- one {LONG}\n- two {LONG}")
    found = read_memories([file])
    told = Message("system", (Memory("own", f"- one {LONG}"), Text("behind it")))
    conversation = add_memories(talk(told, user("Hi."), assistant("Hi.")), found.memories)
    assert lines(conversation, "own", found.places) == [("CLAUDE.md", (1,))]
    assert lines(conversation, "CLAUDE.md#start/2", found.places) == [("CLAUDE.md", (2,))]


def test_of_two_units_with_the_same_words_another_key_says_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"- {LONG}\n- {LONG}\n")
    found = read_memories([file])
    conversation = talk(Message("system", (Memory("own", f"- {LONG}"),)), user("Hi."), assistant("Hi."))
    assert lines(conversation, "own", found.places) == []


# Files that a record names.


def attached(path: str, text: str) -> Conversation:
    return talk(Message("user", (Memory(path, text, "structured"),)), user("Hi."), assistant("Hi."))


def test_an_attachment_stands_in_the_file_it_names(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"before\n{STYLE}behind\n")
    assert lines(attached(str(file), STYLE), str(file)) == [("CLAUDE.md", (2, 3, 4))]


@pytest.mark.parametrize(
    "written",
    [
        STYLE + STYLE,  # twice
        STYLE.replace("two", "2"),
        f"- {STYLE}",  # behind something else on its line
        STYLE.rstrip("\n") + " and more\n",
        STYLE.replace("\n", "\r\n"),
        "",
    ],
)
def test_other_words_twice_or_within_a_line_are_not_its_place(tmp_path: Path, written: str) -> None:
    file = write(tmp_path / "CLAUDE.md", written)
    assert lines(attached(str(file), STYLE), str(file)) == []


@pytest.mark.parametrize("name", ["CLAUDE.md", "~nobody-of-this-name/CLAUDE.md", "", "\0", "/" + "a/" * 5000])
def test_a_name_that_leads_nowhere_by_itself_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "CLAUDE.md", STYLE)
    assert lines(attached(name, STYLE), name) == []


def test_what_is_not_utf_8_stands_there_too(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"caf\udce9\n{LONG}\n\udcff")
    assert lines(attached(str(file), LONG), str(file)) == [("CLAUDE.md", (2,))]


def test_a_folder_or_a_file_that_cannot_be_read_is_no_place(tmp_path: Path) -> None:
    assert place_in(tmp_path, STYLE) is None
    assert place_in(tmp_path / "gone.md", STYLE) is None


def read_by(call: ToolCall, answer: str) -> Conversation:
    told = talk(user("Hi."), assistant("", call), Message("tool", (ToolResult(call.id, answer),)), assistant("Hi."))
    return find_memories(told)


@pytest.mark.parametrize("numbered", [False, True])
def test_what_a_tool_read_stands_in_the_file_that_the_call_names(tmp_path: Path, numbered: bool) -> None:
    file = write(tmp_path / "memory" / "CLAUDE.md", STYLE)
    rows = enumerate(STYLE.split("\n")[:-1], 1)
    answer = "".join(f"{n:6}→{row}\n" for n, row in rows) if numbered else STYLE
    conversation = read_by(ToolCall("1", "Read", json.dumps({"file_path": str(file)})), answer)
    assert lines(conversation, "CLAUDE.md#style/1") == [("CLAUDE.md", (1, 2))]
    assert lines(conversation, "CLAUDE.md#style/2") == [("CLAUDE.md", (3,))]


def test_a_command_says_in_which_folder_it_read(tmp_path: Path) -> None:
    write(tmp_path / "AGENTS.md", STYLE)
    command = {"command": ["bash", "-lc", "cat AGENTS.md"], "workdir": str(tmp_path)}
    conversation = read_by(ToolCall("1", "shell", json.dumps(command)), STYLE)
    assert lines(conversation, "AGENTS.md#style/2") == [("AGENTS.md", (3,))]
    del command["workdir"]
    assert lines(read_by(ToolCall("1", "shell", json.dumps(command)), STYLE), "AGENTS.md#style/2") == []


def test_of_two_files_that_were_read_at_once_the_words_must_stand_in_one(tmp_path: Path) -> None:
    write(tmp_path / "AGENTS.md", STYLE)
    write(tmp_path / "CLAUDE.md", f"{STYLE}more\n")
    call = ToolCall("1", "bash", json.dumps({"command": f"cat {tmp_path}/AGENTS.md {tmp_path}/CLAUDE.md"}))
    conversation = read_by(call, STYLE)
    assert lines(conversation, "AGENTS.md#style/2") == []
    write(tmp_path / "CLAUDE.md", "other\n")
    assert lines(conversation, "AGENTS.md#style/2") == [("AGENTS.md", (3,))]


def test_instructions_stand_in_the_agents_file_of_the_folder_they_name(tmp_path: Path) -> None:
    write(tmp_path / "AGENTS.md", STYLE)
    text = f"# AGENTS.md instructions for {tmp_path}\n\n<INSTRUCTIONS>\n{STYLE}</INSTRUCTIONS>\n"
    conversation = find_memories(talk(user(text), assistant("Hi.")))
    assert lines(conversation, "AGENTS.md#style/2") == [("AGENTS.md", (3,))]
