"""The dialogs that every pane can open, and what is done with their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memscope.base.errors import MemscopeError
from memscope.base.job import Job
from memscope.base.settings import Resolved, Settings

if TYPE_CHECKING:
    from memscope.actions.cost import Estimate
    from memscope.tui.app import MemscopeApp
    from memscope.tui.pane import Exported, PaneScreen, Written


def ask_threshold(console: MemscopeApp) -> None:
    """Asks for the smallest effect that counts for the conversation."""
    hint = "nats; noise raises it for a response. Effects at or below do not count"
    ask_nats(console, console.workspace.view.threshold, hint, lambda nats: console.workspace.look(threshold=nats))


def ask_nats(console: MemscopeApp, now: float, hint: str, take: Callable[[float], object]) -> None:
    """Asks for a threshold."""
    from memscope.tui.dialogs.prompt import Prompt

    def check(text: str) -> str | None:
        try:
            return None if 0 <= float(text) < float("inf") else "a number of nats, 0 or more"
        except ValueError:
            return "a number of nats, such as 0.5"

    def chosen(text: str | None) -> None:
        if text is not None:
            take(float(text))

    console.push_screen(Prompt("Threshold", f"{now:g}", hint, check), chosen)


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
    from memscope.actions.engine import engine_name, open_scorer
    from memscope.actions.engines import engine_choices, names_to_choose
    from memscope.tui.dialogs.engine import EnginePicker

    space = console.workspace
    names = names_to_choose(space.settings)

    def probe(settings: Settings) -> None:
        def look(job: Job) -> None:
            for choice in engine_choices(settings, job):
                console.call_soon(picker.answered, choice)
            if settings.engine not in names:  # "auto"
                console.call_soon(picker.point, engine_name(settings, job))

        space.background.start("probe", "asking the engines", look, lambda _: None, _ignore)

    def cost(settings: Settings) -> None:
        conversation = space.conversation
        if conversation is None:
            return

        database = space.kept.database

        def estimate(job: Job) -> str:
            store = settings if database is not None else settings.model_copy(update={"store": False})
            scorer = open_scorer(store, database)
            try:
                return cost_before(conversation, scorer, job=job, workers=settings.workers).words()
            finally:
                scorer.close()

        space.background.start(
            "cost",
            "estimating",
            estimate,
            lambda words: picker.cost(words, settings),
            lambda error: picker.cost(str(error), settings),
        )

    def doctor(settings: Settings) -> None:
        show_doctor(console, settings)

    def chosen(settings: Settings | None) -> None:
        space.background.drop("probe")
        space.background.drop("cost")
        if settings is not None:
            console.use(settings)

    picker = EnginePicker(space.settings, names, probe, cost, doctor, scored=space.matrix is not None)
    console.push_screen(picker, chosen)


def show_doctor(console: MemscopeApp, settings: Settings) -> None:
    """Whether the numbers of the engine of these settings are right: its checks, as they are made."""
    from memscope.actions.doctor import examine
    from memscope.reports.doctor import check_row
    from memscope.tui.dialogs.doctor import Doctor

    background = console.workspace.background

    def look(job: Job) -> None:
        for check in examine(settings, job):
            console.call_soon(dialog.found, check_row(check))

    def closed(_: None) -> None:
        background.drop("doctor")

    dialog = Doctor(settings.engine, plain=settings.glyphs == "ascii")
    console.push_screen(dialog, closed)
    background.start("doctor", "checking the engine", look, lambda _: dialog.ended(), lambda e: dialog.ended(str(e)))


def ask_cost(
    console: MemscopeApp,
    estimate: Estimate,
    go_on: Callable[[], object],
    title: str = "Score this conversation?",
) -> None:
    """Whether a run that costs much is to begin, which `go_on` does."""
    from memscope.tui.dialogs.choice import Confirm

    space = console.workspace
    label = space.scorer.engine.capabilities.label if space.scorer is not None else "the engine"

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    limit = f"It is asked above {space.settings.ask_above:,} tokens, the setting ask_above."
    hint = f"{label}: {estimate.words()}. {limit}"
    console.push_screen(Confirm(title, "Score it", "Not now", hint=hint), answered)


def ask_sure(console: MemscopeApp, question: str, go_on: Callable[[], object]) -> None:
    """Whether something that was begun is to be given up, before `go_on` does."""
    from memscope.tui.dialogs.choice import Confirm

    def answered(yes: bool | None) -> None:
        if yes:
            go_on()

    hint = "What was scored of it stays on disk."
    console.push_screen(Confirm(question, "Drop it", "Keep it", hint=hint), answered)


def export(console: MemscopeApp, offered: Sequence[Exported | Written], name: str, subject: str) -> None:
    """Writes what the pane of a `name` shows of its `subject` to a file, in a thread; the picture is of the screen
    before the dialog."""
    from memscope.actions.export import write_document, write_text
    from memscope.base.text import slug
    from memscope.tui.dialogs.export import Export
    from memscope.tui.pane import Written

    picture = console.export_screenshot(title=f"memscope {name}")
    stem = f"memscope-{slug(name)}-{slug(subject)}".strip("-")
    told = [(what.name, form) for what in offered for form in getattr(what, "forms", ("json", "csv"))]
    forms = [*told, ("picture", "svg")]

    def chosen(answer: tuple[str, str, Path, bool] | None) -> None:
        if answer is None:
            return
        what, form, path, overwrite = answer

        def write(job: Job) -> str:
            if form == "svg":
                return f"written: {write_text(path, picture, overwrite=overwrite)}"
            source = next(one for one in offered if one.name == what)
            if isinstance(source, Written):
                return source.write(form, path, overwrite, job)
            kind: Literal["json", "csv"] = "json" if form == "json" else "csv"
            return f"written: {write_document(source.view, source.build(), path, kind, overwrite=overwrite)}"

        console.workspace.background.start("export", f"writing {path.name}", write, console.say, console.tell_error)

    console.push_screen(Export(forms, _working_folder(), stem), chosen)


def _working_folder() -> Path:
    """The current folder, or home where that has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def _ignore(error: MemscopeError) -> None:
    """The dialog has gone, or says it itself."""
