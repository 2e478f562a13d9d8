"""Alternates: what is asked holds no memory, is asked once, and only where a chat server is set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from memscope.actions.alternates import Alternates
from memscope.actions.chat import chat, open_chat
from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings, chat_key
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolResult
from memscope.store.database import Database
from tests.clients.chat_server import MODEL, ChatServer
from tests.engines.conftest import Hasty
from tests.fakes import LATE, PNPM, TABS, assistant, conversations, memory, office, talk, user

Serve = Callable[..., ChatServer]
Open = Callable[..., Alternates]


@pytest.fixture
def alternates(database: Database) -> Iterator[Open]:
    made = []

    def of(conversation: Conversation, server: ChatServer, **values: Any) -> Alternates:
        made.append(open_chat(Settings(chat_url=server.url, **values), database))
        return Alternates(conversation, made[-1])

    yield of
    for model in made:
        model.close()


def test_the_model_is_asked_what_stood_before_the_response_without_the_memories(
    chat_server: Serve, alternates: Open
) -> None:
    server = chat_server()

    alternate = alternates(office(), server).ask(8, Job())

    (asked,) = server.chats()
    call = {"id": "1", "type": "function", "function": {"name": "run", "arguments": '{"command": "pnpm install"}'}}
    assert asked.body["messages"] == [
        {"role": "system", "content": "You are a coding agent."},
        {"role": "user", "content": "Which package manager is it?"},
        {"role": "assistant", "content": "I do not know yet, so I will have a look."},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Use pnpm to install packages.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    assert asked.body["model"] == MODEL
    assert asked.body["temperature"] == 0
    assert (alternate.message, alternate.text, alternate.model) == (8, "Answer to: done", MODEL)
    assert not any(text in json.dumps(asked.body) for text in (TABS, PNPM, LATE))


def test_tools_go_along(chat_server: Serve, alternates: Open) -> None:
    server = chat_server("calls")
    anthropic = '{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}'

    alternate = alternates(replace(office(), tools=(anthropic,)), server).ask(2, Job())

    (tool,) = server.chats()[0].body["tools"]
    assert tool["function"] == {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    assert [(call.name, call.arguments) for call in alternate.calls] == [("look", '{"at": "it"}')]
    assert alternate.written == '<tool_call>\n{"name": "look", "arguments": {"at": "it"}}\n</tool_call>'


_MARK = "Qx7-memory"


def _with_memories(conversation: Conversation, text: str) -> Conversation:
    """The conversation with another text in every memory."""
    messages = [
        replace(message, parts=tuple(replace(p, text=text) if isinstance(p, Memory) else p for p in message.parts))
        for message in conversation.messages
    ]
    return conversation.with_messages(messages)


def test_no_memory_is_ever_sent(chat_server: Serve, database: Database) -> None:
    server = chat_server()
    with chat(Settings(chat_url=server.url), database) as model:

        @given(conversation=conversations)
        @settings(max_examples=25)
        def asked_without(conversation: Conversation) -> None:
            asking = Alternates(_with_memories(conversation, _MARK), model)
            for message in conversation.responses:
                try:
                    asking.ask(message, Hasty())
                except UsageError as error:
                    assert "nothing to ask" in error.what

        asked_without()
    assert server.chats()
    assert not any(_MARK in json.dumps(asked.body) for asked in server.chats())


def test_a_thing_asked_before_is_not_asked_again(chat_server: Serve, alternates: Open) -> None:
    server = chat_server()
    asking = alternates(office(), server)
    assert asking.cached(5) is None
    first = asking.ask(5, Job())

    assert asking.ask(5, Job()) == first.model_copy(update={"cached": True})
    assert len(server.chats()) == 1


def test_looking_asks_nobody_and_finds_what_a_longer_conversation_with_other_memories_was_told(
    chat_server: Serve, alternates: Open
) -> None:
    server = chat_server()
    alternates(office(), server).ask(5, Job())
    server.log.clear()
    longer = office().with_messages([*office().messages, user("More."), assistant("Done.")])
    others = _with_memories(longer, "Else.")

    found = alternates(others, server).cached(5)

    assert found is not None
    assert found.cached
    assert found.text == "Answer to: And now?"
    assert alternates(others, server).cached(2) is None
    assert not server.log


def test_asking_again_asks(chat_server: Serve, alternates: Open) -> None:
    server = chat_server(words="one")
    asking = alternates(office(), server)
    asking.ask(2, Job())
    server.behave("well", words="other")

    assert asking.ask(2, Job(), again=True).text == "other"
    assert asking.ask(2, Job()).text == "other"


def test_a_failure_is_an_error_and_is_asked_again(chat_server: Serve, alternates: Open) -> None:
    server = chat_server("excuse")
    asking = alternates(office(), server)
    with pytest.raises(EngineError, match="Rate limit exceeded"):
        asking.ask(2, Job())
    server.behave("well")

    assert asking.ask(2, Job()).text == "Answer to: Which package manager is it?"


def test_unless_a_server_is_set_nobody_is_asked(database: Database) -> None:
    with pytest.raises(UsageError) as refused:
        open_chat(Settings(), database)

    assert refused.value.where == "chat_url"
    assert "MEMSCOPE_CHAT_URL" in refused.value.do


def test_an_address_that_is_none_is_named_after_its_setting(database: Database) -> None:
    with pytest.raises(UsageError, match=r"^chat_url 'ftp://host' is no http or https address"):
        open_chat(Settings(chat_url="ftp://host"), database)


@pytest.mark.parametrize("message", [0, 1, 3, 9, -1])
def test_what_is_no_response_has_none(message: int, chat_server: Serve, alternates: Open) -> None:
    server = chat_server()

    with pytest.raises(UsageError, match="is no response"):
        alternates(office(), server).ask(message, Job())
    with pytest.raises(UsageError, match="is no response"):
        alternates(office(), server).cached(message)
    assert not server.log


def test_where_the_memories_are_all_there_is_there_is_nothing_to_ask(chat_server: Serve, alternates: Open) -> None:
    server = chat_server()
    conversation = talk(memory("only", TABS), assistant("Tabs it is."))

    with pytest.raises(UsageError, match="nothing stands before #1"):
        alternates(conversation, server).ask(1, Job())
    assert not server.log


def test_a_tool_whose_whole_answer_was_a_memory_still_answers(chat_server: Serve, alternates: Open) -> None:
    server = chat_server()
    read = Message("tool", (ToolResult("1", ""), Memory("notes", PNPM)))
    conversation = talk(*office().messages[:6], read, assistant("So it is."))

    alternates(conversation, server).ask(7, Job())

    assert server.chats()[0].body["messages"][-1] == {"role": "tool", "tool_call_id": "1", "content": ""}


def test_the_chat_server_has_a_key_of_its_own_and_is_not_sent_that_of_another(
    chat_server: Serve, alternates: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "for-scores-only")
    server = chat_server()
    alternates(office(), server, base_url="http://127.0.0.1:9/v1").ask(2, Job())
    assert "authorization" not in server.chats()[0].headers

    monkeypatch.setenv("MEMSCOPE_CHAT_API_KEY", "for-chats-only")
    alternates(office(), server).ask(5, Job())
    assert server.chats()[1].headers["authorization"] == "Bearer for-chats-only"


def test_one_server_for_both_takes_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "for-both")
    same = Settings(base_url="http://host:8000/v1", chat_url="http://HOST:8000")

    assert chat_key(same) == "for-both"
    assert chat_key(same.model_copy(update={"chat_url": "http://host:8001/v1"})) == ""
    assert chat_key(Settings()) == ""


def test_what_was_opened_is_closed(chat_server: Serve, database: Database) -> None:
    with chat(Settings(chat_url=chat_server().url), database) as model:
        asking = Alternates(talk(Message("user", (Text("Hello."),)), assistant("Hi.")), model)
        assert asking.ask(1, Job()).text

    with pytest.raises(Cancelled, match="was closed"):
        asking.ask(1, Job(), again=True)
