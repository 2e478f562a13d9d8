"""What the events of an OpenHands history have in common, whatever generation they are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from memscope.conversation.formats._content import entries, joined, mappings, parts, seconds, string
from memscope.conversation.formats._json import Json
from memscope.conversation.formats._repeats import CUT, Repeats
from memscope.conversation.model import Memory, Message, Part, Skipped, Text, Thinking, ToolCall
from memscope.conversation.records import Boundary, Changes, Record


@dataclass
class History:
    """What was read so far: `calls` by the events that made them, `view` with what is in the context by now, and the
    events it came from.

    Knowledge that was recalled is shown once: `recalls` are the events that brought some, `surfaced` what the context
    shows of it.
    """

    changes: Changes = field(default_factory=Changes)
    calls: dict[str, str] = field(default_factory=dict)
    view: list[tuple[str, Message]] = field(default_factory=list)
    recalls: set[str] = field(default_factory=set)
    surfaced: set[str] = field(default_factory=set)
    repeats: Repeats = field(default_factory=Repeats)

    def told(self, name: str, message: Message) -> Iterator[Message]:
        """The message of the event `name` as the context shows it, which it is in from here on."""
        self.view.append((name, message))
        yield from self._shown(name, message)

    def _shown(self, name: str, message: Message) -> Iterator[Message]:
        """The message without the knowledge that is shown already, if anything is left."""
        if name in self.recalls:
            fresh = tuple(part for part in message.parts if not isinstance(part, Memory) or self._is_fresh(part))
            message = replace(message, parts=fresh)
        if message.parts or name not in self.recalls:
            yield message

    def _is_fresh(self, memory: Memory) -> bool:
        text = memory.text.rstrip("\n")
        is_fresh = text not in self.surfaced
        self.surfaced.add(text)
        return is_fresh

    def condensed(self, how: Json, line: int) -> Iterator[Record]:
        """The window behind a condensation, up to what comes next.

        A condensation takes events out of the context and may put a summary in. What it left was said in another
        context, so it is told again as the kind "summary".
        """
        first, last = how.get("forgotten_events_start_id"), how.get("forgotten_events_end_id")
        gone = {string(name) for name in entries(how.get("forgotten_event_ids"))}
        if isinstance(first, int) and isinstance(last, int):
            ids = (name for name, _ in self.view if name.isdecimal() and len(name) < 19)
            gone |= {name for name in ids if first <= int(name) <= last}
        kept = [(name, message) for name, message in self.view if name not in gone]
        summary, offset = string(how.get("summary")), how.get("summary_offset")
        if summary:  # only the latest is shown
            kept = [(name, message) for name, message in kept if name]
        place = _behind(kept, offset if isinstance(offset, int) else 0)
        cut = len(kept) - self.repeats.take(len(kept))
        yield Boundary(line)
        if cut:
            yield Skipped(line, CUT)
            kept, place = kept[cut:], max(place - cut, 0)
        if summary:
            kept.insert(place, ("", Message("user", (Text(summary),), "summary", line=line)))
        self.view, self.surfaced = kept, set()
        shown = (m for name, message in kept if message.role != "system" for m in self._shown(name, message))
        yield from (replace(message, kind="summary") for message in shown)


def _behind(kept: list[tuple[str, Message]], events: int) -> int:
    """The place in `kept` behind so many events, some of which may be more than one message."""
    seen: set[str] = set()
    for place, (name, _) in enumerate(kept):
        seen.add(name)
        if len(seen) > events:
            return place
    return len(kept)


def said(message: Json) -> Iterator[Part]:
    """The thoughts and words of a model's message, without its calls."""
    thoughts = string(message.get("reasoning_content"))
    if not thoughts:
        thoughts = joined(string(block.get("thinking")) for block in mappings(message.get("thinking_blocks")))
    if thoughts:
        yield Thinking(thoughts)
    yield from (part for part in parts(message.get("content")) if not isinstance(part, ToolCall))


def terminal(text: str, metadata: Json) -> str:
    """A command's output as the model saw it, with what the terminal told of it."""
    before, behind = string(metadata.get("prefix")), string(metadata.get("suffix"))
    folder, python = string(metadata.get("working_dir")), string(metadata.get("py_interpreter_path"))
    code = exit_code(metadata.get("exit_code"))
    told = [f"\n[Current working directory: {folder}]"] if folder else []
    told += [f"\n[Python interpreter: {python}]"] if python else []
    told += [] if code is None else [f"\n[Command finished with exit code {code}]"]
    return "".join((before, text, behind, *told))


def exit_code(code: Any) -> int | None:
    """The code a command ended with; none for one that goes on, which is told as -1."""
    return code if isinstance(code, int) and not isinstance(code, bool) and code != -1 else None


def time_of(event: Json) -> float | None:
    return seconds(event.get("timestamp"))
