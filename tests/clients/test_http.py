"""Manners: what is retried and for how long, what an error says, and that the key is in none."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base import clock
from memscope.base.errors import Cancelled, EngineError, MemscopeError, UsageError
from memscope.base.job import Job
from memscope.clients import http
from memscope.clients.http import LONGEST_RETRY_AFTER, RETRIES, Server
from tests.engines.conftest import Hasty
from tests.engines.server import ScoreServer, score

BODY = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "good day"}]}
GOOD = {"scores": [{"total_logprob": score(BODY["messages"])[0]}]}
Serve, Speak = Callable[..., ScoreServer], Callable[..., Server]


def refusal(server: Server, job: Job) -> EngineError:
    with pytest.raises(EngineError) as refused:
        server.post("/score", BODY, job)
    assert "Traceback" not in str(refused.value)
    return refused.value


def test_a_question_and_its_answer(score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server()
    assert client(server).post("/score", BODY, job) == GOOD
    (request,) = server.log()
    assert (request.method, request.path.split("/", 2)[2], request.body) == ("POST", "v1/score", BODY)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer sesame"
    assert job.waits == []


@pytest.mark.parametrize("key", ["", "  \n"])
def test_without_a_key_there_is_no_such_header(key: str, score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(KEY="")
    speaking = client(server, api_key=key)
    speaking.get("/models", job)
    assert speaking.post("/score", BODY, job) == GOOD
    assert len(server.log()) == 2
    assert not any("authorization" in request.headers for request in server.log())


def test_a_slash_at_the_end_of_the_address_is_one_too_many(score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(KEY="")
    client(server.url + "/").get("/models", job)
    assert server.log()[0].path.endswith("/v1/models")


# --- trying again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["408", "409", "429", "500", "502", "503", "529", "drop", "hang_up"])
def test_a_passing_trouble_passes_unseen(fault: str, score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(FAULT=fault, FAULT_TIMES=RETRIES)
    assert client(server).post("/score", BODY, job) == GOOD
    assert len(server.log()) == RETRIES + 1
    assert 0.375 <= job.waits[0] <= 0.625
    assert 0.75 <= job.waits[1] <= 1.25


@pytest.mark.parametrize("fault", ["429", "503", "drop", "hang_up"])
def test_a_lasting_trouble_is_an_error_after_two_retries(
    fault: str, score_server: Serve, client: Speak, job: Hasty
) -> None:
    server = score_server(FAULT=fault)
    error = refusal(client(server), job)
    assert len(server.log()) == RETRIES + 1 == len(job.waits) + 1
    assert (error.where or "").startswith(server.url)
    said = {"drop": "the answer was cut off in the middle", "hang_up": "no answer"}
    assert said.get(fault, f"HTTP {fault}: the scorer is out of order") in error.what
    assert error.do


@pytest.mark.parametrize("fault", ["400", "401", "403", "404", "413", "422", "redirect", "html", "error"])
def test_what_trying_again_would_not_mend_is_asked_once(
    fault: str, score_server: Serve, client: Speak, job: Hasty
) -> None:
    server = score_server(FAULT=fault)
    refusal(client(server), job)
    assert len(server.log()) == 1
    assert job.waits == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("100000", LONGEST_RETRY_AFTER),
        (formatdate(1_000_090, usegmt=True), 90.0),
        (formatdate(1_000_000 + 86_400, usegmt=True), LONGEST_RETRY_AFTER),
        (formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_the_server_may_say_how_long_to_wait(
    header: str, seconds: float, score_server: Serve, client: Speak, job: Hasty
) -> None:
    clock.set_clock(lambda: 1_000_000.0)
    try:
        server = score_server(FAULT="503", RETRY_AFTER=header, FAULT_TIMES=1)
        assert client(server).post("/score", BODY, job) == GOOD
    finally:
        clock.set_clock(None)
    assert job.waits == [seconds]


@pytest.mark.parametrize("header", ["soon", "inf", "nan", "Mon, 99 Jan 2026 00:00:00 GMT", "9" * 20 + " Jan 1 1:1:1"])
def test_a_wait_that_means_nothing_is_not_heeded(header: str, score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(FAULT="503", RETRY_AFTER=header, FAULT_TIMES=1)
    assert client(server).post("/score", BODY, job) == GOOD
    assert 0.375 <= job.waits[0] <= 0.625


@given(
    st.text(st.characters(max_codepoint=255)) | st.from_regex(r"\w{3}, \d{1,22} \w{3} \d{1,22} \d+:\d+:\d+ [+-]?\w+")
)
def test_no_header_makes_for_a_wait_without_bounds(header: str) -> None:
    wait = http._seconds_to_wait(header)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER


def test_waits_double_up_to_the_longest(
    score_server: Serve, client: Speak, job: Hasty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "RETRIES", 6)
    monkeypatch.setattr(http.random, "uniform", lambda low, high: 1.0)
    refusal(client(score_server(FAULT="500")), job)
    assert job.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_cancelled_job_asks_nothing(score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server()
    job.cancel()
    with pytest.raises(Cancelled):
        client(server).post("/score", BODY, job)
    assert server.log() == []


def test_cancelling_ends_a_wait_for_another_try(score_server: Serve, client: Speak) -> None:
    waiting = threading.Event()

    class Told(Job):
        def wait(self, seconds: float) -> None:
            waiting.set()
            super().wait(seconds)

    server = score_server(FAULT="503", RETRY_AFTER="100000")
    speaking, job, ended = client(server), Told(), []

    def ask() -> None:
        try:
            speaking.post("/score", BODY, job)
        except Cancelled as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert waiting.wait(30)
    job.cancel()
    thread.join(30)
    assert len(ended) == 1
    assert len(server.log()) == 1


def test_closing_lets_what_is_on_its_way_end_and_nothing_begin(score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(LATENCY=0.3)
    speaking = client(server)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(speaking.post, "/score", BODY, Job())
        while not server.log() and not asked.done():
            pass
        speaking.close()
        speaking.close()
        with pytest.raises(Cancelled, match="closed"):
            speaking.post("/score", BODY, job)
        assert asked.result(30) == GOOD
    assert speaking._client.is_closed
    assert len(server.log()) == 1


# --- what an error says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["slow", "trickle"])
def test_an_answer_that_does_not_come_or_does_not_end(
    fault: str, score_server: Serve, client: Speak, job: Hasty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "CONNECT_TIMEOUT", 0.1)
    server = score_server(FAULT=fault)
    error = refusal(client(server, timeout=0.2), job)
    assert "no answer within 0.2 s" in error.what
    assert "--timeout" in error.do
    assert len(server.log()) == 1  # it may still be at work on the first


def test_a_server_that_is_not_there(client: Speak, job: Hasty) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port meanwhile
        error = refusal(client(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"), job)
    assert "no answer" in error.what
    assert "--base-url" in error.do
    assert len(job.waits) == RETRIES


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"FAULT": "error"}, "the server reports an error: the scorer is out of order"),
        ({"FAULT": "error_object"}, "the server reports an error: the scorer is out of order"),
        ({"FAULT": "422", "MESSAGE": "too long"}, "HTTP 422: too long"),
        ({"FAULT": "json"}, 'the answer is no JSON: {"scores": [{"total_logprob": -1.0},'),
        ({"FAULT": "html"}, 'the answer is no JSON: a web page ("Bad gateway")'),
        ({"FAULT": "empty"}, "the answer is no JSON: an empty body"),
        ({"FAULT": "redirect"}, "HTTP 307: it redirects to http://127.0.0.1:"),
    ],
)
def test_an_error_says_what_the_server_said(
    config: dict[str, str], said: str, score_server: Serve, client: Speak, job: Hasty
) -> None:
    server = score_server(**config)
    error = refusal(client(server), job)
    assert said in error.what
    assert error.where == server.url + "/score"


@pytest.mark.parametrize(
    ("location", "remedy"),
    [
        ("https://host/v1/score", "Give the final address as --base-url: https://host/v1"),
        ("https://host/v1/score?from=here", "Give the final address as --base-url: https://host/v1"),
        ("https://host/login", "Give the final address as --base-url."),
        ("/elsewhere", "Give the final address as --base-url."),
    ],
)
def test_a_redirect_names_the_final_address(location: str, remedy: str) -> None:
    assert http._final(location, "/score", http.SCORING) == remedy


@pytest.mark.parametrize("fault", ["html", "502"])
def test_a_gateway_is_told_from_the_server_behind_it(
    fault: str, score_server: Serve, client: Speak, job: Hasty
) -> None:
    assert "gateway" in refusal(client(score_server(FAULT=fault)), job).do


def test_a_server_that_is_still_loading_is_waited_for(score_server: Serve, client: Speak, job: Hasty) -> None:
    error = refusal(client(score_server(FAULT="503", MESSAGE="Loading model")), job)
    assert "HTTP 503: Loading model" in error.what
    assert "loading" in error.do


def test_a_model_that_is_not_there_is_not_taken_for_a_route(score_server: Serve, client: Speak, job: Hasty) -> None:
    error = refusal(client(score_server(FAULT="404", MESSAGE="The model `nope` does not exist.")), job)
    assert "--model" in error.do


def test_plain_http_where_a_secure_connection_is_wanted(score_server: Serve, client: Speak, job: Hasty) -> None:
    error = refusal(client(score_server().url.replace("http://", "https://")), job)
    assert "no secure connection" in error.what
    assert "http://" in error.do
    assert error.lasting
    assert job.waits == []  # trying again would not mend it


def test_a_certificate_that_is_not_trusted(client: Speak, job: Hasty, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(made.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:

        def shake_hands() -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(listening.accept()[0], server_side=True)

        pool.submit(shake_hands)
        error = refusal(client(f"https://127.0.0.1:{listening.getsockname()[1]}"), job)
    assert "no secure connection (self" in error.what
    assert "SSL_CERT_FILE" in error.do
    assert job.waits == []


def test_what_does_not_speak_http_is_told(client: Speak, job: Hasty) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:

        def greet() -> None:
            for _ in range(RETRIES + 1):
                connection, _address = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

        pool.submit(greet)
        error = refusal(client(f"http://127.0.0.1:{listening.getsockname()[1]}"), job)
    assert "does not speak HTTP" in error.what
    assert "port" in error.do


def test_a_redirect_is_not_followed(score_server: Serve, client: Speak, job: Hasty) -> None:
    server = score_server(FAULT="redirect")
    assert "final address" in refusal(client(server), job).do
    assert [request.path.rpartition("/")[2] for request in server.log()] == ["score"]


def test_a_long_message_is_cut(score_server: Serve, client: Speak, job: Hasty) -> None:
    error = refusal(client(score_server(FAULT="error", MESSAGE="long " * 10_000)), job)
    assert len(str(error)) < 400


def test_an_endless_answer_is_cut_off(
    score_server: Serve, client: Speak, job: Hasty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    assert "larger than" in refusal(client(score_server()), job).what


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "MEMSCOPE_API_KEY"), (403, "MEMSCOPE_API_KEY"), (404, "--base-url")]
)
def test_an_error_says_what_to_do(status: int, remedy: str, score_server: Serve, client: Speak, job: Hasty) -> None:
    assert remedy in refusal(client(score_server(FAULT=status)), job).do


# --- the key ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk-4f9a8b", 'a"b\\c/d', "ключ".encode().hex(), "two words"])
def test_a_server_that_echoes_the_key_is_not_quoted_on_it(
    key: str, score_server: Serve, client: Speak, job: Hasty
) -> None:
    server = score_server(KEY="another")
    error = refusal(client(server, api_key=key), job)
    assert server.log()[0].headers["authorization"] == f"Bearer {key}"
    assert "HTTP 401" in error.what
    assert "[key]" in error.what
    assert key not in str(error) + repr(error)


@pytest.mark.parametrize("config", [{"FAULT": "error"}, {"FAULT": "error_object"}, {"FAULT": "500"}])
def test_the_key_is_hidden_before_a_message_is_cut(
    config: dict[str, str], score_server: Serve, client: Speak, job: Hasty
) -> None:
    key = "sk-" + "0123456789" * 5
    server = score_server(KEY=key, MESSAGE="x" * (http.SHOWN_BODY - 20) + key, **config)
    assert "sk-" not in str(refusal(client(server), job))


@pytest.mark.parametrize(
    "form", ["{key}", '{{"detail": "{key}"}}', "<b>{key}</b>", '"a\\"b\\/c%"', "?token=a%22b%2Fc%25"]
)
def test_the_key_is_hidden_however_it_is_written(form: str) -> None:
    key = 'a"b/c%'
    server = Server("http://127.0.0.1:9/v1", api_key=key, timeout=1)
    server.close()
    hidden = server.hidden(form.format(key=key))
    assert "[key]" in hidden
    assert not set("%/\\") & set(hidden.replace("</b>", ""))


def test_the_key_is_in_no_repr() -> None:
    server = Server("http://127.0.0.1:9/v1", api_key="sesame-open", timeout=1)
    server.close()
    assert "sesame-open" not in repr(server)
    assert "sesame-open" not in repr(server._client)


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "\x00", "🔑"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(UsageError, match="MEMSCOPE_API_KEY") as refused:
        Server("http://127.0.0.1:9", api_key=key, timeout=1)
    assert key not in str(refused.value)


# --- the address -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@host/v1",
        "https://s3cret@host",
        "http://user:s3cret:80@host",
        "http://user:s3cr/s3cret@host/v1",
        "user:s3cret@host/v1",
        "s3cret@host",
        "ftp://host?key=s3cret",
        "http://host/v1?key=s3cret",
    ],
)
def test_a_credential_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="--base-url") as refused:
        Server(url, timeout=1)
    assert "s3cr" not in str(refused.value)
    assert refused.value.do


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:8000", "ftp://host", "http://", "/v1", "http://[::1", "http://a..b", "http://xn--"),
        *(
            "http://h:99999",
            "http://h:port",
            f"http://{'a' * 64}.example",
            "http://h/\x1b",
            "http://h/#x",
            "http://\ud83d",
        ),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--base-url"):
        Server(url, timeout=1)


@pytest.mark.parametrize("url", ["http://h", "https://h:1/v1", "http://[::1]:8000/v1", "http://h/@cf/v1"])
def test_what_is_an_address_is_taken(url: str) -> None:
    server = Server(f"  {url}/ ", timeout=1)
    server.close()
    assert server.base_url == url


def test_an_address_of_another_script_is_written_in_ascii() -> None:
    server = Server("http://bücher.example/v1", timeout=1)
    server.close()
    assert server.base_url == "http://xn--bcher-kva.example/v1"


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:9", "http://me:s3cret@h:port"])
def test_a_proxy_that_cannot_be_used_is_no_traceback(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(MemscopeError, match="ALL_PROXY") as refused:
        Server("http://127.0.0.1:9", timeout=1)
    assert "s3cret" not in str(refused.value)


def test_other_certificates_are_read_although_the_usual_ones_were(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    Server("https://127.0.0.1:9", timeout=1.0).close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="certificates"):
        Server("https://127.0.0.1:9", timeout=1.0)
    monkeypatch.delenv("SSL_CERT_FILE")
    Server("https://127.0.0.1:9", timeout=1.0).close()


def test_a_request_is_made_again_as_often_as_was_asked_for(
    score_server: Callable[..., ScoreServer], job: Hasty
) -> None:
    server = score_server(FAULT="503")
    once = Server(server.url, api_key=server.key, timeout=5.0, retries=0)

    with pytest.raises(EngineError, match="503"):
        once.post("/score", {"messages": []}, job)
    once.close()

    assert len(server.log()) == 1
    assert job.waits == []
