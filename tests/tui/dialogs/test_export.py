"""Where a view is written: names that are free, endings that follow the form, and nothing replaced unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.export import Export
from memscope.tui.widgets.line_input import LineInput
from tests.tui.dialogs._ask import OPEN, ask

FORMS = [("matrix", "json"), ("matrix", "csv"), ("response", "json"), ("picture", "svg")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_enter_writes_the_first_form_to_a_free_name(folder: Path) -> None:
    (folder / "memscope-matrix.json").touch()
    assert await ask(Export(FORMS, folder, "memscope-matrix"), "enter") == (
        "matrix",
        "json",
        Path("memscope-matrix-2.json"),
        False,
    )


@pytest.mark.parametrize(
    ("downs", "answer"),
    [
        (1, ("matrix", "csv", "memscope-matrix.csv")),
        (2, ("response", "json", "memscope-matrix-response.json")),
        (3, ("picture", "svg", "memscope-matrix.svg")),
    ],
)
async def test_the_name_follows_the_form(downs: int, answer: tuple[str, str, str], folder: Path) -> None:
    name, form, path = answer
    keys = ["down"] * downs
    assert await ask(Export(FORMS, folder, "memscope-matrix"), *keys, "enter") == (name, form, Path(path), False)


async def test_a_name_of_ones_own_keeps_its_words_and_gets_the_ending(folder: Path) -> None:
    dialog = Export(FORMS, folder, "memscope-matrix")
    keys = ["tab", *"mine.json", "shift+tab", "down", "enter"]
    assert await ask(dialog, *keys) == ("matrix", "csv", Path("mine.csv"), False)


async def test_enter_in_the_name_writes_too(folder: Path) -> None:
    assert await ask(Export(FORMS, folder, "x"), "tab", *"a b", "enter") == ("matrix", "json", Path("a b"), False)


@pytest.mark.parametrize(("keys", "overwrite"), [(["up", "enter"], True), (["enter"], OPEN), (["escape"], OPEN)])
async def test_a_file_that_is_there_is_replaced_only_when_asked_to(
    keys: list[str], overwrite: object, folder: Path
) -> None:
    (folder / "mine.json").write_text("mine")

    async def answer(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press(*keys)

    answered = await ask(Export(FORMS, folder, "x"), "tab", *"mine.json", "enter", act=answer)
    assert answered == (("matrix", "json", Path("mine.json"), True) if overwrite is True else OPEN)
    assert (folder / "mine.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Type the name"), ("there", "a folder"), ("nowhere/x.json", "no folder"), ("~nobody-at-all/x", "no folder")],
)
async def test_a_place_that_cannot_be_written_is_said(typed: str, said: str, folder: Path) -> None:
    (folder / "there").mkdir()
    dialog = Export(FORMS, folder, "x")

    async def look(_: Pilot[Any]) -> None:
        assert said in str(dialog.query_one(".trouble", Static).content)

    assert await ask(dialog, "tab", *(typed or ["backspace"]), "enter", act=look) is OPEN


async def test_names_of_files_are_completed(folder: Path) -> None:
    (folder / "reports").mkdir()
    (folder / "reports" / "old.json").touch()
    (folder / "reports" / "bad\x1b.json").touch()
    dialog = Export(FORMS, folder, "x")

    async def complete(pilot: Pilot[Any]) -> None:
        field = dialog.query_one(LineInput)
        await pilot.press("tab", *"rep")
        await pilot.pause()
        await pilot.press("right")
        assert field.value == "reports/"
        await pilot.press("b")
        await pilot.pause()
        await pilot.press("right")
        assert field.value == "reports/b"
        await pilot.press("backspace", "o")
        await pilot.pause()
        await pilot.press("right")
        assert field.value == "reports/old.json"

    await ask(dialog, act=complete)


async def test_escape_writes_nothing(folder: Path) -> None:
    assert await ask(Export(FORMS, folder, "x"), "escape") is None


async def test_in_a_folder_that_is_gone_the_home_folder_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, gone = tmp_path / "home", tmp_path / "gone"
    home.mkdir()
    gone.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(gone)
    gone.rmdir()
    dialog = Export(FORMS, gone, "x")

    async def look(pilot: Pilot[Any]) -> None:
        assert dialog.query_one(LineInput).value == "~/x-matrix.json"
        await pilot.press("tab", *"mine.json", "enter")
        assert "The working folder is gone" in str(dialog.query_one(".trouble", Static).content)
        await pilot.press(*["backspace"] * 9, *"~/mine.json", "enter")

    assert await ask(dialog, act=look) == ("matrix", "json", home / "mine.json", False)
