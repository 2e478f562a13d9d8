"""Exports: what is written reads back as its format, nothing is lost, overwritten or leaked, and each line is true."""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memscope import __version__
from memscope.actions import export as writing
from memscope.actions.alternates import Alternates
from memscope.actions.chat import chat
from memscope.actions.open import Opened, Opening, opened
from memscope.actions.training import Order, export_training
from memscope.actions.triage import Decision, decide, known_of, subjects_of, undo
from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled, MemscopeError, SourceError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation, Message, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.native import native
from memscope.engines.protocol import EngineIdentity
from memscope.reports.training import TrainingDocument, error_lines, training_words
from memscope.store.database import Database
from memscope.store.journal import Journal
from memscope.triage.decisions import KIND
from tests.clients.chat_server import ChatServer
from tests.fakes import LATE, PNPM, TABS, assistant, memory, office, talk, user

Serve = Callable[..., ChatServer]
ENGINE = EngineIdentity("vllm", model="m", url="http://h")
KEY = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def write(path: Path, *conversations: Conversation) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(native(one)) + "\n" for one in conversations))
    return path


def accept(
    database: Database, path: Path, *messages: int, target: str | None = None, threshold: float = 1.0, **how: Any
) -> Opened:
    """Accepts these responses of the conversation at `path`, or all."""
    found = opened(Opening(path, **how), Settings(), database)
    subjects = subjects_of(found.conversation)
    decisions: list[Decision] = []
    for message in messages or subjects:
        known = known_of(found, ENGINE, message, 2.5, threshold)
        decisions.append(Decision(subjects[message], "accept", known))
        if target is not None:
            decisions.append(Decision(subjects[message], "edit", known, target))
    decide(database, decisions)
    return found


def export(
    database: Database,
    output: Path,
    form: str = "sft",
    *,
    settings: Settings | None = None,
    job: Job | None = None,
    **order: Any,
) -> TrainingDocument:
    wanted = Order(form, output, **order)  # type: ignore[arg-type]
    return export_training(wanted, settings or Settings(), database, job or Job())


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, checked as strictly as a reader can that knows nothing of memscope."""
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    for line in copy.deepcopy(found):
        check(line)
    return found


def check(line: dict[str, Any]) -> None:
    """A line as the makers of its format describe it."""
    if set(line) in ({"messages"}, {"messages", "tools"}):
        *prompt, target = line["messages"]
        assert "weight" not in target
        for said in prompt:
            assert said.pop("weight", None) == (0 if said["role"] == "assistant" else None)
        outputs = [target]
    elif set(line) == {"input", "preferred_output", "non_preferred_output"}:
        assert set(line["input"]) == {"messages", "tools", "parallel_tool_calls"}
        prompt, outputs = line["input"]["messages"], line["preferred_output"] + line["non_preferred_output"]
        assert len(outputs) == 2
    else:
        assert set(line) == {"prompt", "chosen", "rejected"}
        prompt, outputs = line["prompt"], line["chosen"] + line["rejected"]
        assert len(outputs) == 2
    waiting: list[str] = []
    for said in prompt:
        assert said["role"] in ("system", "user", "assistant", "tool")
        if said["role"] == "tool":
            assert set(said) == {"role", "tool_call_id", "content"}
            waiting.remove(said["tool_call_id"])
        else:
            assert not waiting
            assert set(said) <= {"role", "content", "tool_calls"}
            waiting = [call["id"] for call in said.get("tool_calls", ())]
    assert not waiting
    for said in outputs:
        assert said["role"] == "assistant"
        assert said.get("content") or said["tool_calls"]
    for said in (*prompt, *outputs):
        for call in said.get("tool_calls", ()):
            assert set(call) == {"id", "type", "function"}
            assert set(call["function"]) == {"name", "arguments"}
            assert isinstance(json.loads(call["function"]["arguments"]), dict)


def targets(path: Path) -> list[str]:
    return [line["messages"][-1]["content"] for line in lines(path)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def manifest(path: Path) -> TrainingDocument:
    return TrainingDocument.model_validate_json((path.parent / f"{path.name}.manifest.json").read_bytes())


# What is written


def test_accepted_responses_are_lines_without_their_memories(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))

    document = export(database, out / "t.jsonl")

    found = lines(out / "t.jsonl")
    assert [line["messages"][-1].get("content") for line in found] == [
        "I do not know yet, so I will have a look.",
        "Use pnpm to install packages.",
        "Installed with pnpm; deploy on Monday.",
    ]
    assert found[1]["messages"][-1]["tool_calls"][0]["function"]["name"] == "run"
    assert [
        said["role"] for said in found[2]["messages"]
    ] == "system user assistant user assistant tool assistant".split()
    assert not any(text in (out / "t.jsonl").read_text() for text in (TABS, PNPM, LATE))
    assert (document.accepted, document.written, document.left_out, document.errors) == (3, 3, [], [])


def test_only_what_is_accepted_now_is_written(database: Database, out: Path, tmp_path: Path) -> None:
    found = accept(database, write(tmp_path / "a.json", office()))
    subjects = subjects_of(found.conversation)
    decide(database, [Decision(subjects[2], "reject", known_of(found, ENGINE, 2, 1.0, 1.0))])
    decide(database, [Decision(subjects[5], "skip", known_of(found, ENGINE, 5, 1.0, 1.0))])
    undo(database, [subjects[5]])

    export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["Use pnpm to install packages.", "Installed with pnpm; deploy on Monday."]


def test_a_changed_target_takes_the_place_of_the_response(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()), 5, target="Install with pnpm, always.")

    export(database, out / "t.jsonl")

    (line,) = lines(out / "t.jsonl")
    target = line["messages"][-1]
    assert target["content"] == "Install with pnpm, always."
    assert target["tool_calls"][0]["function"]["name"] == "run"  # which the editor says that they stay


def test_the_manifest_tells_of_everything(database: Database, out: Path, tmp_path: Path) -> None:
    set_clock(lambda: 1_700_000_000.0)
    try:
        one = accept(database, write(tmp_path / "a.jsonl", talk(user("?"), assistant("So."))), threshold=2.0)
        accept(database, write(tmp_path / "b.json", office()), 2, 5)
        document = export(database, out / "t.jsonl")
    finally:
        set_clock(None)

    assert manifest(out / "t.jsonl") == document
    assert document.schema_ == "memscope/training@1"
    assert (document.format, document.memscope, document.when) == ("sft", __version__, "2023-11-14T22:13:20+00:00")
    assert [(row.engine, row.model, row.threshold, row.lines) for row in document.engines] == [
        ("vllm", "m", 1.0, 2),
        ("vllm", "m", 2.0, 1),
    ]
    assert [(Path(row.path).name, row.item, row.window, row.lines) for row in document.sources] == [
        ("a.jsonl", 0, 0, 1),
        ("b.json", 0, 0, 2),
    ]
    form = json.loads(json.dumps(native(one.conversation)))
    form.pop("title", None)
    digest = hashlib.sha256(json.dumps(form, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert document.sources[0].sha256 == digest
    (file,) = document.files
    assert (file.name, file.part, file.lines) == ("t.jsonl", "training", 3)
    assert file.sha256 == hashlib.sha256((out / "t.jsonl").read_bytes()).hexdigest()
    assert (document.accepted, document.written, document.conversations) == (3, 3, 2)


def test_the_order_is_that_of_files_items_and_messages_whenever_it_was_decided(
    database: Database, out: Path, tmp_path: Path
) -> None:
    def two(name: str) -> Conversation:
        return talk(user(f"{name}?"), assistant(f"{name} 1."), user("And?"), assistant(f"{name} 2."))

    accept(database, write(tmp_path / "b.json", two("b")), 3)
    accept(database, write(tmp_path / "a.jsonl", two("a0"), two("a1")), 3, item=1)
    accept(database, tmp_path / "b.json", 1)
    accept(database, tmp_path / "a.jsonl", 3, 1)

    export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["a0 1.", "a0 2.", "a1 2.", "b 1.", "b 2."]
    before = (out / "t.jsonl").read_bytes()
    export(database, out / "t.jsonl", overwrite=True)
    assert (out / "t.jsonl").read_bytes() == before


def test_conversations_that_define_tools_come_first(database: Database, out: Path, tmp_path: Path) -> None:
    """A reader that tells the columns from the first lines would refuse the others."""
    tool = '{"type": "function", "function": {"name": "run"}}'
    for name, tools in (("a", ()), ("b", (tool,)), ("c", ()), ("d", (tool,))):
        accept(database, write(tmp_path / f"{name}.json", replace(talk(user("?"), assistant(f"{name}.")), tools=tools)))

    export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["b.", "d.", "a.", "c."]
    assert ["tools" in line for line in lines(out / "t.jsonl")] == [True, True, False, False]


def test_hostile_text_survives_and_does_nothing(database: Database, out: Path, tmp_path: Path) -> None:
    text = "é 你 \x1b[2J \u2028 \u202e \x00 \r\n \t 😀"
    accept(database, write(tmp_path / "a.json", talk(user(text), assistant(text))))

    export(database, out / "t.jsonl")

    (line,) = lines(out / "t.jsonl")
    assert [said["content"] for said in line["messages"]] == [text, text]
    assert "\x1b" not in (out / "t.jsonl").read_text()


def test_memory_files_sources_and_marks_are_as_they_were(database: Database, out: Path, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Indent with tabs.\n")
    path = write(tmp_path / "a.json", talk(user("Do it."), assistant("Yes."), user("Again."), assistant("Done.")))
    accept(database, path, 4, memories=(tmp_path / "CLAUDE.md",), sources="turns")  # a system message stands in front

    export(database, out / "t.jsonl")

    (line,) = lines(out / "t.jsonl")
    assert line["messages"] == [
        {"role": "assistant", "content": "Yes.", "weight": 0},
        {"role": "assistant", "content": "Done."},
    ]


def test_a_line_is_the_same_byte_for_byte_whatever_is_in_view_when_it_is_written(
    database: Database, out: Path, tmp_path: Path
) -> None:
    """A decision is about the prompt without memories and the response: no more than those is exported."""
    (tmp_path / "CLAUDE.md").write_text("Indent with tabs.\n")
    system = Message("system", (Text("You are a coding agent."),))
    thought = Message("assistant", (Thinking("The memory says tabs."), Text("Tabs.")))
    path = write(tmp_path / "a.json", talk(system, user("?"), thought, user("?"), assistant("Again.")))
    accept(database, path, memories=(tmp_path / "CLAUDE.md",))
    export(database, out / "a.jsonl")
    export(database, out / "b.jsonl", settings=Settings(thinking=True))
    (tmp_path / "CLAUDE.md").unlink()
    export(database, out / "c.jsonl")

    assert (out / "a.jsonl").read_bytes() == (out / "b.jsonl").read_bytes() == (out / "c.jsonl").read_bytes()
    assert "memory says" not in (out / "a.jsonl").read_text()
    assert lines(out / "a.jsonl")[0]["messages"] == [
        {"role": "system", "content": "You are a coding agent."},
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "Tabs."},
    ]


def test_memory_files_that_are_gone_do_not_matter(database: Database, out: Path, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Indent with tabs.\n")
    accept(database, write(tmp_path / "a.json", office()), memories=(tmp_path / "CLAUDE.md",))
    (tmp_path / "CLAUDE.md").unlink()

    assert export(database, out / "t.jsonl").written == 3


# What is left out


def test_a_line_that_does_not_fit_the_format_is_left_out_and_counted(
    database: Database, out: Path, tmp_path: Path
) -> None:
    broken = talk(
        user("?"),
        assistant("I wait for it."),
        Message("tool", (ToolResult("", "Nobody called for it."),)),
        assistant("Oh."),
        user("Well?"),
        assistant("Still."),
    )
    accept(database, write(tmp_path / "a.json", broken))

    document = export(database, out / "t.jsonl")

    assert len(lines(out / "t.jsonl")) == 1
    assert [(one.reason, one.count) for one in document.left_out] == [("a tool's message answers no call before it", 2)]
    assert (document.accepted, document.written, document.errors) == (3, 1, [])
    assert "Left out: 2 responses: a tool's message answers no call before it." in training_words(document)


def test_a_call_that_nothing_answers_costs_no_line(database: Database, out: Path, tmp_path: Path) -> None:
    call = Message("assistant", (Text("I search."), ToolCall("a", "web_search", "{}")))
    accept(database, write(tmp_path / "a.json", talk(user("?"), call, user("Well?"), assistant("It is so."))))

    document = export(database, out / "t.jsonl")

    first, second = lines(out / "t.jsonl")
    assert first["messages"][-1]["tool_calls"][0]["function"]["name"] == "web_search"
    assert second["messages"][1] == {"role": "assistant", "content": "I search.", "weight": 0}
    assert (document.written, document.left_out) == (2, [])


def test_a_credential_stops_its_lines_alone_and_is_not_shown(database: Database, out: Path, tmp_path: Path) -> None:
    told = talk(
        user("?"), assistant("One."), user(f"The token is {KEY}."), assistant("Two."), user("?"), assistant("Three.")
    )
    path = write(tmp_path / "a.json", told)
    accept(database, path)
    accept(database, write(tmp_path / "b.json", talk(user("!"), assistant("Fine."))))

    document = export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["One.", "Fine."]
    assert [(error.source, error.message) for error in document.errors] == [(str(path), 3), (str(path), 5)]
    assert all("a credential (GitHub token) in message #2" in error.error for error in document.errors)
    for text in (repr(document), *error_lines(document), (out / "t.jsonl.manifest.json").read_text()):
        assert KEY not in text
    (line,) = error_lines(document)
    assert line.startswith(f"{path}, #3, #5: a credential (GitHub token) in message #2")


def test_a_credential_in_a_memory_stops_nothing(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", talk(memory("k", KEY), user("?"), assistant("So."))))

    assert export(database, out / "t.jsonl").written == 1
    assert KEY not in (out / "t.jsonl").read_text()


def test_a_conversation_that_is_gone_or_has_changed_is_told_and_the_others_are_written(
    database: Database, out: Path, tmp_path: Path
) -> None:
    gone, changed = write(tmp_path / "a.json", office()), tmp_path / "b.json"
    accept(database, gone, 2, 5)
    accept(database, write(changed, talk(user("One?"), assistant("1."), user("Two?"), assistant("2."))))
    accept(database, write(tmp_path / "c.json", talk(user("!"), assistant("Fine."))))
    gone.unlink()
    write(changed, talk(user("One?"), assistant("1."), user("Two, please?"), assistant("2.")))

    document = export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["1.", "Fine."]
    assert [(error.source, error.message) for error in document.errors] == [
        (str(gone), 2),
        (str(gone), 5),
        (str(changed), 3),
    ]
    gone_words = "there is no such file; if it was moved, name its file or folder"
    assert [error.error.split(":")[0] for error in document.errors] == [
        gone_words,
        gone_words,
        "the conversation has changed",
    ]
    assert (document.accepted, document.written) == (5, 2)
    write(gone, office())
    assert export(database, out / "u.jsonl").written == 4  # nothing was lost


def test_a_response_is_found_wherever_it_has_moved_to(database: Database, out: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", office())
    accept(database, path, 5)
    longer = office().with_messages(
        (memory("new", "One more."), *office().messages, user("Thanks."), assistant("Bye."))
    )
    write(path, longer)

    document = export(database, out / "t.jsonl")

    assert (document.written, document.errors) == (1, [])
    assert lines(out / "t.jsonl")[0]["messages"][-1]["content"] == "Use pnpm to install packages."


def test_a_response_in_another_window_is_found(database: Database, out: Path, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    records = compacted()
    path.write_text("".join(json.dumps(one) + "\n" for one in records[:2]))
    found = accept(database, path)
    assert found.conversation.windows == 1
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    accept(database, path)

    document = export(database, out / "t.jsonl")

    assert targets(out / "t.jsonl") == ["Old.", "New."]
    assert [row.window for row in document.sources] == [0, 1]
    assert document.conversations == 1


def record(uuid: str, parent: str | None, role: str, text: str) -> dict[str, Any]:
    content = text if role == "user" else [{"type": "text", "text": text}]
    return {
        "type": role,
        "uuid": uuid,
        "parentUuid": parent,
        "sessionId": "s",
        "isSidechain": False,
        "message": {"role": role, "content": content},
    }


def compacted() -> list[dict[str, Any]]:
    """A session of two context windows, with a response in each."""
    boundary = {
        "type": "system",
        "subtype": "compact_boundary",
        "uuid": "b",
        "parentUuid": None,
        "logicalParentUuid": "a1",
        "isSidechain": False,
    }
    return [
        record("u1", None, "user", "old?"),
        record("a1", "u1", "assistant", "Old."),
        boundary,
        record("u2", "b", "user", "new?"),
        record("a2", "u2", "assistant", "New."),
    ]


def test_a_decision_that_tells_of_no_file_is_told(database: Database, out: Path) -> None:
    Journal(database).add(KIND, "0" * 64, "accept", {})

    document = export(database, out / "t.jsonl")

    (error,) = document.errors
    assert (error.source, error.message, document.files) == ("", None, [])
    assert error_lines(document) == [f"1 response: {error.error}"]
    assert "comes from no file" in error.error
    assert names(out) == []


# Which conversations


def test_conversations_can_be_named(database: Database, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        accept(database, write(tmp_path / "talks" / name / f"{name}.json", talk(user(name), assistant(f"{name}."))))

    export(database, out / "one.jsonl", paths=(tmp_path / "talks" / "b" / "b.json",))
    export(database, out / "two.jsonl", paths=(tmp_path / "talks" / "c", tmp_path / "talks" / "a"))

    assert targets(out / "one.jsonl") == ["b."]
    assert targets(out / "two.jsonl") == ["a.", "c."]


def test_a_file_that_was_moved_is_found_by_what_it_says(database: Database, out: Path, tmp_path: Path) -> None:
    old = write(tmp_path / "old" / "a.jsonl", talk(user("0"), assistant("0.")), talk(user("1"), assistant("1.")))
    accept(database, old, item=1)
    shutil.move(tmp_path / "old", tmp_path / "new")

    document = export(database, out / "t.jsonl", paths=(tmp_path / "new",))

    assert targets(out / "t.jsonl") == ["1."]
    assert [(row.path, row.item) for row in document.sources] == [(str(tmp_path / "new" / "a.jsonl"), 1)]


def test_a_file_that_was_renamed_in_its_folder_is_found_too(database: Database, out: Path, tmp_path: Path) -> None:
    old = write(tmp_path / "talks" / "a.json", office())
    accept(database, old)
    old.rename(tmp_path / "talks" / "b.json")
    write(old, talk(user("?"), assistant("Another.")))

    document = export(database, out / "t.jsonl", paths=(tmp_path / "talks",))

    assert (document.written, document.errors) == (3, [])
    assert len(export(database, out / "u.jsonl").errors) == 3


def test_a_moved_file_is_looked_through_as_it_was_and_in_every_window(
    database: Database, out: Path, tmp_path: Path
) -> None:
    turns = write(tmp_path / "old" / "a.json", talk(user("One?"), assistant("1."), user("Two?"), assistant("2.")))
    accept(database, turns, 3, sources="turns")
    session = tmp_path / "old" / "session.jsonl"
    session.write_text("".join(json.dumps(one) + "\n" for one in compacted()))
    accept(database, session, window=0)
    shutil.move(tmp_path / "old", tmp_path / "new")

    document = export(database, out / "t.jsonl", paths=(tmp_path / "new",))

    assert document.errors == []
    assert [line["messages"] for line in lines(out / "t.jsonl")] == [
        [{"role": "assistant", "content": "1.", "weight": 0}, {"role": "assistant", "content": "2."}],
        [{"role": "user", "content": "old?"}, {"role": "assistant", "content": "Old."}],
    ]


def test_nothing_accepted_in_them_writes_nothing(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))
    other = write(tmp_path / "b.json", talk(user("?"), assistant("So.")))

    document = export(database, out / "t.jsonl", paths=(other,))

    assert (document.accepted, document.files, names(out)) == (0, [], [])
    assert "No response is accepted" in training_words(document)[0]


def test_a_path_that_is_not_there_says_so(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))

    with pytest.raises(SourceError, match="there is no such file"):
        export(database, out / "t.jsonl", paths=(tmp_path / "missing.json",))
    (tmp_path / "a.json").unlink()
    assert len(export(database, out / "t.jsonl", paths=(tmp_path / "a.json",)).errors) == 3


# Preferences


def ask(database: Database, path: Path, settings: Settings, *messages: int) -> list[str]:
    """What the chat model answers in place of these."""
    conversation = opened(Opening(path), Settings(), database).conversation
    with chat(settings, database) as model:
        alternates = Alternates(conversation, model)
        return [alternates.ask(message, Job()).text for message in messages]


@pytest.mark.parametrize("form", ["dpo", "trl"])
def test_the_response_is_preferred_to_the_kept_alternate_and_nobody_is_asked(
    database: Database, out: Path, tmp_path: Path, chat_server: Serve, form: str
) -> None:
    server = chat_server()
    settings = Settings(chat_url=server.url)
    path = write(tmp_path / "a.json", office())
    accept(database, path)
    (answer,) = ask(database, path, settings, 8)
    asked = len(server.log)

    document = export(database, out / "t.jsonl", form, settings=settings)

    (line,) = lines(out / "t.jsonl")
    preferred, other = (
        (line["chosen"], line["rejected"])
        if form == "trl"
        else (
            line["preferred_output"],
            line["non_preferred_output"],
        )
    )
    assert preferred == [{"role": "assistant", "content": "Installed with pnpm; deploy on Monday."}]
    assert other == [{"role": "assistant", "content": answer}]
    assert [(one.reason, one.count) for one in document.left_out] == [
        ("no alternate answer is kept; the Fine-tune pane of the console asks for them", 2)
    ]
    assert len(server.log) == asked


def test_an_alternate_that_calls_tools_keeps_its_calls(
    database: Database, out: Path, tmp_path: Path, chat_server: Serve
) -> None:
    settings = Settings(chat_url=chat_server("calls").url)
    tool = '{"name": "look", "parameters": {"type": "object", "properties": {}}}'
    path = write(tmp_path / "a.json", replace(office(), tools=(tool,)))
    accept(database, path, 2)
    ask(database, path, settings, 2)

    export(database, out / "t.jsonl", "dpo", settings=settings)

    (line,) = lines(out / "t.jsonl")
    assert line["input"]["tools"] == [
        {
            "type": "function",
            "function": {"name": "look", "description": "", "parameters": {"type": "object", "properties": {}}},
        }
    ]
    (call,) = line["non_preferred_output"][0]["tool_calls"]
    assert call["function"] == {"name": "look", "arguments": '{"at": "it"}'}


def test_an_alternate_that_says_the_same_is_no_preference(
    database: Database, out: Path, tmp_path: Path, chat_server: Serve
) -> None:
    settings = Settings(chat_url=chat_server().url)
    path = write(tmp_path / "a.json", office())
    (answer,) = ask(database, path, settings, 8)
    accept(database, path, 8, target=f"{answer}\n")

    document = export(database, out / "t.jsonl", "dpo", settings=settings)

    assert [one.reason for one in document.left_out] == ["the alternate answer says the same"]


def test_without_a_chat_server_there_are_no_preferences(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))

    document = export(database, out / "t.jsonl", "trl")

    assert (document.files, names(out)) == ([], [])
    assert "no chat server is set" in document.left_out[0].reason
    assert training_words(document)[0] == "Nothing is written of 3 accepted responses."


# Validation


def test_no_conversation_is_on_both_sides(database: Database, out: Path, tmp_path: Path) -> None:
    for n in range(10):
        told = talk(user(f"{n}?"), assistant(f"{n} a."), user("And?"), assistant(f"{n} b."))
        accept(database, write(tmp_path / f"{n}.json", told))
    longer = talk(user("0?"), assistant("0 a."), user("More?"), assistant("0 c."))
    accept(database, write(tmp_path / "copy.json", longer), 3)

    document = export(database, out / "t.jsonl", validation=0.2)

    assert names(out) == ["t.jsonl", "t.jsonl.manifest.json", "t.validation.jsonl"]
    train, aside = targets(out / "t.jsonl"), targets(out / "t.validation.jsonl")
    assert len(train) + len(aside) == 21
    assert not {text[0] for text in train} & {text[0] for text in aside}
    assert 2 <= len(aside) <= 6
    assert document.conversations == 10
    assert [(file.name, file.part, file.lines) for file in document.files] == [
        ("t.jsonl", "training", len(train)),
        ("t.validation.jsonl", "validation", len(aside)),
    ]
    assert {row.path for row in document.sources if row.validation} == {
        str(tmp_path / f"{text[0]}.json") for text in aside
    } | ({str(tmp_path / "copy.json")} if "0 c." in aside else set())


def test_one_conversation_alone_is_not_split_and_that_is_said(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))

    document = export(database, out / "t.jsonl", validation=0.5)

    assert names(out) == ["t.jsonl", "t.jsonl.manifest.json"]
    assert "All lines are of one conversation, so none are set aside for validation." in training_words(document)


# Files


@pytest.mark.parametrize("taken", ["t.jsonl", "t.jsonl.manifest.json", "t.validation.jsonl"])
def test_no_file_is_overwritten_unless_that_is_asked_for(
    database: Database, out: Path, tmp_path: Path, taken: str
) -> None:
    for name in ("a", "b"):
        accept(database, write(tmp_path / f"{name}.json", talk(user(name), assistant(f"{name}."))))
    (out / taken).write_text("mine")

    with pytest.raises(UsageError, match="the file exists"):
        export(database, out / "t.jsonl", validation=0.5)
    assert (names(out), (out / taken).read_text()) == ([taken], "mine")

    export(database, out / "t.jsonl", validation=0.5, overwrite=True)
    assert (out / taken).read_text() != "mine"
    assert len(names(out)) == 3


def test_a_folder_that_is_none_is_told_before_anything_is_opened(database: Database, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))
    (tmp_path / "a.json").unlink()

    with pytest.raises(UsageError, match="there is no such folder"):
        export(database, tmp_path / "missing" / "t.jsonl")
    with pytest.raises(UsageError, match="this is a folder"):
        export(database, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_told(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))
    out.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="may not be written to"):
            export(database, out / "t.jsonl")
    finally:
        out.chmod(0o700)
    assert names(out) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_disk_that_fails_leaves_no_half_file(
    database: Database, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    accept(database, write(tmp_path / "a.json", office()))
    if there:
        export(database, out / "t.jsonl")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing, "replace_files", fail)
    with pytest.raises(MemscopeError, match="the disk is full"):
        export(database, out / "t.jsonl", overwrite=True)

    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_limit_on_the_size_of_files_leaves_no_half_file(out: Path, tmp_path: Path) -> None:
    """A real write that fails in its middle, in a process of its own."""
    database = Database(tmp_path / "data")
    long = talk(*[one for n in range(200) for one in (user(f"{n}? " + "x" * 200), assistant(f"{n}."))])
    accept(database, write(tmp_path / "a.json", long))
    database.close()

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    done = subprocess.run(
        [sys.executable, "-m", "memscope", "export", "--format", "sft", "--output", str(out / "t.jsonl")],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "MEMSCOPE_DATA_DIR": str(tmp_path / "data")},
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "t.jsonl" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(out) == []


def test_a_cancelled_export_writes_nothing(database: Database, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        accept(database, write(tmp_path / f"{name}.json", talk(user(name), assistant(f"{name}."))))
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        export(database, out / "t.jsonl", job=job)
    assert names(out) == []


def test_an_export_changes_no_decision(database: Database, out: Path, tmp_path: Path) -> None:
    accept(database, write(tmp_path / "a.json", office()))
    before = Journal(database).latest(KIND)

    export(database, out / "t.jsonl")

    assert Journal(database).latest(KIND) == before


def test_every_line_of_any_conversation_is_one_of_its_format(database: Database, out: Path, tmp_path: Path) -> None:
    """The strict reader above agrees with the check before writing, on conversations of every shape."""
    shapes: Sequence[Conversation] = [
        office(),
        talk(user("?"), Message("assistant", (ToolCall("", "run", "ls"), ToolCall("", "run", "pwd")))),
        talk(Message("assistant", (Text("First."),)), user("?"), assistant(""), assistant("So.")),
        talk(Message("developer", (Text("Be brief."),)), user("?"), assistant("So.")),
    ]
    for n, one in enumerate(shapes):
        accept(database, write(tmp_path / f"{n}.json", one))

    document = export(database, out / "t.jsonl")

    assert len(lines(out / "t.jsonl")) == document.written
    assert document.written + sum(one.count for one in document.left_out) == document.accepted
    assert {one.reason for one in document.left_out} == {"an answer is empty", "nothing is said before the response"}
