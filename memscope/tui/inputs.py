"""The files and folders that a pane about many sessions begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp


def first_inputs(console: MemscopeApp, kept: object) -> tuple[Path, ...]:
    """The folder that the console was opened for; else those that were `kept` of the time before, or the folder of the
    Sessions pane. None: the folders of the agents."""
    inputs: list[object] = []
    if console.folder is not None:
        inputs = [console.folder]
    elif isinstance(kept, list):
        inputs = kept
    elif folder := console.workspace.kept.state("sessions").get("folder"):
        inputs = [folder]
    return tuple(Path(one) for one in inputs if isinstance(one, str | Path))
