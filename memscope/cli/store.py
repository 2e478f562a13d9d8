"""The store, for commands that work without one too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from memscope.base.errors import StoreError
from memscope.cli.output import Console

if TYPE_CHECKING:
    from memscope.actions.promotions import Store
    from memscope.base.settings import Settings


@contextmanager
def store_of(settings: Settings, console: Console) -> Iterator[Store | None]:
    """The store; none where it is off, or cannot be used, which is told."""
    from memscope.actions.engine import open_store

    try:
        database = open_store(settings)
    except StoreError as error:
        console.note(f"nothing is kept: {error}")
        database = None
    if database is None:
        yield None
        return
    with closing(database):
        yield database
