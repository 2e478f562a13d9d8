"""Chat models: what is sent, which answers are answers, and what an error says of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.chat import CHAT, ChatClient
from memscope.clients.http import RETRIES, Server
from memscope.clients.served import root
from memscope.conversation.model import ToolCall
from tests.clients.chat_server import ERROR, KEY, MODEL, ChatServer
from tests.engines.conftest import Hasty
from tests.fakes import PATIENCE

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Good day?"}]
Serve, Speak = Callable[..., ChatServer], Callable[..., ChatClient]


@pytest.fixture
def speak() -> Iterator[Speak]:
    """`speak(server, model)` is a client of it, closed in the end."""
    made: list[Server] = []

    def client(server: ChatServer | str, model: str = "", *, key: str = "", timeout: float = 30.0) -> ChatClient:
        url = server if isinstance(server, str) else server.url
        made.append(Server(root(url), api_key=key, timeout=timeout, named=CHAT))
        return ChatClient(made[-1], model)

    yield client
    for server in made:
        server.close()


def refusal(client: ChatClient, job: Job) -> EngineError:
    with pytest.raises(EngineError) as refused:
        client.reply(ASKED, job)
    return refused.value


def test_the_question_and_the_answer(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server(key=KEY)
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}

    reply = speak(server, "named", key=KEY).reply(ASKED, job, tools=[tool], temperature=0.5, max_tokens=300)

    assert (reply.text, reply.calls, reply.finish) == ("Answer to: Good day?", (), "stop")
    assert reply.usage == {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    (asked,) = server.log
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    wanted = {"model": "named", "messages": ASKED, "tools": [tool], "temperature": 0.5, "max_tokens": 300}
    assert asked.body == wanted


def test_what_is_not_wanted_is_not_sent(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server()

    speak(server, "named").reply(ASKED, job)

    assert server.log[0].body == {"model": "named", "messages": ASKED, "temperature": 0.0}
    assert "authorization" not in server.log[0].headers


@pytest.mark.parametrize("end", ["", "/v1", "/v1/", "/"])
def test_the_address_may_end_in_v1(end: str, chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server()

    assert speak(server.url.removesuffix("/v1") + end, "named").reply(ASKED, job).text


# --- the model -------------------------------------------------------------------------------------------------------


def test_one_model_alone_is_chosen_and_asked_for_once(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server()
    client = speak(server)

    for _ in range(2):
        client.reply(ASKED, job)

    assert [asked.path for asked in server.log] == ["/v1/models", *["/v1/chat/completions"] * 2]
    assert {asked.body["model"] for asked in server.chats()} == {MODEL}


@pytest.mark.parametrize("models", [(), ("one", "other")])
def test_none_or_a_choice_of_models_has_to_be_named(
    models: tuple[str, ...], chat_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = chat_server(models=models)

    with pytest.raises(UsageError) as refused:
        speak(server).reply(ASKED, job)

    assert "chat_model" in refused.value.do
    assert "--model" not in str(refused.value)
    assert all(model in str(refused.value) for model in models)
    assert not server.chats()


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("well", "six words"),
        ("parts", "six words"),
        ("thinking", "six words"),
        ("reasoning", "six words"),
        ("array", '["six words"]'),
        ("fences", "```json\nsix words\n```"),
        ("prose", "Of course! Here it is:\n\nsix words\n\nLet me know if there is more to do."),
        ("slow", "six words"),
    ],
)
def test_words_come_as_they_are_without_thinking(
    behaviour: str, text: str, chat_server: Serve, speak: Speak, job: Hasty
) -> None:
    assert speak(chat_server(behaviour, words="six words"), "named").reply(ASKED, job).text == text


def test_calls_need_no_words(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    reply = speak(chat_server("calls"), "named").reply(ASKED, job)

    assert (reply.text, reply.finish) == ("", "tool_calls")
    assert reply.calls == (ToolCall("call_1", "look", '{"at": "it"}'),)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("nothing", "the answer is empty"),
        ("thought", "the model used up its length for thinking"),
        ("excuse", "the server says in place of an answer: Rate limit exceeded"),
        ("plain", "the answer is no JSON: Rate limit exceeded"),
        ("html", 'the answer is no JSON: a web page ("Welcome")'),
        ("error", f"the server reports an error: {ERROR}"),
        ("shape", 'the answer has no choices: ["good", "day"]'),
        ("choiceless", "the answer has no choices"),
        ("400", f"HTTP 400: {ERROR}"),
        ("404", f"HTTP 404: {ERROR}"),
    ],
)
def test_what_is_no_answer_is_an_error_that_says_why(
    behaviour: str, said: str, chat_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = chat_server(behaviour)

    error = refusal(speak(server, "named"), job)

    assert said in error.what
    assert (error.where or "").startswith(server.url.removesuffix("/v1"))
    assert "--" not in str(error), "a chat server has no flags of an engine"
    assert len(server.log) == 1


def test_an_excuse_is_an_answer_where_somebody_takes_excuses(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    client = speak(chat_server("excuse"), "named")

    assert client.reply(ASKED, job, excuses=True).text == "Rate limit exceeded"
    assert "in place of an answer" in refusal(client, job).what


_ON_TAGS = "The tag `<think>` opens, and </think>\ncloses."
_ON_LIMITS = "Rate limit exceeded is what it says, with status 429. " * 5


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None, "refusal": "I may not."}, "I may not."),
        ({"content": ["a", {"type": "output_text", "text": "b"}, {"type": "image"}, None]}, "ab"),
        ({"content": "<think>a</think><think>b</think> c"}, "c"),
        ({"content": "<thinking>a</thinking>\n\nc"}, "c"),
        ({"content": "I see, so\nit is.\n</think>\n\nc"}, "c"),
        ({"content": _ON_TAGS}, _ON_TAGS),
        ({"content": "Write </think> behind it."}, "Write </think> behind it."),
        ({"content": "  c\n"}, "  c\n"),
        ({"content": _ON_LIMITS}, _ON_LIMITS),
    ],
)
def test_the_words_of_a_message(message: dict[str, object], text: str, speak: Speak) -> None:
    client = speak("http://127.0.0.1:9", "named")

    assert client._read({"choices": [{"message": message}]}).text == text


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"function": {"name": "run"}}, ToolCall("", "run", "")),
        ({"id": 7, "function": {"name": "run", "arguments": {"a": [1]}}}, ToolCall("", "run", '{"a": [1]}')),
        ({"id": "x", "function": {"name": "run", "arguments": "{broken"}}, ToolCall("x", "run", "{broken")),
    ],
)
def test_the_calls_of_a_message(call: dict[str, object], expected: ToolCall, speak: Speak) -> None:
    client = speak("http://127.0.0.1:9", "named")

    assert client._read({"choices": [{"message": {"content": "", "tool_calls": [call]}}]}).calls == (expected,)
    older = {"content": None, "function_call": call["function"]}
    assert client._read({"choices": [{"message": older}]}).calls[0].name == "run"


_NAMES = """choices message content tool_calls function_call function name arguments id text finish_reason usage error
    refusal""".split()
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(answer=_json, message=_json)
def test_no_answer_is_beyond_words(answer: object, message: object) -> None:
    client = ChatClient(Server("http://127.0.0.1:9", timeout=1.0, named=CHAT), "named")
    try:
        for one in (answer, {"choices": [{"message": message}]}, {"choices": [message], "usage": answer}):
            try:
                reply = client._read(one)
            except EngineError as error:
                assert error.what
            else:
                assert reply.text.strip() or reply.calls
    finally:
        client.close()


# --- manners ---------------------------------------------------------------------------------------------------------


def test_a_server_that_says_when_is_asked_again_then(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server("limited", retry_after="7")

    assert speak(server, "named").reply(ASKED, job).text
    assert job.waits == [7.0]


@pytest.mark.parametrize("behaviour", ["500", "503", "429"])
def test_a_lasting_trouble_is_an_error_after_the_retries(
    behaviour: str, chat_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = chat_server(behaviour)

    assert f"HTTP {behaviour}: {ERROR}" in str(refusal(speak(server, "named"), job))
    assert len(server.log) == RETRIES + 1


def test_nobody_there(speak: Speak, job: Hasty) -> None:
    error = refusal(speak("http://127.0.0.1:9", "named"), job)

    assert error.do == "Is the server running, and chat_url right?"


def test_a_server_that_is_too_slow(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    assert "no answer within 0.3 s" in str(refusal(speak(chat_server("never"), "named", timeout=0.3), job))


def test_parameters_that_a_model_does_not_take_are_left_out_from_then_on(
    chat_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = chat_server("picky")
    client = speak(server, "named")

    for _ in range(2):
        assert client.reply(ASKED, job, max_tokens=30).text

    sent = [asked.body.keys() - {"model", "messages"} for asked in server.chats()]
    assert sent == [
        {"temperature", "max_tokens"},
        {"temperature", "max_completion_tokens"},
        {"max_completion_tokens"},
        {"max_completion_tokens"},
    ]


def test_the_key_is_in_no_error_and_no_reply(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server(key="another")
    refused = refusal(speak(server, "named", key=KEY), job)
    assert KEY not in str(refused)
    assert "MEMSCOPE_CHAT_API_KEY" in refused.do

    server.behave("echo")
    assert speak(server, "named", key=KEY).reply(ASKED, job).text == "Your key is [key]."


def test_a_key_that_is_a_word_does_not_spoil_the_words(chat_server: Serve, speak: Speak, job: Hasty) -> None:
    server = chat_server(words="none of them")

    assert speak(server, "named", key="none").reply(ASKED, job).text == "none of them"


@pytest.mark.parametrize("model", ["named", ""])
def test_whoever_stops_does_not_wait_for_the_answer(model: str, chat_server: Serve, speak: Speak) -> None:
    server, job = chat_server("never"), Job()
    stopped = threading.Event()

    def ask() -> None:
        with pytest.raises(Cancelled):
            speak(server, model).reply(ASKED, job)
        stopped.set()

    threading.Thread(target=ask, daemon=True).start()
    assert server.reached.wait(PATIENCE)
    job.cancel()

    assert stopped.wait(PATIENCE)
    assert server.live == 1, "the server has not answered"


def test_a_job_that_was_stopped_asks_nobody(chat_server: Serve, speak: Speak) -> None:
    server, job = chat_server(), Job()
    job.cancel()

    with pytest.raises(Cancelled):
        speak(server).reply(ASKED, job)

    assert not server.log


def test_one_client_serves_many_threads(chat_server: Serve, speak: Speak) -> None:
    server = chat_server("slow", seconds=0.05)
    client = speak(server)
    found: list[str] = []

    def ask(number: int) -> None:
        found.append(client.reply([{"role": "user", "content": str(number)}], Job()).text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert sorted(found) == [f"Answer to: {number}" for number in range(8)]
