"""The chat model that the settings name, with a memory: the one way in which memscope asks a model to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memscope.base.errors import UsageError
from memscope.base.settings import Settings, chat_key
from memscope.clients.chat import CHAT, TIMEOUT, ChatClient
from memscope.clients.http import Server
from memscope.clients.kept_chat import KeptChat
from memscope.clients.served import root
from memscope.store.database import Database
from memscope.store.replies import Replies


def chat_is_set(settings: Settings) -> bool:
    """Whether a chat model may be asked at all."""
    return bool(settings.chat_url)


def open_chat(settings: Settings, database: Database | None) -> KeptChat:
    """The chat model of the settings, to be closed in the end; nobody is asked yet. `database`: where replies are kept,
    None for nowhere. Raises `UsageError` where no chat server is set, or its address is none."""
    if not chat_is_set(settings):
        do = "Set chat_url to the address of one (MEMSCOPE_CHAT_URL, the settings file, or the console's settings)."
        raise UsageError("no chat server is set, so no model is asked", where="chat_url", do=do)
    url, key, timeout = root(settings.chat_url), chat_key(settings), settings.timeout or TIMEOUT
    server = Server(url, api_key=key, timeout=timeout, named=CHAT)
    return KeptChat(ChatClient(server, settings.chat_model), None if database is None else Replies(database))


@contextmanager
def chat(settings: Settings, database: Database | None) -> Iterator[KeptChat]:
    """`open_chat`, closed in the end."""
    opened = open_chat(settings, database)
    try:
        yield opened
    finally:
        opened.close()
