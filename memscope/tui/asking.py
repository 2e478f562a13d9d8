"""The dialogs that every pane can open, and what is done with their answers."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.settings import Resolved

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp
    from memscope.tui.pane import Exported, PaneScreen

_CLIPBOARDS = (("pbcopy",), ("wl-copy",), ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))
_LARGEST_COPY = 100_000  # characters that terminals take by OSC 52


def ask_threshold(console: MemscopeApp) -> None:
    """Asks for the smallest effect that counts."""
    from memscope.tui.dialogs.prompt import Prompt

    def check(text: str) -> str | None:
        try:
            return None if 0 <= float(text) < float("inf") else "a number of nats, 0 or more"
        except ValueError:
            return "a number of nats, such as 0.5"

    def chosen(text: str | None) -> None:
        if text is not None:
            console.workspace.look(threshold=float(text))

    now = f"{console.workspace.view.threshold:g}"
    hint = "nats; noise raises it for a response. Effects at or below do not count"
    console.push_screen(Prompt("Threshold", now, hint, check), chosen)


def show_help(console: MemscopeApp, pane: PaneScreen) -> None:
    """Help for what has the focus, and the pane it is in."""
    from memscope.tui.dialogs.help import Help

    focused = pane.focused
    words = [text for text in (getattr(focused, "HELP", None), pane.HELP) if isinstance(text, str) and text]
    console.push_screen(Help(pane.NAME, "\n\n".join(words), pane.active_bindings))


def show_settings(console: MemscopeApp) -> None:
    """The settings, where they came from, and changing them."""
    from memscope.tui.dialogs.settings import SettingsDialog

    def chosen(resolved: Resolved | None) -> None:
        if resolved is not None:
            console.resolved = resolved
            console.use(resolved.settings)

    console.push_screen(SettingsDialog(console.resolved), chosen)


def choose_engine(console: MemscopeApp) -> None:
    """The engines there are, whether they answer, and what a run with one would cost."""
    from memscope.actions.cost import cost_before
    from memscope.actions.engine import open_scorer
    from memscope.actions.engines import engine_choices
    from memscope.base.settings import Settings
    from memscope.tui.dialogs.engine import EnginePicker

    space = console.workspace

    def probe(settings: Settings) -> None:
        def look(job: Job) -> None:
            for choice in engine_choices(settings, job):
                console.call_soon(picker.answered, choice)

        space.background.start("probe", "asking the engines", look, lambda _: None, _ignore)

    def cost(settings: Settings) -> None:
        conversation = space.conversation
        if conversation is None:
            return

        def estimate(_job: Job) -> str:
            scorer = open_scorer(settings, space.kept.database)
            try:
                return cost_before(conversation, scorer).words()
            finally:
                scorer.close()

        space.background.start("cost", "estimating", estimate, picker.cost, lambda error: picker.cost(str(error)))

    def chosen(settings: Settings | None) -> None:
        space.background.drop("probe")
        space.background.drop("cost")
        if settings is not None:
            console.use(settings)

    picker = EnginePicker(space.settings, probe, cost)
    console.push_screen(picker, chosen)


def export(console: MemscopeApp, offered: list[Exported], name: str) -> None:
    """Writes what a pane shows to a file, in a thread; the picture is of the screen before the dialog."""
    from memscope.actions.export import write_document, write_text
    from memscope.base.text import slug
    from memscope.tui.dialogs.export import Export

    picture = console.export_screenshot(title=f"memscope {name}")
    conversation = console.workspace.conversation
    stem = f"memscope-{name.lower()}-{slug(conversation.title) if conversation else ''}".strip("-")
    forms = [(what.name, form) for what in offered for form in ("json", "csv")] + [("picture", "svg")]

    def chosen(answer: tuple[str, str, Path, bool] | None) -> None:
        if answer is None:
            return
        what, form, path, overwrite = answer

        def write(_job: Job) -> None:
            if form == "svg":
                write_text(path, picture, overwrite=overwrite)
                return
            source = next(one for one in offered if one.name == what)
            write_document(source.view, source.build(), path, "json" if form == "json" else "csv", overwrite=overwrite)

        console.workspace.background.start(
            "export", f"writing {path.name}", write, lambda _: console.say(f"written: {path}"), console.tell_error
        )

    console.push_screen(Export(forms, Path.cwd(), stem), chosen)


def copy_text(console: MemscopeApp, text: str) -> None:
    """To the clipboard: through the terminal (OSC 52), and by the machine's own program where there is one."""
    program = next((command for command in _CLIPBOARDS if shutil.which(command[0])), None)
    if len(text) <= _LARGEST_COPY:
        console.copy_to_clipboard(text)
    elif program is None:
        console.say(f"{len(text)} characters are too many for a terminal's clipboard: e writes them", "warning")
        return
    if program is not None:
        threading.Thread(target=_pipe, args=(program, text), name="copying", daemon=True).start()
    lines = text.count("\n") + 1
    console.say(f"copied: {lines} lines" if lines > 1 else f"copied: {text}")


def _pipe(command: tuple[str, ...], text: str) -> None:
    quiet, data = subprocess.DEVNULL, text.encode("utf-8", "replace")
    with suppress(OSError, subprocess.TimeoutExpired):  # the terminal may have taken it
        subprocess.run(command, input=data, stdout=quiet, stderr=quiet, timeout=5, check=False)


def _ignore(error: MemscopeError) -> None:
    assert isinstance(error, Cancelled | MemscopeError)
