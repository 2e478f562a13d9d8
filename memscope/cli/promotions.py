"""Patterns on the command line: found and listed, or one of them made a skill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import Exit, StoreError, UsageError
from memscope.base.files import shown_path
from memscope.base.settings import CLASSIC
from memscope.base.text import preview
from memscope.cli.output import Console
from memscope.cli.store import store_of

if TYPE_CHECKING:
    from memscope.actions.promotions import Found, Store, Wanted
    from memscope.base.settings import Settings
    from memscope.cli.commands.promotions import PromotionsOptions, SearchOptions
    from memscope.reports.promotions import PromotionsDocument

_NAMED = 5  # files that are told by name
_REASON = 160  # characters of why one cannot be read
_PROMOTE = "`memscope promote SIGNATURE --show` prints the skill that one would make; without --show it is drafted."
_NOT_KEPT = "They are not kept in the store, from which `memscope promote` makes skills."
_STOPPED = "stopped while it was looked how stable they are, which is not known now; all else is"
_KINDS = {"requests": ("request",), "plans": ("plan",), "both": ("request", "plan")}


def print_promotions(options: PromotionsOptions, settings: Settings, console: Console) -> Exit:
    """Prints the candidates; what was left out, skipped or could not be read goes to standard error."""
    from memscope.actions.promotion_report import promotions_document
    from memscope.actions.promotion_standing import look
    from memscope.reports.promotions import PROMOTIONS, promotions_words

    with store_of(settings, console) as database:
        found = _found(wanted_of(options, options.paths, settings), settings, database, console)
        try:
            looked = look(found.patterns, skills_of(settings), database)
        except StoreError as error:
            console.note(f"what was decided of them is not known: {error}")
            looked = look(found.patterns, skills_of(settings), None)
        document = promotions_document(found, looked.standings)
        is_kept = database is not None and not found.trouble
    note_left(document, found.trouble, console)
    if not found.complete:
        console.note(_STOPPED)
    if console.form == "table" and document.candidates:
        console.heading(promotions_words(document))
        rows = document.candidates
        console.table([one for one in PROMOTIONS.columns(document) if any(map(one.text, rows))], rows)
    else:
        console.document(PROMOTIONS, document)
    if document.reason is not None:
        console.note(document.reason)
        return Exit.NOTHING
    if console.form == "table":
        console.text("", _PROMOTE if is_kept else _NOT_KEPT)
    return Exit.DONE if found.complete else Exit.INTERRUPTED


def _found(wanted: Wanted, settings: Settings, database: Store | None, console: Console) -> Found:
    """What is found; where somebody stops while it is looked how stable it is, it as it is."""
    early: list[Found] = []
    try:
        return search(wanted, settings, database, console, early.append)
    except KeyboardInterrupt:
        if not early:
            raise
        return early[0]


def wanted_of(options: SearchOptions, paths: tuple[Path, ...], settings: Settings) -> Wanted:
    """The same for the actions. Raises `UsageError` for what does not go together."""
    from memscope.actions.promotions import Wanted

    if options.compat == CLASSIC and options.method == "stable":
        do = "Leave --method away, or --compat."
        raise UsageError("classic mode has its own method, which is greedy", where="--method stable", do=do)
    return Wanted(
        inputs=paths,
        kinds=_KINDS[options.kinds],  # type: ignore[arg-type]
        method=options.method or "stable",
        threshold=options.threshold,
        min_occurrences=options.min_occurrences,
        min_sessions=options.min_sessions,
        classic=options.compat == CLASSIC,
        embed=options.embedder is not None,
        stability=getattr(options, "stability", None) is not False,
        skills=skills_of(settings),
        input_format=options.input_format,
    )


def search(
    wanted: Wanted,
    settings: Settings,
    database: Store | None,
    console: Console,
    show: Callable[[Found], object] = lambda found: None,
) -> Found:
    """Finds the patterns, with progress shown; what is sent to a server is told before it is. `show`: see `find`."""
    from memscope.actions.promotions import find

    with console.job() as job:
        return find(wanted, settings, database, job, show, sending=console.note)


def skills_of(settings: Settings) -> Path:
    """The folder of the skills."""
    return Path(settings.skills_folder)


def note_left(document: PromotionsDocument, trouble: str, console: Console) -> None:
    """What was not looked at, and why."""
    from memscope.reports.promotions import left_out_words, skipped_words

    if left := [*left_out_words(document.left_out), *skipped_words(document.skipped)]:
        console.note(f"left out: {', '.join(left)}")
    for one in document.unread[:_NAMED]:
        line = f":{one.line}" if one.line else ""
        console.note(f"{shown_path(Path(one.source))}{line}: {preview(one.error, _REASON)}")
    if len(document.unread) > _NAMED:
        console.note(f"and {len(document.unread) - _NAMED} more that could not be read; --json lists them")
    if trouble:
        console.note(f"not all of it could be kept: {trouble}")
