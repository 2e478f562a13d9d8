"""The part of the pane that looks for patterns: where, how they are grouped, and what may be sent for that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.binding import BindingType

from memscope.actions.embedder import what_is_sent
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.text import counted
from memscope.tui.inputs import first_inputs
from memscope.tui.keys import key
from memscope.tui.panes.promotions.acting import Acting
from memscope.tui.panes.promotions.asking import ask_cosine, ask_inputs, ask_sent
from memscope.tui.panes.promotions.finding import Asked, Finding
from memscope.tui.panes.promotions.told import HELPS, looked_at, places_words

if TYPE_CHECKING:
    from memscope.actions.promotions import Found
    from memscope.promotion.model import Method
    from memscope.tui.background import Task

_MOST_AGREED = 200  # servers, models and places


class _How(NamedTuple):
    """How messages are grouped: see `Asked`."""

    method: Method = "stable"
    threshold: float | None = None


class Looking(Acting):
    """See the module. How messages are grouped is kept for each embedder: a threshold means nothing for another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("promotions.threshold", "t", "cosine", "Threshold", "From which cosine on messages are alike", show=False),
        key("promotions.method", "p", "method", "Method", "Group by the other method: stable, greedy", show=False),
        key("promotions.inputs", "o", "inputs", "Folder", "Look in another folder, or in a file"),
        key("promotions.again", "R", "look_again", "Look again", "Look for patterns again", show=False),
        key("promotions.left", "i", "left_out", "Left out", "What was looked at, left out, or not read", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.finding: Finding | None = None
        self.inputs: tuple[Path, ...] = ()
        self._how: dict[str, _How] = {}
        self._agreed: list[list[str]] = []  # servers, models and places of which a person has said yes
        self._inputs_kept: object = None  # where was looked the time before

    @property
    def looking(self) -> bool:
        """Whether patterns are being looked for."""
        return self.finding is not None and self.finding.task is not None

    def tell_head(self) -> None:
        """What is looked at may be another."""
        raise NotImplementedError

    def keep(self) -> None:
        """Keeps how the pane is looked at."""
        raise NotImplementedError

    # What is kept.

    def begin(self, kept: Mapping[str, Any]) -> None:
        """Where and how was looked the time before."""
        self._inputs_kept = kept.get("inputs")
        self.inputs = first_inputs(self.console, self._inputs_kept)
        how, agreed = kept.get("how"), kept.get("agreed")
        self._how = {name: _how(one) for name, one in how.items()} if isinstance(how, dict) else {}
        self._agreed = [one for one in agreed if isinstance(one, list)] if isinstance(agreed, list) else []

    def kept(self) -> dict[str, Any]:
        """The same, to be kept. A folder that the console was opened for is looked at this once."""
        inputs = [os.fspath(one) for one in self.inputs]
        return {
            "inputs": inputs if self.console.folder is None else self._inputs_kept,
            "how": self._how,
            "agreed": self._agreed[-_MOST_AGREED:],
        }

    # What is found.

    def action_look_again(self) -> None:
        self.look()

    def look(self) -> bool:
        """Looks for patterns; where messages would be sent for that, once a person has agreed. False where that is
        asked first."""
        settings = self.workspace.settings
        whom = [settings.embed_url, settings.embed_model, *map(os.fspath, self.inputs)]
        sent = what_is_sent(settings, self._which())
        if sent and whom not in self._agreed:
            self.table.empty = f"Nothing was looked at: {sent}.\nR asks again; , leads to the settings."
            self.tell_head()
            ask_sent(self.console, sent, partial(self._agree, whom))
            return False
        if self.finding is not None:
            self.table.empty = "The messages are being compared.\nx stops that."
            self.finding.start(Asked(self.inputs, *self._grouped), self.skills())
            self.tell_head()
            self.detail.due()
            self.refresh_bindings()
        return True

    def _which(self) -> str:
        """The messages that are looked at, in words; how many there are is known of where was looked before."""
        seen = self.deciding.seen if self.deciding is not None else None
        known = seen is not None and seen.inputs == self.inputs
        count = f" ({counted(seen.document.rows, 'message')} when it was looked at last)" if seen and known else ""
        return f"all messages in {places_words(self.inputs)}{count}"

    def _agree(self, whom: list[str]) -> None:
        self._agreed.append(whom)
        self.keep()
        self.look()

    def ended(self, found: Found) -> None:
        """All of it was found."""
        if found.trouble:
            self.console.say(f"not all of it was kept: {found.trouble}", "warning")
        self.tell_head()
        self.refresh_bindings()

    def not_found(self, error: MemscopeError) -> None:
        """The search ended before."""
        stopped = isinstance(error, Cancelled)
        if not self.table.rows:
            self.table.empty = "It was not looked to the end.\nR looks again." if stopped else f"{error}\n{HELPS}"
        if stopped:
            self.console.say("the search was stopped; what was found stays, R looks again")
        else:
            self.console.tell_error(error)
        self.tell_head()
        self.detail.due()
        self.refresh_bindings()

    @property
    def running(self) -> Task | None:
        tasks = (part.task for part in (self.drafting, self.finding) if part is not None)
        return next(filter(None, tasks), None) or super().running

    def action_cancel(self) -> None:
        if not any(part.cancel() for part in (self.drafting, self.finding) if part is not None):
            super().action_cancel()

    # Where and how is looked.

    @property
    def _embedder(self) -> str:
        """The embedder of the settings, as a name to remember something by."""
        settings = self.workspace.settings
        return settings.embedder if settings.embedder == "embedded" else f"{settings.embedder} {settings.embed_model}"

    @property
    def _grouped(self) -> _How:
        return self._how.get(self._embedder, _How())

    def action_inputs(self) -> None:
        def look_in(inputs: tuple[Path, ...]) -> None:
            self.inputs = inputs
            self.keep()
            self.look()

        ask_inputs(self.console, self.inputs, look_in)

    def action_cosine(self) -> None:
        ask_cosine(self.console, self._grouped.threshold, lambda cosine: self._group(self._grouped.method, cosine))

    def action_method(self) -> None:
        method: Method = "greedy" if self._grouped.method == "stable" else "stable"
        if self._group(method, self._grouped.threshold):
            self.console.say(f"looking again, by the {method} method")

    def _group(self, method: Method, threshold: float | None) -> bool:
        self._how[self._embedder] = _How(method, threshold)
        self.keep()
        return self.look()

    # What was looked at.

    def folders(self) -> list[Path]:
        """Where was looked for what is shown."""
        from memscope.actions.scan import session_folders

        seen = self.deciding.seen if self.deciding is not None else None
        return list(seen.inputs) if seen is not None and seen.inputs else session_folders(self.workspace.settings)

    def action_left_out(self) -> None:
        seen = self.deciding.seen if self.deciding is not None else None
        if seen is None:
            self.console.say("nothing was looked at yet")
            return
        from memscope.tui.dialogs.whole import Whole

        self.console.push_screen(Whole("What was looked at", [*looked_at(seen.document, self.folders())]))


def _how(kept: object) -> _How:
    """As it was kept, as far as that can be."""
    method, threshold = kept if isinstance(kept, list) and len(kept) == 2 else (None, None)
    return _How(
        "greedy" if method == "greedy" else "stable",
        threshold if isinstance(threshold, float) and 0 < threshold <= 1 else None,
    )
