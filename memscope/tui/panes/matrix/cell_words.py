"""The words that carry one cell, looked up in the background once the cursor has come to rest on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.actions.heat import token_heat
from memscope.conversation.ablation import Ablation
from memscope.reports.cell import CellDetail
from memscope.reports.heatmap import Cell, HeatmapReader
from memscope.tui.workspace import Workspace

if TYPE_CHECKING:
    from memscope.attribution.tokens import Heat
    from memscope.base.errors import MemscopeError
    from memscope.base.job import Job


class CellWords:
    """Keeps the words of one cell, the latest that was asked for; `found` is called when they are there."""

    def __init__(self, workspace: Workspace, found: Callable[[], None]) -> None:
        self._workspace = workspace
        self._found = found
        self._kept: tuple[Cell, Heat] | None = None

    def of(self, cell: Cell) -> Heat | None:
        """The heat of a cell, if it is known."""
        return self._kept[1] if self._kept is not None and self._kept[0] == cell else None

    def forget(self, rows: frozenset[int] | None = None) -> None:
        """The effects of these rows are others now; None: of all."""
        if self._kept is not None and (rows is None or self._kept[0][0] in rows):
            self._kept = None

    def ask(self, cell: Cell, detail: CellDetail, reader: HeatmapReader) -> None:
        """Looks up the words of a cell that is told in `detail`, where it has any: its effect is measured and counts,
        and the engine knows tokens."""
        space = self._workspace
        run, scorer, engines = space.run, space.scorer, space.engines
        if run is None or scorer is None or not scorer.engine.capabilities.tokens:
            return
        if detail.state != "ok" or not detail.counts or self.of(cell) is not None:
            return
        single, workers = Ablation.of(detail.key), space.settings.workers

        def work(job: Job) -> Heat | None:
            with engines.borrow() as scorer:
                if scorer is None:
                    return None
                return token_heat(run, cell[1], (single,), scorer, job, workers=workers).get(single)

        def done(heat: Heat | None) -> None:
            if heat is not None and space.run is run and space.conversation is reader.conversation:
                self._kept = cell, heat
                self._found()

        def failed(error: MemscopeError) -> None:
            """The cell is told without its words."""

        space.background.start("cell", "reading the words of a cell", work, done, failed)
