"""Consolidation: rules by a chat model, or by the scores where there is none or it fails; kept by whoever asks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from memscope.actions.chat import chat
from memscope.actions.consolidation import TIMEOUT, Proposal, has_answer, keep, nothing, propose, sent_words
from memscope.actions.lessons import read_lessons, record
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.lessons.model import AgentMemory, Episode
from memscope.store.database import Database
from tests.clients.chat_server import KEY, MODEL, ChatServer
from tests.engines.conftest import Hasty

pytestmark = pytest.mark.usefixtures("noon")

SECRET = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"  # made up
RULES = ["Ask before you deploy.", "Read the logs first."]
WELL = json.dumps(RULES)
DERIVED = tuple(f"[CONSOLIDATED] {rule}" for rule in RULES)
SCORED = ("[HIGH SCORE 0.90] asked, then waited",)
Serve = Callable[..., ChatServer]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of lessons in which consolidation is due."""
    file = tmp_path / "agent_memory.json"
    told = [Episode("deploy", 0.9, 3, "asked, then waited"), *[Episode("deploy", 0.2, 9, "guessed")] * 19]
    record(file, told, Settings())
    return file


def proposed(
    path: Path,
    server: ChatServer | str,
    database: Database | None = None,
    job: Job | None = None,
    *,
    compat: Literal["", "classic"] = "",
    timeout: float | None = None,
    **more: Any,
) -> Proposal:
    url = server if isinstance(server, str) else server.url
    settings = Settings(chat_url=url, compat=compat, timeout=timeout)
    with chat(settings, database, timeout=TIMEOUT) as model:
        return propose(read_lessons(path), settings, model, job or Hasty(), **more)


def general(path: Path) -> tuple[str, ...]:
    return read_lessons(path).memory.global_rules


# By the model.


@pytest.mark.parametrize("behaviour", ["well", "fences", "prose", "thinking", "reasoning", "parts", "limited", "picky"])
def test_rules_are_found_in_whatever_stands_around_them(chat_server: Serve, path: Path, behaviour: str) -> None:
    made = proposed(path, chat_server(behaviour, words=WELL))
    assert (made.rules, made.by, made.model, made.trouble, made.cached) == (DERIVED, "model", MODEL, "", False)
    assert general(path) == ()
    before, after, document = keep(made)
    assert (before.global_rules, after.global_rules, general(path)) == ((), DERIVED, DERIVED)
    assert (document.written, document.by, document.model, document.due) == (True, "model", MODEL, False)
    assert [(one.sign, one.text) for one in document.changes] == [("+", rule) for rule in DERIVED]
    assert read_lessons(path).memory.last_consolidated_at == 20


def test_an_array_is_what_is_asked_for(chat_server: Serve, path: Path) -> None:
    assert proposed(path, chat_server("array", words=RULES[0])).rules == DERIVED[:1]


def test_the_request_has_the_words_the_temperature_and_the_length_of_the_answer(chat_server: Serve, path: Path) -> None:
    server = chat_server(words=WELL)
    proposed(path, server)
    ((body),) = [one.body for one in server.chats()]
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0, 300, MODEL)
    ((message),) = body["messages"]
    assert message["role"] == "user"
    assert "task=deploy score=0.90: asked, then waited\ntask=deploy score=0.20: guessed" in message["content"]
    assert "Extract 5 concise, actionable rules" in message["content"]
    assert "ONLY a JSON array of strings" in message["content"]


def test_credentials_stay_here_and_in_classic_mode_they_do_not(chat_server: Serve, path: Path) -> None:
    record(path, [Episode(f"deploy {SECRET}", 0.5, 1, f"sent {SECRET} from /home/somebody/x")], Settings())
    server = chat_server(words=WELL)
    proposed(path, server)
    sent = json.dumps([(one.headers, one.body) for one in server.log])
    assert SECRET not in sent and "somebody" not in sent and "[credential removed]" in sent
    classic = chat_server(words=WELL)
    proposed(path, classic, compat="classic")
    assert f"task=deploy {SECRET} score=0.50: sent {SECRET}" in classic.chats()[0].body["messages"][0]["content"]


def test_what_is_sent_and_where_is_told_before_it_is_and_only_then(
    chat_server: Serve, path: Path, database: Database
) -> None:
    told: list[int] = []
    server = chat_server(words=WELL)
    for again, counts in ((False, [0]), (False, [0]), (True, [0, 1])):
        proposed(path, server, database, sending=lambda: told.append(len(server.chats())), again=again)
        assert told == counts
    memory = read_lessons(path).memory
    words = sent_words(Settings(chat_url="http://127.0.0.1:9/v1", chat_model="talker"), memory)
    assert "the last 20 episodes without credentials" in words
    assert words.endswith("are sent to http://127.0.0.1:9/v1, for talker")
    assert "as they are" in sent_words(Settings(chat_url="http://127.0.0.1:9", compat="classic"), memory)


def test_a_good_answer_is_asked_for_once_and_then_found_on_disk(
    chat_server: Serve, path: Path, database: Database
) -> None:
    server = chat_server(words=WELL)
    settings = Settings(chat_url=server.url)

    def is_there() -> bool:
        with chat(settings, database, timeout=TIMEOUT) as model:
            return has_answer(read_lessons(path), settings, model)

    assert not is_there()
    assert [proposed(path, server, database).cached for _ in range(3)] == [False, True, True]
    assert is_there()
    assert len(server.chats()) == 1
    assert not proposed(path, server, database, again=True).cached
    record(path, [Episode("deploy", 0.3, 1, "more")], Settings())
    assert not is_there()
    assert not proposed(path, server, database).cached
    assert len(server.chats()) == 3


# By the scores, where the model is no use.

UNUSABLE = [
    ("nothing", "", "the answer is empty"),
    ("excuse", "", "Rate limit exceeded"),
    ("well", "I would rather not say.", "holds no JSON where an array of rules was asked for"),
    ("well", '{"rules": []}', "holds"),
    ("well", "[]", "the array in the answer is empty"),
    ("well", "[1, 2]", "none of its entries is a text with words"),
    ("html", "", "no JSON"),
    ("error", "", "out of order"),
    ("shape", "", ""),
    ("choiceless", "", ""),
    ("thought", "", "used up its length for thinking"),
    ("500", "", "out of order"),
    ("401", "", ""),
    ("calls", "", "the answer is empty"),
]


@pytest.mark.parametrize(("behaviour", "words", "why"), UNUSABLE, ids=[f"{one[0]}-{one[1][:5]}" for one in UNUSABLE])
def test_where_a_model_is_no_use_the_scores_tell_the_rules_and_it_is_shown_why(
    chat_server: Serve, path: Path, database: Database, behaviour: str, words: str, why: str
) -> None:
    server = chat_server(behaviour, words=words)
    made = proposed(path, server, database)
    assert (made.rules, made.by, made.model) == (SCORED, "scores", "")
    assert why in made.trouble and made.trouble
    assert made.document().trouble == made.trouble and made.document().by == "scores"
    keep(made)
    assert general(path) == SCORED
    server.behave("well", words=WELL)
    assert (again := proposed(path, server, database)).by == "model" and not again.cached
    assert proposed(path, server, database).cached


def test_a_call_that_fails_does_not_cost_the_rules_of_earlier_ones(chat_server: Serve, path: Path) -> None:
    earlier = tuple(f"[CONSOLIDATED] {number}" for number in range(20))
    keep(Proposal(path, AgentMemory(), earlier, "model", classic=False))
    keep(proposed(path, chat_server("500")))
    assert general(path) == earlier
    record(path, [Episode("deploy", 0.95, 3, "waited")], Settings())
    keep(propose(read_lessons(path), Settings(), None, Job()))
    assert general(path) == (*earlier[1:], "[HIGH SCORE 0.95] waited")


def test_a_server_that_never_answers_is_waited_for_as_long_as_the_settings_say(chat_server: Serve, path: Path) -> None:
    made = proposed(path, chat_server("never"), timeout=0.2)
    assert made.rules == SCORED and "no answer within 0.2 s" in made.trouble
    assert proposed(path, chat_server("slow", words=WELL, seconds=0.1), timeout=20).rules == DERIVED
    assert TIMEOUT == 30


def test_nobody_at_the_address_is_no_answer(path: Path) -> None:
    made = proposed(path, "http://127.0.0.1:9/v1")
    assert made.rules == SCORED and "Is the server running" in made.trouble


def test_the_key_of_the_server_is_in_no_rule(chat_server: Serve, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_CHAT_API_KEY", KEY)
    made = proposed(path, chat_server(words=json.dumps([f"Use {KEY}."]), key=KEY))
    assert made.by == "model" and KEY not in "".join(made.rules)


def test_without_a_model_or_an_episode_nobody_is_asked(chat_server: Serve, path: Path, tmp_path: Path) -> None:
    made = propose(read_lessons(path), Settings(), None, Job())
    assert (made.rules, made.by, made.trouble) == (SCORED, "scores", "")
    server = chat_server(words=WELL)
    assert proposed(tmp_path / "none.json", server).rules == ()
    assert server.log == []


def test_no_rule_derived_is_nothing_written_and_it_stays_due(tmp_path: Path) -> None:
    path = tmp_path / "agent_memory.json"
    record(path, [Episode("deploy", 0.2, 9, "guessed")] * 20, Settings())
    before = path.read_bytes()
    made = propose(read_lessons(path), Settings(), None, Job())
    document = keep(made)[2]
    assert (document.written, document.by, document.changes, document.due) == (False, None, [], True)
    assert path.read_bytes() == before
    assert nothing(read_lessons(path)).changes == []


def test_classic_mode_counts_as_consolidated_where_nothing_was_derived(tmp_path: Path, chat_server: Serve) -> None:
    path = tmp_path / "agent_memory.json"
    record(path, [Episode("deploy", 0.2, 9, "guessed")] * 20, Settings())
    made = proposed(path, chat_server(words="I would rather not say."), compat="classic")
    assert (made.by, made.rules, made.trouble) == ("model", (), "")
    document = keep(made)[2]
    assert (document.written, document.due, read_lessons(path).memory.last_consolidated_at) == (True, False, 20)


# Stopping, and others at the same time.


def test_it_stops_before_and_while_it_is_asked_and_nothing_is_written(
    chat_server: Serve, path: Path, database: Database
) -> None:
    before = path.read_bytes()
    job = Job()
    job.cancel()
    server = chat_server(words=WELL)
    with pytest.raises(Cancelled):
        proposed(path, server, database, job)
    assert not server.chats()
    for behaviour in ("slow", "never"):
        job = Job()

        def stop(body: Mapping[str, Any], job: Job = job) -> str:
            job.cancel()
            return WELL

        server = chat_server(behaviour, words=stop, seconds=1)
        with pytest.raises(Cancelled):
            proposed(path, server, database, job)
        assert len(server.chats()) == 1
    assert path.read_bytes() == before


def test_what_is_recorded_while_a_model_is_asked_is_kept(chat_server: Serve, path: Path) -> None:
    def meanwhile(body: Mapping[str, Any]) -> str:
        record(path, [Episode("rollback", 0.1, 2, "", ("late",))], Settings())
        return WELL

    made = proposed(path, chat_server(words=meanwhile))
    document = keep(made)[2]
    memory = read_lessons(path).memory
    assert (memory.total_episodes, memory.mistakes, memory.global_rules) == (21, ("late",), DERIVED)
    assert (memory.last_consolidated_at, document.episodes, document.since) == (20, 0, 1)


RECORDER = """
import sys
from pathlib import Path
from memscope.actions.lessons import record
from memscope.base.settings import Settings
from memscope.lessons.model import Episode

print("ready", flush=True)
sys.stdin.readline()
for number in range(12):
    record(Path(sys.argv[1]), [Episode(sys.argv[2], 0.5, number, "", (f"{sys.argv[2]} {number}",))], Settings())
"""


def test_two_recorders_and_a_consolidation_at_once_lose_nothing(path: Path) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    recorders = [subprocess.Popen([sys.executable, "-c", RECORDER, str(path), name], **pipes) for name in "ab"]
    for one in recorders:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in recorders:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for number in range(8):
        found = read_lessons(path)
        keep(Proposal(path, found.memory, (f"[CONSOLIDATED] {number}",), "model", classic=False, model=MODEL))
    for one in recorders:
        one.communicate()
    memory = read_lessons(path).memory
    assert [one.returncode for one in recorders] == [0, 0]
    assert memory.total_episodes == sum(map(len, memory.score_history.values())) == 44
    assert {*memory.mistakes} == {f"{name} {number}" for name in "ab" for number in range(12)}
    assert memory.global_rules == tuple(f"[CONSOLIDATED] {number}" for number in range(8))
