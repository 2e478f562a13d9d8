"""The screens that have no number, by the names under which the console goes to them (`MemscopeApp.go`).

Each is imported when it is first gone to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from memscope.sessions.facts import Evidence
    from memscope.sessions.ranked import Place
    from memscope.tui.pane import PaneScreen

START: Final = "start"
ACROSS: Final = "across"
WHAT_IF: Final = "what-if"
SESSION: Final = "session"
BATCH: Final = "batch"
SESSIONS: Final = "sessions"  # a pane, as the next
PROMOTIONS: Final = "promotions"
INSIGHTS: Final = "insights"
LESSONS: Final = "lessons"


class ToRead(NamedTuple):
    """A session to read: which, where in it (None: from its beginning), and what leads there (`title`)."""

    place: Place
    evidence: Evidence | None = None
    title: str = ""


def _start() -> PaneScreen:
    from memscope.tui.panes._start import StartScreen

    return StartScreen()


def _across() -> PaneScreen:
    from memscope.tui.panes._across import AcrossScreen

    return AcrossScreen()


def _what_if() -> PaneScreen:
    from memscope.tui.panes._whatif import WhatIfScreen

    return WhatIfScreen()


def _session() -> PaneScreen:
    from memscope.tui.panes._session import SessionScreen

    return SessionScreen()


def _batch() -> PaneScreen:
    from memscope.tui.panes._batch import BatchScreen

    return BatchScreen()


SCREENS: dict[str, Callable[[], PaneScreen]] = {
    START: _start,
    ACROSS: _across,
    WHAT_IF: _what_if,
    SESSION: _session,
    BATCH: _batch,
}
ELSEWHERE = frozenset({START, ACROSS, SESSION, SESSIONS, PROMOTIONS, INSIGHTS, LESSONS, BATCH})
"""The screens, and the panes, that are about other conversations than the one that is open."""
