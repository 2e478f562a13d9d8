"""Insights by a chat model: what it is sent, what its answer comes to, and that nothing is taken from no answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from memscope.actions.chat import chat
from memscope.actions.insight_decisions import standing
from memscope.actions.insights import Observed, observe
from memscope.actions.synthesis import Prepared, Synthesis, as_insight, has_answer, prepare, sent_words, synthesize
from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.store.database import Database
from tests.clients.chat_server import KEY, MODEL, ChatServer
from tests.engines.conftest import Hasty
from tests.insights import failing
from tests.promotion.recurring import write_talk

SECRET = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"  # made up
SAID = [
    {"text": "Look  whether\nthe file is there.", "confidence": 0.9},
    {"text": "Ask.", "confidence": "high"},
    {"text": " "},
    {"text": "Wait.", "confidence": 7},
]
WELL = json.dumps({"insights": SAID})
MADE = [("Look whether the file is there.", 0.9), ("Ask.", 0.5), ("Wait.", 1.0)]
EXCUSE = "The day has been long. I would rather not say."
NOON = 1_800_000_000.0
Serve = Callable[..., ChatServer]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    set_clock(lambda: NOON)
    yield
    set_clock(None)


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Two sessions: one in which a tool failed twice, and one in which two tools worked."""
    folder = tmp_path / "talks"
    folder.mkdir()
    failing.write("openai", folder)
    write_talk(folder / "talk.json", "Speed up the queue.")
    return folder


def prepared(folder: Path, **settings: Any) -> Prepared:
    return prepare(seen(folder), Settings(**settings), Job())


def seen(folder: Path) -> Observed:
    return observe([folder], Settings(), None, Job())


def asked(
    one: Prepared,
    server: ChatServer | str,
    database: Database | None = None,
    job: Job | None = None,
    *,
    timeout: float | None = None,
    **more: Any,
) -> Synthesis:
    url = server if isinstance(server, str) else server.url
    with chat(Settings(chat_url=url, timeout=timeout), database) as model:
        return synthesize(one, model, job or Hasty(), **more)


def told(synthesis: Synthesis) -> list[tuple[str, float]]:
    return [(one.text, one.confidence) for one in synthesis.insights]


# The prompt.


def test_a_prompt_tells_the_newest_sessions_and_what_the_rules_saw(talks: Path) -> None:
    made = prepared(talks)
    system, user = (message["content"] for message in made.prompt.messages)
    assert "memory consolidation engine" in system
    places = [
        user.index(part)
        for part in (
            "## Recent Session Traces",
            "### Session talk",
            "[USER] Speed up the queue.",
            "→ tools: Bash, Edit",
            "## Rule-Based Observations (synthesize and elevate these)",
            "- [repeated_tool_error] 'shell' errored 2 times: no such file",
            "## Task",
        )
    ]
    assert places == sorted(places)
    assert f"[TOOL] [tool results] failed: {failing.FAILED}" in user
    assert {one.session for one in made.origin} == {str(talks / "talk.json"), str(talks / "session.jsonl")}
    assert (made.left_out, made.count, made.classic) == (0, 10, False)


def test_what_the_settings_leave_out_is_not_told(talks: Path) -> None:
    made = prepared(talks, insight_rules=False, insight_count=3, insight_chars=500)
    user = made.prompt.messages[1]["content"]
    assert "Rule-Based" not in user and "3" in user.partition("## Task")[2]
    assert len(user.partition("## Task")[0]) <= 500


def test_a_few_sessions_may_be_chosen(talks: Path) -> None:
    name = str(talks / "talk.json")
    made = prepare(seen(talks), Settings(), Job(), sessions={name})
    assert [one.name for one in made.sessions] == [name]
    assert "shell" not in made.prompt.messages[1]["content"]
    assert [one.session for one in made.origin] == [name]
    nothing = prepare(seen(talks), Settings(), Job(), sessions=())
    assert (nothing.sessions, nothing.origin) == ((), ())


@pytest.mark.parametrize("names", [["talk.json", "session.jsonl"], ["session.jsonl", "talk.json"]])
def test_the_newest_session_is_told_first(talks: Path, names: list[str]) -> None:
    for age, name in enumerate(names):
        os.utime(talks / name, (NOON - 60 * age,) * 2)
    assert [one.source.path.name for one in prepared(talks).sessions] == names


def test_sessions_that_have_no_room_are_left_out_and_counted(talks: Path) -> None:
    for number in range(12):
        write_talk(talks / f"long{number}.json", *[f"Mend part {number} of {n}. {'word ' * 60}" for n in range(9)])
    made = prepared(talks, insight_chars=2000)
    assert made.left_out == 14 - len(made.sessions) > 0
    document = made.document(Settings())
    assert (document.left_out, document.url, document.cached) == (made.left_out, None, False)
    assert document.sessions == [one.name for one in made.sessions]
    assert document.characters == sum(len(one.content) for one in document.messages)


@pytest.mark.parametrize("compat", ["", "classic"])
def test_sessions_that_say_nothing_take_no_room_and_are_not_left_out(
    talks: Path, compat: Literal["", "classic"]
) -> None:
    for number in range(40):
        silent = talks / f"silent{number}.json"
        silent.write_text(json.dumps({"messages": [{"role": "system", "content": f"You are number {number}."}]}))
        os.utime(silent, (NOON, NOON))
    found = seen(talks)
    made = prepare(found, Settings(compat=compat), Job())
    assert len(found.sessions) == 42
    assert {one.source.path.name for one in made.sessions} == {"talk.json", "session.jsonl"}
    assert made.left_out == 0


def test_short_sessions_are_told_as_far_as_there_is_room(talks: Path) -> None:
    for number in range(60):
        write_talk(talks / f"short{number}.json", f"{number}?", words="", tools=["Bash"])
    made = prepared(talks)
    assert (len(made.sessions), made.left_out, made.prompt.cut) == (62, 0, ())
    assert "truncated" not in made.prompt.messages[1]["content"]
    made = prepared(talks, insight_chars=2000)
    assert 10 < len(made.sessions) == 62 - made.left_out
    assert made.prompt.messages[1]["content"].partition("## Rule")[0].endswith("...[truncated]\n\n")


@pytest.mark.parametrize(("compat", "told"), [("", 3), ("classic", 1)])
def test_sessions_of_observations_alone_are_told_of_before_anything_is_sent(
    talks: Path, compat: Literal["", "classic"], told: int
) -> None:
    for number in range(5):
        words = "word " * 300
        write_talk(talks / f"long{number}.json", f"Mend part {number}. {words}", *[words] * 3)
    made = prepared(talks, insight_chars=1600, compat=compat)
    document = made.document(Settings())
    assert (len(made.sessions), made.left_out) == (told, 7 - told)
    assert {*document.sessions, *document.observed} == {one.session for one in made.origin}
    assert document.observed and not {*document.sessions} & {*document.observed}
    words = sent_words(Settings(chat_url="http://127.0.0.1:9/v1"), made)
    assert f"and observations of {len(document.observed)} more, " in words


def test_a_file_that_is_gone_by_then_is_not_told(talks: Path) -> None:
    found = seen(talks)
    (talks / "talk.json").unlink()
    made = prepare(found, Settings(), Job())
    assert [one.name for one in made.sessions] == [str(talks / "session.jsonl")]
    assert made.left_out == 0


def test_reading_for_a_prompt_stops_when_it_is_told_to(talks: Path) -> None:
    found, job = seen(talks), Job()
    job.cancel()
    with pytest.raises(Cancelled):
        prepare(found, Settings(), job)


# What is sent.


@pytest.mark.parametrize("compat", ["", "classic"])
def test_credentials_stay_here_and_in_classic_mode_they_do_not(
    chat_server: Serve, talks: Path, compat: Literal["", "classic"]
) -> None:
    asking = f"Log in with {SECRET} as /home/annabel says."
    write_talk(talks / "login.json", asking, words=f"I take {SECRET}.", tools=["Bash"])
    server = chat_server(words=WELL)
    made = prepared(talks, compat=compat)
    asked(made, server)
    sent = json.dumps([(one.headers, one.body) for one in server.log])
    assert (SECRET in sent, "annabel" in sent, "[credential removed]" in sent) == (
        (True, True, False) if compat else (False, False, True)
    )
    words = sent_words(Settings(chat_url="http://127.0.0.1:9/v1", chat_model="talker"), made)
    assert ("as they are" if compat else "without credentials") in words and "3 sessions" in words
    assert words.endswith("are sent to http://127.0.0.1:9/v1, for talker")


def test_the_request_is_the_prompt_at_temperature_0(chat_server: Serve, talks: Path) -> None:
    server, made = chat_server(words=WELL), prepared(talks)
    asked(made, server)
    (body,) = (one.body for one in server.chats())
    assert (body["messages"], body["temperature"], body["model"]) == (made.prompt.messages, 0, MODEL)
    assert body["max_tokens"] == made.document(Settings()).longest


def test_that_something_is_sent_is_told_before_it_is_and_only_then(
    chat_server: Serve, talks: Path, database: Database
) -> None:
    said: list[int] = []
    server, made = chat_server(words=WELL), prepared(talks)
    for again, counts in ((False, [0]), (False, [0]), (True, [0, 1])):
        asked(made, server, database, sending=lambda: said.append(len(server.chats())), again=again)
        assert said == counts


# What comes of an answer.


@pytest.mark.parametrize("behaviour", ["well", "fences", "prose", "thinking", "reasoning", "parts", "limited", "picky"])
def test_insights_are_found_in_whatever_stands_around_them(
    chat_server: Serve, talks: Path, database: Database, behaviour: str
) -> None:
    made = prepared(talks)
    found = asked(made, chat_server(behaviour, words=WELL), database)
    assert told(found) == MADE
    assert (found.model, found.parse_error, found.cached) == (MODEL, "", False)
    for one in found.insights:
        assert (one.kind, one.model, one.time, one.evidence) == ("synthesized", MODEL, NOON, made.origin)
    assert standing(database).kept == ()  # whoever asked decides that


def test_a_bare_array_will_do_and_no_more_than_were_asked_for(chat_server: Serve, talks: Path) -> None:
    server = chat_server(words=json.dumps(SAID))
    assert told(asked(prepared(talks), server)) == MADE
    assert told(asked(prepared(talks, insight_count=1), server)) == MADE[:1]


def test_an_answer_that_says_there_are_none_is_an_answer(chat_server: Serve, talks: Path, database: Database) -> None:
    server, made = chat_server(words='{"insights": []}'), prepared(talks)
    found = asked(made, server, database)
    assert (found.insights, found.parse_error) == ((), "")
    assert asked(made, server, database).cached


UNREADABLE = [
    (EXCUSE, "no JSON"),
    ('{"insights": [{"text": "cut of', "no whole one"),
    ('{"answer": 7}', 'no list "insights"'),
    ('[{"words": "x"}]', "none with a text"),
    ('["Look."]', "none with a text"),
]


@pytest.mark.parametrize(("words", "why"), UNREADABLE, ids=[one[0][:12] for one in UNREADABLE])
def test_of_what_cannot_be_read_nothing_is_made_and_the_reply_is_there_to_read(
    chat_server: Serve, talks: Path, database: Database, words: str, why: str
) -> None:
    server, made = chat_server(words=words), prepared(talks)
    found = asked(made, server, database)
    assert (found.insights, found.reply, found.cached) == ((), words, False)
    assert why in found.parse_error
    assert standing(database).kept == ()
    kept = as_insight(found, made)
    assert (kept.kind, kept.text, kept.confidence, kept.evidence) == ("synthesized", words, 0.5, made.origin)
    assert (found.without_error().parse_error, found.without_error().reply) == ("", words)
    server.behave("well", words=WELL)  # what was of no use is asked for anew
    assert told(asked(made, server, database)) == MADE
    assert asked(made, server, database).cached
    assert len(server.chats()) == 2


def test_an_answer_that_is_wanted_as_it_is_is_not_asked_for_again(
    chat_server: Serve, talks: Path, database: Database
) -> None:
    server, made = chat_server(words=EXCUSE), prepared(talks)
    read = asked(made, server, database)
    server.behave("well", words="Something else.")
    found = asked(made, server, database, as_it_is=True)
    assert (found.reply, found.parse_error, found.cached) == (EXCUSE, read.parse_error, True)
    assert found.may_be_kept and len(server.chats()) == 1
    assert asked(made, server, database, as_it_is=True, again=True).reply == "Something else."


@pytest.mark.parametrize("compat", ["", "classic"])
def test_an_answer_without_words_is_nothing_to_keep(
    chat_server: Serve, talks: Path, database: Database, compat: Literal["", "classic"]
) -> None:
    server, made = chat_server("calls"), prepared(talks, compat=compat)
    for _ in range(2):  # nobody wants that as it is
        found = asked(made, server, database, as_it_is=True)
        assert (found.insights, found.reply, found.parse_error) == ((), "", "the answer is empty")
        assert not found.may_be_kept
    assert len(server.chats()) == 2


NO_ANSWERS = ["nothing", "thought", "excuse", "plain", "html", "error", "shape", "choiceless", "500", "401"]


@pytest.mark.parametrize("behaviour", NO_ANSWERS)
def test_no_answer_is_an_error_and_never_an_insight(
    chat_server: Serve, talks: Path, database: Database, behaviour: str
) -> None:
    server, made = chat_server(behaviour, words=WELL), prepared(talks)
    with pytest.raises(EngineError):
        asked(made, server, database)
    server.behave("well", words=WELL)
    assert not asked(made, server, database).cached


def test_nobody_and_one_who_never_answers_are_errors(chat_server: Serve, talks: Path) -> None:
    made = prepared(talks)
    with pytest.raises(EngineError, match="no answer within"):
        asked(made, chat_server("never"), timeout=0.2)
    with pytest.raises(EngineError, match="no answer"):
        asked(made, "http://127.0.0.1:9/v1")


def test_a_good_answer_is_asked_for_once_and_found_on_disk(chat_server: Serve, talks: Path, database: Database) -> None:
    server, made = chat_server(words=WELL), prepared(talks)
    settings = Settings(chat_url=server.url)
    with chat(settings, database) as model:
        assert not has_answer(made, model)
    first = asked(made, server, database)
    set_clock(lambda: NOON + 60)
    second = asked(prepared(talks), server, database)
    assert (first.cached, second.cached, len(server.chats())) == (False, True, 1)
    assert second.insights == first.insights  # of the time at which it was said
    with chat(settings, database) as model:
        assert has_answer(made, model)
        assert not has_answer(prepared(talks, insight_count=3), model)
    assert not asked(made, server, database, again=True).cached
    assert not asked(prepared(talks, insight_count=3), server, database).cached
    assert len(server.chats()) == 3


def test_an_answer_that_is_of_no_use_is_none(chat_server: Serve, talks: Path, database: Database) -> None:
    server, made = chat_server(words=EXCUSE), prepared(talks)
    asked(made, server, database)
    with chat(Settings(chat_url=server.url), database) as model:
        assert not has_answer(made, model)


def test_it_stops_before_and_while_it_is_asked_and_nothing_is_kept(
    chat_server: Serve, talks: Path, database: Database
) -> None:
    made, job = prepared(talks), Job()
    job.cancel()
    server = chat_server(words=WELL)
    with pytest.raises(Cancelled):
        asked(made, server, database, job)
    assert not server.chats()
    for behaviour in ("slow", "never"):
        job = Job()

        def stop(body: Mapping[str, Any], job: Job = job) -> str:
            job.cancel()
            return WELL

        server = chat_server(behaviour, words=stop, seconds=1)
        with pytest.raises(Cancelled):
            asked(made, server, database, job)
        with chat(Settings(chat_url=server.url), database) as model:
            assert not has_answer(made, model)


def test_an_answer_is_not_believed(chat_server: Serve, talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_CHAT_API_KEY", KEY)
    hostile = json.dumps({"insights": [{"text": f"\x1b[2JUse {KEY}\u202e\n## Task {'x' * 400}", "confidence": -1}]})
    (one,) = asked(prepared(talks), chat_server(words=hostile, key=KEY)).insights
    assert KEY not in one.text and not {"\x1b", "\u202e", "\n"} & set(one.text)
    assert (len(one.text), one.confidence) == (300, 0.0)


def test_classic_mode_makes_an_insight_of_anything_a_model_says(chat_server: Serve, talks: Path) -> None:
    made = prepared(talks, compat="classic")
    server = chat_server(words=EXCUSE)
    assert told(asked(made, server)) == [(EXCUSE, 0.5)]
    server.behave("excuse")
    assert told(asked(made, server)) == [("Rate limit exceeded", 0.5)]
    server.behave("nothing")
    with pytest.raises(EngineError):
        asked(made, server)
    server.behave("well", words=json.dumps(SAID[:1]))
    assert told(asked(made, server)) == [(json.dumps(SAID[:1]), 0.5)]
    server.behave("well", words=json.dumps({"insights": [{"text": "no confidence"}, *SAID[:1] * 12]}))
    assert len(asked(made, server).insights) == 12
    user = made.prompt.messages[1]["content"]
    assert user.startswith("## Recent Session Traces\n\n### Session ") and "failed:" not in user
    assert "without" not in sent_words(Settings(chat_url="http://127.0.0.1:9"), made)
