"""OpenHands' runs in the three generations of its events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.conversation.formats import _repeats, claims
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Opaque, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import No
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import DATA, ODD, facts, shape, told, unpaired, write

ASKED = {"content": "Fix it.", "action": "message", "images_urls": None}
RAN = {"command": "ls", "thought": "I look.", "action": "run", "keep_prompt": True}
SEEN = {"content": "a.txt", "command": "ls", "exit_code": 0, "observation": "run"}


def run(history: Any, **more: Any) -> dict[str, Any]:
    return {"instance_id": "a__b-1", "instruction": "Fix it.", "history": history, **more}


def loaded(tmp_path: Path, history: Any, **more: Any) -> Conversation:
    conversation = load(write(tmp_path / "output.jsonl", [run(history, **more)]))
    assert conversation.source is not None
    assert conversation.source.format == "openhands"
    return conversation


def facts_of(tmp_path: Path, history: Any, **more: Any) -> list[tuple[str, str]]:
    return facts(write(tmp_path / "output.jsonl", [run(history, **more)]), "openhands")


def test_flat_events(tmp_path: Path) -> None:
    done = {"outputs": {}, "thought": "All done.", "action": "finish"}
    conversation = loaded(tmp_path, [ASKED, RAN, SEEN, done])
    assert shape(conversation) == [
        *(("user", "Fix it."), ("assistant", "I look."), ("tool", "a.txt"), ("assistant", "All done.")),
    ]
    assert conversation.messages[1].calls == (ToolCall("call event 2", "run", '{"command":"ls"}'),)
    assert conversation.messages[2].parts == (ToolResult("call event 2", "a.txt", False, 0),)
    assert (conversation.title, conversation.items) == ("a__b-1", 1)


def test_without_a_source_the_user_answers_the_agent(tmp_path: Path) -> None:
    def message(text: str) -> dict[str, Any]:
        return {"content": text, "action": "message"}

    conversation = loaded(tmp_path, [ASKED, message("Which one?"), message("The first."), RAN, SEEN, message("Done.")])
    assert [m.role for m in conversation.messages] == ["user", "assistant", "user", "assistant", "tool", "assistant"]


def test_pairs_of_an_action_and_its_observation(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [[ASKED, None], [RAN, SEEN], [{"action": "null"}, {}]])
    assert shape(conversation) == [("user", "Fix it."), ("assistant", "I look."), ("tool", "a.txt")]


def test_the_instruction_where_no_message_has_it(tmp_path: Path) -> None:
    system = event(0, "system", {"content": "S", "tools": [{"name": "run"}]})
    conversation = loaded(tmp_path, [system, RAN, SEEN])
    assert shape(conversation)[:3] == [("system", "S"), ("user", "Fix it."), ("assistant", "I look.")]
    assert conversation.tools == ('{"name":"run"}',)
    assert shape(loaded(tmp_path, None)) == [("user", "Fix it.")]


def test_a_conversation_a_line(tmp_path: Path) -> None:
    issue = {"owner": "o", "repo": "r", "number": 5, "title": "Add a license"}
    second = {"issue": issue, "history": [ASKED], "success": False, "result_explanation": "It lacks a test."}
    path = write(tmp_path / "output.jsonl", [run([ASKED], error="no runtime"), second, {"odd": 1}])
    assert [load(path, item=n).title for n in range(2)] == ["a__b-1", "Add a license"]
    assert load(path).skipped == (Skipped(3, 'the object has no "history" of a task'),)
    assert facts(path, "openhands") == [("error", "no runtime")]
    assert facts(path, "openhands", 1) == [("repository", "o/r"), ("error", "It lacks a test.")]


def event(number: int, action: str, args: dict[str, Any], source: str = "agent", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "timestamp": "2025-04-30T16:32:54.7",
        "source": source,
        "action": action,
        "args": args,
        **more,
    }


def seen(cause: int, content: str, what: str = "run", **more: Any) -> dict[str, Any]:
    about = {"id": cause + 100, "source": "agent", "cause": cause, "observation": what, "content": content}
    return {**about, "extras": {}, **more}


def called(response: str, *calls: str, place: int = 0) -> dict[str, Any]:
    """The metadata of an action: the whole reply of the model, and which of its calls the action is."""
    made = [{"id": c, "type": "function", "function": {"name": "bash", "arguments": f'{{"n": "{c}"}}'}} for c in calls]
    message = {"role": "assistant", "content": "I do both.", "tool_calls": made, "reasoning_content": "Hm."}
    reply = {"id": response, "model": "m", "choices": [{"message": message}]}
    about = {"function_name": "bash", "tool_call_id": calls[place], "model_response": reply}
    return {"tool_call_metadata": about}


def test_calls_of_one_reply_are_put_together(tmp_path: Path) -> None:
    history = [
        event(1, "message", {"content": "Go.", "image_urls": ["data:x"]}, "user"),
        event(2, "run", {"command": "a"}, **called("r1", "c1", "c2")),
        seen(2, "A", **called("r1", "c1", "c2")),
        event(3, "run", {"command": "b"}, **called("r1", "c1", "c2", place=1)),
        seen(3, "B", **called("r1", "c1", "c2", place=1)),
        event(4, "run", {"command": "c"}, **called("r2", "c3")),
    ]
    conversation = loaded(tmp_path, history)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert conversation.messages[1].parts == (
        *(Thinking("Hm."), Text("I do both.")),
        *(ToolCall("c1", "bash", '{"n": "c1"}'), ToolCall("c2", "bash", '{"n": "c2"}')),
    )
    assert [part.kind for part in conversation.messages[0].parts if isinstance(part, Opaque)] == ["image_url"]
    assert facts_of(tmp_path, history) == [("model", "m")]


def test_a_terminal_tells_of_itself_and_fails(tmp_path: Path) -> None:
    metadata = {"exit_code": 2, "working_dir": "/w", "prefix": "[before]\n", "suffix": "\n[behind]"}
    history = [ASKED, event(2, "run", {"command": "a"}), seen(2, "no", extras={"metadata": metadata})]
    assert loaded(tmp_path, history).messages[-1].text == (
        "[before]\nno\n[behind]\n[Current working directory: /w]\n[Command finished with exit code 2]"
    )
    assert facts_of(tmp_path, history) == [("cwd", "/w"), ("exit_code", "2")]
    going_on = seen(2, "...", extras={"metadata": {"exit_code": -1}})
    assert facts_of(tmp_path, [ASKED, event(2, "run", {"command": "a"}), going_on]) == []


def test_errors_and_refusals(tmp_path: Path) -> None:
    history = [
        ASKED,
        event(2, "run", {"command": "a"}),
        seen(2, "no such tool", "error"),
        event(3, "run", {"command": "b"}),
        seen(3, "not that", "user_rejected"),
        {"id": 9, "source": "environment", "observation": "error", "content": "alone", "cause": 77, "extras": {}},
        {"observation": "agent_state_changed", "extras": {"agent_state": "error", "reason": "budget"}},
        {"observation": "agent_state_changed", "extras": {"agent_state": "running"}},
    ]
    texts = [
        "no such tool\n[Error occurred in processing last action]",
        "OBSERVATION:\nnot that\n[Last action has been rejected by the user]",
        "alone\n[Error occurred in processing last action]",
    ]
    assert facts_of(tmp_path, history) == [*(("error", text) for text in texts), ("error", "budget")]
    conversation = loaded(tmp_path, history)
    assert [(m.role, m.kind) for m in conversation.messages[-2:]] == [("tool", "said"), ("user", "synthetic")]


def test_what_was_recalled_is_memories(tmp_path: Path) -> None:
    knowledge = [{"name": "github", "trigger": "git", "content": "Use the token."}]
    extras = {"repo_name": "o/r", "repo_directory": "/r", "repo_instructions": "Use tabs.", "date": "2025-04-30"}
    recall = seen(2, "Added context", "recall", extras={**extras, "microagent_knowledge": knowledge})
    conversation = loaded(tmp_path, [ASKED, event(2, "recall", {"query": "x"}, "user"), recall, recall])
    assert conversation.messages[1].kind == "synthetic"
    assert conversation.messages[1].memories == (
        Memory("instructions of the repository", "Use tabs.\n", "structured"),
        Memory("github", "Use the token.", "structured"),
    )
    assert len(conversation.messages) == 2  # what was told is not told again
    assert facts_of(tmp_path, [ASKED, recall]) == [("repository", "o/r"), ("cwd", "/r")]


def test_what_the_user_ran(tmp_path: Path) -> None:
    ran = event(2, "run", {"command": "make"}, "user")
    conversation = loaded(tmp_path, [ASKED, ran, seen(2, "ok"), event(3, "finish", {}, "user")])
    assert [(m.role, m.kind) for m in conversation.messages[1:]] == [("user", "synthetic")] * 2


def test_a_condensation_begins_a_window(tmp_path: Path) -> None:
    history = [
        event(0, "system", {"content": "S"}),
        event(1, "message", {"content": "Go."}, "user"),
        event(2, "run", {"command": "a"}),
        seen(2, "A"),
        event(3, "condensation", {"forgotten_events_start_id": 2, "forgotten_events_end_id": 102, "summary": "Did a.",
                                  "summary_offset": 2}),
        event(4, "message", {"content": "Done."}),
    ]  # fmt: skip
    assert shape(load(write(tmp_path / "a.jsonl", [run(history)]), window=0)) == [
        *(("system", "S"), ("user", "Go."), ("assistant", ""), ("tool", "A")),
    ]
    last = loaded(tmp_path, history)
    assert shape(last) == [("system", "S"), ("user", "Go."), ("user", "Did a."), ("assistant", "Done.")]
    assert [m.kind for m in last.messages] == ["said", "summary", "summary", "said"]


KNOW = [{"name": "github", "trigger": "git", "content": "Use the token."}]


def recalled(number: int) -> dict[str, Any]:
    return seen(number - 100, "", "recall", extras={"microagent_knowledge": KNOW})


def condensed(*forgotten: int, summary: str = "S") -> dict[str, Any]:
    return event(999, "condensation", {"forgotten_event_ids": [*forgotten], "summary": summary})


def asked(number: int, words: str) -> dict[str, Any]:
    return event(number, "message", {"content": words}, "user")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([asked(1, "Go."), recalled(101), condensed(1, 101), asked(3, "On."), recalled(103)], ["S", "On.", "KNOW"]),
        ([recalled(101), asked(2, "Go."), recalled(103), condensed(101), asked(4, "On.")], ["S", "Go.", "KNOW", "On."]),
        ([recalled(101), asked(2, "Go."), condensed(2), recalled(103), asked(4, "On.")], ["S", "KNOW", "On."]),
    ],
    ids=["forgotten, then recalled", "recalled twice, the first forgotten", "kept, then recalled"],
)
def test_knowledge_is_in_each_window_that_had_it(tmp_path: Path, history: list[Any], expected: list[str]) -> None:
    last = loaded(tmp_path, history)
    assert [m.text.replace("Use the token.", "KNOW") for m in last.messages] == expected
    assert [len(m.memories) for m in last.messages] == [int(text == "KNOW") for text in expected]


def test_only_the_latest_summary_is_shown(tmp_path: Path) -> None:
    last = loaded(
        tmp_path, [asked(1, "Go."), condensed(), asked(3, "On."), condensed(3, summary="T"), asked(4, "End.")]
    )
    assert [m.text for m in last.messages] == ["T", "Go.", "End."]


def test_there_is_an_end_to_what_condensations_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_repeats, "_MOST_REPEATED", 3)
    first = [asked(1, "1"), asked(2, "2"), condensed(), asked(3, "3")]
    assert [m.text for m in loaded(tmp_path, first).messages] == ["S", "1", "2", "3"]
    last = loaded(tmp_path, [*first, condensed(summary="T"), asked(4, "4")])
    assert [m.text for m in last.messages] == ["T", "3", "4"]
    assert last.skipped == (Skipped(1, _repeats.CUT),)


def sdk(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "timestamp": "2026-06-16T05:39:48", "source": "agent", "kind": kind, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "cache_prompt": False}


def acted(name: str, reply: str, call: str, *thought: str) -> dict[str, Any]:
    tool = {"id": call, "name": "terminal", "arguments": '{"command": "ls"}', "origin": "completion"}
    about = {"thought": [text(words) for words in thought], "tool_call": tool, "tool_call_id": call}
    return sdk("ActionEvent", name, tool_name="terminal", llm_response_id=reply, reasoning_content=None, **about)


def answered(call: str, words: str, **more: Any) -> dict[str, Any]:
    observation = {"content": [text(words)], "is_error": False, "kind": "TerminalObservation", **more}
    return sdk("ObservationEvent", f"o{call}", tool_name="terminal", tool_call_id=call, observation=observation)


SDK = [
    sdk("SystemPromptEvent", "s", system_prompt=text("S"), tools=[{"name": "terminal"}], dynamic_context=text("D")),
    sdk("MessageEvent", "u", source="user", llm_message={"role": "user", "content": [text("Go.")]},
        extended_content=[text("Skill.")]),
    sdk("ConversationStateUpdateEvent", "c", key="stats", value={}),
    acted("a1", "r1", "c1", "I look."),
    answered("c1", "A", exit_code=0),
    acted("a2", "r1", "c2"),
    answered("c2", "no", is_error=True, exit_code=1),
    sdk("MessageEvent", "m", llm_message={"role": "assistant", "content": [text("Done.")], "reasoning_content": "Hm."}),
]  # fmt: skip


def test_events_of_the_agent_sdk(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, SDK, metadata={"llm": {"model": "m"}}, instance={"repo": "o/r"})
    assert shape(conversation) == [
        *(("system", "S\nD"), ("user", "Go."), ("user", "Skill."), ("assistant", "I look."), ("tool", "A")),
        *(("tool", "[An error occurred during execution.]\nno"), ("assistant", "Done.")),
    ]
    assert [m.kind for m in conversation.messages[1:3]] == ["said", "synthetic"]
    assert [call.id for call in conversation.messages[3].calls] == ["c1", "c2"]
    assert conversation.messages[-1].parts[0] == Thinking("Hm.")
    assert conversation.tools == ('{"name":"terminal"}',)
    assert [kind for kind, _ in facts_of(tmp_path, SDK)] == ["tool", "exit_code", "error"]


def test_the_events_alone(tmp_path: Path) -> None:
    for values_of_file in (SDK, [SDK]):  # one a line, or a list
        conversation = load(write(tmp_path / "events.jsonl", values_of_file))
        assert conversation.source is not None
        assert (conversation.source.format, len(conversation.messages)) == ("openhands", 7)


def test_how_an_agent_of_the_sdk_fails(tmp_path: Path) -> None:
    refused = {"tool_call_id": "c1", "tool_name": "terminal", "action_id": "a1"}
    history = [
        *SDK[:4],
        sdk("UserRejectObservation", "x", rejection_reason="No.", **refused),
        sdk("AgentErrorEvent", "y", error="Unknown tool", **refused),
        sdk("ConversationErrorEvent", "e", code="Budget", detail="It is spent."),
        sdk("PauseEvent", "p", source="user"),
        sdk("NewEvent", "n"),
    ]
    assert facts_of(tmp_path, history)[1:] == [
        *(("error", "Action rejected: No."), ("error", "Unknown tool"), ("error", "Budget: It is spent.")),
        ("interrupted", "the person paused the agent"),
    ]
    assert loaded(tmp_path, history).skipped == (Skipped(1, "an event of an unknown kind, 'NewEvent'"),)


def test_a_condensation_of_the_sdk(tmp_path: Path) -> None:
    condensed = sdk("Condensation", "x", forgotten_event_ids=["a1", "oc1"], summary="Looked.", summary_offset=2)
    last = loaded(tmp_path, [*SDK[:5], condensed, SDK[-1]])
    assert shape(last) == [
        *(("system", "S\nD"), ("user", "Go."), ("user", "Skill."), ("user", "Looked."), ("assistant", "Done.")),
    ]
    assert last.windows == 2


SKILLS = "<EXTRA_INFO>\nUse git.\n</EXTRA_INFO>\n\n<EXTRA_INFO>\nUse npm.\n</EXTRA_INFO>"


@pytest.mark.parametrize(
    ("words", "names", "expected"),
    [
        ("SKILL TEXT", ["git"], [("git", "SKILL TEXT")]),
        (
            SKILLS,
            ["git", "npm"],
            [
                ("git", "<EXTRA_INFO>\nUse git.\n</EXTRA_INFO>\n\n"),
                ("npm", "<EXTRA_INFO>\nUse npm.\n</EXTRA_INFO>"),
            ],
        ),
        (SKILLS, ["git", "npm", "pip"], [("git, npm, pip", SKILLS)]),
        ("Words of a hook.", [], []),
    ],
)
def test_skills_that_a_word_triggered(
    tmp_path: Path, words: str, names: list[str], expected: list[tuple[str, str]]
) -> None:
    sent = {"role": "user", "content": [text("hi")]}
    more = {"source": "user", "llm_message": sent, "extended_content": [text(words)], "activated_skills": names}
    conversation = load(write(tmp_path / "events.jsonl", [sdk("MessageEvent", "u", **more)]))
    assert [(m.role, m.kind, m.text) for m in conversation.messages] == [
        ("user", "said", "hi"),
        ("user", "synthetic", words),
    ]
    assert [(memory.key, memory.text) for memory in conversation.messages[1].memories] == expected
    assert conversation.title == "hi"


def test_skills_of_the_repository(tmp_path: Path) -> None:
    words = (
        "Today.\n[BEGIN context from [agents]]\nUse tabs.\n[END Context]\n"
        "[BEGIN context from [none]]\n[END Context]\n\n[BEGIN context from [open]]\nx"
    )
    prompt = sdk("SystemPromptEvent", "s", system_prompt=text("S"), tools=[], dynamic_context=text(words))
    first = loaded(tmp_path, [prompt, *SDK[1:]]).messages[0]
    assert first.text == f"S\n{words}"
    assert first.memories == (Memory("agents", "Use tabs.\n", "structured"),)


def test_rows_of_another_agent_are_no_run(tmp_path: Path) -> None:
    rows = [{"role": "system", "content": "S", "agent": "main"}, {"role": "assistant", "content": "a", "action": "ls"}]
    path = write(tmp_path / "a.traj", [run(rows)])
    assert isinstance(claims(Raw(path))["openhands"], No)


def test_an_odd_value_in_front_hides_nothing(tmp_path: Path) -> None:
    conversation = load(write(tmp_path / "output.jsonl", [{"meta": 1}, run([ASKED])]))
    assert shape(conversation) == [("user", "Fix it.")]
    assert conversation.skipped == (Skipped(1, 'the object has no "history" of a task'),)


def test_calls_of_an_agent_within(tmp_path: Path) -> None:
    def call(status: str, **more: Any) -> dict[str, Any]:
        return sdk("ACPToolCallEvent", f"x{status}", tool_call_id="c", title="Read", status=status, **more)

    history = [ASKED, call("pending", raw_input={"p": 1}), call("completed", raw_output="text"), call("completed")]
    conversation = loaded(tmp_path, history)
    assert conversation.messages[1].calls == (ToolCall("c", "Read", '{"p":1}'),)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool"]
    assert unpaired(tmp_path / "output.jsonl") == (0, 0)


@pytest.mark.parametrize(
    "patches", [[[{"instance_id": "a", "model_patch": "diff"}]], [{"instance_id": "a", "test_result": {}}]]
)
def test_patches_are_refused_with_the_reason(tmp_path: Path, patches: list[Any]) -> None:
    with pytest.raises(SourceError, match="not openhands: these are patches or results of tasks, which hold no"):
        load(write(tmp_path / "a.json", patches))


NAMES = (
    *("instance_id", "issue", "history", "instruction", "action", "observation", "args", "extras", "content", "source"),
    *("kind", "llm_message", "tool_call", "tool_call_metadata", "model_response", "choices", "message", "id", "cause"),
    *("metadata", "exit_code", "microagent_knowledge", "forgotten_event_ids", "summary", "summary_offset", "thought"),
    *("extended_content", "activated_skills", "dynamic_context", "text"),
)
WORDS = ("run", "message", "system", "recall", "condensation", "finish", "user", "MessageEvent", "ActionEvent", "error")
EVENTS = values(NAMES, WORDS)


@given(st.lists(EVENTS, max_size=4), st.lists(EVENTS, min_size=1, max_size=2))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, history: list[Any], found: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-openhands.jsonl"
    assert_survives(path, [run(history), *found], "openhands")
    assert_survives(path, found, "openhands")


@pytest.mark.parametrize("base", [*SDK, event(2, "run", {"command": "a"}, **called("r1", "c1")), seen(2, "A")])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    odd = [{**base, name: value} for name in base for value in ODD]
    told(write(tmp_path / "a.jsonl", [run([*odd, *SDK])]), "openhands")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
def test_a_real_file() -> None:
    path = DATA / "openhands" / "resolver-output.jsonl"
    found = [load(path, item=n) for n in range(2)]
    assert [(c.title, len(c.messages), len(c.responses), c.skipped) for c in found] == [
        ("Add MIT license", 8, 4, ()),
        ("Add a toggle for dark mode", 44, 22, ()),
    ]
    assert [facts(path, "openhands", n) for n in range(2)] == [[("repository", "neubig/pr-viewer")]] * 2
    assert unpaired(path) == (0, 0)
