"""A chat model whose replies are kept: nothing is asked twice, and what was answered is found without asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from memscope.base.clock import now
from memscope.base.errors import EngineError, StoreError, UsageError
from memscope.base.job import Job
from memscope.clients.chat import ChatClient, Message, Reply
from memscope.conversation.model import ToolCall
from memscope.store.replies import Replies, reply_key


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply, the `model` that gave it and when, in seconds since the epoch. `cached`: it was on disk already."""

    reply: Reply
    model: str
    at: float
    cached: bool


class KeptChat:
    """Asks as `ChatClient` does, and keeps the answers; `replies`: None keeps nothing. Closes the client with it.

    Where no model is named, a reply counts for the model that the server serves now; while it does not answer, and for
    `look`, for the one that it was last seen to serve. `trouble`: why replies could not be kept, if they could not.
    """

    def __init__(self, client: ChatClient, replies: Replies | None) -> None:
        self.trouble: StoreError | None = None
        self._client = client
        self._replies = replies

    @property
    def url(self) -> str:
        return self._client.url

    def close(self) -> None:
        self._client.close()

    def reply(
        self,
        messages: Sequence[Message],
        job: Job,
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        temperature: float = 0.0,
        max_tokens: int | None = None,
        again: bool = False,
        excuses: bool = False,
    ) -> KeptReply:
        """The model's answer, from disk where it is there. `again`: it is asked in any case, and what it says now takes
        the place of what was kept. `excuses`: as in `ChatClient.reply`, and it raises what that does. A disk that fails
        costs no answer."""
        try:
            model = self._client.model(job)
        except (EngineError, UsageError):
            with self._troubled():
                kept = self.look(messages, tools=tools, temperature=temperature, max_tokens=max_tokens)
                if kept is not None and not again:
                    return kept
            raise
        key = reply_key(self.url, model, messages, tools, _parameters(temperature, max_tokens))
        with self._troubled():
            self._note(model)
            if not again and (kept := self._kept(key, model)) is not None:
                return kept
        reply = self._client.reply(
            messages, job, tools=tools, temperature=temperature, max_tokens=max_tokens, excuses=excuses
        )
        at = now()
        with self._troubled():
            if self._replies is not None:
                at = self._replies.put(key, _written(reply))
        return KeptReply(reply, model, at, cached=False)

    def look(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        temperature: float = 0.0,
        max_tokens: int | None = None,
    ) -> KeptReply | None:
        """What was answered before, if it was; nobody is asked. Raises `StoreError`."""
        model = self._client.named or ("" if self._replies is None else self._replies.serving(self.url))
        key = reply_key(self.url, model, messages, tools, _parameters(temperature, max_tokens))
        return self._kept(key, model) if model else None

    def kept_reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        temperature: float = 0.0,
        max_tokens: int | None = None,
    ) -> KeptReply | None:
        """The same, but a disk that fails is noted, and costs another question."""
        with self._troubled():
            return self.look(messages, tools=tools, temperature=temperature, max_tokens=max_tokens)
        return None

    def _note(self, model: str) -> None:
        if self._replies is not None and not self._client.named:
            self._replies.seen_serving(self.url, model)

    def _kept(self, key: bytes, model: str) -> KeptReply | None:
        found = None if self._replies is None else self._replies.get(key)
        reply = _read(found[0]) if found is not None else None
        return KeptReply(reply, model, found[1], cached=True) if reply is not None and found is not None else None

    @contextmanager
    def _troubled(self) -> Iterator[None]:
        """What the disk cannot do is noted, and costs another question."""
        try:
            yield
        except StoreError as error:
            self.trouble = error


def _parameters(temperature: float, max_tokens: int | None) -> dict[str, Any]:
    return {"temperature": temperature, "max_tokens": max_tokens}


def _written(reply: Reply) -> dict[str, Any]:
    calls = [[call.id, call.name, call.arguments] for call in reply.calls]
    return {"text": reply.text, "calls": calls, "finish": reply.finish, "usage": dict(reply.usage)}


def _read(kept: Mapping[str, Any]) -> Reply | None:
    """The reply that was written; None for what is none, which is then asked for again."""
    text, finish, usage = kept.get("text"), kept.get("finish"), kept.get("usage")
    calls = [call for call in _list(kept.get("calls")) if len(call) == 3 and all(isinstance(one, str) for one in call)]
    if not isinstance(text, str) or not isinstance(finish, str) or not isinstance(usage, Mapping):
        return None
    if len(calls) != len(_list(kept.get("calls"))) or not (text or calls):
        return None
    return Reply(text, tuple(ToolCall(*call) for call in calls), finish, usage)


def _list(value: object) -> list[list[Any]]:
    return [one if isinstance(one, list) else [] for one in value] if isinstance(value, list) else []
