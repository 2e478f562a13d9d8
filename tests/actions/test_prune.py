"""The diff that takes pruned memories out of their files: a copy it is applied to is as meant, and no file changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from memscope.actions.memory_decisions import decide
from memscope.actions.open import Opened, Opening, opened
from memscope.actions.prune import UNKNOWN, diff_bytes, prune_document, write_diff
from memscope.base.errors import UsageError
from memscope.base.settings import resolve
from memscope.reports.prune import PruneDocument, removal_lines
from memscope.store.database import Database

LONG = "says enough to stand quite alone in a unit"
APPLY = ["patch", "-p1", "-s", "--no-backup-if-mismatch"] if shutil.which("patch") else ["git", "apply"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def talking(folder: Path, *memories: Path, told: tuple[tuple[str, str], ...] = (), split: object = None) -> Opened:
    """A conversation with the memories `told` in it, opened with memory files."""
    surfaced = [{"role": "system", "memory_key": key, "content": text} for key, text in told]
    messages = [*surfaced, {"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hi."}]
    talk = write(folder / "talk.json", json.dumps({"messages": messages}))
    opening = Opening(talk, memories=memories, split=split)  # type: ignore[arg-type]
    return opened(opening, resolve({"store": False}).settings)


def after(document: PruneDocument, copy: Path) -> dict[str, str]:
    """What the files below the document's folder are like once the diff is applied to a copy of them."""
    shutil.copytree(document.folder, copy)
    subprocess.run(APPLY, cwd=copy, input=diff_bytes(document), check=True, capture_output=True)
    names = [path for path in sorted(copy.rglob("*.md")) if path.is_file()]
    return {p.relative_to(copy).as_posix(): p.read_bytes().decode("utf-8", "surrogateescape") for p in names}


def pruned(database: Database, found: Opened, *keys: str) -> PruneDocument:
    decide(database, found.conversation, keys, "prune")
    source = found.opening.path
    before = {path: path.read_bytes() for path in source.parent.rglob("*") if path.is_file()}
    document = prune_document(found, database, folder=source.parent)
    assert {path: path.read_bytes() for path in source.parent.rglob("*") if path.is_file()} == before
    return document


@pytest.mark.parametrize(
    ("text", "keys", "left"),
    [
        (f"# A\n- one {LONG}\n- two {LONG}\n", ["CLAUDE.md#a/1"], f"# A\n- two {LONG}\n"),
        (f"# A\n- one {LONG}\n- two {LONG}\n", ["CLAUDE.md#a/1", "CLAUDE.md#a/2"], ""),
        (f"- one {LONG}\n- two {LONG}", ["CLAUDE.md#start/2"], f"- one {LONG}\n"),
        (f"- one {LONG}\n- two {LONG}", ["CLAUDE.md#start/1"], f"- two {LONG}"),
        (f"- one {LONG}\r\n  - its {LONG}\r\n- two {LONG}\r\n", ["CLAUDE.md#start/1"], f"- two {LONG}\r\n"),
        (f"\ufeff- one {LONG}\n- two {LONG}\n", ["CLAUDE.md#start/1"], f"\ufeff- two {LONG}\n"),
        (f"\ufeff# A\n- one {LONG}\n- two {LONG}\n", ["CLAUDE.md#a/1"], f"\ufeff# A\n- two {LONG}\n"),
        (f"- same {LONG}\n- same {LONG}\n- two {LONG}\n", ["CLAUDE.md#start/1"], f"- same {LONG}\n- two {LONG}\n"),
        (f"- one {LONG}\n\x0c\u2028\n- two {LONG}\n", ["CLAUDE.md#start/2"], f"- one {LONG}\n\x0c\u2028\n"),
        (f"---\nname: tea\n---\n{LONG}\n", ["tea"], ""),
    ],
)
def test_applied_it_leaves_the_rest_as_it_was(
    tmp_path: Path, database: Database, files: Path, text: str, keys: list[str], left: str
) -> None:
    found = talking(files, write(files / "CLAUDE.md", text))
    document = pruned(database, found, *keys)
    assert all(memory.in_diff for memory in document.memories)
    assert after(document, tmp_path / "copy").get("CLAUDE.md", "") == left


def test_several_memories_of_several_files_are_one_diff(tmp_path: Path, database: Database, files: Path) -> None:
    rows = [f"- number {n} {LONG}\n" for n in range(30)]
    one, two = write(files / "a b" / "CLAUDE.md", "".join(rows)), write(files / "MEMORY.md", "one\n§\ntwo\n§\none\n")
    found = talking(files, one, two)
    twice = next(memory.key for memory in found.conversation.memories if memory.key.startswith("one-"))
    document = pruned(database, found, "CLAUDE.md#start/1", "CLAUDE.md#start/2", "CLAUDE.md#start/20", twice)
    assert [(len(memory.files), memory.in_diff) for memory in document.memories] == [(1, True)] * 3 + [(2, True)]
    assert after(document, tmp_path / "copy") == {
        "a b/CLAUDE.md": "".join(row for n, row in enumerate(rows) if n not in (0, 1, 19)),
        "MEMORY.md": "two\n",
    }


def test_what_is_kept_pinned_or_called_harmful_stays(database: Database, files: Path) -> None:
    found = talking(files, write(files / "CLAUDE.md", "".join(f"- {n} {LONG}\n" for n in range(4))))
    keys = [memory.key for memory in found.conversation.memories]
    for key, verdict in zip(keys, ("keep", "pin", "harmful"), strict=False):
        decide(database, found.conversation, [key], verdict, note=f"{verdict} it")  # type: ignore[arg-type]
    document = prune_document(found, database)
    assert (document.diff, document.folder, removal_lines(document)) == ("", "", [])
    assert [(row.decision, row.note, row.in_diff, row.reason) for row in document.memories] == [
        (verdict, f"{verdict} it", False, None) for verdict in ("keep", "pin", "harmful")
    ]


def test_what_stands_in_no_known_file_is_a_removal(database: Database, files: Path) -> None:
    found = talking(files, told=(("tea", "--- a/CLAUDE.md\n+++ b/CLAUDE.md\x1b[2J"),))
    document = pruned(database, found, "tea")
    (row,) = document.removals
    assert (row.reason, row.files, row.found) == (UNKNOWN, [], "explicit in #0")
    said = removal_lines(document)
    assert said[0] == "# 1 memory to be removed by hand:"
    assert all(line.startswith("# ") and "\n" not in line and "\x1b" not in line for line in said)


def test_a_file_that_has_changed_since_is_left_out(database: Database, files: Path) -> None:
    claude, other = write(files / "CLAUDE.md", f"- {LONG}\n"), write(files / "OTHER.md", f"- other {LONG}\n")
    found = talking(files, claude, other)
    write(claude, f"- new\n- {LONG}\n")
    document = pruned(database, found, "CLAUDE.md#start/1", "OTHER.md#start/1")
    (row,) = document.removals
    assert row.key == "CLAUDE.md#start/1" and "has changed since it was read" in (row.reason or "")
    assert "OTHER.md" in document.diff and "CLAUDE.md" not in document.diff
    claude.unlink()
    (row,) = prune_document(found, database, folder=files).removals
    assert str(claude) in (row.reason or "")


def test_a_file_that_only_the_record_names_is_found_and_need_not_be_utf_8(
    tmp_path: Path, database: Database, files: Path
) -> None:
    claude = write(files / "CLAUDE.md", f"caf\udce9\n{LONG}\nand more\n")
    found = talking(files, told=((str(claude), f"{LONG}\nand more"),))
    document = pruned(database, found, str(claude))
    assert after(document, tmp_path / "copy")["CLAUDE.md"] == "caf\udce9\n"
    assert document.memories[0].files[0].lines == [(2, 3)]


def test_paths_are_below_the_folder_that_the_files_share(tmp_path: Path, database: Database, files: Path) -> None:
    one, two = write(files / "a" / "CLAUDE.md", f"- {LONG}\n"), write(files / "b" / "CLAUDE.md", f"- {LONG} too\n")
    found = talking(files, one, two)
    decide(database, found.conversation, [memory.key for memory in found.conversation.memories], "prune")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert prune_document(found, database, folder=files / "a").folder == str(files)
    document = prune_document(found, database, folder=elsewhere)
    assert document.folder == str(files)
    assert "--- a/b/CLAUDE.md\n" in document.diff


def test_a_link_is_followed_to_the_file(database: Database, files: Path) -> None:
    write(files / "real" / "AGENTS.md", f"- {LONG}\n")
    (files / "CLAUDE.md").symlink_to("real/AGENTS.md")
    document = pruned(database, talking(files, files / "CLAUDE.md"), "CLAUDE.md#start/1")
    assert "--- a/real/AGENTS.md\n" in document.diff


def test_it_is_written_byte_for_byte_but_never_over_what_it_is_about(database: Database, files: Path) -> None:
    claude = write(files / "CLAUDE.md", f"caf\udce9\r\n{LONG}")
    found = talking(files, told=((str(claude), LONG),))
    document = pruned(database, found, str(claude))
    written = write_diff(document, files / "prune.patch")
    assert written.read_bytes() == diff_bytes(document)
    assert b"caf\xe9\r\n" in written.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        write_diff(document, files / "prune.patch")
    (files / "link.md").symlink_to(claude)
    for path in (claude, files / "link.md", found.opening.path):
        with pytest.raises(UsageError, match="what the diff is about"):
            write_diff(document, path, overwrite=True)
