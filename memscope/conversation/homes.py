"""Where agents keep what is theirs: their sessions, and the memories that go with every one of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """An agent's own folder: `folder` (`~` for the person's home), unless the environment's `variable` moves it.

    `sessions` are the folders of its transcripts, `memories` the files and folders of its memories, both below it.
    """

    folder: str
    variable: str
    sessions: tuple[str, ...]
    memories: tuple[str, ...]

    @property
    def path(self) -> Path | None:
        """The folder, which need not exist; None where there is no knowing."""
        try:
            return Path(os.environ.get(self.variable) or self.folder).expanduser()
        except RuntimeError:  # nobody's home
            return None

    @property
    def session_folders(self) -> tuple[Path, ...]:
        """Where the ranking of sessions and the console look for transcripts."""
        return self._below(self.sessions)

    @property
    def memory_paths(self) -> tuple[Path, ...]:
        return self._below(self.memories)

    def _below(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        path = self.path
        return tuple(path / name for name in names) if path is not None else ()
