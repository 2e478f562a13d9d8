"""Work for many files, in a module that imports little, as processes import it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from memscope.conversation.many import Fold, ReadFile, ToRead, reader
from memscope.conversation.model import Message
from memscope.conversation.records import Record


def opening(sign: str) -> Fold[list[str]]:
    """The requests of a conversation, each behind a sign; none of a sub-agent."""

    def made(records: Iterable[Record], is_subagent: bool) -> list[str]:
        said = [record.text for record in records if isinstance(record, Message) and record.role == "user"]
        return [] if is_subagent else [sign + text for text in said]

    return made


def mortal(fold: Callable[..., Fold[Any]], arguments: tuple[object, ...]) -> Callable[[ToRead], ReadFile[Any]]:
    """Reads as always; a file named `deadly.json` kills the process, as one that takes all memory would."""
    read = reader(fold, arguments)

    def work(file: ToRead) -> ReadFile[Any]:
        if file.path.endswith(b"deadly.json"):
            os.kill(os.getpid(), signal.SIGKILL)
        return read(file)

    return work
