"""A chat model behind OpenAI's chat completions: what it is sent, and what its answer says.

Servers answer in more ways than the API knows: content in parts, thinking among the words, an error with status 200, a
refusal of a parameter that others want. What comes out is a reply with words or calls in it, or an error that says why
there is none.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.clients.answers import without_thinking
from memscope.clients.http import SHOWN_BODY, Named, Server
from memscope.clients.served import only
from memscope.conversation.model import ToolCall

TIMEOUT = 600.0  # seconds for one answer, unless somebody says otherwise
CHAT = Named(
    url="chat_url",
    key="MEMSCOPE_CHAT_API_KEY",
    model="chat_model",
    models="the server has no such model.",
    late="Raise the timeout in the settings.",
    busy="The server is asked more than it takes: try again in a while.",
)
_ROUTE = "/v1/chat/completions"
_LOOK = 0.1  # seconds between looks at whether somebody asked to stop

_LIMITED = re.compile(
    r"\W*(?:error\W*)?(?:429\W*)?(?:rate limit (?:exceeded|reached)|too many requests)\b", re.IGNORECASE
)
_LONGEST_EXCUSE = 200  # characters: what is longer is an answer that speaks of limits

Result = TypeVar("Result")
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model answered: its words without thinking, and the tools it calls, one of which there is.

    `finish`: why it ended, as the server says ("stop", "length", "tool_calls"); `usage`: the tokens it counted.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)


class ChatClient:
    """Asks one model of a server whose address is its root; safe to use from any thread.

    `model`: its name; empty for the one that the server serves, which is asked for when it is first needed.
    """

    def __init__(self, server: Server, model: str = "") -> None:
        self.server = server
        self.named = model
        self._found = ""  # where none is named
        self._refused: set[str] = set()  # parameters that the model does not take
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return self.server.base_url

    def close(self) -> None:
        self.server.close()

    def model(self, job: Job) -> str:
        """The name of the model. Raises `UsageError` where the server serves none or several, `EngineError` where it
        does not answer, `Cancelled`."""
        if self.named or self._found:
            return self.named or self._found
        found = _heeding(job, lambda: only(self.server, job).name)
        with self._lock:
            self._found = self._found or found
        return self._found

    def reply(
        self,
        messages: Sequence[Message],
        job: Job,
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        temperature: float = 0.0,
        max_tokens: int | None = None,
        excuses: bool = False,
    ) -> Reply:
        """The model's answer to OpenAI `messages`. `excuses`: "Rate limit exceeded" in place of one is taken for one,
        and not for an error. Raises `UsageError`, `EngineError`, and `Cancelled` as soon as somebody asks to stop, be
        the server ever so slow."""
        wanted: dict[str, Any] = {"temperature": temperature}
        if max_tokens is not None:
            wanted["max_tokens"] = max_tokens
        if tools:
            wanted["tools"] = list(tools)
        body = {"model": self.model(job), "messages": list(messages), **wanted}
        return self._read(_heeding(job, lambda: self._post(body, job)), excuses=excuses)

    def _post(self, body: Mapping[str, Any], job: Job) -> Any:
        """The answer; what the model does not take is left out, or goes by its newer name, the next times too."""
        while True:
            refused = frozenset(self._refused)
            try:
                return self.server.post(_ROUTE, _taken(body, refused), job)
            except EngineError as error:
                new = _refused(error, body) - refused
                if not new:
                    raise
                with self._lock:
                    self._refused |= new

    def _read(self, answer: object, *, excuses: bool = False) -> Reply:
        choices = answer.get("choices") if isinstance(answer, Mapping) else None
        if not isinstance(answer, Mapping) or not isinstance(choices, list) or not choices:
            raise self._unusable(f"the answer has no choices: {self._quoted(answer)}")
        choice = choices[0]
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if not isinstance(message, Mapping):
            if isinstance(choice, Mapping) and choice.get("error"):
                raise self._unusable(f"the server reports an error: {self._quoted(choice['error'])}")
            raise self._unusable(f"the answer has no message: {self._quoted(choice)}")
        if choice.get("error"):  # a gateway's, in place of an answer or behind the half of one
            raise self._unusable(f"the server reports an error: {self._quoted(choice['error'])}")
        said = self._words(message)
        text = self.server.bare(without_thinking(said))
        calls = tuple(self._calls(message))
        finish = choice.get("finish_reason")
        finish = finish if isinstance(finish, str) else ""
        if not text.strip() and not calls:
            raise self._silent(finish, thought=bool(said.strip()) or _has_thinking(message))
        if not excuses and not calls and len(text) <= _LONGEST_EXCUSE and _LIMITED.match(text):
            raise self._unusable(f"the server says in place of an answer: {text.strip()}", do=CHAT.busy)
        return Reply(text, calls, finish, _usage(answer.get("usage")))

    def _words(self, message: Message) -> str:
        """The content of a message: a text, texts in parts, or none; a refusal is said too."""
        content = message.get("content")
        if content is None:
            refusal = message.get("refusal")
            return refusal if isinstance(refusal, str) else ""
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return "".join(_part(part) for part in content)
        raise self._unusable(f"the content of the answer is no text: {self._quoted(content)}")

    def _calls(self, message: Message) -> Iterable[ToolCall]:
        calls = message.get("tool_calls")
        if not calls and isinstance(message.get("function_call"), Mapping):  # the older form
            calls = [{"function": message["function_call"]}]
        if calls is None:
            return
        for call in calls if isinstance(calls, list) else [calls]:
            function = call.get("function") if isinstance(call, Mapping) else None
            name = function.get("name") if isinstance(function, Mapping) else None
            if (
                not isinstance(call, Mapping)
                or not isinstance(function, Mapping)
                or not isinstance(name, str)
                or not name
            ):
                raise self._unusable(f"a tool call of the answer has no name: {self._quoted(call)}")
            given, arguments = call.get("id"), function.get("arguments")
            if not isinstance(arguments, str):  # some servers write the object itself
                arguments = "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
            yield ToolCall(given if isinstance(given, str) else "", name, self.server.bare(arguments))

    def _silent(self, finish: str, *, thought: bool) -> EngineError:
        if finish == "length":
            what = (
                "the model used up its length for thinking" if thought else "the answer was cut before its first word"
            )
            return self._unusable(what, do="A longer answer has to be allowed, at the server or here.")
        if finish == "content_filter":
            return self._unusable("the server's filter took the answer away")
        return self._unusable("the model only thought, and said nothing" if thought else "the answer is empty")

    def _unusable(self, what: str, *, do: str = "") -> EngineError:
        return EngineError(what, where=self.url + _ROUTE, do=do)

    def _quoted(self, value: object) -> str:
        """The beginning of a part of an answer."""
        text = self.server.hidden(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        return text[:SHOWN_BODY] + "…" if len(text) > SHOWN_BODY else text


def _taken(body: Mapping[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    """`body` without the parameters that a model does not take, newer names in place of old ones."""
    out = {name: value for name, value in body.items() if name not in refused}
    if "max_tokens" in body and "max_tokens" in refused:
        out["max_completion_tokens"] = body["max_tokens"]
    return out


def _refused(error: EngineError, body: Mapping[str, Any]) -> set[str]:
    """The parameter that a server names in refusing a request, of those that a request can do without."""
    if error.status not in (400, 422) or "support" not in error.what.lower():
        return set()
    return {name for name in ("temperature", "max_tokens") if name in body and f"'{name}'" in error.what}


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else ""


def _has_thinking(message: Message) -> bool:
    return any(message.get(name) for name in ("reasoning_content", "reasoning"))


def _usage(usage: object) -> dict[str, int]:
    if not isinstance(usage, Mapping):
        return {}
    return {str(name): value for name, value in usage.items() if type(value) is int}


def _heeding(job: Job, work: Callable[[], Result]) -> Result:
    """What `work` comes to. When somebody asks to stop meanwhile it raises `Cancelled` at once: nobody waits for a
    request that nobody wants any more, which is left to end on its own."""
    job.check()
    results: list[Result] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, name="chat", daemon=True).start()
    while not ended.wait(_LOOK):
        job.check()
    if errors:
        raise errors[0]
    return results[0]
