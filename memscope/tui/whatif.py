"""Memories toggled off, and what would be without them, scored in the background: one for the whole console.

The toggled belong to the conversation, the result to its run: another conversation drops both, another run the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.score import Cost
from memscope.actions.whatif import fill_what_if, new_what_if, tokens_saved, what_if_plan
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.conversation.ablation import BASELINE
from memscope.tui.keys import key
from memscope.tui.screens import WHAT_IF
from memscope.tui.workspace import Change, Workspace

if TYPE_CHECKING:
    from memscope.attribution.matrix import Matrix
    from memscope.attribution.whatif import WhatIfRun
    from memscope.conversation.model import Conversation
    from memscope.reports.whatif import WhatIfReader
    from memscope.tui.app import MemscopeApp

GROUP = "whatif"

TOGGLE: Binding = key("whatif.toggle", "o", "toggle_off", "Toggle off", "Leave this memory out of the next what-if")
RUN: Binding = key("whatif.run", "O", "what_if", "What-if", "Score the others again without those toggled off")


class WhatIfs:
    """`toggled`: what is to be left out; `run`: what comes of it, as far as it has landed, and `cost` when it has."""

    def __init__(self, workspace: Workspace) -> None:
        self._space = workspace
        self._conversation: Conversation | None = None
        self._toggled: dict[str, None] = {}
        self._run: WhatIfRun | None = None
        self._reader: WhatIfReader | None = None
        self._read: tuple[Matrix | None, float] = (None, 0.0)  # the matrix and the threshold it was read with
        self._tokens: int | None = None
        self.cost: Cost | None = None
        self.trouble: MemscopeError | None = None

    # What is toggled.

    @property
    def toggled(self) -> tuple[str, ...]:
        """The memories that are toggled off, in the order in which they were."""
        conversation = self._space.conversation
        if conversation is not self._conversation:
            before, self._conversation = self._conversation, conversation
            there = {memory.key for memory in conversation.memories} if conversation is not None else set()
            self._toggled = {key: None for key in self._toggled if key in there and _same(before, conversation)}
        return tuple(self._toggled)

    def toggle(self, key: str) -> bool:
        """Toggles a memory off, or on again; whether it is off now."""
        off = key not in self.toggled
        if off:
            self._toggled[key] = None
        else:
            del self._toggled[key]
        self._space.tell(Change(what_if=True))
        return off

    # What would be.

    @property
    def run(self) -> WhatIfRun | None:
        """What was asked last, of the run there is; None where nothing was."""
        run = self._run
        return run if run is not None and run.whole is self._space.run else None

    @property
    def running(self) -> bool:
        return self._space.background.task(GROUP) is not None

    @property
    def stale(self) -> bool:
        """Whether something else is toggled off than what was asked last."""
        return self.run is not None and set(self.run.removed) != set(self.toggled)

    @property
    def can_resume(self) -> bool:
        """Whether something of it is missing that could be scored."""
        return self.run is not None and not self.running and bool(self.run.missing())

    def reader(self) -> WhatIfReader | None:
        """It for reading, as it was when it was last `read_again`."""
        run, space = self.run, self._space
        if run is None or space.conversation is None:
            return None
        seen = (space.matrix, space.view.threshold)
        if self._reader is None or seen != self._read:
            from memscope.reports.whatif import WhatIfReader

            self._read = seen
            self._reader = WhatIfReader(space.conversation, run.snapshot(), space.view.threshold, self._tokens)
        return self._reader

    def read_again(self) -> bool:
        """Takes in what has landed since; False where nothing has."""
        landed = self.run is not None and bool(self.run.less.take_dirty())
        if landed:
            self._reader = None
        return landed

    def start(self) -> str:
        """Scores what is left without those toggled off. Why it cannot be; empty where it can."""
        space, keys = self._space, self.toggled
        if space.phase in ("running", "loading"):
            return "a run is under way; x cancels it"
        whole, matrix = space.run, space.matrix
        if whole is None or matrix is None or matrix.reason is not None or BASELINE in whole.missing():
            return "the conversation as it is must be scored first; R does"
        if not keys:
            return "no memory is toggled off; o toggles one"
        blur = space.scorer.blur if space.scorer is not None else 0.0
        self._run = new_what_if(whole, keys, classic=bool(space.settings.compat), blur=blur)
        self._reader = self._tokens = self.cost = None
        self._fill(self._run)
        return ""

    def resume(self) -> bool:
        """Scores what is missing, whatever it costs; False where nothing is."""
        run = self.run
        if run is None or not self.can_resume:
            return False
        self._fill(run, agreed=True)
        return True

    def _fill(self, run: WhatIfRun, *, agreed: bool = False) -> None:
        space, settings = self._space, self._space.settings
        self.trouble = None

        def work(job: Job) -> tuple[Cost, int | None] | Estimate:
            whole = run.whole.conversation
            with space.engines.lease(settings) as scorer:
                if not agreed and (estimate := cost_to_ask(whole, scorer, settings, job, what_if_plan(run))):
                    return estimate
                cost = fill_what_if(run, scorer, job, workers=settings.workers)
                return cost, tokens_saved(run, scorer, job)

        def done(outcome: tuple[Cost, int | None] | Estimate) -> None:
            if isinstance(outcome, Estimate):
                space.tell(Change(what_if=True, ask=outcome, go_on=lambda: self._fill(run, agreed=True)))
                return
            self.cost, self._tokens = outcome
            self._reader = None
            space.tell(Change(what_if=True))

        def failed(error: MemscopeError) -> None:
            self.trouble = None if isinstance(error, Cancelled) else error
            self._reader = None
            space.tell(Change(what_if=True))

        space.background.start(GROUP, f"without {counted(len(run.removed), 'memory', 'memories')}", work, done, failed)
        space.tell(Change(what_if=True))


def toggle_memory(console: MemscopeApp, key: str | None) -> None:
    """Toggles a memory off, or on again, and says so."""
    if key is None:
        console.say("there is no memory under the cursor")
        return
    off = console.what_ifs.toggle(key)
    count = len(console.what_ifs.toggled)
    console.say(f"{key} is {'off' if off else 'on again'}{f' ({count} in all): O scores the rest' if count else ''}")


def show_what_if(console: MemscopeApp, key: str | None) -> None:
    """Shows what would be without those toggled off, which is scored unless it was; where none is, without the memory
    `key`, which is toggled off for that."""
    what_ifs = console.what_ifs
    if not what_ifs.toggled and key is not None:
        what_ifs.toggle(key)
    if what_ifs.run is not None and not what_ifs.stale and not what_ifs.can_resume:
        console.go(WHAT_IF)
    elif why := what_ifs.start():
        console.say(why)
    else:
        console.go(WHAT_IF)


def _same(before: Conversation | None, now: Conversation | None) -> bool:
    """Whether it is one conversation read again, as when a memory was marked in it."""
    return before is not None and now is not None and before.source is not None and before.source == now.source
