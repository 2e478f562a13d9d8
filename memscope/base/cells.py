"""Text in the cells of a terminal, where a character may take two or none, cut to what there is room for."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def beginning(text: str, width: int) -> str:
    """`text` in at most `width` cells, its end cut off."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def ending(text: str, width: int) -> str:
    """The last of `text` that goes into `width` cells, without a sign where it was cut."""
    if cell_len(text) <= width:
        return text
    tail = ""
    for char in reversed(text):
        if cell_len(char + tail) > width:
            break
        tail = char + tail
    return tail


def middle(text: str, width: int) -> str:
    """`text` in at most `width` cells, cut in the middle: keys and paths differ at their ends."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    head = width // 3
    return set_cell_size(text, head) + "…" + ending(text, width - head - 1)
