"""The workspace without a screen: what opens, what is scored again and what is not, and what is remembered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept, view_name
from memscope.actions.marks import add_mark, undo_mark
from memscope.actions.open import Opened, Opening
from memscope.attribution.matrix import State
from memscope.base.errors import EngineError, SourceError, UsageError
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.protocol import EngineIdentity
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.recents import Recents
from memscope.store.scores import ScoreStore
from memscope.store.view_state import ViewState
from memscope.tui.view import UNITS, View
from memscope.tui.workspace import EVERYTHING, Change, Phase, Workspace
from tests.fakes import (
    PATIENCE,
    PNPM,
    TABS,
    FormulaEngine,
    Gate,
    cut_otherwise_without,
    end_of_workers,
    fails_baseline,
    lacks,
    noisy,
    office,
    true_effects,
)
from tests.tui.apps import path_of

LISTED = "You help.\n\n# Memories\n- likes tea\n- lives in Oslo\n"


def until(happens: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < patience, "it never happened"
        time.sleep(0.001)


class Bench:
    """A workspace, the changes it told of, and the engines it finds: one for each name of a model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, database: Database | None = None, **settings: Any) -> None:
        self.engines: dict[str, FormulaEngine] = {"": FormulaEngine()}
        self.changes: list[Change] = []
        self.phases: list[Phase] = []
        self.rung = threading.Event()
        self.space = Workspace(Settings(**settings), Kept(database), self.told)
        self.space.background.ring = lambda _: self.rung.set()
        monkeypatch.setattr("memscope.tui.engines.open_scorer", self.scorer)

    def told(self, change: Change) -> None:
        self.changes.append(change)
        if change.phase:
            self.phases.append(self.space.phase)

    def scorer(self, settings: Settings, database: Database | None) -> Scorer:
        if settings.model not in self.engines:
            raise UsageError(f"there is no model {settings.model!r}")
        engine = self.engines[settings.model]
        if database is None or not settings.store:
            return Scorer(engine)
        return Scorer(stored(engine, ScoreStore(database)), database, owned=False)

    def settle(self) -> None:
        """Collects until nothing runs."""
        while self.space.background.busy:
            assert self.rung.wait(PATIENCE), self.space.phase
            self.rung.clear()
            self.space.tick()

    def scored(self, conversation: Conversation | None = None) -> Workspace:
        """Shows a conversation and waits until it is scored."""
        self.space.show(as_opened(conversation or office()))
        self.settle()
        return self.space

    def landed(self, count: int) -> None:
        """Waits until so many scorings of the run have landed."""
        run = self.space.run
        assert run is not None
        until(lambda: len(run.plan) - len(run.missing()) == count)

    @property
    def effects(self) -> Any:
        assert self.space.matrix is not None
        return self.space.matrix.effects

    @property
    def cost(self) -> tuple[int, int]:
        """Scorings, and those from disk."""
        assert self.space.cost is not None
        return self.space.cost.scorings, self.space.cost.from_store

    @property
    def keys(self) -> list[str]:
        assert self.space.conversation is not None
        return [memory.key for memory in self.space.conversation.memories]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """With nothing kept."""
    return Bench(monkeypatch)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "store")
    yield database
    end_of_workers()
    database.close()


def as_opened(conversation: Conversation) -> Opened:
    return Opened(Opening(Path("none.json")), conversation, conversation, conversation)


def talk_file(folder: Path, name: str = "talk.json", port: int = 7741, system: str = "You help.") -> Path:
    """A transcript with one memory in front of two responses."""
    said = [
        {"role": "system", "content": system},
        {"role": "user", "memory_key": "port", "content": f"The staging server listens on port {port}."},
        {"role": "user", "content": "Which port?"},
        {"role": "assistant", "content": f"The server listens on port {port}."},
        {"role": "user", "content": "Thanks."},
        {"role": "assistant", "content": "You are welcome."},
    ]
    return path_of(folder, name, json.dumps({"title": name, "messages": said}))


# Opening.


def test_a_file_is_read_and_scored_beside_the_screen(bench: Bench, tmp_path: Path) -> None:
    assert bench.space.phase == "empty"
    assert bench.space.state_words() == "nothing is open"
    bench.space.open(Opening(talk_file(tmp_path)))
    assert bench.space.running is not None
    assert bench.space.running.name == "reading talk.json"
    bench.settle()
    assert bench.phases == ["loading", "idle", "running", "done"]
    assert bench.space.conversation is not None
    assert np.array_equal(bench.effects, true_effects(bench.space.conversation))
    assert bench.space.state_words().startswith("1 memory x 2 responses · 3 scorings, ")
    assert bench.space.running is None


def test_what_is_shown_is_scored_when_it_is_asked_for(bench: Bench) -> None:
    bench.space.show(as_opened(office()), start=False)
    assert (bench.space.phase, bench.engines[""].calls) == ("idle", 0)
    assert bench.changes == [EVERYTHING]
    assert bench.space.matrix is not None
    assert "not scored" in bench.space.state_words()
    bench.space.start()
    bench.settle()
    assert bench.space.phase == "done"
    assert np.array_equal(bench.effects, true_effects(office()))


def test_a_file_that_cannot_be_read_leaves_what_was_open(bench: Bench, tmp_path: Path) -> None:
    space = bench.scored()
    before = space.conversation
    space.open(Opening(tmp_path / "nosuch.json"))
    bench.settle()
    assert isinstance(bench.changes[-1].error, SourceError)
    assert space.conversation is before
    assert (space.phase, space.trouble) == ("done", None)
    assert np.array_equal(bench.effects, true_effects(office()))


def test_a_file_that_cannot_be_read_leaves_nothing_where_nothing_was(bench: Bench, tmp_path: Path) -> None:
    bench.space.open(Opening(tmp_path / "nosuch.json"))
    bench.settle()
    assert isinstance(bench.space.trouble, SourceError)
    assert bench.space.phase == "empty"


def test_a_file_that_cannot_be_read_leaves_a_run_that_can_go_on(bench: Bench, tmp_path: Path) -> None:
    with Gate(through=2) as gate:
        bench.engines[""] = FormulaEngine(before=gate, concurrency=1)
        bench.space.show(as_opened(office()))
        bench.landed(2)
        bench.space.open(Opening(tmp_path / "nosuch.json"))
        bench.settle()
        assert bench.space.phase == "cancelled"
        assert bench.space.can_resume
    assert bench.space.resume()
    assert bench.space.trouble is None
    bench.settle()
    assert np.array_equal(bench.effects, true_effects(office()))


def test_reading_can_be_cancelled_and_then_leads_to_nothing(bench: Bench, tmp_path: Path) -> None:
    space, gate = bench.scored(), threading.Event()
    before = space.conversation

    def load() -> Opened:
        assert gate.wait(PATIENCE)
        return as_opened(office())

    space.open(Opening(tmp_path / "slow.json"), load)
    reading = space.background.task("load")
    assert reading is not None
    assert not space.can_resume
    assert not space.resume()
    assert not space.rescore("tabs")
    assert space.cancel()
    assert (space.phase, space.running) == ("done", None)
    gate.set()
    reading.thread.join(PATIENCE)
    space.tick()
    assert space.conversation is before
    assert not space.cancel()


def test_another_file_during_a_run_ends_it_and_what_landed_stays_on_disk(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    bench = Bench(monkeypatch, database)
    first, second = talk_file(tmp_path, "first.json"), talk_file(tmp_path, "second.json", port=80)
    with Gate(through=2) as gate:
        bench.engines[""] = FormulaEngine(before=gate, concurrency=1)
        bench.space.open(Opening(first))
        until(lambda: (bench.space.tick(), gate.reached.is_set())[1])
        bench.landed(2)
        bench.space.open(Opening(second))
        gate.open()
        bench.settle()
    assert bench.space.conversation is not None
    assert bench.space.conversation.title == "second.json"
    assert np.array_equal(bench.effects, true_effects(bench.space.conversation))
    bench.space.open(Opening(first))
    bench.settle()
    assert bench.cost == (0, 3)  # the scoring in flight was kept too


def test_other_sources_are_other_memories_of_the_same_file(bench: Bench, tmp_path: Path) -> None:
    bench.space.open(Opening(talk_file(tmp_path)))
    bench.settle()
    bench.space.look(threshold=0.25)
    bench.space.select(memory="port", response=3)
    assert bench.space.reload(sources="turns")
    bench.settle()
    assert bench.keys[0] == "port"
    assert len(bench.keys) == 3
    assert (bench.space.view.threshold, bench.space.memory, bench.space.response) == (0.25, "port", 3)
    assert not bench.space.step_window(1)


def test_nothing_is_read_again_where_nothing_is_open(bench: Bench) -> None:
    assert not bench.space.reload()
    assert not bench.space.step_window(1)


def test_what_was_opened_is_offered_again(monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path) -> None:
    bench, path = Bench(monkeypatch, database), talk_file(tmp_path)
    bench.space.open(Opening(path))
    bench.settle()
    bench.space.kept.close(PATIENCE)
    assert [(recent.path, recent.title) for recent in Recents(database).latest(5)] == [(path, "talk.json")]


# Scoring.


def test_cancelling_keeps_what_landed_and_only_what_is_missing_is_scored_later(bench: Bench) -> None:
    with Gate(through=3) as gate:
        engine = bench.engines[""] = FormulaEngine(before=gate, concurrency=1)
        bench.space.show(as_opened(office()))
        bench.landed(3)
        assert gate.reached.wait(PATIENCE)
        assert bench.space.cancel()
        bench.settle()
        assert bench.space.phase == "cancelled"
        assert bench.space.state_words().endswith("cancelled; R goes on")
    run = bench.space.run
    assert run is not None
    missing = len(run.missing())
    assert missing == len(run.plan) - 3
    assert np.array_equal(bench.effects[0], true_effects(office())[0])
    before = engine.calls
    assert bench.space.can_resume
    assert bench.space.resume()
    bench.settle()
    assert engine.calls - before == missing
    assert bench.space.phase == "done"
    assert np.array_equal(bench.effects, true_effects(office()))
    assert not bench.space.can_resume
    assert not bench.space.resume()


def test_failed_rows_are_tried_again_and_nothing_else(bench: Bench) -> None:
    broken = [True]

    def before(_call: int, prompt: Prompt) -> None:
        if broken[0] and lacks(prompt, PNPM):
            raise EngineError("not now")

    engine = bench.engines[""] = FormulaEngine(before=before)
    space = bench.scored()
    assert space.phase == "done"
    assert "2 failed" in space.state_words()  # without pnpm, and without all
    broken[0], calls = False, engine.calls
    assert space.resume()
    bench.settle()
    assert engine.calls - calls == 2
    assert np.array_equal(bench.effects, true_effects(office()))
    assert "failed" not in space.state_words()


def test_cells_that_failed_alone_are_told_of_and_not_tried_again(bench: Bench) -> None:
    bench.engines[""] = FormulaEngine(after=cut_otherwise_without(TABS, 0, 1))
    space = bench.scored()

    assert space.matrix is not None
    assert space.matrix.state[0].tolist() == [State.FAILED, State.FAILED, State.OK]
    assert space.state_words().endswith("s · 2 cells failed: retokenised")
    assert not space.can_resume


def test_the_noise_of_a_run_is_told_where_there_is_some(bench: Bench) -> None:
    bench.engines[""] = FormulaEngine(after=noisy)
    assert " s · noise 0." in bench.scored().state_words()
    bench.engines["quiet"] = FormulaEngine(model="quiet")
    bench.space.use(Settings(model="quiet"))
    bench.settle()
    assert "noise" not in bench.space.state_words()


def test_a_run_that_costs_much_is_asked_about_and_begins_at_a_persons_word(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    bench = Bench(monkeypatch, database, ask_above=10)
    space = bench.scored()

    asked = bench.changes[-1].ask
    assert asked is not None
    assert asked.scorings == 6
    assert (space.phase, space.asked, bench.engines[""].calls) == ("idle", asked, 0)
    assert space.state_words().endswith("not scored: E shows the cost, R scores")
    assert space.resume()
    bench.settle()
    assert (space.phase, space.asked) == ("done", None)
    assert np.array_equal(bench.effects, true_effects(office()))
    assert not bench.scored().asked  # all of it is on disk
    assert bench.cost == (0, 6)


@pytest.mark.parametrize("limit", [0, 1_000_000])
def test_a_run_that_costs_little_is_not_asked_about(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    bench = Bench(monkeypatch, ask_above=limit)
    assert bench.scored().phase == "done"
    assert not [change for change in bench.changes if change.ask]


def test_the_embedded_engine_is_never_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, ask_above=1)
    bench.engines[""].identity = EngineIdentity("embedded")
    assert bench.scored().phase == "done"
    assert not [change for change in bench.changes if change.ask]


def test_another_engine_and_another_conversation_are_asked_about_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, ask_above=10)
    bench.engines["other"] = FormulaEngine(model="other")
    space = bench.scored()
    first = space.asked

    space.use(Settings(model="other", ask_above=10))
    bench.settle()
    assert (space.phase, space.asked is first) == ("idle", False)
    assert bench.engines["other"].calls == 0
    space.use(Settings(model="other", ask_above=0))
    assert space.resume()
    bench.settle()
    assert bench.scored().phase == "done"
    assert sum(change.ask is not None for change in bench.changes) == 2


@pytest.mark.parametrize("name", ["template", "fold", "device", "dtype"])
def test_what_changes_an_engines_numbers_means_another_matrix(bench: Bench, name: str) -> None:
    space = bench.scored()
    run = space.run
    value = {"template": "chatml", "fold": "memories", "device": "cpu", "dtype": "float16"}[name]
    bench.engines[""] = FormulaEngine()
    space.use(Settings(**{name: value}))
    bench.settle()
    assert space.run is not run
    assert bench.engines[""].calls == 6


def test_without_a_baseline_the_run_has_failed_and_can_be_tried_again(bench: Bench) -> None:
    fails, broken = fails_baseline(TABS), [True]
    bench.engines[""] = FormulaEngine(before=lambda call, prompt: fails(call, prompt) if broken[0] else None)
    space = bench.scored()
    assert space.phase == "failed"
    assert "the server is out of memory" in space.state_words()
    assert space.can_resume
    broken[0] = False
    assert space.resume()
    bench.settle()
    assert space.phase == "done"
    assert np.array_equal(bench.effects, true_effects(office()))


def test_an_engine_that_cannot_be_had_is_told_of_and_another_may_be_taken(bench: Bench) -> None:
    bench.space.use(Settings(model="nope"))
    space = bench.scored()
    assert space.phase == "failed"
    assert isinstance(space.trouble, UsageError)
    space.use(Settings())
    bench.settle()
    assert (space.phase, space.trouble) == ("done", None)
    assert np.array_equal(bench.effects, true_effects(office()))


def test_one_memory_is_scored_again_past_the_disk(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    bench = Bench(monkeypatch, database)
    space = bench.scored()
    assert space.rescore("tabs")
    assert not space.rescore("pnpm")  # something runs
    bench.settle()
    assert bench.cost == (1, 0)
    assert np.array_equal(bench.effects, true_effects(office()))


def test_cancelling_one_memory_leaves_what_was_there(bench: Bench) -> None:
    with Gate(through=6) as gate:
        bench.engines[""] = FormulaEngine(before=gate, concurrency=1)
        space = bench.scored()
        assert space.rescore("tabs")
        assert gate.reached.wait(PATIENCE)
        assert space.cancel()
        bench.settle()
        assert space.phase == "done"  # nothing is missing
        assert np.array_equal(bench.effects, true_effects(office()))


def test_another_engine_during_a_run_and_the_old_one_is_closed_when_its_last_scoring_is_kept(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    bench, closed_at_the_end = Bench(monkeypatch, database), []

    def after(_call: int, _prompt: Prompt, scores: Any) -> Any:
        closed_at_the_end.append(old.closed)
        return scores

    with Gate() as gate:
        old = bench.engines[""] = FormulaEngine(before=gate, after=after, concurrency=2)
        bench.engines["other"] = other = FormulaEngine(model="other")
        bench.space.show(as_opened(office()))
        until(lambda: old.calls == 2)
        run = bench.space.background.task("run")
        assert run is not None
        bench.space.use(Settings(model="other"))
        bench.settle()
        run.thread.join(PATIENCE)  # it ends before the scorings it has in flight
        assert bench.space.phase == "done"
        assert other.calls == 6
        assert not old.closed
        gate.open()
        until(lambda: old.closed)
    assert closed_at_the_end == [False, False]
    assert not other.closed
    bench.engines[""] = FormulaEngine()
    bench.space.use(Settings())
    bench.settle()
    assert bench.cost == (4, 2)  # both scorings in flight were kept
    until(lambda: other.closed)


def test_an_engine_that_was_overtaken_while_it_was_opened_is_not_taken_for_the_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines, first, second = bench.space.engines, Settings(), Settings(model="other")
    bench.engines["other"] = FormulaEngine(model="other")

    def overtaken(settings: Settings, database: Database | None) -> Scorer:
        engines.want(second)
        return bench.scorer(settings, database)

    monkeypatch.setattr("memscope.tui.engines.open_scorer", overtaken)
    with engines.lease(first) as scorer:
        assert scorer.engine is bench.engines[""]
        assert engines.scorer is None
        with engines.lease(second) as other:
            assert other.engine is bench.engines["other"]
        assert not bench.engines[""].closed
    until(lambda: bench.engines[""].closed)
    assert not bench.engines["other"].closed


# Other settings.


def test_another_threshold_scores_nothing(bench: Bench) -> None:
    space = bench.scored()
    calls, run = bench.engines[""].calls, space.run
    space.use(Settings(threshold=0.5))
    assert not space.background.busy
    assert (space.view.threshold, space.run, bench.engines[""].calls) == (0.5, run, calls)
    assert bench.changes[-1] == Change(view=True)


def test_other_glyphs_are_told_to_the_panes_and_score_nothing(bench: Bench) -> None:
    space = bench.scored()
    space.use(Settings(glyphs="ascii"))
    assert bench.changes[-1] == EVERYTHING
    assert not space.background.busy


def test_other_rules_read_the_file_again(bench: Bench, tmp_path: Path) -> None:
    bench.space.open(Opening(talk_file(tmp_path, system=LISTED)))
    bench.settle()
    assert len(bench.keys) == 3
    bench.space.use(Settings(rules_off=("heading",)))
    bench.settle()
    assert bench.keys == ["port"]
    assert bench.space.phase == "done"


@pytest.mark.parametrize("settings", [{"model": "other"}, {"rules_off": ("heading",)}], ids=["engine", "rules"])
def test_other_settings_while_a_file_is_read_hold_for_it(
    bench: Bench, tmp_path: Path, settings: dict[str, Any]
) -> None:
    bench.engines["other"] = FormulaEngine(model="other")
    gate, path = threading.Event(), talk_file(tmp_path, system=LISTED)

    def load() -> Opened:
        assert gate.wait(PATIENCE)
        return as_opened(office())

    bench.space.open(Opening(path), load)
    bench.space.use(Settings(**settings))
    assert bench.space.phase == "loading"
    gate.set()
    bench.settle()
    assert bench.space.phase == "done"
    assert bench.space.scorer is not None
    if "model" in settings:
        assert bench.space.scorer.engine is bench.engines["other"]
    else:
        assert bench.keys == ["port"]


def test_classic_mode_is_another_matrix_and_so_is_its_end(bench: Bench) -> None:
    space = bench.scored()
    signed = bench.effects
    assert (signed < 0).any()
    space.use(Settings(compat="classic", context="window"))
    bench.settle()
    np.testing.assert_array_equal(bench.effects, np.maximum(signed, 0.0))
    assert space.run is not None
    assert len(space.run.plan) == len(bench.keys) + 1
    space.use(Settings())
    bench.settle()
    np.testing.assert_array_equal(bench.effects, signed)


def test_classic_mode_chosen_before_a_run_holds_for_it(bench: Bench) -> None:
    bench.space.show(as_opened(office()), start=False)
    bench.space.use(Settings(compat="classic"))
    bench.settle()
    assert (bench.effects >= 0).all()
    assert bench.space.phase == "done"


def test_another_context_scores_nothing(bench: Bench) -> None:
    space = bench.scored()
    run = space.run
    space.use(Settings(context="window"))
    assert (space.run, space.background.busy) == (run, False)


def test_more_time_and_workers_hold_from_the_next_run_on_and_score_nothing(bench: Bench) -> None:
    space = bench.scored()
    engine, run = bench.engines[""], space.run
    again = bench.engines[""] = FormulaEngine()
    space.use(Settings(timeout=7, workers=2))
    assert not space.background.busy
    assert space.run is run
    until(lambda: engine.closed)
    assert space.rescore("tabs")
    bench.settle()
    assert again.calls == 1
    assert np.array_equal(bench.effects, true_effects(office()))


def test_the_store_can_be_left_out_for_a_session(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    bench = Bench(monkeypatch, database)
    bench.scored()
    bench.space.use(Settings(store=False))
    bench.settle()
    assert bench.cost == (6, 0)


# Looking.


def test_the_view_is_kept_for_each_conversation(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    one, other = talk_file(tmp_path, "one.json"), talk_file(tmp_path, "other.json")
    bench = Bench(monkeypatch, database)
    bench.space.open(Opening(one))
    bench.settle()
    bench.space.look(threshold=0.5, unit="share")
    bench.space.look(signed=False, sorts={"matrix_rows": "strength"})
    bench.space.look(sorts={"memories": "net"})
    bench.space.kept.close(PATIENCE)

    again = Bench(monkeypatch, database)
    again.space.open(Opening(one))
    again.settle()
    assert again.space.view == View(0.5, "share", False, {"matrix_rows": "strength", "memories": "net"})
    again.space.open(Opening(other))
    again.settle()
    assert again.space.view == View(0.01)


@pytest.mark.parametrize("state", ["[]", "null", "{", '{"threshold": NaN, "unit": [], "signed": 1, "sorts": 3}'])
def test_a_view_that_cannot_be_read_is_no_view(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path, state: str
) -> None:
    path = talk_file(tmp_path)
    bench = Bench(monkeypatch, database)
    bench.space.open(Opening(path))
    bench.settle()
    name = view_name(bench.space.conversation)
    bench.space.kept.close(PATIENCE)
    ViewState(database).put(name, {"threshold": 7})
    database.write("UPDATE view_state SET state = ?", state)

    again = Bench(monkeypatch, database)
    again.space.open(Opening(path))
    again.settle()
    assert (again.space.view, again.space.phase) == (View(0.01), "done")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("threshold", "unit", "signed", "sorts"), _json)))
def test_whatever_was_kept_the_view_can_be_used(kept: dict[str, Any]) -> None:
    view = View.of(kept, 0.25)
    assert 0 <= view.threshold < float("inf")
    assert view.unit in UNITS
    assert isinstance(view.signed, bool)
    assert all(isinstance(word, str) for pair in view.sorts.items() for word in pair)
    threshold = kept.get("threshold")
    if isinstance(threshold, bool | str | list | dict | None):
        assert view.threshold == 0.25


def test_a_selection_is_told_of_once(bench: Bench) -> None:
    space = bench.scored()
    bench.changes.clear()
    space.select(memory="tabs")
    space.select(memory="tabs")
    space.select(response=5)
    assert (space.memory, space.response) == ("tabs", 5)
    assert bench.changes == [Change(selection=True)] * 2


def decided(bench: Bench, decision: Callable[[Opened, Database], Any]) -> Any:
    """What came of a decision: the key of the mark it was about, None, or an error."""
    told: list[Any] = []
    bench.space.decide("deciding", decision, told.append, told.append)
    bench.settle()
    (outcome,) = told
    return getattr(outcome, "key", outcome)


def undo(found: Opened, database: Database) -> Any:
    return undo_mark(database, found)


def test_lines_are_marked_for_good_and_a_mark_is_undone(
    monkeypatch: pytest.MonkeyPatch, database: Database, tmp_path: Path
) -> None:
    path, bench = talk_file(tmp_path), Bench(monkeypatch, database)
    bench.space.open(Opening(path))
    bench.settle()
    assert decided(bench, lambda found, database: add_mark(database, found, 2, 0, 4, key="asked")) == "asked"
    assert bench.keys == ["port", "asked"]
    assert bench.space.phase == "done"
    assert np.array_equal(bench.effects, true_effects(bench.space.conversation or office()))
    bench.space.open(Opening(path))
    bench.settle()
    assert bench.keys == ["port", "asked"]
    assert decided(bench, undo) == "asked"
    assert bench.keys == ["port"]
    run = bench.space.run
    assert decided(bench, undo) is None
    error = decided(bench, lambda found, database: add_mark(database, found, 3, 0, 4))
    assert isinstance(error, UsageError)
    assert "cannot be marked" in str(error)
    assert bench.keys == ["port"]
    assert bench.space.run is run  # nothing was scored again


def test_nothing_is_marked_where_nothing_is_kept(bench: Bench) -> None:
    bench.scored()
    error = decided(bench, undo)
    assert isinstance(error, UsageError)
    assert "kept in the store" in str(error)


def test_a_picture_leaves_four_times_what_it_took_for_other_things(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [100.0]
    monkeypatch.setattr("memscope.tui.workspace.time", SimpleNamespace(monotonic=lambda: at[0]))
    space, painted = bench.space, []

    def told(change: Change) -> None:
        if change.rows:
            painted.append(at[0])
            at[0] += 1.0  # it takes a second

    space.tell = told
    with Gate() as gate:
        bench.engines[""] = FormulaEngine(before=gate, concurrency=1)
        space.show(as_opened(office()))
        run = space.run
        assert run is not None
        space.tick()
        for now in (101.5, 104.75, 105.25, 106.0, 110.5, 111.5):
            at[0] = now
            run.restore(run.forget(run.plan))
            with run._lock:
                run._dirty.add(0)
            space.tick()
        assert painted == [100.0, 105.25, 110.5]
        space.cancel()
        bench.settle()


def test_nothing_that_landed_is_not_told_of(bench: Bench) -> None:
    bench.scored()
    rows = frozenset[int]().union(*(change.rows for change in bench.changes))
    assert rows == {0, 1, 2}
    bench.changes.clear()
    bench.space.tick()
    assert bench.changes == []
