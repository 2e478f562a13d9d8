"""Choosing what scores: the engines there are, whether they answer, what they can do, and what a run would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantBlur
from textual.suggester import SuggestFromList
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.errors import SettingsError
from memscope.base.settings import Settings, with_values
from memscope.base.text import clean, clean_line
from memscope.tui.dialogs.choice import Choice, Confirm
from memscope.tui.dialogs.dialog import CLOSING, TAKE, Dialog, said
from memscope.tui.keys import key
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from memscope.actions.engines import EngineChoice

_PATIENCE = 0.15  # seconds that the cursor rests on an engine before its cost is asked for
_LISTED = 8  # models
_ADDRESS, _MODEL = "base-url", "model"
_NEEDS = {
    "address": "needs an address",
    "server": "needs another server",
    "model": "needs a model",
    "package": "needs a package",
}
_ASKED = {
    "address": "A server scores with it. Its address: Tab.",
    "model": "It opens a model in this process. Its folder, file or name: Tab.",
}
_SILENT = "does not answer"
_NO_ADDRESS = "not set; such as http://127.0.0.1:8000"


class EnginePicker(Dialog[Settings | None]):
    """The answer is the settings with the engine, address and model that were chosen. `names`: the engines there are.

    `probe` asks every engine how it is, with the settings given, and calls `answered` for each; `cost` finds out what a
    run would take and calls `cost`, with the settings it was asked for; `doctor` tries whether the engine's numbers are
    right, and says so by itself. All return at once. `scored`: there is a
    matrix, which an engine that does not answer takes away only after a question.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        TAKE,
        key("dialog.doctor", "d", "doctor", "Doctor", "Try whether this engine's numbers are right"),
    ]

    DEFAULT_CSS = """
    EnginePicker {
        & > #dialog { width: 96; }
        & Horizontal { height: 1; }
        & Horizontal .label { width: 12; }
        & LineInput { width: 1fr; }
        & .words { height: auto; max-height: 10; }
        & #cost { color: $text; }
    }
    """

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str],
        probe: Callable[[Settings], None],
        cost: Callable[[Settings], None],
        doctor: Callable[[Settings], None],
        *,
        scored: bool = False,
    ) -> None:
        super().__init__("Engine")
        self._scored = scored
        self._settings = settings
        self._probe = probe
        self._ask_cost = cost
        self._ask_doctor = doctor
        self._names = list(names)
        self._known: dict[str, EngineChoice] = {}
        self._asked = settings
        self._waiting: Timer | None = None
        self._costing: Settings | None = None  # what the cost was asked of; None: of nothing that is shown now

    def body(self) -> Iterable[Widget]:
        yield Listing([self._line(name) for name in self._names])
        yield said("", id="about")
        with Horizontal(id="server"):
            yield said("address", classes="label")
            yield LineInput(self._settings.base_url, placeholder=_NO_ADDRESS, id=_ADDRESS)
        with Horizontal(id="served"):
            yield said("model", classes="label")
            yield LineInput(self._settings.model, placeholder="the one it serves", id=_MODEL)
        yield said("", id="cost")
        yield said("", classes="trouble")

    def on_mount(self) -> None:
        self._probe(self._settings)
        self._look()

    # What is told.

    def answered(self, choice: EngineChoice) -> None:
        """An engine has answered, or could not."""
        if not self.is_attached or (choice.url and choice.url != self._asked.base_url):
            return  # the dialog is closed, or another address has been asked since
        self._known[choice.name] = choice
        with CLOSING:
            self.query_one(Listing).show([self._line(name) for name in self._names])
            if choice.name == self._here:
                self._look()

    def point(self, name: str) -> None:
        """Puts the cursor on an engine, unless a person has moved it."""
        if self.is_attached and name in self._names:
            with CLOSING:
                listing = self.query_one(Listing)
                if not listing.cursor:
                    listing.move_to(self._names.index(name))

    def cost(self, text: str, of: Settings | None = None) -> None:
        """What a run with the settings `of` would take. None: those asked last. What is no longer asked is passed
        over: the cursor has moved on, or something else was typed."""
        if self._costing is not None and of in (None, self._costing):
            self._show_cost(text)

    # What is shown.

    @property
    def _here(self) -> str:
        return self._names[self.query_one(Listing).cursor]

    def _line(self, name: str) -> Line:
        choice = self._known.get(name)
        if choice is None:
            return Line((name, "asking …"))
        if choice.answers:
            return Line((name, "answers"))
        return Line((name, _NEEDS.get(choice.lacks, _SILENT)))

    def _look(self) -> None:
        """Shows what is known of the engine under the cursor, and has its cost found out soon."""
        choice = self._known.get(self._here)
        here = choice is not None and not choice.served
        self.query_one(f"#{_ADDRESS}").disabled = here
        self.query_one(f"#{_MODEL}").disabled = here and choice is not None and not choice.opens
        self.query_one("#about", Static).update(Content(clean(_about(choice))))
        self.query_one(f"#{_MODEL}", LineInput).suggester = SuggestFromList(
            [model for model in (choice.models if choice else ()) if clean_line(model) == model]
        )
        self._costing = None
        self._show_cost("")
        if self._waiting is not None:
            self._waiting.stop()
        if choice is not None and choice.answers:
            self._waiting = self.set_timer(_PATIENCE, self._find_cost)

    def _find_cost(self) -> None:
        with CLOSING:
            settings = self._wanted()
            if settings is not None:
                self._costing = settings
                self._ask_cost(settings)

    def _show_cost(self, text: str) -> None:
        if self.is_attached:
            with CLOSING:
                self.query_one("#cost", Static).update(Content(clean(text)))

    def _wanted(self) -> Settings | None:
        """The settings as they are chosen now; None when they cannot be, which is said."""
        address = self.query_one(f"#{_ADDRESS}", LineInput).value.strip()
        model = self.query_one(f"#{_MODEL}", LineInput).value.strip()
        choice = self._known.get(self._here)
        if choice is not None and not choice.served and _trouble(address):
            address = self._settings.base_url  # it needs none, and the field cannot be mended here
        try:
            settings = with_values(self._settings, engine=self._here, base_url=address, model=model)
        except SettingsError as error:
            self._say(str(error))
            return None
        trouble = _trouble(settings.base_url) if settings.base_url != self._settings.base_url else ""
        self._say(trouble)
        return None if trouble else settings

    def _say(self, words: str) -> None:
        self.query_one(".trouble", Static).update(Content(clean(words)))

    # What a person does.

    def on_line_scroll_moved(self, _: LineScroll.Moved) -> None:
        self._look()

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        if event.widget.id == _ADDRESS:
            self._ask_again()
        elif event.widget.id == _MODEL:
            self._look()

    def _ask_again(self) -> bool:
        """Asks the engines at the address that was typed; False when that is the one that was asked."""
        settings = self._wanted()
        if settings is None or settings.base_url == self._asked.base_url:
            return False
        self._asked = settings
        self._known.clear()
        self.query_one(Listing).show([self._line(name) for name in self._names])
        self._look()
        self._probe(settings)
        return True

    def action_deeper(self) -> None:
        if self._ask_again():
            self.query_one(Listing).focus()  # whether it answers is worth seeing before a run begins
            return
        settings, choice = self._wanted(), self._known.get(self._here)
        if settings is None:
            return
        if choice is not None and not choice.answers and not (choice.lacks == "model" and settings.model):
            self._take_silent(settings, choice)
        elif choice is not None and len(choice.models) > 1 and not settings.model:
            self.app.push_screen(Choice("Model", choice.models), self._take_model)
        else:
            self.dismiss(settings)

    def _take_silent(self, settings: Settings, choice: EngineChoice) -> None:
        """An engine that cannot score: only where nothing is lost by it, or a person says so."""
        if choice.lacks == "address":
            self._say(f"{clean_line(choice.name)} needs an address: type it, and Enter asks whether it answers.")
            self.query_one(f"#{_ADDRESS}").focus()
        elif choice.lacks == "model":
            self._say(f"{clean_line(choice.name)} needs a model: type its folder, file or name.")
            self.query_one(f"#{_MODEL}").focus()
        elif trouble := _trouble(settings.base_url):
            self._say(trouble)
        elif self._scored and settings != self._settings:
            question = f"{clean_line(choice.name)} {_NEEDS.get(choice.lacks, _SILENT)}. Use it anyway?"
            reason = f"{choice.reason} The matrix that is there goes."

            def sure(yes: bool | None) -> None:
                if yes:
                    self.dismiss(settings)

            self.app.push_screen(
                Confirm(question, "Use it, and let the matrix go", "Choose another", hint=reason), sure
            )
        else:
            self.dismiss(settings)

    def action_doctor(self) -> None:
        settings = self._wanted()
        if settings is not None:
            self._ask_doctor(settings)

    def _take_model(self, number: int | None) -> None:
        choice = self._known.get(self._here)
        if number is not None and choice is not None:
            self.dismiss(with_values(self._settings, **self._chosen_with(choice.models[number])))

    def _chosen_with(self, model: str) -> dict[str, object]:
        address = self.query_one(f"#{_ADDRESS}", LineInput).value.strip()
        return {"engine": self._here, "base_url": address, "model": model}


def _trouble(address: str) -> str:
    """Why an address that was typed cannot be asked; empty where it can."""
    try:
        parts = urlsplit(address)
        if not address or (parts.scheme in ("http", "https") and parts.hostname):
            return ""
    except ValueError:
        pass
    return f"{address!r} is no http or https address; it looks like http://127.0.0.1:8000/v1."


def _about(choice: EngineChoice | None) -> str:
    if choice is None:
        return "asking …"
    if not choice.answers:
        return _ASKED.get(choice.lacks, choice.reason)
    summary = choice.summary.rstrip(".")
    said_of_it = [f"{summary[:1].upper()}{summary[1:]}."] if summary else []
    if choice.capabilities is not None:
        tokens = "whole responses and their tokens: heat, words" if choice.capabilities.tokens else "whole responses"
        said_of_it.append(f"It scores {tokens}.")
        said_of_it.append(choice.capabilities.limits)
    if choice.models:
        more = f" and {len(choice.models) - _LISTED} more" if len(choice.models) > _LISTED else ""
        said_of_it.append(f"Models: {', '.join(map(clean_line, choice.models[:_LISTED]))}{more}.")
    return " ".join(filter(None, said_of_it))
