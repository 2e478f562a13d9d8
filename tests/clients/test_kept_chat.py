"""Kept replies: nothing is asked twice, another question is another reply, and a disk that fails costs no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memscope.base.clock import set_clock
from memscope.base.errors import EngineError, StoreError, UsageError
from memscope.base.job import Job
from memscope.clients.chat import CHAT, ChatClient
from memscope.clients.http import Server
from memscope.clients.kept_chat import KeptChat
from memscope.clients.served import root
from memscope.store.database import Database
from memscope.store.replies import Replies
from tests.clients.chat_server import KEY, MODEL, ChatServer

ASKED = [{"role": "user", "content": "Good day?"}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}
Serve, Open = Callable[..., ChatServer], Callable[..., KeptChat]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    set_clock(lambda: 1_000.0)
    opened = Database(tmp_path)
    yield opened
    opened.close()
    set_clock(None)


@pytest.fixture
def opened(database: Database) -> Iterator[Open]:
    made: list[KeptChat] = []

    def chat(server: ChatServer, model: str = "", *, kept: bool = True, key: str = "") -> KeptChat:
        speaking = Server(root(server.url), api_key=key, timeout=30.0, retries=0, named=CHAT)
        made.append(KeptChat(ChatClient(speaking, model), Replies(database) if kept else None))
        return made[-1]

    yield chat
    for one in made:
        one.close()


def test_what_was_asked_before_is_on_disk(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    first = opened(server, "named").reply(ASKED, Job())
    set_clock(lambda: 2_000.0)

    again = opened(server, "named").reply(ASKED, Job())

    assert (first.model, first.at, first.cached) == ("named", 1_000.0, False)
    assert (again.model, again.at, again.cached) == ("named", 1_000.0, True)
    assert again.reply == first.reply
    assert len(server.log) == 1


def test_calls_are_kept_too(chat_server: Serve, opened: Open) -> None:
    server = chat_server("calls")
    first = opened(server, "named").reply(ASKED, Job())

    assert opened(server, "named").look(ASKED) is not None
    assert opened(server, "named").reply(ASKED, Job()).reply == first.reply
    assert first.reply.calls


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [{"role": "user", "content": "Good night?"}]},
        {"messages": [{"role": "system", "content": "Good day?"}]},
        {"tools": [TOOL]},
        {"temperature": 0.5},
        {"max_tokens": 30},
        {"model": "another"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_question_is_another_reply(other: dict[str, Any], chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    opened(server, "named").reply(ASKED, Job())
    chat = opened(server, other.pop("model", "named"))
    asked = {"messages": ASKED, **other}

    assert chat.look(**asked) is None
    assert not chat.reply(**asked, job=Job()).cached
    assert chat.look(**asked) is not None


def test_another_server_is_asked_itself(chat_server: Serve, opened: Open) -> None:
    opened(chat_server(), "named").reply(ASKED, Job())

    assert not opened(chat_server(), "named").reply(ASKED, Job()).cached


def test_what_is_asked_again_takes_the_place_of_what_was_kept(chat_server: Serve, opened: Open) -> None:
    server = chat_server(words="one")
    chat = opened(server, "named")
    chat.reply(ASKED, Job())
    server.behave("well", words="other")

    assert chat.reply(ASKED, Job()).reply.text == "one"
    assert chat.reply(ASKED, Job(), again=True).reply.text == "other"
    assert chat.reply(ASKED, Job()).reply.text == "other"


def test_a_failure_is_not_kept(chat_server: Serve, opened: Open) -> None:
    server = chat_server("excuse")
    chat = opened(server, "named")
    with pytest.raises(EngineError):
        chat.reply(ASKED, Job())
    server.behave("well")

    assert chat.reply(ASKED, Job()).reply.text == "Answer to: Good day?"


def test_looking_asks_nobody(chat_server: Serve, opened: Open) -> None:
    server = chat_server()

    assert opened(server).look(ASKED) is None
    assert opened(server, "named").look(ASKED) is None
    assert not server.log


def test_a_model_that_was_not_named_is_remembered(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    opened(server).reply(ASKED, Job())
    server.log.clear()

    found = opened(server).look(ASKED)

    assert found is not None
    assert found.model == MODEL
    assert not server.log


def test_another_model_at_the_server_is_asked_itself(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    opened(server).reply(ASKED, Job())
    server.behave("well", models=("newer",))

    found = opened(server).reply(ASKED, Job())

    assert (found.model, found.cached) == ("newer", False)


def test_while_the_server_is_away_what_is_kept_is_told(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    opened(server).reply(ASKED, Job())
    server.close()
    chat = opened(server)

    assert chat.reply(ASKED, Job()).cached
    with pytest.raises(EngineError):
        chat.reply(ASKED, Job(), again=True)
    with pytest.raises(EngineError):
        chat.reply([{"role": "user", "content": "Good night?"}], Job())


def test_a_server_with_several_models_by_now_is_no_trouble_for_what_is_kept(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    opened(server).reply(ASKED, Job())
    server.behave("well", models=("one", "other"))

    assert opened(server).reply(ASKED, Job()).cached
    with pytest.raises(UsageError):
        opened(server).reply([{"role": "user", "content": "Good night?"}], Job())


def test_without_a_store_it_is_asked_every_time(chat_server: Serve, opened: Open) -> None:
    server = chat_server()
    chat = opened(server, kept=False)

    assert [chat.reply(ASKED, Job()).cached for _ in range(2)] == [False, False]
    assert chat.look(ASKED) is None
    assert len(server.chats()) == 2


def test_a_store_that_fails_costs_no_answer(chat_server: Serve, opened: Open, database: Database) -> None:
    chat = opened(chat_server())
    database.write("DROP TABLE replies")

    assert chat.reply(ASKED, Job()).reply.text == "Answer to: Good day?"
    assert isinstance(chat.trouble, StoreError)
    with pytest.raises(StoreError):
        chat.look(ASKED)


@pytest.mark.parametrize("kept", ["{}", '{"text": 1}', '{"text": "", "calls": [], "finish": "", "usage": {}}', "[]"])
def test_what_cannot_be_read_is_asked_again(kept: str, chat_server: Serve, opened: Open, database: Database) -> None:
    server = chat_server()
    chat = opened(server, "named")
    chat.reply(ASKED, Job())
    database.write("UPDATE replies SET reply = ?", kept)

    assert chat.look(ASKED) is None
    assert not chat.reply(ASKED, Job()).cached


def test_the_key_is_not_on_disk(chat_server: Serve, opened: Open, database: Database) -> None:
    server = chat_server("echo", key=KEY)
    opened(server, key=KEY).reply(ASKED, Job())

    rows = database.read("SELECT key, reply FROM replies")
    assert len(rows) == 2  # the reply, and which model the server has
    assert KEY not in str(rows)
    assert KEY.encode() not in database.path.read_bytes()
