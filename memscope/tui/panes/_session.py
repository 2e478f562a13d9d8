"""A session's transcript to read, without loading it as the conversation. No pane: it has no number; every piece of
evidence of a session leads here, and `back` leads to where it was seen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.widget import Widget

from memscope.actions.export import write_text
from memscope.actions.open import Opening
from memscope.actions.reading import Read, What, read_on, read_session
from memscope.base.cells import beginning, middle
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.files import shown_path
from memscope.base.job import Job
from memscope.base.text import clean, clean_line, counted
from memscope.conversation.model import Conversation
from memscope.tui.background import Task
from memscope.tui.keys import key
from memscope.tui.pane import WINDOWS, PaneScreen, Written
from memscope.tui.panes.responses.response import message_copied, not_found
from memscope.tui.screens import ToRead
from memscope.tui.widgets.parts import part_text
from memscope.tui.widgets.transcript import Transcript
from memscope.tui.widgets.words import Words

if TYPE_CHECKING:
    from memscope.sessions.facts import Evidence

_READING = "session"  # the group of work in the background
_LAST = 1 << 30  # a part behind all parts of a message
_REASONS = 2  # why something was passed over, that are told


class SessionScreen(PaneScreen):
    """See the module."""

    NAME = "Session"
    OF_THE_OPEN = False
    CSS_PATH = "_session.tcss"
    HELP = (
        "A session to read; the conversation that is open stays so. Enter opens this one in its place, at the message "
        "of the cursor.\n\n"
        "f and F go to the next failure and the one before: a tool's result that is marked as an error or has an exit "
        "code, an error the transcript tells of, a turn that was broken off. M goes to the next memory, a and A to the "
        "next response and the one before; all of these go on into the other context windows. / finds words in the one "
        "that is shown, n and N go on. [ and ] change the context window, { and } the conversation of a file that "
        "holds several. z unfolds what is at the cursor, a tool's call or result too; y copies the message, or the "
        "lines that space selects."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        key("session.failure", "f", "step('failure', 1)", "Failure", "The next failure"),
        key("session.failure_before", "F", "step('failure', -1)", "Failure", "The failure before", show=False),
        key("session.memory", "M", "step('memory', 1)", "Memory", "The next memory"),
        key("session.response", "a", "step('response', 1)", "Response", "The next response"),
        key("session.response_before", "A", "step('response', -1)", "Response", "The response before", show=False),
        *(replace(binding, show=binding.action.startswith("window")) for binding in WINDOWS),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._read: Read | None = None
        self._places: dict[What, list[tuple[int, int]]] = {}
        self._going: ToRead | None = None  # what is read, or is being read

    def body(self) -> Iterable[Widget]:
        yield Words(id="session-place")
        yield Words(id="session-facts")
        yield Words(id="session-evidence")
        yield Transcript(marks=False, id="session-transcript")

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def running(self) -> Task | None:
        return self.workspace.background.task(_READING) or super().running

    # Reading.

    def arrive(self, hint: str) -> None:
        """Somebody came to read what the console was told."""
        self.transcript.focus()
        wanted = self.console.to_read
        if wanted is not None:
            window = wanted.evidence.window if wanted.evidence is not None else 0
            self._start(wanted, Opening(Path(wanted.place.path), item=wanted.place.item, window=window))

    def _start(self, wanted: ToRead, opening: Opening) -> None:
        space, known = self.workspace, self._read
        settings, database = space.settings, space.kept.database
        if known is None or known.opening != opening:
            self._clear("The session is being read.\nx stops that, Esc leads back.")
        self._going = wanted
        self._tell_place()
        space.background.start(
            _READING,
            f"reading {opening.path.name}",
            lambda job: read_session(opening, settings, database, job, known),
            lambda read: self._found(read, wanted.evidence, wanted.title),
            lambda error: self._not_found(error, wanted),
        )
        self.console.refresh_chrome()
        self.refresh_bindings()

    def _clear(self, why: str) -> None:
        self._read = None
        self.transcript.show(Conversation(()))
        self.transcript.empty = why
        self._tell_of("")
        self.query_one("#session-facts", Words).tell("")

    def _found(self, read: Read, evidence: Evidence | None, title: str) -> None:
        self._take(read)
        said = [title, evidence.text if evidence is not None else ""]
        self._tell_of(": ".join(filter(None, said)))
        if evidence is not None and not self.transcript.point(evidence.message, words=evidence.quote):
            self.console.say("the file has changed: the place is not there any more", "warning")
        self.console.refresh_chrome()
        self.refresh_bindings()

    def _take(self, read: Read) -> None:
        """Shows what was read, unless it is shown."""
        if read is not self._read:
            self._read, self._places = read, {}
            self.transcript.empty = "There is no message in this context window.\nEsc leads back."
            self.transcript.show(read.conversation)
            self._tell_place()
            self.query_one("#session-facts", Words).tell(_facts_words(read))

    def _not_found(self, error: MemscopeError, wanted: ToRead) -> None:
        stopped, evidence = isinstance(error, Cancelled), wanted.evidence
        self._clear("The session was not read; Esc leads back." if stopped else f"Esc leads back.\n\n{error}")
        if evidence is not None and not stopped:  # the words that were kept are all there is to show
            line = f"line {evidence.line:,}" if evidence.line else ""
            self._tell_of(": ".join(filter(None, (wanted.title, line, evidence.text))))
        self.refresh_bindings()

    def on_resize(self) -> None:
        self._tell_place()

    def _tell_place(self) -> None:
        """The title, and the path, which differs from others at its ends."""
        if self._going is None:
            return
        room = self.size.width - 2
        title = self._read.conversation.title if self._read is not None else ""
        path = middle(clean_line(shown_path(Path(self._going.place.path))), room * 3 // 5 if title else room)
        title = beginning(clean_line(title), room - cell_len(path) - 3)
        self.query_one("#session-place", Words).tell(" · ".join(filter(None, (title, path))))

    def _tell_of(self, words: str) -> None:
        """What the cursor was brought to."""
        line = self.query_one("#session-evidence", Words)
        line.tell(words)
        line.display = bool(words)

    # Going through it.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("step", "deeper", "find", "export"):
            return self._read is not None
        if action in ("window", "item"):
            found = self._read.conversation if self._read is not None else None
            return found is not None and (found.windows if action == "window" else found.items) > 1
        return super().check_action(action, parameters)

    def action_step(self, what: What, by: int) -> None:
        """To the next failure, memory or response, or to the one before; into other windows, and round the end."""
        read, transcript = self._read, self.transcript
        if read is None:
            return
        places = self._places_of(read, what)
        message, part = transcript.place
        if what != "memory":
            part = _LAST if by > 0 else -1  # all of the message is behind, or none of it
        at = bisect_right(places, (message, part)) if by > 0 else bisect_left(places, (message, part)) - 1
        if 0 <= at < len(places):
            self._go_to(read, what, at)
        elif read.conversation.windows > 1:
            self._look_on(read, what, by)
        elif places:
            self._go_to(read, what, at % len(places), ", round the end")
        else:
            self.console.say(f"there is no {what} in this session")

    def _places_of(self, read: Read, what: What) -> list[tuple[int, int]]:
        if what not in self._places:
            self._places[what] = read.places(what)
        return self._places[what]

    def _go_to(self, read: Read, what: What, number: int, how: str = "") -> None:
        """To the failure, memory or response with this number in the window; and `how` one came there."""
        places = self._places_of(read, what)
        self.transcript.point(*places[number])
        words = f"{what} {number + 1:,} of {len(places):,}"
        self._tell_of(f"{words}: {read.troubles[number].words}" if what == "failure" else "")
        self.console.say(f"{words}{how}")

    def _look_on(self, read: Read, what: What, by: int) -> None:
        """Goes on in the other context windows."""
        settings, database = self.workspace.settings, self.workspace.kept.database

        def work(job: Job) -> Read | None:
            return read_on(read, what, by, settings=settings, database=database, job=job)

        def found(other: Read | None) -> None:
            shown = other or read
            places, source = shown.places(what), shown.conversation.source
            where = ", round the end"
            if other is not None and source is not None:
                self._take(other)
                where = f", in window {source.window + 1:,} of {shown.conversation.windows:,}"
            if places:
                self._go_to(shown, what, 0 if by > 0 else len(places) - 1, where)
            else:
                self.console.say(f"there is no {what} in this session")
            self.refresh_bindings()

        def failed(error: MemscopeError) -> None:
            self.console.say("it was not looked any further" if isinstance(error, Cancelled) else str(error))
            self.refresh_bindings()

        self.workspace.background.start(_READING, f"looking for the next {what}", work, found, failed)
        self.refresh_bindings()

    def action_window(self, by: int) -> None:
        self._other(0, by)

    def action_item(self, by: int) -> None:
        self._other(by, 0)

    def _other(self, items: int, windows: int) -> None:
        """Another conversation of the file, or another window of this one."""
        read, going = self._read, self._going
        source = read.conversation.source if read is not None else None
        if read is None or source is None or going is None:
            return
        item, window = source.item + items, source.window + windows
        if not (0 <= item < read.conversation.items and 0 <= window < read.conversation.windows):
            what = "conversation" if items else "context window"
            self.console.say(f"there is no other {what} on that side")
            return
        opening = Opening(read.opening.path, item=item, window=0 if items else window)
        self._start(ToRead(going.place._replace(item=item)), opening)

    def action_deeper(self) -> None:
        """Opens it as the conversation."""
        read, message = self._read, self.transcript.message
        source = read.conversation.source if read is not None else None
        if read is None or source is None:
            self.console.say("there is nothing to open here")
        else:
            opening = Opening(read.opening.path, item=source.item, window=source.window)
            self.console.open(opening, "responses", message)

    def on_line_scroll_chosen(self, _: Transcript.Chosen) -> None:
        self.transcript.action_fold()

    def action_back(self) -> None:
        self.workspace.background.cancel(_READING)
        super().action_back()

    def action_cancel(self) -> None:
        if not self.workspace.background.cancel(_READING):
            super().action_cancel()

    def inner_back(self) -> bool:
        return self.transcript.clear_selection()

    def action_mark(self) -> None:
        if not self.transcript.mark():
            self.console.say("space selects lines of a message that z unfolds")

    def action_find_next(self) -> None:
        self._find_on(backwards=False)

    def action_find_previous(self) -> None:
        self._find_on(backwards=True)

    def _find_on(self, *, backwards: bool) -> None:
        transcript = self.transcript
        if not transcript.find_next(backwards=backwards):
            self.console.say(self._nowhere() if transcript.searching else "nothing is searched for; / does")

    def find_words(self, words: str) -> None:
        if not self.transcript.find(words):
            self.console.say(self._nowhere())

    def _nowhere(self) -> str:
        several = self._read is not None and self._read.conversation.windows > 1
        return "not in this context window; [ and ] lead to the others" if several else not_found(self.transcript)

    def copied(self) -> str | None:
        return message_copied(self._read.conversation, self.transcript) if self._read is not None else None

    @property
    def subject(self) -> str:
        return self._read.conversation.title if self._read is not None else ""

    def exports(self) -> list[Written]:
        read = self._read
        if read is None:
            return []

        def write(_form: str, path: Path, overwrite: bool, _job: Job) -> str:
            return f"written: {write_text(path, _text(read.conversation), overwrite=overwrite)}"

        return [Written("transcript", ("txt",), write)]


def _text(conversation: Conversation) -> str:
    """The messages of a context window, to read outside of the console."""
    told = (
        "\n".join([f"#{index} {message.role}", *map(part_text, message.parts)])
        for index, message in enumerate(conversation.messages)
    )
    return clean("\n\n".join(told)) + "\n"


def _facts_words(read: Read) -> str:
    """Where in the file it is, how much there is of it, and what was passed over."""
    conversation, said = read.conversation, []
    source = conversation.source
    if source is not None and conversation.items > 1:
        said.append(f"conversation {source.item + 1:,} of {conversation.items:,}")
    if source is not None:
        keys = " ([ ])" if conversation.windows > 1 else ""
        said.append(f"window {source.window + 1:,} of {conversation.windows:,}{keys}")
    said.append(f"{len(conversation.messages):,} message{'' if len(conversation.messages) == 1 else 's'}")
    said.append(counted(len(conversation.responses), "response"))
    said.append(counted(len(conversation.memories), "memory", "memories"))
    said.append(counted(len(read.troubles), "failure"))
    if conversation.skipped:
        reasons = Counter(skipped.reason for skipped in conversation.skipped)
        told = [f"{reason} ({times:,})" for reason, times in reasons.most_common(_REASONS)]
        more = ", …" if len(reasons) > _REASONS else ""
        said.append(f"{len(conversation.skipped):,} passed over: {', '.join(told)}{more}")
    return " · ".join(said)
