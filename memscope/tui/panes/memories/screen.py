"""The Memories pane: every memory with what it did in all, and the text and effects of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.containers import Container
from textual.reactive import reactive
from textual.widget import Widget

from memscope.base.cells import beginning
from memscope.base.text import counted
from memscope.reports.failures import RowFailure
from memscope.reports.matrix import MEMORIES, MemoryRow
from memscope.reports.memories import MemoryReader, chosen_memories
from memscope.reports.memory import EffectAt, MemoryDetail
from memscope.reports.order import matching
from memscope.reports.view import show
from memscope.tui.colours import Signs
from memscope.tui.keys import key
from memscope.tui.pane import RETRY, THRESHOLD, WINDOWS, Exported, PaneScreen
from memscope.tui.widgets.bars import Bar, Bars, spark
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change

_PLACES = 6  # occurrences that are named
_SHARED = 8  # words
_UNBROKEN = "\u00a0"  # between a name and its number, which stay on one line
_HIGHEST_FIRST, _LOWEST_FIRST = "down", "up"


class Along(Widget):
    """A memory's effects along the whole conversation, on one line."""

    values: reactive[tuple[float | None, ...]] = reactive(())
    plain: reactive[bool] = reactive(False)

    def render(self) -> Text:
        return Text(spark(self.values, self.content_size.width, plain=self.plain), no_wrap=True)


class MemoriesScreen(PaneScreen):
    """See the module."""

    NAME = "Memories"
    CSS_PATH = "screen.tcss"
    HELP = (
        "Every memory of the conversation, with its effects added up, in nats: total (the positive ones), net (all), "
        "max (the strongest), responses (effects above the response's cutoff), against (the negative ones). For the "
        "memory under the cursor: each of its texts, where it stands, what recognised it, its effect on every "
        "response, and memories that say nearly the same. Leaving one of those out at a time shows too little, for "
        "the other still tells it.\n\n"
        "Tab goes from the table to the text, the effects and the near duplicates. Enter leads from the table to the "
        "response where the memory mattered most, from an effect to its response, from a duplicate to that memory.\n\n"
        "Rows stay where they are while numbers land; they are sorted again when the run ends, and by s."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        THRESHOLD,
        RETRY,
        *WINDOWS,
        key("memories.rescore", "r", "rescore", "Rescore", "Score without this memory again, past what is on disk"),
        key("memories.strongest", "v", "strongest", "Strongest", "Effects strongest first, or along the conversation"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader: MemoryReader | None = None
        self._titles: list[str] = []
        self._at_the_top: str | None = None
        self._strongest_first = False
        self._due = False
        self._detailed: str | None = None

    def body(self) -> Iterable[Widget]:
        yield Container(
            Table[MemoryRow](identity=lambda row: row.key, id="memories-table"),
            Container(
                Paragraphs(id="memory-text"),
                Container(
                    Along(id="memory-along"),
                    Bars(elide=beginning, id="memory-bars"),
                    Bars(labels_first=True, id="memory-near"),
                    id="memory-effects",
                ),
                id="memory",
            ),
            id="memories",
        )

    @property
    def table(self) -> Table[MemoryRow]:
        return self.query_one("#memories-table", Table)

    @property
    def bars(self) -> Bars:
        return self.query_one("#memory-bars", Bars)

    @property
    def near(self) -> Bars:
        return self.query_one("#memory-near", Bars)

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        space = self.workspace
        if not self.query(Paragraphs):
            return  # not composed yet: everything is told once it is
        if change.loaded:
            self._load()
        elif self._reader is not None and space.matrix is not None:
            same = space.matrix is self._reader.matrix
            if change.view or not same:
                self._reader.look(space.matrix, space.view.threshold)
                self._take(change.rows if change.rows and not change.view else None)
        if change.phase:
            self.table.empty = self._why_empty()
            if space.phase not in ("running", "loading"):
                self._sort_again()
        if change.selection and space.memory is not None:
            self.table.select(space.memory)

    def _load(self) -> None:
        """Another conversation, or coming here: everything is read anew."""
        space, table = self.workspace, self.table
        self.table.empty = self._why_empty()
        matrix = space.matrix
        if space.conversation is None or matrix is None:
            self._reader = None
            table.show((), ())
        else:
            if self._reader is None or self._reader.conversation is not space.conversation:
                self._reader = MemoryReader(space.conversation, matrix, space.view.threshold)
                direction, _, title = space.view.sorts.get("memories", f"{_HIGHEST_FIRST} total").partition(" ")
                self._show(self._reader.rows())
                table.sort_by(title, direction == _HIGHEST_FIRST)
            else:
                self._reader.look(matrix, space.view.threshold)
                self._show(self._reader.rows())
            self._sort_again()
        if self.focused is None:
            table.focus()
        self._detail_due()

    def _show(self, rows: list[MemoryRow]) -> None:
        assert self._reader is not None
        columns = self._reader.columns(rows)
        self._titles = [column.title for column in columns]
        self.table.show(columns, rows)

    def _take(self, places: frozenset[int] | None) -> None:
        """New numbers in some rows, or in all: None."""
        assert self._reader is not None
        self.table.update_rows(self._reader.rows(places))
        rows = self.table.rows
        if [column.title for column in self._reader.columns(rows)] != self._titles:
            self._show(rows)
        selected = self.table.selected
        if selected is not None and (places is None or self._reader.place[selected.key] in places):
            self._detail_due()

    def _sort_again(self) -> None:
        """Rows go where they belong. As long as nobody has pointed at a memory, the cursor stays at the top."""
        self.table.sort_again()
        if self.workspace.memory is None:
            self.table.move_to(0)
            self._at_the_top = self._key

    def _why_empty(self) -> str:
        space = self.workspace
        if space.phase == "loading":
            return "The conversation is being read.\nx cancels."
        if space.conversation is None:
            return "No conversation is open.\nEsc leads to those there are; : finds every command."
        return "No memory was found in this conversation.\n1 shows where was searched, and what can be used instead."

    # The memory under the cursor.

    @property
    def _key(self) -> str | None:
        selected = self.table.selected
        return None if selected is None else selected.key

    def _detail_due(self) -> None:
        """Once, after the table is painted: a held key goes through many memories."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show_detail)

    def _show_detail(self) -> None:
        self._due = False
        key, reader = self._key, self._reader
        self.query_one("#memory").display = key is not None
        if key is None or reader is None:
            return
        detail = reader.detail(key)
        self.query_one(Paragraphs).show(_told(reader, detail))
        seen = [found for found in detail.effects if not found.before]
        self.query_one(Along).values = tuple(None if found.before else found.effect for found in detail.effects)
        if self._strongest_first:
            seen.sort(key=lambda found: -abs(found.effect or 0.0))
        missed = len(detail.effects) - len(seen)
        order = "strongest first" if self._strongest_first else "along the conversation"
        self.bars.heading = f"nats, {order}{f'; {missed} came before it' if missed else ''}"
        self.bars.empty = "It comes after the last response." if missed else "There is no response."
        self.bars.show([_bar(reader, found, self.signs) for found in seen])
        if key != self._detailed:
            self._detailed = key
            if not (detail.strongest and self.bars.select(detail.strongest[0].message)):
                self.bars.move_to(0)
        self.near.display = bool(detail.near)
        self.near.heading = "near duplicates, by words shared"
        self.near.show([Bar(near.key, near.part, f"{near.part:.0%}", key=near.key) for near in detail.near], full=1.0)

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        if event.lines is not self.table:
            return
        key = self._key
        if self.workspace.memory is not None or key != self._at_the_top:
            self.workspace.select(memory=key)
        self._detail_due()

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    # Keys.

    def action_deeper(self) -> None:
        key, response = self._key, None
        if key is None or self._reader is None:
            return
        if self.near.has_focus and self.near.selected is not None:
            self._go_to_duplicate(str(self.near.selected.key))
            return
        if self.bars.has_focus and self.bars.selected is not None:
            response = self.bars.selected.key
        elif strongest := self._reader.detail(key).strongest:
            response = strongest[0].message
        if isinstance(response, int):
            self.console.go("responses", memory=key, response=response)
        else:
            self.console.say("it mattered to no response; Tab leads to its effects, and Enter there to a response")

    def _go_to_duplicate(self, key: str) -> None:
        if self.table.select(key):
            self.table.focus()
        else:
            self.console.say(f"{key} is not among the rows shown: Esc ends the filter")

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        sort = self.table.sort
        if sort is None:
            kept, said = "given", "in the order of the conversation"
        else:
            kept = f"{_HIGHEST_FIRST if sort.descending else _LOWEST_FIRST} {sort.title}"
            said = f"sorted by {sort.title}, {'from the highest' if sort.descending else 'from the lowest'}"
        later = "; rows that land from now on stay where they are" if self.workspace.phase == "running" else ""
        self.workspace.look(sorts={"memories": kept})
        self.console.say(said + later)

    def action_mark(self) -> None:
        self.table.toggle_mark()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        self.console.say(f"{count} marked: y and e take those; Esc unmarks" if count else "none marked")

    def inner_back(self) -> bool:
        return self.table.unmark()

    def action_strongest(self) -> None:
        self._strongest_first = not self._strongest_first
        self._show_detail()
        self.bars.move_to(0)

    def action_rescore(self) -> None:
        key = self._key
        if key is not None and not self.workspace.rescore(key):
            running = self.workspace.phase == "running"
            self.console.say("a run is under way; x cancels it" if running else "there is no run yet; R starts it")

    def find_words(self, words: str) -> None:
        conversation = self.workspace.conversation
        if not words or conversation is None or self._reader is None:
            self.table.filter("")
            return
        found = matching(conversation, words)
        place = self._reader.place
        self.table.filter(lambda row: bool(found[place[row.key]]), words)

    def copied(self) -> str | None:
        conversation, selected = self.workspace.conversation, self.table.selected
        if conversation is None or self._reader is None or selected is None:
            return None
        places = [self._reader.place[row.key] for row in self.table.marked or [selected]]
        return "\n\n".join(conversation.memories[place].texts[-1] for place in places)

    def exports(self) -> list[Exported]:
        space = self.workspace
        conversation, matrix, scorer = space.conversation, space.matrix, space.scorer
        if conversation is None or matrix is None or scorer is None:
            return []
        keys = [row.key for row in self.table.marked or self.table.shown]
        all_of_them = len(keys) == len(conversation.memories)
        name = "memories" if all_of_them else f"{len(keys)} memories"
        identity, threshold = scorer.engine.identity, space.view.threshold
        return [
            Exported(name, MEMORIES, lambda: chosen_memories(conversation, matrix, identity, threshold, keys)),
        ]


def _told(reader: MemoryReader, detail: MemoryDetail) -> list[Paragraph]:
    """What is read of a memory: what it is, its numbers, what went wrong, its texts, and words it shares."""
    row, versions = detail.row, reader.versions(detail.key)
    places = ", ".join(f"#{message}" for message in dict.fromkeys(row.occurrences[:_PLACES]))
    more = len(row.occurrences) - _PLACES
    told = [column for column in reader.columns(()) if column.numeric and column.title != "first"]
    numbers = [_UNBROKEN.join([*column.title.split(), column.text(row)]) for column in told]
    said = [
        Paragraph(detail.key, "title"),
        Paragraph(f"found by {', '.join(row.rules)} in {places}{f' and {more} more' if more > 0 else ''}", "note"),
        Paragraph(" · ".join(numbers), "note"),
    ]
    if reader.matrix.reason is not None:
        said.append(Paragraph(reader.matrix.reason, "warning"))
    elif (failure := reader.failure(detail.key)) is not None:
        said.append(Paragraph(_failed(failure), "warning"))
    for number, version in enumerate(versions, 1):
        if len(versions) > 1:
            said.append(Paragraph(f"\ntext {number} of {len(versions)}, from #{version.message} on", "note"))
        else:
            said.append(Paragraph(""))
        said.append(Paragraph(version.text))
    for near in detail.near:
        words = ", ".join(near.shared[:_SHARED]) + ("…" if len(near.shared) > _SHARED else "")
        said.append(
            Paragraph(f"\n{near.part:.0%} of its words, or of the other's, are in {near.key} too: {words}", "note")
        )
    return said


def _failed(failure: RowFailure) -> str:
    if failure.again:
        return f"could not be scored: {failure.error} (R tries again)"
    return f"{counted(failure.cells, 'effect')} could not be measured: {failure.error}. {failure.do}".rstrip()


def _bar(reader: MemoryReader, found: EffectAt, signs: Signs) -> Bar:
    label = f"#{found.message} {reader.opening(found.message)}"
    told = {"pending": signs.pending, "failed": signs.failed}.get(found.state) or show(found.effect)
    return Bar(label, found.effect, told, key=found.message, dim=not found.counts)
