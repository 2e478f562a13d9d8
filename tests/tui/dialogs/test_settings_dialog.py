"""The settings: every one is listed with its origin, changed for the session, written only when asked to."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.base.settings import SESSION, Resolved, Settings, config_path, resolve
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.dialogs.settings import SettingsDialog
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.listing import Listing
from tests.tui.dialogs._ask import HOSTILE, OPEN, SMALL, WIDE, ask, has_foreign_controls, text_of

NAMES = list(Settings.model_fields)


def said(dialog: SettingsDialog) -> str:
    return str(dialog.query_one(".trouble", Static).content)


def keys_to(name: str) -> list[str]:
    return ["g", *["j"] * NAMES.index(name)]


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_every_setting_is_listed_with_value_and_origin(size: tuple[int, int], monkeypatch: Any) -> None:
    monkeypatch.setenv("MEMSCOPE_MODEL", "mine")
    dialog = SettingsDialog(resolve())

    async def look(pilot: Pilot[Any]) -> None:
        listed = [line.texts for line in dialog.query_one(Listing).lines]
        assert [texts[0] for texts in listed] == NAMES
        assert ("model", "mine", "environment MEMSCOPE_MODEL") in listed
        shown = text_of(pilot.app)
        assert "what assigns the log-probabilities" in shown
        assert str(config_path())[:20] in shown

    assert await ask(dialog, act=look, size=size) is not None


async def test_closing_without_a_change_answers_nothing() -> None:
    assert await ask(SettingsDialog(resolve()), "j", "escape") is None
    assert await ask(SettingsDialog(resolve()), "enter", "escape", "escape") is None


async def test_a_value_is_changed_for_the_session() -> None:
    before = resolve()
    answer = await ask(SettingsDialog(before), *keys_to("workers"), "enter", "8", "enter", "escape")
    assert isinstance(answer, Resolved)
    assert answer.settings == before.settings.model_copy(update={"workers": 8})
    assert answer.origins == {**before.origins, "workers": SESSION}
    assert not config_path().exists()


async def test_a_table_is_edited_as_it_is_written_in_the_file() -> None:
    keys = ["end", *["backspace"] * 2, *'{find = "f4"}']
    answer = await ask(SettingsDialog(resolve()), *keys_to("keys"), "enter", *keys, "enter", "escape")
    assert isinstance(answer, Resolved)
    assert answer.settings.keys == {"find": "f4"}


async def test_an_emptied_value_is_the_default_again() -> None:
    before = resolve({"threshold": 0.5})
    answer = await ask(SettingsDialog(before), *keys_to("threshold"), "enter", "backspace", "enter", "escape")
    assert isinstance(answer, Resolved)
    assert answer.settings.threshold == 0.01


async def test_a_value_that_cannot_be_is_not_taken_and_the_reason_said() -> None:
    async def look(pilot: Pilot[Any]) -> None:
        assert "less than or equal to 256" in str(pilot.app.screen.query_one(".trouble", Static).content)
        await pilot.press("escape", "escape")

    dialog = SettingsDialog(resolve())
    assert await ask(dialog, *keys_to("workers"), "enter", "9", "9", "9", "enter", act=look) is None


async def test_w_writes_the_value_and_says_where() -> None:
    dialog = SettingsDialog(resolve())

    async def look(_: Pilot[Any]) -> None:
        assert str(config_path()) in str(dialog.query_one(".trouble", Static).content)

    await ask(dialog, *keys_to("workers"), "enter", "8", "enter", "w", act=look)
    assert resolve().settings.workers == 8
    assert config_path().read_text() == "workers = 8\n"
    assert dialog._resolved.origins["workers"] == f"file {config_path()}"


async def test_what_will_beat_the_file_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_WORKERS", "2")
    dialog = SettingsDialog(resolve())

    async def look(_: Pilot[Any]) -> None:
        said = str(dialog.query_one(".trouble", Static).content)
        assert "but environment MEMSCOPE_WORKERS beats it the next time" in said

    await ask(dialog, *keys_to("workers"), "enter", "8", "enter", "w", act=look)


async def test_the_key_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "sesame-open")
    dialog = SettingsDialog(resolve({"model": "sesame-open"}))

    async def look(_: Pilot[Any]) -> None:
        assert "is not written" in str(dialog.query_one(".trouble", Static).content)

    await ask(dialog, *keys_to("model"), "w", act=look)
    assert not config_path().exists()


@pytest.mark.parametrize(
    ("name", "typed", "why"),
    [
        ("theme", "nosuch", "there is no theme 'nosuch'"),
        ("keys", '{fnid = "f4"}', "there is no key binding 'fnid'"),
        ("keys", '{find = "q"}', "would be both find and quit"),
        ("keys", '{find = "/"}', "is called slash"),
    ],
)
async def test_what_would_keep_the_console_from_opening_is_not_taken(name: str, typed: str, why: str) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app.screen, Prompt)
        pilot.app.screen.query_one(LineInput).value = typed
        await pilot.press("enter")
        assert why in str(pilot.app.screen.query_one(".trouble", Static).content)
        await pilot.press("escape", "escape")

    assert await ask(SettingsDialog(resolve()), *keys_to(name), "enter", act=look) is None


@pytest.mark.parametrize("values", [{"theme": "nosuch"}, {"keys": {"find": "q"}}])
async def test_what_would_keep_the_console_from_opening_is_not_written(values: dict[str, Any]) -> None:
    dialog = SettingsDialog(resolve(values))

    async def look(pilot: Pilot[Any]) -> None:
        assert "theme" in said(dialog) or "would be both" in said(dialog)
        assert "written to" not in said(dialog)
        await pilot.press(*keys_to("workers"), "w")  # another value still can be
        assert f"written to {config_path()}" in said(dialog)

    await ask(dialog, *keys_to(next(iter(values))), "w", act=look)
    assert not any(name in config_path().read_text() for name in values)


async def test_a_file_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    monkeypatch.setenv("MEMSCOPE_CONFIG_DIR", str(folder))

    def refuse(_: int) -> None:  # a folder's rights do not keep root out
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.fsync", refuse)
    dialog = SettingsDialog(resolve())

    async def look(_: Pilot[Any]) -> None:
        assert "the settings cannot be written (Permission denied)" in said(dialog)
        assert not dialog.query_one(".trouble").has_class("-fine")

    answer = await ask(dialog, *keys_to("workers"), "enter", "8", "enter", "w", act=look)
    assert answer is OPEN
    assert dialog._resolved.settings.workers == 8
    assert dialog._resolved.origins["workers"] == SESSION


async def test_a_settings_folder_that_is_a_file_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dialog = SettingsDialog(resolve())
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEMSCOPE_CONFIG_DIR", str(tmp_path / "file"))

    async def look(_: Pilot[Any]) -> None:
        assert "the settings cannot be" in said(dialog)

    await ask(dialog, *keys_to("workers"), "w", act=look)


async def test_what_went_well_is_not_in_the_colour_of_trouble() -> None:
    dialog = SettingsDialog(resolve())

    async def look(_: Pilot[Any]) -> None:
        words = dialog.query_one(".trouble")
        fine = words.styles.color
        words.remove_class("-fine")
        assert words.styles.color != fine

    await ask(dialog, *keys_to("workers"), "w", act=look)


async def test_values_are_only_text() -> None:
    dialog = SettingsDialog(resolve({"model": HOSTILE, "patterns": {HOSTILE: HOSTILE}}))

    async def look(pilot: Pilot[Any]) -> None:
        for name in ("model", "patterns"):
            await pilot.press(*keys_to(name))
            await pilot.pause()
            assert not has_foreign_controls(text_of(pilot.app))
            await pilot.press("enter")
            await pilot.pause()
            assert not has_foreign_controls(text_of(pilot.app))
            await pilot.press("escape")

    await ask(dialog, act=look)
