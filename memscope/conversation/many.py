"""Many transcripts, each read once for something that is made of its records: in processes of their own, where there is
much to read.

What runs in those imports little and speaks in plain values. A file that cannot be read, or kills its process, costs
its own results and is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from memscope.base.errors import MemscopeError
from memscope.base.job import Job
from memscope.base.processes import processors, spread
from memscope.base.text import preview
from memscope.conversation.formats import format_named, recognise
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import Record
from memscope.conversation.unreadable import why

_WORDS = 300  # characters of an error
_WORTH_A_PROCESS = 4 * 2**20  # bytes to read, for each of them
_BESIDE_BYTES = 4096  # what a file costs besides, as if it were bytes
_ENDED = "reading it ended the process that read it"

Made = TypeVar("Made")
Fold = Callable[[Iterable[Record], bool], Made]
"""What is made of the records of a conversation, which are read once; and whether that is a sub-agent's."""


class ToRead(NamedTuple):
    """A file, as `os.fsencode` has its path, of a `format` ("": recognised), and what to read of it: the numbers of its
    conversations, each with whether it is a sub-agent's. `size` in bytes."""

    path: bytes
    format: str
    items: tuple[tuple[int, bool], ...]
    size: int


class ReadFile(NamedTuple, Generic[Made]):
    """What was made of the conversations of a file, by their numbers; or why it could not be read (`error`)."""

    made: dict[int, Made]
    error: str = ""


def read_files(
    fold: Callable[..., Fold[Made]], arguments: tuple[object, ...], files: Sequence[ToRead], job: Job, doing: str
) -> list[ReadFile[Made]]:
    """What `fold(*arguments)` makes of all files, in their order. It is a function of a module that another process can
    import; its arguments, and what is made, are plain values. `doing`: what it is, in words. Raises `Cancelled`."""
    order = sorted(range(len(files)), key=lambda place: -files[place].size)  # the largest first: see `spread`
    tasks = [files[place] for place in order]
    weights = [file.size + _BESIDE_BYTES for file in tasks]
    processes = min(processors(), sum(weights) // _WORTH_A_PROCESS)
    found: list[ReadFile[Made] | None] = [None] * len(files)
    done = 0
    with closing(spread(reader, (fold, arguments), tasks, weights, job, processes=processes)) as results:
        for batch in results:
            done += len(batch)
            job.progress(done, len(files), "files", doing)
            for number, result in batch:
                found[order[number]] = result
    return [file if file is not None else ReadFile({}, _ENDED) for file in found]


def reader(fold: Callable[..., Fold[Any]], arguments: tuple[object, ...]) -> Callable[[ToRead], ReadFile[Any]]:
    """What reads a file."""
    made_of = fold(*arguments)
    return lambda file: read_file(file, made_of)


def read_file(file: ToRead, fold: Fold[Made]) -> ReadFile[Made]:
    """What is made of a file. Never raises for what it is or holds."""
    path = os.fsdecode(file.path)
    wanted = dict(file.items)
    made: dict[int, Made] = {}
    try:
        raw = Raw(Path(path))
        form = format_named(file.format) if file.format else recognise(raw)
        number = 0
        for item in form.conversations(raw):
            if isinstance(item, Skipped):
                continue
            if number in wanted:
                made[number] = fold(item.records, wanted[number])
            number += 1
        return ReadFile(made)
    except MemscopeError as error:
        return ReadFile({}, preview(error.what if error.where in (None, path) else str(error), _WORDS))
    except OSError as error:
        return ReadFile({}, why(error))
    except MemoryError:
        return ReadFile({}, "there is not enough memory to read it")
    except RecursionError:
        return ReadFile({}, "the JSON is nested too deeply")
    except Exception as error:  # whatever a format stumbles over, the next file is read
        return ReadFile({}, preview(f"reading it fails: {type(error).__name__}: {error}", _WORDS))
