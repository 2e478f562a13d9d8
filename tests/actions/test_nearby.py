"""What is offered where a conversation holds no memories."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given

from memscope.actions.nearby import (
    MOST_FILES,
    NOTE,
    Nearby,
    SourceCounts,
    count_sources,
    nearby_memories,
    recorded_folder,
    searched,
)
from memscope.actions.open import Opening, open_conversation
from memscope.base.settings import Settings
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolResult
from memscope.conversation.rules import RULES
from memscope.conversation.sources import as_sources
from tests.conversation._any import CONVERSATIONS

FACT = "The staging server listens on port 7741, and only on that one.\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(path: Path, text: str = FACT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def claude_session(path: Path, cwd: object) -> Conversation:
    """A session of Claude Code that worked in `cwd`."""
    around = {"sessionId": "s", "cwd": cwd, "isSidechain": False}
    said = [
        {"type": "user", "uuid": "1", "parentUuid": None, "message": {"role": "user", "content": "Go on."}, **around},
        {
            **around,
            "type": "assistant",
            "uuid": "2",
            "parentUuid": "1",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
        },
    ]
    return load(write(path, "".join(json.dumps(record) + "\n" for record in said)))


def plain(path: Path) -> Conversation:
    write(path, json.dumps([{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]))
    return load(path)


def test_a_claude_code_session(home: Path, tmp_path: Path) -> None:
    slug, project = home / ".claude" / "projects" / "-work", tmp_path / "work"
    write(slug / "memory" / "MEMORY.md", "- [a](a.md)\n- [b](b.md)\n")
    write(slug / "memory" / "a.md", "---\nname: a\n---\nOne.\n")
    write(slug / "memory" / "b.md", "---\nname: b\n---\nTwo.\n")
    write(project / "CLAUDE.md", f"# One\n\n{FACT}\n# Two\n\n{FACT}")
    (project / "AGENTS.md").symlink_to("CLAUDE.md")
    write(project / ".claude" / "rules" / "deep" / "style.md")
    write(project / "README.md")
    write(home / ".claude" / "CLAUDE.md")
    write(home / ".codex" / "AGENTS.md")
    conversation = claude_session(slug / "s.jsonl", str(project))
    assert nearby_memories(conversation) == [
        Nearby("the project's memories", (slug / "memory",), 3, 2),
        Nearby("the project's instructions", (project / "CLAUDE.md", project / ".claude" / "rules"), 2, 3),
        Nearby("the agent's home", (home / ".claude" / "CLAUDE.md",), 1, 1),
    ]


def test_what_is_offered_can_be_opened(home: Path, tmp_path: Path) -> None:
    write(home / ".claude" / "CLAUDE.md", f"- {FACT}- {FACT}")
    path = tmp_path / "s.jsonl"
    (nearby,) = nearby_memories(claude_session(path, "/nowhere/at/all"))
    assert nearby.note == NOTE
    assert len(open_conversation(Opening(path, memories=nearby.paths), Settings()).memories) == nearby.units == 2


def test_any_other_transcript_has_every_home_and_what_lies_beside_it(home: Path, tmp_path: Path) -> None:
    write(home / ".codex" / "memories" / "summary.md")
    write(home / ".hermes" / "memories" / "USER.md", "One.\n§\nTwo.\n")
    write(tmp_path / "t" / "MEMORY.md")
    found = nearby_memories(plain(tmp_path / "t" / "talk.json"))
    assert [(n.title, n.files, n.units) for n in found] == [
        ("the agent's home", 2, 3),
        ("beside the transcript", 1, 1),
    ]


def test_nothing_near_and_nothing_loaded(tmp_path: Path) -> None:
    assert nearby_memories(plain(tmp_path / "t" / "talk.json")) == []
    assert nearby_memories(Conversation((Message("user", (Text("Hi."),)),))) == []


@pytest.mark.parametrize("cwd", ["", "relative/folder", "//server/share", "\\\\server\\share", "/a\0b", 7, None, ["/"]])
def test_a_folder_that_is_not_to_be_looked_at(cwd: object, tmp_path: Path) -> None:
    conversation = claude_session(tmp_path / "s.jsonl", cwd)
    assert recorded_folder(conversation) is None
    assert nearby_memories(conversation) == []


def test_the_transcript_is_gone(tmp_path: Path) -> None:
    conversation = claude_session(tmp_path / "s.jsonl", str(tmp_path))
    assert recorded_folder(conversation) == tmp_path
    (tmp_path / "s.jsonl").unlink()
    assert recorded_folder(conversation) is None


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    project = tmp_path / "work"
    write(project / "CLAUDE.md").chmod(0)
    (project / "AGENTS.md").write_bytes(b"\0\1\2")
    write(project / "GEMINI.md", "word " * 300_000)
    os.mkfifo(project / "CLAUDE.local.md")
    (project / ".claude").mkdir()
    (project / ".claude" / "rules").symlink_to(project / ".claude")
    readable = [(n.title, n.files) for n in nearby_memories(claude_session(tmp_path / "s.jsonl", str(project)))]
    assert readable == ([] if os.geteuid() else [("the project's instructions", 1)])


def test_there_is_an_end_to_looking(home: Path, tmp_path: Path) -> None:
    for number in range(MOST_FILES + 50):
        write(home / ".claude" / "rules" / f"{number}.md", f"Rule {number} of very many.\n")
    (nearby,) = nearby_memories(claude_session(tmp_path / "s.jsonl", "/nowhere"))
    assert nearby.files == MOST_FILES - 1  # the folder itself is one
    assert nearby.note.endswith("there are more")


def test_what_was_searched_is_a_line_a_rule() -> None:
    parts = (Memory("a", "x"), Memory("b", "y", "fenced"), Memory("c", "z", "pattern:mine"), Memory("d", "z", "mark"))
    conversation = Conversation((Message("user", (*parts, Text("Hi."))),))
    settings = Settings(rules_off=("heading",), patterns={"mine": "(?P<text>x)"})
    lines = searched(conversation, settings)
    assert [line.rpartition(": ")[2] for line in lines] == ["1", "0", "1", "0", "switched off", "1", "1"]
    assert lines[5] == "pattern:mine: 1"
    assert len(searched(conversation)) == len(RULES) + 3


def test_every_rule_is_described() -> None:
    assert not [line for line in searched(Conversation(())) if line.partition(":")[0] in {rule.name for rule in RULES}]


def test_what_could_be_scored_instead_is_counted() -> None:
    conversation = Conversation(
        (
            Message("user", (Text("Find it."),)),
            Message("tool", (ToolResult("1", "here"),)),
            Message("tool", (ToolResult("2", ""), Text("said behind it"))),
            Message("tool", (ToolResult("3", " \n"),)),
            Message("user", (Text("Thanks."),)),
            Message("user", (Text("<env>"),), kind="synthetic"),
        )
    )
    assert count_sources(conversation) == SourceCounts(tools=2, turns=2)


@given(CONVERSATIONS)
def test_as_many_sources_are_counted_as_are_made(conversation: Conversation) -> None:
    there = len(conversation.memories)
    tools, turns = (len(as_sources(conversation, kind).memories) - there for kind in ("tools", "turns"))
    assert count_sources(conversation) == SourceCounts(tools, turns)
