"""Opening the console from the command line: what is checked first, and how it ends."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.engine import open_store
from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening, opened
from memscope.base.errors import Exit, StoreError
from memscope.base.settings import Resolved

if TYPE_CHECKING:
    from memscope.store.database import Database

_HEAD_START = 0.3  # seconds that a file has before the console opens without it


def open_console(resolved: Resolved, opening: Opening | None, folder: Path | None = None) -> Exit:
    """Runs the console until the person leaves it. `opening`: what to open; None offers recent conversations, or the
    sessions of a `folder`.

    The file is read while the console is still being imported. Raises what `opened` raises when that is known before
    the console stands, and `SettingsError` for keys or a theme that cannot be. A store that cannot be opened, and a
    file that takes longer, are told of in the console.
    """
    gc.disable()  # nothing that is imported now ever becomes garbage; the app turns it on again
    trouble: StoreError | None = None
    try:
        database = open_store(resolved.settings)
    except StoreError as error:
        database, trouble = None, error
    loading: Future[Opened] = Future()
    if opening is not None:
        load = partial(_load, loading, opening, resolved, database)
        threading.Thread(target=load, name="memscope load", daemon=True).start()
    from memscope.tui.app import MemscopeApp
    from memscope.tui.checks import check_settings

    kept = Kept(database)
    kept.trouble = trouble
    first: Opening | Opened | None = opening
    if opening is not None:
        with suppress(TimeoutError):
            first = loading.result(_HEAD_START)
    app = MemscopeApp(resolved, kept, first, loading.result, folder)
    check_settings(resolved.settings, app.available_themes)
    app.run()
    return Exit(app.return_code or 0)


def _load(loading: Future[Opened], opening: Opening, resolved: Resolved, database: Database | None) -> None:
    try:
        loading.set_result(opened(opening, resolved.settings, database))
    except BaseException as error:  # whoever asks for the result gets it
        loading.set_exception(error)
