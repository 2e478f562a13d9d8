from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.ablation import Ablation
from memscope.conversation.keys import made_up_key
from memscope.conversation.load import load
from memscope.conversation.memory_files import read_memories
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from memscope.conversation.rules import find_memories
from memscope.conversation.rules._commands import files_read, is_memory_file
from memscope.conversation.rules._reads import labels
from memscope.conversation.rules.tools import says_nothing
from tests.conversation.rules._talk import DATA, called, check_only_marked, found

FACT = "The user lives in Oslo.\nThe user has a cat."


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("recall", "{}"),
        ("mcp__lab-memory__recall", '{"query": "where"}'),
        ("searchMemories", "{}"),
        ("archival_memory_search", '{"query": "home"}'),
        ("conversation_search", "{}"),
        ("session_search", "not json"),
        ("RECALL_FACTS", "{}"),
        ("memory", '{"action": "read"}'),
        ("memory", '{"command": "view", "path": "/memories"}'),
        ("remember", "{}"),
    ],
)
def test_what_a_memory_tool_returns_is_a_memory(name: str, arguments: str) -> None:
    marked = find_memories(called(name, arguments, FACT))
    assert marked.messages[2].parts == (ToolResult("c1", ""), Memory(made_up_key(FACT), FACT, "tool"))
    assert marked.messages[1].calls[0].name == name


def test_the_call_keeps_an_empty_result() -> None:
    marked = find_memories(called("recall", "{}", FACT))
    turn = render(marked, Ablation.of(made_up_key(FACT))).turns[2]
    assert (turn.call_id, turn.content) == ("c1", "")


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("read_file", '{"path": "src/memory.py"}', FACT),
        ("memorize_nothing", "{}", FACT),
        ("memory_insert", '{"label": "human"}', FACT),
        ("core_memory_append", "{}", FACT),
        ("memory", '{"action": "add", "target": "user"}', FACT),
        ("memory", '{"command": "str_replace", "path": "/memories/a.md"}', FACT),
        ("remember", '{"text": "x"}', "OK"),
        ("remember", '{"text": "x"}', '{"success": true, "message": "Stored it."}'),
        ("remember", '{"text": "x"}', '[{"type": "text", "text": "Memory stored successfully."}]'),
        ("recall", "{}", "No relevant memories found."),
        ("recall", "{}", '{"success": true, "query": "where", "results": [], "count": 0}'),
        ("recall", "{}", '{"success": false, "error": "no such index", "results": ["x"]}'),
        ("recall", "{}", ""),
        ("Edit", '{"file_path": "/a/CLAUDE.md"}', "The file /a/CLAUDE.md has been updated successfully."),
        ("Write", '{"file_path": "/a/memory/b.md"}', "File created successfully."),
        ("Bash", '{"command": "git diff CLAUDE.md"}', "diff"),
        ("Bash", '{"command": "cat > MEMORY.md <<EOF\\ncat CLAUDE.md\\nEOF"}', "x"),
        ("exec_command", '{"cmd": "ls", "writable_roots": ["/h/.codex/memories"]}', "x"),
    ],
)
def test_no_memory(name: str, arguments: str, answer: str) -> None:
    assert found(called(name, arguments, answer)) == []


@pytest.mark.parametrize("result", [{"is_error": True}, {"exit_code": 1}])
def test_what_failed_is_no_memory(result: dict[str, object]) -> None:
    assert found(called("recall", "{}", FACT, **result)) == []


def test_a_search_may_answer_in_words_that_acknowledge() -> None:
    assert found(called("memory_search", "{}", "Saved places: Oslo"))
    assert found(called("memory_search", "{}", '{"status": "OK", "message": "The user lives in Oslo."}'))


@pytest.mark.parametrize(
    ("name", "arguments", "key"),
    [
        ("Read", {"file_path": "/a/CLAUDE.md"}, "CLAUDE.md"),
        ("read_file", {"path": "notes/memory/home.md"}, "home.md"),
        ("view", {"paths": ["README.md", "AGENTS.md"]}, "AGENTS.md"),
        ("str_replace_based_edit_tool", {"command": "view", "path": "/memories/a.txt"}, "a.txt"),
        (
            "Bash",
            {"command": "cat ~/.codex/memories/memory_summary.md | head -50"},
            "memory_summary.md",
        ),
        ("shell", {"command": ["bash", "-lc", "sed -n '1,80p' AGENTS.md"]}, "AGENTS.md"),
        ("exec_command", {"cmd": "cd /a/memory && ls; cat b.md 2>/dev/null"}, "b.md"),
    ],
)
def test_a_read_of_a_memory_file_has_its_name_for_key(name: str, arguments: object, key: str) -> None:
    assert found(called(name, json.dumps(arguments), FACT)) == [(f"{key}#start/1", FACT)]


@pytest.mark.parametrize("path", ["memory.md", "docs/agents.md", "src/memory/store.py", "/memories", "MEMORY.md.bak"])
def test_no_memory_file(path: str) -> None:
    assert not is_memory_file(path)


@given(st.text(alphabet="cat MEMORY.md;&|>'\"\\\n<()#$", max_size=60))
def test_any_command_can_be_read(command: str) -> None:
    assert all(map(is_memory_file, files_read(command)))


@given(st.text(alphabet='{}[]":, okmessage1\n', max_size=40), st.booleans())
def test_any_answer_can_be_judged(answer: str, acknowledgements: bool) -> None:
    assert says_nothing(answer, acknowledgements=acknowledgements) in (True, False)


def test_blocks_of_one_answer_are_one_memory() -> None:
    talk = called("recall", "{}", FACT)
    result = Message("tool", (ToolResult("c1", "one"), Text("two")))
    marked = find_memories(talk.with_messages([*talk.messages[:2], result, talk.messages[3]]))
    assert [m.text for m in marked.messages[2].memories] == ["one\ntwo"]
    assert find_memories(marked) == marked


def test_a_result_is_paired_with_the_latest_call_of_its_id() -> None:
    def turn(name: str) -> tuple[Message, Message]:
        return Message("assistant", (ToolCall("", name, "{}"),)), Message("tool", (ToolResult("", FACT),))

    marked = find_memories(Conversation((*turn("recall"), *turn("ls"), Message("assistant", (Text("x"),)))))
    assert [len(m.memories) for m in marked.messages] == [0, 1, 0, 0, 0]


def test_a_result_without_its_call_is_known_by_the_tools_name() -> None:
    message = Message("tool", (ToolResult("gone", FACT),), name="recall")
    assert found(Conversation((message,))) == [(made_up_key(FACT), FACT)]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("9c4f30d9-7a7f-49b7-93b3-062fbf14c199", ["project_renovate_mode_full_verification.md#start/1"]),
        ("12910ac6-acd5-45da-be15-84a7817db5d4", []),  # it writes a memory and edits the index, and reads neither
        ("19abe528-a510-4c89-a1f8-138956474766", ["CLAUDE.md#start/1", "CLAUDE.md#error-handling/1"]),
        ("30530d66-37fb-4f3b-aa5f-d92b6a8afae2", []),
    ],
)
def test_real_claude_code_sessions(name: str, keys: list[str]) -> None:
    path = DATA / f"claude-code/{name}.jsonl"
    if not path.exists():
        pytest.skip("the sample transcripts are not here")
    entries = [m for m in find_memories(load(path)).memories if "tool" in m.rules]
    assert [m.key for m in entries] == keys


def test_a_real_read_of_a_whole_file_is_cut_into_units() -> None:
    path = DATA / "claude-code/a032db5a-df02-44d7-ab1e-fb024213ecc4.jsonl"
    if not path.exists():
        pytest.skip("the sample transcripts are not here")
    entries = [m for m in find_memories(load(path)).memories if "tool" in m.rules]
    assert len(entries) == 128
    assert all(m.key.startswith("CLAUDE.md#") and len(m.texts) == 1 for m in entries)
    assert entries[1].texts == (
        "     9→## Key Directories\n    10→\n    11→### Commands (`cmd/`)\n"
        "    12→- `entire/`: Main CLI entry point\n    13→- `entire/cli`: CLI utilities and helpers\n",
    )


RULES_FILE = """# Rules

## Style
- Indent with tabs, everywhere and in every file.
- Wrap the lines of Markdown at 100 characters.

## Tests
Run the tests before every commit, and after it.
"""


def numbered(text: str, form: str, first: int = 1) -> str:
    return "".join(form.format(n) + line for n, line in enumerate(text.splitlines(keepends=True), first))


@pytest.mark.parametrize("form", ["", "{:6}→", "{:6}\t", "{:6}|", "{}: "])
def test_a_file_that_was_read_is_cut_into_units_as_a_file_on_disk_is(form: str, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text(RULES_FILE)
    on_disk = read_memories([tmp_path / "CLAUDE.md"]).memories
    assert len(on_disk) == 3
    read = called("Read", '{"file_path": "/a/CLAUDE.md"}', numbered(RULES_FILE, form))
    check_only_marked(read)
    memories = found(read)
    assert [key for key, _ in memories] == [memory.key for memory in on_disk]
    assert "".join(text for _, text in memories) == numbered(RULES_FILE, form)
    if not form:
        assert [text for _, text in memories] == [memory.text for memory in on_disk]


def test_a_file_with_front_matter_that_was_read_is_one_memory() -> None:
    text = numbered(f"---\nname: house-rules\n---\n{RULES_FILE}", "{:6}→")
    assert found(called("Read", '{"file_path": "/a/memory/b.md"}', text)) == [("house-rules", text)]


def test_the_program_s_reminder_behind_a_file_is_no_memory() -> None:
    text, note = numbered(RULES_FILE, "{:6}→"), "\n<system-reminder>\nMind it.\n</system-reminder>\n"
    read = called("Read", '{"file_path": "/a/CLAUDE.md"}', text + note)
    check_only_marked(read)
    assert "".join(t for _, t in found(read)) == text
    assert find_memories(read).messages[2].parts[-1] == Text(note)
    assert found(called("Read", '{"file_path": "/a/CLAUDE.md"}', note)) == []


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    paths = ["/r/CLAUDE.md", "/r/sub/CLAUDE.md", "/r/AGENTS.md", "AGENTS.md", "./memory/a.md"]
    parts = [called("Read", json.dumps({"file_path": path}), FACT).messages[1:3] for path in paths]
    keys = [key.partition("#")[0] for key, _ in found(Conversation(tuple(m for pair in parts for m in pair)))]
    assert keys == ["r/CLAUDE.md", "sub/CLAUDE.md", "AGENTS.md", "AGENTS.md", "a.md"]


@given(st.lists(st.text(alphabet="ab/.\\ ", max_size=12), max_size=6))
def test_labels_tell_paths_apart(paths: list[str]) -> None:
    told = labels(paths)
    assert told.keys() == set(paths)
    assert labels(paths[::-1]) == told
