"""How memscope speaks to servers: one shared client, bounded retries, and errors a person can act on.

The key goes into the Authorization header and nowhere else: whatever a server sends back is stripped of it before it
can reach an error, a screen or the disk.
"""

from __future__ import annotations

import html
import json
import math
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from memscope.base.clock import now
from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.pace import Pace

RETRIES = 2
RETRIED = frozenset({408, 409, 429}) | frozenset(range(500, 600))
BUSY = frozenset({429, 503})
FIRST_WAIT, LONGEST_WAIT, LONGEST_RETRY_AFTER = 0.5, 8.0, 120.0
CONNECT_TIMEOUT = 5.0
LARGEST_ANSWER = 256 * 2**20  # bytes: a server that streams for ever must not fill the memory
SHOWN_BODY = 200  # characters of an answer that an error quotes
SHORTEST_SECRET = 8  # characters of a key that is one

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BEHIND = "A gateway answers, and the server behind it does not: is that running?"


@dataclass(frozen=True, slots=True)
class Named:
    """What a person gives a server by, as errors name it: its address, key and model, and what else helps there."""

    url: str = "--base-url"
    key: str = "MEMSCOPE_API_KEY"
    model: str = "--model"
    models: str = "`memscope doctor` lists those that are served."
    late: str = "Raise --timeout, or lower --workers if the server is busy."
    busy: str = "The server is asked more than it takes: fewer --workers may help."


SCORING = Named()


@cache
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The authorities that are trusted, as httpx finds them by these variables: read once, for that takes a while."""
    return httpx.create_ssl_context()


class Server:
    """A server at `base_url` that speaks JSON; safe to use from any thread. `timeout` is in seconds, for one answer;
    `retries`: how often a request is made again when it fails in passing; `named`: the settings it came from."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        timeout: float,
        connections: int = 256,
        retries: int | None = None,
        named: Named = SCORING,
    ) -> None:
        self.named = named
        self.base_url = _checked_url(base_url, named)
        self._key = _checked_key(api_key, named)
        self._timeout = timeout
        self._retries = RETRIES if retries is None else retries
        self.pace = Pace()
        self._lock = threading.Lock()
        self._closed = False
        self._users = 1  # whoever made it, and every request on its way
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            self._client = httpx.Client(
                headers={**headers, "User-Agent": "memscope"},
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT), pool=None),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                verify=_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:  # which may quote a proxy's password
            do = "Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY (SOCKS needs the package httpx[socks]) and SSL_CERT_FILE."
            raise UsageError("the proxy or the certificates named in the environment cannot be used", do=do) from error

    def get(self, path: str, job: Job) -> Any:
        """The JSON at `path`. Raises `EngineError`, or `Cancelled`."""
        return self._ask("GET", path, None, job)

    def post(self, path: str, body: Mapping[str, Any], job: Job) -> Any:
        """The JSON answer to `body` at `path`. Raises `EngineError`, or `Cancelled`."""
        return self._ask("POST", path, json.dumps(body, separators=(",", ":")).encode(), job)

    def close(self) -> None:
        """No request begins after this. Those on their way end in peace, and the last of them closes the connections:
        one that is just being opened would escape a client that is closed before."""
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._leave()

    @contextmanager
    def _in_use(self) -> Iterator[httpx.Client]:
        with self._lock:
            if self._closed:
                raise Cancelled("the connection was closed", where=self.base_url)
            self._users += 1
        try:
            yield self._client
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            last = not self._users
        if last:
            self._client.close()

    def _ask(self, method: str, path: str, content: bytes | None, job: Job) -> Any:
        wait = FIRST_WAIT
        for attempt in range(self._retries + 1):
            job.check()
            retry_after: float | None = None
            try:
                status, headers, body = self._in_turn(method, path, content, job)
                if status < 300:
                    return self._json(path, status, body)
                error = self._refusal(path, status, headers, body)
                if status not in RETRIED:
                    raise error
                retry_after = _seconds_to_wait(headers.get("retry-after", ""))
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.NetworkError, httpx.RemoteProtocolError) as broken:
                error = self._unreachable(broken, path)
                if error.lasting:
                    raise error from broken
            except httpx.TimeoutException as late:
                what, where = f"no answer within {self._timeout:g} s", self.base_url + path
                raise EngineError(what, where=where, do=self.named.late) from late
            except (httpx.HTTPError, httpx.InvalidURL) as other:
                raise EngineError(self.hidden(str(other) or type(other).__name__), where=self.base_url) from other
            if attempt == self._retries:
                raise error
            job.wait(wait * random.uniform(0.75, 1.25) if retry_after is None else retry_after)
            wait = min(wait * 2, LONGEST_WAIT)
        raise AssertionError("the last attempt returns or raises")

    def _in_turn(self, method: str, path: str, content: bytes | None, job: Job) -> tuple[int, httpx.Headers, bytes]:
        with self.pace.turn(job) as begun:
            try:
                answer = self._send(method, path, content)
            except httpx.TimeoutException:
                self.pace.refused(begun)
                raise
            if answer[0] in BUSY:
                self.pace.refused(begun)
            elif answer[0] < 400:
                self.pace.went_well()
            return answer

    def _send(self, method: str, path: str, content: bytes | None) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Content-Type": "application/json"} if content is not None else None
        deadline = time.monotonic() + self._timeout + CONNECT_TIMEOUT
        url = self.base_url + path
        with self._in_use() as client, client.stream(method, url, content=content, headers=headers) as response:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if time.monotonic() > deadline:  # the client's own timeout is for each read: a trickle never ends it
                    raise httpx.ReadTimeout("the answer does not end")
                if size > LARGEST_ANSWER:
                    what = f"the answer is larger than {LARGEST_ANSWER >> 20} MiB"
                    raise EngineError(what, where=url)
            return response.status_code, response.headers, b"".join(chunks)

    def _json(self, path: str, status: int, body: bytes) -> Any:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            page = f"A gateway or another service answers there: check {self.named.url}."
            where, do = self.base_url + path, page if _is_page(body) else ""
            raise EngineError(
                f"the answer is no JSON: {self._head(body)}", where=where, do=do, status=status
            ) from error
        if isinstance(answer, dict) and answer.get("error"):
            what = f"the server reports an error: {self._message(answer)}"
            raise EngineError(what, where=self.base_url + path, status=status)
        return answer

    def _refusal(self, path: str, status: int, headers: httpx.Headers, body: bytes) -> EngineError:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        said = self._message(answer) if isinstance(answer, dict) and answer.get("error") else self._head(body)
        do = {
            401: (
                f"The server does not take the key in {self.named.key}: it is wrong, or has expired."
                if self._key
                else f"Set {self.named.key} to the server's key."
            ),
            403: f"The key in {self.named.key} may not do this.",
            404: (
                f"Check {self.named.model}: {self.named.models}"
                if "model" in said.lower()
                else f"Check {self.named.url}: the route is not there."
            ),
            429: self.named.busy,
            502: _BEHIND,
            503: "It may still be loading its model, or be overloaded: try again in a while.",
            504: _BEHIND,
        }.get(status, "")
        if 300 <= status < 400:
            to = self.hidden(headers.get("location", "?"))
            said, do = f"it redirects to {to}, and redirects are not followed", _final(to, path, self.named)
        lasting = status in (401, 403)
        return EngineError(f"HTTP {status}: {said}", where=self.base_url + path, do=do, lasting=lasting, status=status)

    def _unreachable(self, error: httpx.TransportError, path: str) -> EngineError:
        """No answer, or none to its end. What trying again would not mend is lasting."""
        why = self.hidden(str(error)) or type(error).__name__
        if isinstance(error, httpx.ConnectError) and (secure := _secure_failure(error)):
            what = f"no secure connection ({self.hidden(secure)})"
            do = (
                f"Give the name that the certificate is for as {self.named.url}; where it is signed by an authority of"
                " your own, set SSL_CERT_FILE to that one's certificate."
            )
            if "certificate" not in secure.lower():
                do = f"Perhaps the server speaks plain HTTP there: try http:// in {self.named.url}."
            return EngineError(what, where=self.base_url, do=do, lasting=True)
        if isinstance(error, httpx.RemoteProtocolError):
            if "without sending complete" in why:
                do = "The server or a gateway before it gave up in the middle; its own log says why."
                return EngineError("the answer was cut off in the middle", where=self.base_url + path, do=do)
            if "without sending" not in why:
                do = f"Check the port in {self.named.url}, and whether it has to be https://."
                return EngineError(f"what answers does not speak HTTP ({why})", where=self.base_url, do=do)
        do = f"Is the server running, and {self.named.url} right?"
        return EngineError(f"no answer ({why})", where=self.base_url, do=do)

    def _message(self, answer: Mapping[str, Any]) -> str:
        """What the server says is wrong: `error` as a string, or as an object with a message."""
        error = answer["error"]
        if isinstance(error, dict):
            error = error.get("message") or error
        return self.hidden(error if isinstance(error, str) else json.dumps(error, ensure_ascii=False))[:SHOWN_BODY]

    def _head(self, body: bytes) -> str:
        """An answer that is not JSON, in short: its beginning, or what a web page is called."""
        text = self.hidden(body[: 2**16].decode("utf-8", "replace"))
        if _is_page(body):
            titled = _TITLE.search(text)
            title = " ".join(html.unescape(titled[1]).split())[:SHOWN_BODY] if titled else ""
            return f'a web page ("{title}")' if title else "a web page"
        text = " ".join(text.split())
        return (text[:SHOWN_BODY] + "…" if len(text) > SHOWN_BODY else text) or "an empty body"

    def hidden(self, text: str) -> str:
        """`text` without the key, however a server may have written it."""
        if self._key:
            quoted = json.dumps(self._key)[1:-1]
            forms = (self._key, quoted, quoted.replace("/", "\\/"), repr(self._key)[1:-1], quote(self._key, safe=""))
            for form in forms:
                text = text.replace(form, "[key]")
        return text

    def bare(self, text: str) -> str:
        """What a model says, without the key. A short key is a word such as "none", which a model may say."""
        return self.hidden(text) if len(self._key) >= SHORTEST_SECRET else text


def _is_page(body: bytes) -> bool:
    return body[:1024].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _final(location: str, path: str, named: Named) -> str:
    """What to do about a redirect of a request for `path`."""
    address = location.partition("?")[0].removesuffix(path)
    if address == location or not address.startswith(("http://", "https://")):
        return f"Give the final address as {named.url}."
    return f"Give the final address as {named.url}: {address}"


def _secure_failure(error: BaseException) -> str:
    """Why no secure connection came about; empty where it is another failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return getattr(cause, "verify_message", "") or (cause.reason or str(cause)).lower().replace("_", " ")
        cause = cause.__cause__ or cause.__context__
    return ""


def _checked_url(url: str, names: Named) -> str:
    """`url` without a slash at its end. What may be a password is not quoted in errors."""
    named = names.url if {"@", "?"} & set(url) else f"{names.url} {url!r}"
    example = "It looks like http://127.0.0.1:8000/v1."
    try:
        parsed = httpx.URL(url.strip())
        parsed.host.encode("idna")
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"{named} is no URL", do=example) from error
    if parsed.userinfo:
        raise UsageError(f"{names.url} holds a user name or password", do=f"Put the key into {names.key} instead.")
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > 65535:
        raise UsageError(f"{named} is no http or https address", do=example)
    if parsed.query or parsed.fragment:
        raise UsageError(f"{names.url} has a query or a fragment", do="Leave out everything from ? or # on.")
    return str(parsed).rstrip("/")


def _checked_key(key: str, named: Named) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError("the API key has characters no header can carry", do=f"Check {named.key}.")
    return key


def _seconds_to_wait(retry_after: str) -> float | None:
    """Retry-After as seconds or as a date, bounded; None when there is none to honour."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - now()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None
