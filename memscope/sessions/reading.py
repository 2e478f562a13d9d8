"""One file read for a scan: the facts of its conversations, or why it holds none; whatever is wrong with the file.

It runs in processes of its own, so it imports little and speaks in plain values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from memscope.base.errors import MemscopeError
from memscope.base.text import preview
from memscope.conversation.formats import format_named, recognise
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.unreadable import why
from memscope.sessions.facts import Facts
from memscope.sessions.fold import is_malformed, read_facts
from memscope.sessions.kept import Reading, encoded
from memscope.sessions.repositories import Patterns

Read = tuple[str, bool]
"""A reading as `kept.encoded` has it, and whether reading the same file again comes to the same."""

_WORDS = 300  # characters of an error
_DECLINED = " (not "  # behind it, why each format declined what was read, and is of something else


def reader(repositories: Sequence[str], input_format: str) -> Callable[[bytes], Read]:
    """What reads the file at a path, as `os.fsencode` has it. `repositories`: the setting of that name;
    `input_format`: "" where formats are recognised. Raises `SettingsError`, `UsageError`."""
    patterns = Patterns.of(repositories)
    if input_format:
        format_named(input_format)

    def read(path: bytes) -> Read:
        reading, is_lasting = read_file(os.fsdecode(path), patterns, input_format)
        return encoded(reading), is_lasting

    return read


def read_file(path: str, patterns: Patterns, input_format: str = "") -> tuple[Reading, bool]:
    """What the file at `path` holds, and whether reading the same file again comes to the same: not where the system
    would not give it. Never raises for what a file is or holds."""
    form = ""
    try:
        raw = Raw(Path(path))
        found = format_named(input_format) if input_format else recognise(raw)
        form = found.name
        sessions: list[Facts] = []
        skipped = malformed = 0
        for item in found.conversations(raw):
            if isinstance(item, Skipped):
                skipped += 1
                malformed += is_malformed(item)
            else:
                sessions.append(read_facts(item, len(sessions), patterns))
        if not sessions:
            return Reading(form, (), "it holds no conversation"), True
        if skipped:
            first = sessions[0]
            sessions[0] = first._replace(malformed=first.malformed + malformed, skipped=first.skipped + skipped)
        return Reading(form, tuple(sessions)), True
    except MemscopeError as error:
        what, declined, _ = error.what.partition(_DECLINED)
        what = what if error.where in (None, path) else f"{error.where}: {what}"
        return Reading(form, (), preview(what, _WORDS), bool(declined) and not form), not _of_system(error)
    except OSError as error:
        return Reading(form, (), why(error)), False
    except MemoryError:
        return Reading(form, (), "there is not enough memory to read it"), False
    except RecursionError:
        return Reading(form, (), "the JSON is nested too deeply"), True
    except Exception as error:  # whatever a format stumbles over, the next file is read
        return Reading(form, (), preview(f"reading it fails: {type(error).__name__}: {error}", _WORDS)), True


def _of_system(error: BaseException) -> bool:
    """Whether the system would not give the file, or another program keeps it locked: that may pass."""
    cause = error.__cause__
    return isinstance(cause, OSError) or type(cause).__module__ == "sqlite3"
