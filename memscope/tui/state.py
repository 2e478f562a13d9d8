"""The state of a run in a line: how large, how far, what it took, what failed, and how noisy it is."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from memscope.base.text import counted
from memscope.reports.failures import failed_cells
from memscope.reports.noise import noise_part, noise_remark

if TYPE_CHECKING:
    from memscope.attribution.matrix import Matrix
    from memscope.tui.workspace import Workspace


def state_words(space: Workspace) -> str:
    """The state of the run for a status line."""
    run, conversation, matrix = space.run, space.conversation, space.matrix
    if space.phase == "empty" or conversation is None:
        return "nothing is open" if space.phase == "empty" else ""
    if run is not None and run.reason:
        return run.reason
    memories, responses = len(conversation.memories), len(conversation.responses)
    said = [f"{counted(memories, 'memory', 'memories')} x {counted(responses, 'response')}", _so_far(space)]
    if run is not None and matrix is not None and space.phase != "running":
        if failed := len(run.failed()):
            why = Counter(matrix.errors.values()).most_common(1)
            said.append(f"{failed} failed, R tries again{': ' + why[0][0] if why else ''}")
        said += _told_of(matrix, space.view.threshold)
    return " · ".join(filter(None, said))


def _so_far(space: Workspace) -> str:
    if space.phase == "cancelled":
        return "cancelled; R goes on"
    if space.phase == "idle":
        return "not scored: E shows the cost, R scores" if space.asked is not None else "not scored"
    if space.phase == "done" and space.cost is not None:
        kept = f", {space.cost.from_store} from disk" if space.cost.from_store else ""
        return f"{counted(space.cost.scorings, 'scoring')}{kept}, {space.cost.seconds:.1f} s"
    return ""


@lru_cache(maxsize=1)  # asked for twenty times a second, and a large matrix takes a moment
def _told_of(matrix: Matrix, threshold: float) -> tuple[str, ...]:
    """What is to be said of a matrix as a whole: its cells that failed alone, and its noise."""
    return failed_cells(matrix), noise_remark(noise_part(matrix, threshold))
