"""The floors of the house, read from the imports: an import goes down, never up, and start-up stays light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import memscope

PACKAGE = Path(memscope.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. Rooms on one floor do not import each other.
FLOORS = (
    {"base"},
    {"conversation"},
    {"store"},
    {"clients"},
    {"engines"},
    {"attribution", "sessions", "promotion", "lessons", "insights", "triage"},
    {"reports"},
    {"actions"},
    {"tui"},
    {"cli"},
)
FLOOR_OF = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
ENTRANCE = {"", "__main__"}  # the package itself and what starts it

LIGHT = {"base", "conversation", "reports", "actions"}  # what the command line may use while it runs
NAMES = ("cli.opening", "engines.registry")  # which engines there are, for completion: this runs none
HEAVY = ("textual", "httpx", "numpy")


@dataclass(frozen=True, order=True)
class Import:
    """`module` imports `target`, both as dotted names below memscope; `typing`: for annotations alone."""

    module: str
    target: str
    typing: bool

    @property
    def rooms(self) -> tuple[str, str]:
        return self.module.partition(".")[0], self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"memscope.{self.module} imports memscope.{self.target}"


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST, typing: bool = False) -> Iterator[tuple[str, bool]]:
    """Every name imported below `node`, wherever it stands, and whether only for annotations."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((f"{child.module}.{alias.name}", typing) for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from imported(child, typing=True)
        else:
            yield from imported(child, typing)


@cache
def imports() -> frozenset[Import]:
    known = {name_of(path) for path in MODULES}
    found = set()
    for path in MODULES:
        for name, typing in imported(tree_of(path)):
            top, _, target = name.partition(".")
            if top == "memscope":
                whole = target if target in known else target.rpartition(".")[0]
                found.add(Import(name_of(path), whole, typing))
    return frozenset(found)


def listed(wrong: Iterator[Import]) -> str:
    return "\n".join(map(str, sorted(wrong)))


def test_every_room_has_a_floor() -> None:
    rooms = {name_of(path).partition(".")[0] for path in MODULES} - ENTRANCE - {"data"}

    assert rooms <= FLOOR_OF.keys()
    assert {"base", "conversation", "store", "engines", "attribution", "reports", "actions", "cli"} <= rooms


def test_imports_go_down_and_never_up() -> None:
    wrong = (i for i in imports() if i.module not in ENTRANCE and i.target and is_up(*i.rooms))

    assert not listed(wrong)


def is_up(room: str, target: str) -> bool:
    return room != target and FLOOR_OF[target] >= FLOOR_OF[room]


def test_only_actions_bring_store_engines_and_rooms_together() -> None:
    used: dict[str, set[str]] = {}
    for found in imports():
        room, target = found.rooms
        used.setdefault(room, {room}).add(target)

    assert {room for room, targets in used.items() if {"store", "engines", "attribution"} <= targets} == {"actions"}


def test_the_command_line_runs_nothing_but_actions() -> None:
    runs = (i for i in imports() if i.rooms[0] == "cli" and not i.typing and i.target)
    wrong = (i for i in runs if i.rooms[1] not in LIGHT | {"cli"} and (i.module, i.target) != NAMES)

    assert not listed(i for i in wrong if i.target != "tui.start")


def test_the_console_runs_nothing_but_actions() -> None:
    runs = (i for i in imports() if i.rooms[0] == "tui" and not i.typing and i.target)

    assert not listed(i for i in runs if i.rooms[1] not in LIGHT | {"tui"})


def test_only_the_console_knows_textual() -> None:
    for path in MODULES:
        tops = {name.partition(".")[0] for name, _ in imported(tree_of(path))}
        assert "textual" not in tops or name_of(path).startswith("tui"), path


def test_no_import_is_relative() -> None:
    assert not [p for p in MODULES for n in ast.walk(tree_of(p)) if isinstance(n, ast.ImportFrom) and n.level]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_and_is_read_in_minutes(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


_LOADED = """
import json, sys
from memscope.__main__ import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["matrix", "--help"], ["why", "--help"]], ids=" ".join
)
def test_asking_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], capture_output=True, encoding="utf-8", check=True, timeout=60
    )

    code, loaded = json.loads(done.stderr)
    assert code == 0
    assert done.stdout
    assert not set(HEAVY) & set(loaded)


def test_the_version_is_told_by_python_m_memscope() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "memscope", "--version"], capture_output=True, encoding="utf-8", check=True, timeout=60
    )

    assert done.stdout == f"memscope {memscope.__version__}\n"
