"""Where agents keep what is theirs: their sessions, and the memories that go with every one of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """An agent's own folder: `folder` (`~` for the person's home), unless the environment's `variable` moves it.

    `sessions` are the folders of its transcripts, `memories` the files and folders of its memories, both below it; a
    `*` in them stands for whatever folders are there. `others` are homes of agents that write the same transcripts.
    """

    folder: str
    variable: str
    sessions: tuple[str, ...]
    memories: tuple[str, ...]
    others: tuple[Home, ...] = ()

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
        return (*self._below(self.sessions), *(path for home in self.others for path in home.session_folders))

    @property
    def memory_paths(self) -> tuple[Path, ...]:
        return (*self._below(self.memories), *(path for home in self.others for path in home.memory_paths))

    def _below(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        path = self.path
        return tuple(place for name in names for place in _places(path, name)) if path is not None else ()


def _places(folder: Path, name: str) -> list[Path]:
    """What `name` stands for below `folder`; itself, where a `*` in it stands for nothing."""
    found: list[Path] = []
    if "*" in name:
        try:
            found = sorted(folder.glob(name))
        except (OSError, ValueError):
            found = []
    return found or [folder / name]
