"""Every key that means the same in all panes, defined once.

A pane never gives one of these keys another meaning; its own keys come from the rest (`tests/tui/test_keys.py` walks
all bindings). Each binding has an id, so that the `[keys]` table of the settings file can move it. Nothing hides behind
ctrl or alt alone: those chords collide with tmux, terminals and editors.
"""

from __future__ import annotations

from textual.binding import Binding


def key(name: str, keys: str, action: str, words: str, tip: str = "", *, show: bool = True) -> Binding:
    """A binding with the id `name`. `words` stand in the key line (at most two), `tip` in the help."""
    return Binding(keys, action, words, show=show, id=name, tooltip=tip or words)


MOVES: list[Binding] = [
    key("move.up", "up,k", "up", "Up", "One row up", show=False),
    key("move.down", "down,j", "down", "Down", "One row down", show=False),
    key("move.left", "left,h", "left", "Left", "One to the left", show=False),
    key("move.right", "right,l", "right", "Right", "One to the right", show=False),
    key("move.top", "g", "top", "Top", "The first row", show=False),
    key("move.bottom", "G", "bottom", "Bottom", "The last row", show=False),
    key("move.first", "home", "first", "First", "The first of the row, or of all", show=False),
    key("move.last", "end", "last", "Last", "The last of the row, or of all", show=False),
    key("move.page_up", "pageup", "page_up", "Page up", "A page up", show=False),
    key("move.page_down", "pagedown", "page_down", "Page down", "A page down", show=False),
]
"""What moves a cursor; bound by `widgets.lines.LineScroll`."""

GLOBAL: list[Binding] = [
    key("deeper", "enter", "deeper", "Open", "Deeper: what the cursor is on"),
    key("back", "escape", "back", "Back", "Back to where you were; closes what is open", show=False),
    key("find", "slash", "find", "Find", "Find or filter here"),
    key("find.next", "n", "find_next", "Next", "The next find", show=False),
    key("find.previous", "N", "find_previous", "Previous", "The previous find", show=False),
    key("sort", "s", "sort", "Sort", "Sort by the next order"),
    key("mark", "space", "mark", "Mark", "Mark or select"),
    key("undo", "u", "undo", "Undo", "Undo the last decision", show=False),
    key("export", "e", "export", "Export", "Write the view to a file: JSON, CSV, SVG"),
    key("copy", "y", "copy", "Copy", "Copy what the cursor is on"),
    key("cancel", "x", "cancel", "Cancel", "Cancel what runs; what is done stays"),
    key("engine", "E", "engine", "Engine", "Choose the engine"),
    key("settings", "comma", "settings", "Settings", "See and change the settings", show=False),
    key("help", "question_mark", "help", "Help", "Help for what has the focus"),
    key("palette", "colon,ctrl+p", "palette", "Commands", "All commands by name", show=False),
    key("quit", "q,ctrl+q", "quit", "Quit", "Quit; a run goes on the next time"),
    *(key(f"pane.{n}", str(n), f"pane({n})", f"Pane {n}", show=False) for n in range(1, 10)),
]
"""What a pane answers, where it has an answer; bound by `pane.PaneScreen`."""
