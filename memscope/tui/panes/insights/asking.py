"""What the Insights pane asks for: where to read, and leave to send."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.tui.panes.promotions.told import no_input
from memscope.tui.widgets.line_input import FileNames, expanded

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp


def ask_inputs(console: MemscopeApp, inputs: Sequence[Path], done: Callable[[tuple[Path, ...]], object]) -> None:
    """A folder or file to read; nothing: the folders of the agents."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(text: str | None) -> None:
        if text is not None:
            done((expanded(text.strip()).absolute(),) if text.strip() else ())

    hint = "a transcript, or a folder of them; nothing: the folders of the agents. → completes"
    before = os.fspath(inputs[0]) if inputs else ""
    console.push_screen(Prompt("Read what sessions teach in", before, hint, no_input, suggester=FileNames()), chosen)


def ask_sent(console: MemscopeApp, words: str, go_on: Callable[[], object]) -> None:
    """Whether the prompt may be sent to the chat model."""
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = f"{words}. This is asked once for the server and model. Esc leads back to the prompt, to read it first."
    console.push_screen(Confirm("Send this prompt to the chat model?", "Send it", "Not now", hint=hint), answered)
