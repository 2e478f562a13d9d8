"""The Insights pane: what it reads and shows, what is kept of that, and what a chat model is asked and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.kept import Kept
from memscope.actions.open import Opening
from memscope.base.errors import Cancelled, StoreError
from memscope.base.job import Job
from memscope.reports.insights import InsightsDocument
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.pane import Exported, Written
from memscope.tui.panes._session import SessionScreen
from memscope.tui.panes.insights import deciding, reading, synthesizing
from memscope.tui.panes.insights.screen import InsightsScreen
from memscope.tui.widgets.bucket_line import BucketLine
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.paragraphs import Paragraphs
from tests.clients.chat_server import ChatServer
from tests.promotion.recurring import write_talk
from tests.tui.apps import console, held_back, screen_text, settled, shows
from tests.tui.hostile import ATTACKS, EVIL
from tests.tui.panes.recurring import errors_of, text_of
from tests.tui.panes.teaching import (
    FAILED,
    at_insights,
    insights_console,
    press,
    states,
    teaching_session,
    texts,
    two_sessions,
)

pytestmark = pytest.mark.usefixtures("home")

GIT = "Check that it is a repository before calling git."
LOCK = "A lock that all workers share makes a queue slow."
SORRY = "I am sorry, there is nothing that I could say of this."
ANSWER = json.dumps({"insights": [{"text": GIT, "confidence": 0.9}, {"text": LOCK, "confidence": 0.7}]})


def shown(app: MemscopeApp) -> str:
    """What the screen shows, without its line breaks."""
    return " ".join(screen_text(app).replace("│", " ").split())


# What is shown.


async def test_what_sessions_teach_is_read_and_shown_where_what_is_looked_at_grows(tmp_path: Path) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_insights(pilot)
        assert texts(screen) == ["'Bash'", "Sequence", "The"]
        assert screen.table.size.height - screen.table.header_height >= 10
        for said in ("2 sessions", "3 new", "0 kept", "all kinds (t)", "error", "0.40", "v View", "b Rows", "t Kind"):
            assert said in screen_text(app), said
        low = screen.detail.size.height
        await press(pilot, "tab")
        assert screen.detail.evidence.has_focus
        assert screen.detail.size.height > low
        await press(pilot, "v")
        assert screen.detail.prompt.has_focus and not screen.detail.evidence.display
        assert "f shows here what a chat model would be sent" in text_of(screen.detail.prompt)
        await press(pilot, "escape v")
        assert screen.table.has_focus and screen.detail.evidence.display
        await press(pilot, "f")
        assert screen.detail.prompt.has_focus and screen.detail.size.height > low
        assert "Not sent." in screen_text(app)
        await press(pilot, "f")
        assert "no chat server is set: the setting chat_url" in shown(app)
        prompt = text_of(screen.detail.prompt)
        assert "the setting chat_url" in prompt and "## Task" in prompt


async def test_on_a_large_screen_evidence_and_prompt_are_side_by_side_and_without_a_store_nothing_is_kept(
    tmp_path: Path,
) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await at_insights(pilot)
        assert texts(screen) == ["'Bash'", "Sequence", "The"]
        detail = text_of(screen.detail.evidence)
        assert f"'Bash' errored 2 times: {FAILED}" in detail
        assert "0.40, not very sure: by how often it failed in a session" in detail
        assert "4 messages of 2 sessions" in detail
        assert "talks/s1.jsonl · #2" in detail
        await press(pilot, "a")
        assert "decisions are kept in the store, which is off" in errors_of(app)
        assert states(screen) == ["new", "new", "new"]
        assert screen.detail.evidence.display and screen.detail.prompt.display
        await press(pilot, "v")
        assert screen.detail.prompt.has_focus
        await press(pilot, "v")
        assert screen.detail.evidence.has_focus


async def test_enter_leads_into_the_transcript_and_escape_back_to_the_evidence(tmp_path: Path) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "enter j")
        goal = screen.detail.evidence.goal
        await press(pilot, "enter")
        assert isinstance(app.screen, SessionScreen)
        assert app.screen.transcript.message == 4
        assert FAILED in screen_text(app)
        await press(pilot, "escape")
        assert app.screen is screen and screen.detail.evidence.goal == goal
        await press(pilot, "escape")
        assert screen.table.has_focus
        for path in (tmp_path / "talks").iterdir():
            path.unlink()
        await press(pilot, "enter enter")
        assert screen.row is not None and f"insight {screen.row.name[:12]}: {FAILED}" in screen_text(app)


async def test_kinds_states_and_words_choose_the_rows_and_that_is_kept(tmp_path: Path, kept: Kept) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "slash q u e u e space s l o w enter")
        assert texts(screen) == ["The"]
        await press(pilot, "escape t")
        await pilot.click(BucketLine, offset=(screen.size.width - 4, 0))
        await settled(pilot)
        assert texts(screen) == ["Sequence"]
        assert "1 new" in screen_text(app) and "sequences (t)" in screen_text(app)
        await press(pilot, "b", "s")
        assert "None of this kind is kept: 1 new." in shown(app)
    kept.close()
    app = insights_console(tmp_path, Kept(kept.database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        assert "None of this kind is kept: 1 new." in shown(app)
        assert screen.table.order != "given"
        await press(pilot, "t t b b")
        assert len(texts(screen)) == 3


# Where it reads.


async def test_another_file_or_folder_is_asked_for_and_kept(tmp_path: Path, kept: Kept) -> None:
    two_sessions(tmp_path / "others")
    app = insights_console(tmp_path, kept)
    app.folder = None
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        assert "No session was read. No folder of an agent is there." in shown(app)
        assert "the agents' folders" in screen_text(app)
        await press(pilot, "o")
        app.screen.query_one(LineInput).value = str(tmp_path / "none")
        await press(pilot, "enter")
        assert "there is no such file or folder" in screen_text(app)
        app.screen.query_one(LineInput).value = str(tmp_path / "others" / "s1.jsonl")
        await press(pilot, "enter")
        assert texts(screen) == ["'Bash'", "The"]
    kept.close()
    app = insights_console(tmp_path, Kept(kept.database))
    app.folder = None
    async with app.run_test(size=(120, 36)) as pilot:
        assert texts(await at_insights(pilot)) == ["'Bash'", "The"]


async def test_the_conversation_that_is_open_is_read_alone_and_the_others_again(tmp_path: Path, kept: Kept) -> None:
    talks = tmp_path / "talks"
    parts = [write_talk(tmp_path / name, asked).read_text() for name, asked in (("a", "Mend it"), ("b", "Draw a map"))]
    talks.mkdir()
    both = talks / "both.jsonl"
    both.write_text("\n".join(parts))
    teaching_session(talks, "s0", tools=())
    app = console(Opening(both, item=1), kept)
    kept.keep("insights", {"inputs": [str(talks)]})
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        assert texts(screen) == ["'Bash'", "Sequence", "Sequence"]
        await press(pilot, "c")
        assert [row.text[-10:] for row in screen.table.shown] == ["Draw a map"]
        assert "both.jsonl conversation 2 · 1 session" in screen_text(app)
        assert "both.jsonl · conversation 2 · #1" in text_of(screen.detail.evidence)
        await press(pilot, "b")
        assert kept.state("insights")["inputs"] == [str(talks)]
        app.workspace.open(Opening(both))
        await settled(pilot)
        await press(pilot, "c", "b b b")
        assert [row.text[-7:] for row in screen.table.shown] == ["Mend it"]
        await press(pilot, "c")
        assert len(texts(screen)) == 3


async def test_a_reading_is_stopped_and_what_was_read_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path)
    gate = held_back(monkeypatch, reading, "without_repeats")
    async with app.run_test(size=(120, 36)) as pilot:
        app.go("insights")
        await shows(pilot, "talks · reading …")
        await pilot.press("question_mark")
        await shows(pilot, "What sessions teach")  # for what says the same is looked for beside the screen
        await pilot.press("escape")
        gate.set()
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, InsightsScreen) and len(texts(screen)) == 3

        def stopped(_insights: object, _settings: object, job: Job) -> Any:
            job.progress(300, 20_000, "insights")
            job.wait(20)
            raise Cancelled

        monkeypatch.setattr(reading, "without_repeats", stopped)
        await pilot.press("R")
        await shows(pilot, "300/20,000 insights")
        await pilot.press("x")
        await shows(pilot, "the reading was stopped; R begins it again")
        await settled(pilot)
        assert len(texts(screen)) == 3


async def test_what_is_kept_is_shown_before_anything_is_read(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_insights(pilot)
        await press(pilot, "a", "b")
    kept.close()
    gate = held_back(monkeypatch, reading, "observe")
    app = insights_console(tmp_path, Kept(kept.database))
    async with app.run_test(size=(120, 36)) as pilot:
        app.go("insights")
        await shows(pilot, "'Bash' errored 2 times")
        assert "1 kept" in screen_text(app) and "reading …" in screen_text(app)
        gate.set()
        await settled(pilot)
        assert "2 new" in screen_text(app)


async def test_what_was_not_read_is_told_and_listed(tmp_path: Path) -> None:
    two_sessions(tmp_path / "talks")
    for number in range(3):
        (tmp_path / "talks" / f"broken{number}.jsonl").write_text("{nonsense\n")
    app = insights_console(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_insights(pilot)
        assert "2 sessions · 3 unread (i)" in screen_text(app)
        await press(pilot, "i")
        for said in ("Read (2)", "s0.jsonl", "Could not be read (3)", "broken2.jsonl: "):
            assert said in text_of(app.screen.query_one(Paragraphs)), said
        await press(pilot, "escape")
        assert app.screen is screen


async def test_where_nothing_stands_out_it_says_by_which_rules(tmp_path: Path) -> None:
    teaching_session(tmp_path / "talks", "s0", failures=(), tools=())
    app = insights_console(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_insights(pilot)
        assert "Nothing stands out in 1 session. No tool failed twice" in shown(app)
        assert "f has a chat model say what they teach" in shown(app)
        await press(pilot, "f")
        assert "[USER] Release the shop" in text_of(app.screen.query_one("#insight-prompt"))


async def test_a_file_that_is_no_transcript_is_told(tmp_path: Path) -> None:
    (tmp_path / "talks").write_text("no transcript")
    app = insights_console(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        assert "talks: " in errors_of(app)
        await press(pilot, "a r f F w y i u space s enter v")
        assert app.screen is screen


# What is decided.


async def test_insights_are_kept_dropped_and_taken_back_in_steps(tmp_path: Path, kept: Kept) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "space space a")
        assert "2 insights kept; u takes that back" in screen_text(app)
        assert texts(screen) == ["The"]
        await press(pilot, "r")
        assert "1 insight dropped, not to be offered again; u takes that back" in screen_text(app)
        assert "No insight is new: 2 kept, 1 dropped." in shown(app)
        await press(pilot, "b b b")
        assert states(screen) == ["kept", "kept", "dropped"]
        await press(pilot, "u")
        assert "undone: dropping 1 insight" in screen_text(app)
        assert states(screen) == ["kept", "kept", "new"]
        await press(pilot, "u")
        assert "undone: keeping 2 insights" in screen_text(app)
        assert states(screen) == ["new", "new", "new"]
        await press(pilot, "u")
        assert "there is nothing to undo here" in screen_text(app)


async def test_one_that_says_the_same_replaces_it_and_one_that_was_dropped_does_not_come_back(
    tmp_path: Path, kept: Kept
) -> None:
    teaching_session(tmp_path / "talks", "s0", tools=())
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "a")
        assert "kept; u takes that back" in screen_text(app)
        teaching_session(tmp_path / "talks", "s0", failures=(FAILED,) * 3, tools=())
        await press(pilot, "R", "a")
        assert f"kept in place of what says the same: 'Bash' errored 2 times: {FAILED}" in shown(app)
        await press(pilot, "b", "a")
        assert [row.text[:22] for row in screen.table.shown] == ["'Bash' errored 3 times"]
        assert "nothing new to keep: what says the same is kept already" in screen_text(app)
        await press(pilot, "r")
        assert texts(screen) == []
        teaching_session(tmp_path / "talks", "s0", failures=(FAILED,) * 4, tools=())
        await press(pilot, "R", "b")
        assert [row.text[:22] for row in screen.table.shown] == ["'Bash' errored 4 times", "'Bash' errored 3 times"]
        assert "0 new" in screen_text(app)
        await press(pilot, "j a")
        assert [row.text[:22] for row in screen.table.shown] == []
        await press(pilot, "u", "u")
        assert states(screen) == [] and "1 kept" in screen_text(app) and "1 new" in screen_text(app)
        await press(pilot, "u")
        assert "undone: keeping 1 insight; 1 that left for that is back" in screen_text(app)


async def test_what_could_not_be_kept_is_marked_again(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StoreError("the disk is full", where="store")

    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        monkeypatch.setattr(deciding.insight_decisions, "keep", fails)
        await press(pilot, "space space a")
        assert "2 insights were not kept: the disk is full" in errors_of(app)
        assert len(screen.table.marked) == 2


async def test_what_another_console_decides_is_seen(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memscope.tui.deciding.LOOKS", 0.05)
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        assert kept.database is not None and screen.deciding is not None
        deciding.insight_decisions.drop(kept.database, screen.deciding.insights.values())
        await shows(pilot, "3 dropped")


# What a chat model says.


def chatting(tmp_path: Path, server: ChatServer, kept: Kept | None = None, words: str = ANSWER) -> MemscopeApp:
    server.behave("well", words=words)
    two_sessions(tmp_path / "talks")
    return insights_console(tmp_path, kept, chat_url=server.url)


async def test_the_prompt_is_shown_then_asked_about_once_and_what_comes_is_rows(
    tmp_path: Path, kept: Kept, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server()
    app = chatting(tmp_path, server, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "f")
        prompt = text_of(screen.detail.prompt)
        assert "Not sent yet: f sends it" in prompt and "[USER] Why is the queue slow?" in prompt
        assert f"2 sessions · to {server.url}" in prompt
        await press(pilot, "f")
        assert isinstance(app.screen, Confirm) and "Esc leads back to the prompt" in shown(app)
        assert "with what was said in 2 sessions" in shown(app)
        await press(pilot, "enter")
        assert server.chats() == []
        await press(pilot, "f", "k enter")
        assert len(server.chats()) == 1
        assert "2 insights by talker; a keeps one" in screen_text(app)
        assert "are sent to" not in errors_of(app)
        assert screen.row is not None and screen.row.text == GIT and screen.row.model == "talker"
        assert "all of" in text_of(screen.detail.evidence)
        assert "as the chat model put it, or 0.50 where it put none" in text_of(screen.detail.evidence)
        assert "talker answered: 2 insights" in text_of(screen.detail.prompt)
        await press(pilot, "f")
        assert "this was answered; F asks anew" in screen_text(app)
        await press(pilot, "F")
        assert len(server.chats()) == 2 and "are sent to" in errors_of(app)
        await press(pilot, "a", "a", "b")
        assert [row.text for row in screen.table.shown if row.model] == [GIT, LOCK]
    kept.close()
    app = insights_console(tmp_path, Kept(kept.database), chat_url=server.url)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "f")
        assert "its answer is kept: nothing is sent" in text_of(screen.detail.prompt)
        await press(pilot, "f")
        assert app.screen is screen and len(server.chats()) == 2
        assert "talker answered, from disk: 2 insights" in text_of(screen.detail.prompt)


async def test_of_marked_rows_the_sessions_are_asked_about_and_a_second_key_meanwhile_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server()
    app = chatting(tmp_path, server)
    gate = held_back(monkeypatch, synthesizing, "prepare")
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await pilot.press("f", "f")
        await shows(pilot, "the prompt is being made; once it is shown, f sends it")
        gate.set()
        await settled(pilot)
        assert "### Session s1" in text_of(screen.detail.prompt)
        await press(pilot, "j space f")
        prompt = text_of(screen.detail.prompt)
        assert "### Session s0" in prompt and "### Session s1" not in prompt
        await press(pilot, "escape f")
        assert "### Session s1" in text_of(screen.detail.prompt)
        assert app.screen is screen and server.chats() == []


async def test_other_settings_make_the_prompt_anew_and_let_another_insight_win(
    tmp_path: Path, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server()
    server.behave("well", words=ANSWER)
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        deciding, synthesizing = screen.deciding, screen.synthesizing
        assert deciding is not None and synthesizing is not None

        async def used(**changed: Any) -> None:
            app.use(app.workspace.settings.model_copy(update=changed))
            await press(pilot, "question_mark", "escape")

        await press(pilot, "f")
        assert "no chat server is set" in text_of(screen.detail.prompt)
        await used(chat_url=server.url)
        assert "Not sent yet: f sends it" in text_of(screen.detail.prompt)
        await press(pilot, "f", "k enter")
        looked, outcome = deciding.found.looked, synthesizing.outcome
        assert looked is not None and outcome is not None
        await used(theme="textual-light")
        assert synthesizing.outcome is outcome and deciding.found.looked is looked
        await used(insight_winner="confident")
        again = deciding.found.looked
        assert again is not None and again is not looked and again.observed is looked.observed
        assert len(texts(screen)) == 5


async def test_an_answer_that_cannot_be_read_is_shown_and_made_an_insight_only_on_purpose(
    tmp_path: Path, kept: Kept, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server()
    app = chatting(tmp_path, server, kept)
    server.behave("well", words=SORRY)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        await press(pilot, "w")
        assert "there is none" in screen_text(app)
        await press(pilot, "f", "f", "k enter")
        prompt = text_of(screen.detail.prompt)
        assert "no insight could be made of it" in prompt and SORRY in prompt
        assert "w makes one insight of it as it is, F asks anew" in prompt
        assert len(texts(screen)) == 3
        document = next(one for one in screen.exports() if isinstance(one, Exported)).build()
        assert isinstance(document, InsightsDocument) and document.reply == SORRY
        await press(pilot, "w", "w")
        assert [row.text for row in screen.table.shown if row.model] == [SORRY]
        assert "talker answered: 1 insight" in text_of(screen.detail.prompt)
        server.behave("well", words=json.dumps({"insights": [{"text": GIT, "confidence": 0.29}]}))
        await press(pilot, "F", "a")
        assert "it is too unsure to be kept (below 0.3); r drops it" in screen_text(app)
        assert screen.row is not None and (screen.row.text, screen.row.state) == (GIT, "new")
        await press(pilot, "t t t t space k space a")
        assert "1 insight kept, 1 below a confidence of 0.3; u takes that back" in screen_text(app)
        server.behave("calls")
        await press(pilot, "F", "w")
        prompt = text_of(screen.detail.prompt)
        assert "the answer is empty" in prompt and "w makes" not in prompt
        assert "nothing to make an insight of" in screen_text(app)
        assert [row.text for row in screen.table.shown if row.model] == [GIT]


async def test_an_answer_that_does_not_come_is_stopped_and_a_server_that_fails_is_told(
    tmp_path: Path, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server()
    app = chatting(tmp_path, server)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_insights(pilot)
        server.behave("excuse")
        await press(pilot, "f", "f", "k enter")
        assert "Rate limit exceeded" in errors_of(app)
        prompt = text_of(screen.detail.prompt)
        assert prompt.startswith("No answer came\n") and "Rate limit exceeded" in prompt
        server.behave("never")
        await pilot.press("f")
        await shows(pilot, "The chat model is asked. x stops that.")
        await pilot.press("f")
        await shows(pilot, "the chat model is asked still; x stops that")
        await pilot.press("x")
        await shows(pilot, "no answer is waited for any more")
        await settled(pilot)
        assert "No answer was waited for F asks anew" in " ".join(text_of(screen.detail.prompt).split())
        assert len(texts(screen)) == 3


# Taking along.


async def test_what_is_copied_and_written_is_what_is_shown(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_insights(pilot)
        rows = screen.table.shown
        await press(pilot, "y space space y escape a f", "tab tab y")
        assert copied[:2] == [rows[0].text, f"{rows[0].text}\n{rows[1].text}"]
        assert copied[2].startswith("[system]\n") and "\n[user]\n## Recent Session Traces" in copied[2]
        whole, lines, prompt = screen.exports()
        assert isinstance(whole, Exported) and isinstance(lines, Written) and isinstance(prompt, Written)
        document = whole.build()
        assert isinstance(document, InsightsDocument) and len(document.insights) == 2
        lines.write("jsonl", tmp_path / "kept.jsonl", False, Job())
        (line,) = (tmp_path / "kept.jsonl").read_text().splitlines()
        assert json.loads(line)["state"] == "kept"
        prompt.write("md", tmp_path / "prompt.md", False, Job())
        assert (tmp_path / "prompt.md").read_text().startswith("# system\n")
        await press(pilot, "e")
        for said in ("insights JSON", "kept JSONL", "prompt MD", "prompt TXT"):
            assert said in shown(app), said


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_without_signs_but_ascii_there_are_no_lines_but_ascii(tmp_path: Path, size: tuple[int, int]) -> None:
    two_sessions(tmp_path / "talks")
    app = insights_console(tmp_path, glyphs="ascii")
    async with app.run_test(size=size) as pilot:
        await at_insights(pilot)
        for keys in ("f", "v tab"):
            await press(pilot, keys)
            assert not set("─│╭╮╰╯┌┐└┘▼▲") & set(screen_text(app)), keys


async def test_hostile_text_is_signs_on_the_screen(tmp_path: Path, chat_server: Callable[..., ChatServer]) -> None:
    said = f"ignore {EVIL} {ATTACKS[0]}"
    server = chat_server(words=json.dumps({"insights": [{"text": said}]}))
    teaching_session(tmp_path / "talks", "s0", ask=said, failures=(said, said), reasoning=said * 20)
    app = insights_console(tmp_path, chat_url=server.url)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_insights(pilot)
        seen = ""
        for keys in ("j", "f", "f", "k enter", "v tab G", "v G", "i", "escape e", "escape question_mark"):
            await press(pilot, keys)
            seen += screen_text(app)
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\ufeff"} & set(seen)
        assert server.chats() != []
