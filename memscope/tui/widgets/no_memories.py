"""What stands in the place of the matrix when a conversation holds no memories: what was searched, and what to do.

Most coding-agent transcripts do not hold the text of their memories, so this is where many people begin. Every way on
has a key of its own, shown beside it, and Enter on its line does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from memscope.actions.nearby import NOTE, Nearby, SourceCounts
from memscope.base.files import shown_path
from memscope.conversation.sources import Kind
from memscope.tui.keys import key
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing

_LETTERS = "abdprz"  # those that no pane uses for something else


_UNCOUNTED = SourceCounts(0, 0)


@dataclass(frozen=True, slots=True)
class _Way:
    """A way on: the binding it has, what it is, and the action."""

    binding: str
    words: str
    about: str
    action: str


class NoMemories(Listing):
    """Told with `show_searched` what was searched, with `counted` what could be scored instead, and with `found` what
    is near the transcript."""

    HELP = (
        "This conversation holds no text that is known to come from a memory, so there is nothing to leave out. Agents "
        "often put memories into a system prompt that their transcript does not hold. Use memory files from disk, mark "
        "lines of the conversation yourself, or score its tool results or user turns instead. Files hold today's text, "
        "not necessarily that day's."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        key("deeper", "enter", "deeper", "Use", "Do what the line says"),
        *(
            key(f"nearby.{number}", letter, f"use({number - 1})", "Use", f"Use the memory files of place {number}")
            for number, letter in enumerate(_LETTERS, 1)
        ),
        key("nearby.all", "A", "use_all", "Use all", "Use all memory files that were found"),
        key("nearby.mark", "m", "mark_lines", "Mark", "Mark lines of the conversation as memories"),
        key("nearby.tools", "T", "sources('tools')", "Tools", "Score tool results in the place of memories"),
        key("nearby.turns", "W", "sources('turns')", "Turns", "Score user turns in the place of memories"),
    ]

    class Use(Message):
        """Put these memory files and folders into the conversation."""

        def __init__(self, paths: tuple[Path, ...]) -> None:
            super().__init__()
            self.paths = paths

    class MarkLines(Message):
        """A person wants to mark lines."""

    class UseSources(Message):
        """Score tool results ("tools") or user turns ("turns") in the place of memories."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, wide=2)
        self._searched: tuple[str, ...] = ()
        self._counts = _UNCOUNTED
        self._nearby: tuple[Nearby, ...] | None = None
        self._ways: dict[int, _Way] = {}

    def show_searched(self, searched: Sequence[str]) -> None:
        """What was looked for, a line each; what else there is is being looked for."""
        self._searched, self._counts, self._nearby = tuple(searched), _UNCOUNTED, None
        self._lay()

    def counted(self, counts: SourceCounts) -> None:
        """What could be scored in the place of memories."""
        self._counts = counts
        self._lay()
        self.refresh_bindings()

    def found(self, nearby: Sequence[Nearby]) -> None:
        """What there is near the transcript."""
        self._nearby = tuple(nearby)
        self._lay()
        self.refresh_bindings()

    def on_focus(self) -> None:
        self._lay()  # which keys act is known only now

    # What is shown.

    def _lay(self) -> None:
        """The lines, and which way on each of them is."""
        moved = self._ways.get(self.cursor) if self.cursor > min(self._ways, default=0) else None
        keys = self._keys()
        lines: list[Line] = [Line.title("This conversation holds no memories."), Line.said(), *self._about_search()]
        ways: dict[int, _Way] = {}
        for title, offered in self._offers():
            lines += [Line.said(), Line.title(title)]
            for way in offered:
                ways[len(lines)] = way
                lines.append(Line((keys.get(way.binding, ""), way.words, way.about)))
        self._ways = ways
        self.show(lines)
        # Who has not moved yet is led to the first way there is now.
        same = next((row for row, way in ways.items() if moved is not None and way.binding == moved.binding), None)
        self.move_to(min(ways, default=0) if same is None else same)

    def _about_search(self) -> list[Line]:
        return [Line.title("Searched, and how many were found"), *map(Line.said, self._searched)]

    def _offers(self) -> list[tuple[str, list[_Way]]]:
        places = self._nearby or ()
        ways = [
            _Way(f"nearby.{number}", place.title, _about(place), f"use({number - 1})")
            for number, place in enumerate(places, 1)
        ]
        if len(places) > 1:
            ways.append(_Way("nearby.all", "all of these", _count(places), "use_all"))
        if self._nearby is None:
            title = "Looking for memory files near the transcript …"
        else:
            title = f"Memory files near the transcript ({NOTE})" if places else "No memory files were found near it"
        tools, turns = self._counts.tools, self._counts.turns
        other = [_Way("nearby.mark", "mark lines yourself", "in the conversation, as memories", "mark_lines")]
        if tools:
            other.append(_Way("nearby.tools", f"score tool results ({tools})", "in their place", "sources('tools')"))
        if turns:
            other.append(_Way("nearby.turns", f"score user turns ({turns})", "in their place", "sources('turns')"))
        return [(title, ways), ("Or", other)]

    def _keys(self) -> dict[str, str]:
        """Each way's key as it is set now."""
        if not self.is_attached:
            return {}
        active = (found.binding for found in self.screen.active_bindings.values() if found.node is self)
        return {binding.id or "": self.app.get_key_display(binding) for binding in active}

    # What a person does.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "use":
            return self._nearby is None or int(str(parameters[0])) < len(self._nearby)
        if action == "use_all":
            return self._nearby is None or len(self._nearby) > 1
        if action == "sources":
            return bool(self._counts.tools if parameters[0] == "tools" else self._counts.turns)
        return True

    async def action_deeper(self) -> None:
        way = self._ways.get(self.cursor)
        if way is not None:
            await self.run_action(way.action)

    async def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.stop()
        await self.action_deeper()

    def action_use(self, number: int) -> None:
        if self._nearby is not None and number < len(self._nearby):
            self.post_message(self.Use(self._nearby[number].paths))

    def action_use_all(self) -> None:
        if self._nearby:
            self.post_message(self.Use(tuple(path for place in self._nearby for path in place.paths)))

    def action_mark_lines(self) -> None:
        self.post_message(self.MarkLines())

    def action_sources(self, kind: Kind) -> None:
        self.post_message(self.UseSources(kind))


def _about(place: Nearby) -> str:
    first = shown_path(place.paths[0])
    more = f" and {len(place.paths) - 1} more" if len(place.paths) > 1 else ""
    note = place.note.removeprefix(NOTE).strip("; ")
    return f"{_count([place])}: {first}{more}{f' ({note})' if note else ''}"


def _count(places: Sequence[Nearby]) -> str:
    files, units = sum(place.files for place in places), sum(place.units for place in places)
    return f"{files} file{'s' if files != 1 else ''}, {units} unit{'s' if units != 1 else ''}"
