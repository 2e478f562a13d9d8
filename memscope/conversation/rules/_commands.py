"""Which memory files a shell command prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from posixpath import join, normpath

LONGEST_COMMAND = 20_000  # characters; a longer one carries a document, and writes it
_NAMES = frozenset({"MEMORY.md", "CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENTS.override.md", "GEMINI.md"})
_PRINTERS = frozenset("cat bat head tail less more sed nl tac awk type Get-Content gc".split())
_SEPARATORS = frozenset({";", ";;", "&", "&&", "|", "||", "|&", "(", ")", "\n"})


def is_memory_file(path: str) -> bool:
    """Whether agents keep memories under this path: by the file's name, or Markdown in a `memory` or `memories` folder.

    Names are told apart by case, for a `memory.md` is some project's page about memory.
    """
    *folders, name = re.split(r"[/\\]+", path.strip())
    if name in _NAMES:
        return True
    return "." in name and ("memories" in folders or ("memory" in folders and name.endswith(".md")))


def files_read(command: str) -> list[str]:
    """The memory files that `command` prints, in order; paths are joined to the folder it went to with `cd`.

    A command that prints other things beside is a read all the same: its output cannot be told apart.
    """
    if len(command) > LONGEST_COMMAND or (".md" not in command and "memories" not in command):
        return []
    folder = ""
    files: list[str] = []
    for words in _simple_commands(command):
        if words[0] == "cd" and len(words) > 1:
            folder = join(folder, words[1])
        elif words[0].rpartition("/")[2] in _PRINTERS and not _redirected(words) and "-i" not in words:
            paths = (join(folder, word) for word in words[1:] if not word.startswith("-"))
            files += [normpath(path) for path in paths if is_memory_file(path)]
    return files


def _simple_commands(command: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|()<>\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    try:
        for word in lexer:
            if word == "<<":  # what follows is a document, not a command
                break
            if word in _SEPARATORS or not word.strip("\n;&|()"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # an open quote: what came before it counts
        pass
    if words:
        yield words


def _redirected(words: list[str]) -> bool:
    """Whether the output goes to a file; `2>/dev/null` and `2>&1` leave it where it is."""
    for before, sign, target in zip(words, words[1:], [*words[2:], ""], strict=False):
        if sign in (">", ">>", ">|", "&>") and before != "2" and target != "/dev/null":
            return True
    return False
