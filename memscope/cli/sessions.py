"""Sessions on the command line: scanned, ranked, and printed in one of four forms, or written to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memscope.base.errors import Exit, UsageError
from memscope.base.files import shown_path
from memscope.base.settings import resolve
from memscope.base.text import clean_line, counted, json_text, preview
from memscope.cli.output import Console
from memscope.conversation.unreadable import why

if TYPE_CHECKING:
    from memscope.actions.list_sessions import Listed, Wanted
    from memscope.sessions.ranked import RankedSession

ListForm = Literal["table", "json", "csv", "paths"]

_NAMED = 3  # files that are told by name
_REASON = 100  # characters of why one cannot be read
_BEFORE = 40  # characters of an expression that are shown before what is wrong with it


def print_sessions(wanted: Wanted, console: Console, form: ListForm, output: Path | None) -> Exit:
    """Prints the sessions that are wanted, or writes them to `output`, as JSON in any case. What could not be read goes
    to standard error."""
    from memscope.reports.sessions import SESSIONS, sessions_document

    output = _place_of(output)
    listed = _listed(wanted, console)
    if listed is None:
        return Exit.NOTHING
    if listed.trouble:
        console.note(f"what was read could not all be kept, and is read again next time: {listed.trouble}")
    _note_errors(listed, console, but=listed.chosen if form == "table" and output is None else ())
    if output is not None:
        document = sessions_document(listed.chosen, listed.at)
        sessions = sum(row.facts is not None for row in listed.chosen)
        unread = len(listed.chosen) - sessions
        more = f" and {counted(unread, 'file')} without one" if unread else ""
        _written(document.model_dump(mode="json"), counted(sessions, "session") + more, output, console)
    elif form == "table":
        _print_table(listed, console)
    elif form == "paths":
        _print_paths(listed, console)
    else:
        console.form = form
        console.document(SESSIONS, sessions_document(listed.chosen, listed.at))
    return _ended(listed, console)


def _listed(wanted: Wanted, console: Console) -> Listed | None:
    """None where there is no folder to look into, which is told."""
    from memscope.actions.list_sessions import list_sessions
    from memscope.actions.sessions import BadFilter, looked_for

    try:
        with console.job() as job:
            listed = list_sessions(wanted, resolve().settings, job)
    except BadFilter as error:
        _point_at(wanted.filter, error.start, error.end, console)
        raise
    if not listed.folders:
        console.note("no agent has left sessions here, and the setting session_folders names none; looked for:")
        for folder in looked_for():
            console.note(f"  {shown_path(folder)}")
        return None
    return listed


def _point_at(text: str, start: int, end: int, console: Console) -> None:
    """The expression, or what a line holds of it, and below it a sign under what is wrong."""
    from rich.cells import cell_len

    from memscope.base.text import clean_line

    before, wrong, behind = clean_line(text[:start]), clean_line(text[start:end]), clean_line(text[end:])
    if cell_len(before) > _BEFORE:
        before = f"… {before[-_BEFORE:]}"
    console.note(before + wrong + behind)
    console.note(" " * cell_len(before) + "^" * max(1, cell_len(wrong)))


def _note_errors(listed: Listed, console: Console, but: Sequence[RankedSession]) -> None:
    """Files that could not be read, but those that are listed themselves, or were asked for."""
    listed_too = {row.path for row in but if row.facts is None}
    wrong = {row.path: row.error for row in listed.rows if row.error and row.path not in listed_too}
    if not wrong or listed.errors_wanted:
        return
    more = "more " if listed_too else ""
    console.note(f"{len(wrong)} {more}{'file' if len(wrong) == 1 else 'files'} could not be read:")
    for path in list(wrong)[:_NAMED]:
        console.note(f"  {shown_path(Path(path))}: {preview(wrong[path], _REASON)}")
    if len(wrong) > _NAMED:
        console.note(f"  and {len(wrong) - _NAMED} more; --filter error=yes lists them")


def _print_table(listed: Listed, console: Console) -> None:
    """How many there are, the table, the files without a session in whole, and what is left out; of a session alone,
    what its score rests on."""
    from memscope.cli.tables import fitted
    from memscope.reports.session_parts import told
    from memscope.reports.sessions import LEGEND, session_columns, sessions_words

    if not listed.chosen:
        return
    console.heading(sessions_words(listed.rows))
    errors = [row for row in listed.chosen if row.facts is None]
    below = []
    if len(errors) < len(listed.chosen):
        screen = console.screen()
        table = fitted(session_columns(), listed.chosen, screen.width)
        screen.print(table)
        if "R L U O T" in table.titles:
            below.append(LEGEND)
        if errors:
            console.text("")
    console.text(*(clean_line(f"{shown_path(Path(row.path))}: {row.error}") for row in errors))
    if more := listed.fitting - len(listed.chosen):
        below.append(f"and {more} more: --count or --top-percent lists them")
    if len(listed.chosen) == 1 and listed.chosen[0].facts is not None:
        lines = [line for line in told(listed.chosen[0], listed.at) if line.label]
        wide = max(len(line.label) for line in lines)
        below += [f"{line.label:<{wide}}  {line.text}" for line in lines]
    if below:
        console.text("", *below)


def _print_paths(listed: Listed, console: Console) -> None:
    """Files in their order, each once. One whose name holds a newline would be read as two."""
    rows = [row for row in listed.chosen if row.facts is not None or listed.errors_wanted]
    paths = [*dict.fromkeys(row.path for row in rows)]
    for path in paths:
        if "\n" in path:
            console.note(f"left out, for its name holds a newline: {path}")
    _paths([path for path in paths if "\n" not in path], console)


def _paths(paths: Sequence[str], console: Console) -> None:
    """As their bytes, whatever these are."""
    console.bytes(b"".join(os.fsencode(path) + b"\n" for path in paths))


def _written(value: object, what: str, path: Path, console: Console) -> None:
    from memscope.actions.export import write_text

    write_text(path, json_text(value) + "\n", overwrite=True)
    console.note(f"{what} written to {path}")


def _place_of(output: Path | None) -> Path | None:
    """Where to write to, looked at before long work: a file that is there is replaced if it is such a list, or empty.
    Raises `UsageError`."""
    from memscope.actions.export import free_place

    if output is None:
        return None
    place = free_place(output, overwrite=True)
    if not _is_replaceable(place):
        do = "Choose another name: only such a list, or an empty file, is replaced."
        raise UsageError("this is no list of sessions", where=output, do=do)
    return place


def _is_replaceable(path: Path) -> bool:
    from memscope.actions.list_sessions import read_list

    try:
        with path.open("rb") as file:
            start = file.read(1)
            return start in (b"", b"[") and (not start or read_list(start + file.read()) is not None)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise UsageError(f"this may not be replaced unseen ({why(error)})", where=path) from error


def _ended(listed: Listed, console: Console) -> Exit:
    """Whether a session was found; why not."""
    if any(row.facts is not None or listed.errors_wanted for row in listed.chosen):
        return Exit.DONE
    if any(row.facts is not None for row in listed.rows):
        words = f"; words looked for: {', '.join(map(repr, listed.words))}" if listed.words else ""
        console.note(f"no session is as asked for{words}")
    else:
        console.note(f"no session in {', '.join(map(str, listed.folders))}")
    return Exit.NOTHING


def print_classic(wanted: Wanted, folder: Path, console: Console, form: ListForm, output: Path | None) -> Exit:
    """As the first sampler answered."""
    from memscope.actions.list_sessions import classic_list
    from memscope.reports.sessions_classic import classic_lines, classic_rows

    output = _place_of(output)
    found = classic_list(wanted, folder)
    if output is not None:
        _written(classic_rows(found), counted(len(found), "session"), output, console)
    elif form == "json":
        console.json(classic_rows(found))
    elif form == "paths":
        _paths([one.path for one in found], console)
    else:
        console.text(*classic_lines(found))
    if not found:
        console.note("no session is as asked for")
    return Exit.DONE if found else Exit.NOTHING
