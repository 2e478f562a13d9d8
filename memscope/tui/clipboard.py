"""The clipboard: through the terminal (OSC 52), and by the machine's own program where there is one."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp

_PROGRAMS = (("pbcopy",), ("wl-copy",), ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))
_LARGEST = 100_000  # characters that terminals take by OSC 52


def copy_text(console: MemscopeApp, text: str) -> None:
    """Copies a text as it is in the source, and says so."""
    text = text.encode("utf-8", "replace").decode()  # half of a character pair is no text for any clipboard
    program = next((command for command in _PROGRAMS if shutil.which(command[0])), None)
    if len(text) <= _LARGEST:
        console.copy_to_clipboard(text)
    elif program is None:
        console.say(f"{len(text)} characters are too many for a terminal's clipboard: e writes them", "warning")
        return
    if program is not None:
        threading.Thread(target=_pipe, args=(program, text), name="copying", daemon=True).start()
    lines = text.count("\n") + 1
    console.say(f"copied: {lines} lines" if lines > 1 else f"copied: {text}")


def _pipe(command: tuple[str, ...], text: str) -> None:
    quiet, data = subprocess.DEVNULL, text.encode()
    with suppress(OSError, subprocess.TimeoutExpired):  # the terminal may have taken it
        subprocess.run(command, input=data, stdout=quiet, stderr=quiet, timeout=5, check=False)
