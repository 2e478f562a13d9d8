"""The chat model that the settings name, with a memory: the one way in which memscope asks a model to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from memscope.base.errors import UsageError
from memscope.base.settings import Settings, chat_key
from memscope.clients.chat import CHAT, TIMEOUT, ChatClient
from memscope.clients.http import Server
from memscope.clients.kept_chat import KeptChat, KeptReply
from memscope.clients.served import root
from memscope.store.database import Database
from memscope.store.replies import Replies

if TYPE_CHECKING:
    from memscope.base.job import Job

TEMPERATURE = 0.0
CUT = "length"  # what a server says of an answer that was cut off

Made = TypeVar("Made")


def chat_is_set(settings: Settings) -> bool:
    """Whether a chat model may be asked at all."""
    return bool(settings.chat_url)


def open_chat(settings: Settings, database: Database | None, *, timeout: float = TIMEOUT) -> KeptChat:
    """The chat model of the settings, to be closed in the end; nobody is asked yet. `database`: where replies are kept,
    None for nowhere; `timeout`: seconds for an answer, unless the settings have another. Raises `UsageError` where no
    chat server is set, or its address is none."""
    if not chat_is_set(settings):
        do = "Set chat_url to the address of one (MEMSCOPE_CHAT_URL, the settings file, or the console's settings)."
        raise UsageError("no chat server is set, so no model is asked", where="chat_url", do=do)
    url, key = root(settings.chat_url), chat_key(settings)
    server = Server(url, api_key=key, timeout=settings.timeout or timeout, named=CHAT)
    return KeptChat(ChatClient(server, settings.chat_model), None if database is None else Replies(database))


@contextmanager
def chat(settings: Settings, database: Database | None, *, timeout: float = TIMEOUT) -> Iterator[KeptChat]:
    """`open_chat`, closed in the end."""
    opened = open_chat(settings, database, timeout=timeout)
    try:
        yield opened
    finally:
        opened.close()


@dataclass(frozen=True, slots=True)
class Asked(Generic[Made]):
    """What was `said`, and what was `made` of it; None where nothing could be, and why (`problem`)."""

    said: KeptReply
    made: Made | None
    problem: str


def ask(
    model: KeptChat,
    messages: Sequence[Mapping[str, str]],
    job: Job,
    read: Callable[[str], Made],
    *,
    max_tokens: int,
    again: bool = False,
    as_it_is: bool = False,
    excuses: bool = False,
    sending: Callable[[], object] = lambda: None,
) -> Asked[Made]:
    """What `read` makes of a model's answer, at temperature 0; what it raises as `ValueError` is why nothing can be.

    An answer that is kept is taken, unless it is to be asked `again`; one of which nothing can be made is never the
    last word, but asked for anew, unless it is wanted `as_it_is` and says something. `excuses`: see `ChatClient.reply`.
    `sending` is called, in this thread, before anything is sent; not where nothing is.
    Raises `EngineError`, `UsageError`, `Cancelled`.
    """
    kept = None if again else model.kept_reply(messages, temperature=TEMPERATURE, max_tokens=max_tokens)
    if kept is not None:
        found = _asked(kept, read)
        if found.made is not None or (as_it_is and kept.reply.text.strip()):
            return found
    sending()
    job.progress(0, None, "", "asking the chat model")
    anew = again or kept is not None
    said = model.reply(messages, job, temperature=TEMPERATURE, max_tokens=max_tokens, again=anew, excuses=excuses)
    return _asked(said, read)


def is_answered(
    model: KeptChat, messages: Sequence[Mapping[str, str]], read: Callable[[str], object], *, max_tokens: int
) -> bool:
    """Whether an answer is kept of which `read` can make something, so that `ask` would send nothing."""
    kept = model.kept_reply(messages, temperature=TEMPERATURE, max_tokens=max_tokens)
    return kept is not None and _asked(kept, read).made is not None


def _asked(said: KeptReply, read: Callable[[str], Made]) -> Asked[Made]:
    cut = " (the answer was cut off, for it is too long)" if said.reply.finish == CUT else ""
    try:
        return Asked(said, read(said.reply.text), "")
    except ValueError as error:
        return Asked(said, None, f"{error}{cut}")


def whom(settings: Settings) -> str:
    """Where a question goes, and to which model, in words."""
    return f"{settings.chat_url}, for {settings.chat_model or 'the model it serves'}"
