from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.conversation import memory_files
from memscope.conversation.ablation import Ablation
from memscope.conversation.keys import made_up_key
from memscope.conversation.memory_files import add_memories, read_memories, with_system_memories
from memscope.conversation.model import Conversation, Memory, Message, Skipped, Text
from memscope.conversation.render import render
from memscope.conversation.rules import find_memories

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LONG = "says enough to stand quite alone in a unit"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def read(*paths: Path, split: object = None) -> list[tuple[str, str]]:
    return [(memory.key, memory.text) for memory in read_memories(paths, split=split).memories]  # type: ignore[arg-type]


def test_front_matter_names_the_one_memory(tmp_path: Path) -> None:
    head = '---\nname: "likes \\"tea\\""\ndescription: what she drinks\nmetadata:\n  type: user\n---\n'
    file = write(tmp_path / "a.md", f"{head}\n# Tea\n\n- {LONG}\n- {LONG}\n")
    assert read(file) == [('likes "tea"', f"# Tea\n\n- {LONG}\n- {LONG}\n")]
    assert read(file, split="bullet")[1] == ('likes "tea"#tea/2', f"- {LONG}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nname: tea\ndescription: 'she''s fond of it'\n---\n\n", [("tea", "she's fond of it")]),
        ("---\npaths: [a]\n---\nbody", [("b", "body")]),
        ("\ufeff---\r\nname: tea\r\n---\r\nbody\r\n", [("tea", "body\r\n")]),
        ("---\nname: tea\n---\n", []),
        ("---\nnever closed", [("b.md#start/1", "---\nnever closed")]),
    ],
)
def test_odd_front_matter(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    file = write(tmp_path / "b.md", text)
    assert read(file) == expected
    assert bool(read_memories([file]).notes) is not bool(expected)


@pytest.mark.parametrize("name", ["[broken", '"broken', "{a: b}"])
def test_a_broken_name_gives_way_to_the_file_s(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / "tea.md", f"---\nname: {name}\ndescription: [odd\n---\n{LONG}")
    assert read(file) == [("tea", LONG)]
    (note,) = read_memories([file]).notes
    assert name in note
    assert "called 'tea'" in note


def test_a_file_without_front_matter_is_split(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", f"# Style\n- one {LONG}\n- two {LONG}\n\n# Imports\n@docs/a.md {LONG}\n")
    assert [key for key, _ in read(file)] == ["CLAUDE.md#style/1", "CLAUDE.md#style/2", "CLAUDE.md#imports/1"]
    assert [key for key, _ in read(file, split="heading")] == ["CLAUDE.md#style/1", "CLAUDE.md#imports/1"]
    assert read(file, split="file") == [("CLAUDE.md", file.read_text())]


def test_entries_have_the_key_they_have_in_a_session(tmp_path: Path) -> None:
    file = write(tmp_path / "MEMORY.md", "one\n§\ntwo\n")
    assert read(file) == [(made_up_key("one"), "one\n"), (made_up_key("two"), "two\n")]


_LINES = ["# A", "- [T](a.md) - hook", "- [T](gone.md) - hook", "words", f"- {LONG}", "", "  more", "```"]


@given(st.lists(st.sampled_from(_LINES), min_size=1))
def test_units_joined_are_the_file_but_for_what_the_notes_name(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("memory")
    file = write(folder / "MEMORY.md", "\n".join(lines))
    assert "".join(text for _, text in read(file)) == ("\n".join(lines) if _says(lines) else "")


def _says(lines: list[str]) -> bool:
    return any(line.strip() and not line.startswith("#") for line in lines) or "```" in lines


def test_an_index_line_is_no_memory_when_its_file_is_read(tmp_path: Path) -> None:
    index = write(tmp_path / "MEMORY.md", f"- [Tea](tea.md) - hook\n- [Gone](gone.md) — {LONG}\n")
    write(tmp_path / "tea.md", "---\nname: tea\n---\nShe likes tea.\n")
    found = read_memories([tmp_path])
    assert [m.text for m in found.memories] == [f"- [Gone](gone.md) — {LONG}\n", "She likes tea.\n"]
    assert len(found.notes) == 1
    assert "MEMORY.md" in found.notes[0]
    assert len(read(index)) == 1  # alone, the index is what there is to read


def test_an_index_of_nothing_else_is_a_note(tmp_path: Path) -> None:
    write(tmp_path / "MEMORY.md", "# Index\n\n- [Tea](./tea.md) - hook\n")
    write(tmp_path / "tea.md", "She likes tea.")
    assert [key for key, _ in read(tmp_path)] == ["tea.md#start/1"]


def test_a_folder_is_read_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.md", "a.MD", "x/c.md", ".git/d.md", ".e.md", "node_modules/f.md", "g.txt"):
        write(tmp_path / name, f"{name} {LONG}")
    (tmp_path / "x" / "again").symlink_to(tmp_path)
    found = read_memories([tmp_path])
    assert [m.key for m in found.memories] == ["a.MD#start/1", "b.md#start/1", "c.md#start/1"]
    assert any("again" in note for note in found.notes)


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{name}/CLAUDE.md", f"{name} {LONG}") for name in ("a", "b"))
    assert [key for key, _ in read(first, second)] == ["a/CLAUDE.md#start/1", "b/CLAUDE.md#start/1"]
    for name in ("a", "b"):
        write(tmp_path / f"{name}/t.md", f"---\nname: tea\n---\n{name}")
    assert read(tmp_path / "a/t.md", tmp_path / "b/t.md") == [("a/t.md", "a"), ("b/t.md", "b")]


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path / "CLAUDE.md", LONG)
    (tmp_path / "AGENTS.md").symlink_to(file)
    found = read_memories([file, tmp_path])
    assert [m.key for m in found.memories] == ["CLAUDE.md#start/1"]
    assert len(found.notes) == 2


def test_what_is_passed_over_is_noted(tmp_path: Path) -> None:
    write(tmp_path / "empty.md", " \n")
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "broken.md").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.md")
    found = read_memories([tmp_path])
    assert not found.memories
    assert len(found.notes) == 4


@pytest.mark.parametrize(
    ("data", "said"), [(b"a\0b", "binary"), ("é".encode("latin-1"), "not UTF-8"), (b"x" * 65, "larger than")]
)
def test_a_named_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    monkeypatch.setattr(memory_files, "LARGEST_FILE", 64)
    file = tmp_path / "a.md"
    file.write_bytes(data)
    with pytest.raises(SourceError, match=said) as raised:
        read_memories([file])
    assert str(file) in str(raised.value)


def test_a_missing_path_and_a_pipe_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_memories([tmp_path / "gone"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read_memories([tmp_path / "pipe"])
    monkeypatch.setattr(memory_files, "MOST_FILES", 1)
    for name in ("a.md", "b.md"):
        write(tmp_path / name, LONG)
    with pytest.raises(SourceError, match="more than 1 files"):
        read_memories([tmp_path])


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.md", LONG)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read anything, so the mode would not do
    with pytest.raises(SourceError, match="no permission"):
        read_memories([file])


TALK = Conversation(
    (Message("system", (Text("Be kind."),)), Message("user", (Text("Hi."),)), Message("assistant", (Text("Hello."),)))
)
TEA = Memory("tea", "She likes tea.", "file")
CAT = Memory("cat", "She has a cat.\n", "file")


def test_memories_stand_behind_the_system_messages_text() -> None:
    added = add_memories(TALK, [TEA, CAT])
    assert added.messages[0].text == "Be kind.\nShe likes tea.\nShe has a cat.\n"
    assert added.messages[1:] == TALK.messages[1:]
    assert render(added, Ablation.of("tea")).turns[0].content == "Be kind.\nShe has a cat.\n"
    assert add_memories(added, [TEA, CAT]) == added


@pytest.mark.parametrize("first", [Message("user", (Text("Hi."),)), Message("system", (CAT,))])
def test_a_system_message_is_made_where_there_is_none(first: Message) -> None:
    added = add_memories(TALK.with_messages([first, TALK.messages[2]]), [TEA])
    assert added.messages[0] == Message("system", (TEA,))
    assert added.messages[1] == first


def test_nothing_to_add_changes_nothing() -> None:
    assert add_memories(TALK, []) is TALK


def test_what_the_agent_was_given_already_is_not_put_in_twice(tmp_path: Path) -> None:
    body = f"# Style\n- one {LONG}\n- two {LONG}\n"
    given_text = f"# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>\n{body}</INSTRUCTIONS>"
    talk = find_memories(TALK.with_messages([Message("user", (Text(given_text),)), TALK.messages[2]]))
    found = read_memories([write(tmp_path / "AGENTS.md", body)])
    assert [m.key for m in found.memories] == [m.key for m in talk.memories]
    assert add_memories(talk, found.memories) == talk


def test_records_before_the_first_message_stay_before_it() -> None:
    skipped = Skipped(1, "odd")
    records = with_system_memories([skipped, TALK.messages[0]], [TEA])
    assert records[0] is skipped
    assert isinstance(records[1], Message)
    assert records[1].memories == (TEA,)


def test_real_hermes_memories() -> None:
    if not (DATA / "hermes/memories").exists():
        pytest.skip("the sample files are not here")
    found = read_memories([DATA / "hermes/memories"])
    assert (len(found.memories), found.notes) == (11, ())


@pytest.mark.parametrize("name", ["~nosuchuser/x", "x" * 5000, "a/" * 2500])
def test_a_path_that_cannot_be_is_named_and_refused(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_memories([Path(name)])
    assert str(caught.value).startswith(name[:100])
    assert len(str(caught.value)) < 350
    assert caught.value.do
