"""What a scoring command says beside its numbers: what failed and whether it can be tried again, and the noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run
from memscope.actions.engine import Scorer
from memscope.attribution.matrix import NOT_VISIBLE, RETOKENISED
from memscope.base.settings import data_dir
from memscope.conversation.native import native
from memscope.engines.protocol import Marks, ResponseScore
from memscope.store.database import FILE_NAME
from tests.fakes import (
    LATE,
    TABS,
    FormulaEngine,
    cut_otherwise_without,
    fails_without,
    lacks,
    office,
)


@pytest.fixture
def talk(tmp_path: Path) -> str:
    path = tmp_path / "office.json"
    path.write_text(json.dumps(native(office())), encoding="utf-8")
    return str(path)


@pytest.fixture
def printed(talk: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """`printed(engine, ...)`: what `memscope matrix` prints of the office, scored by that engine."""

    def call(engine: FormulaEngine, *more: str) -> tuple[str, str]:
        monkeypatch.setattr("memscope.actions.engine.open_scorer", lambda *_: Scorer(engine))
        assert run(["matrix", talk, *more]) == 0
        found = capsys.readouterr()
        return found.out, found.err

    return call


def unseen(_call: int, prompt: Any, scores: list[ResponseScore]) -> list[ResponseScore]:
    """Scores of a template that does not show the last memory."""
    shown = "all" if not lacks(prompt, TABS) else "no tabs"
    return [ResponseScore(s.total, s.tokens, s.count, Marks(b"as ever", shown.encode())) for s in scores]


def drifting(call: int, _prompt: Any, scores: list[ResponseScore]) -> list[ResponseScore]:
    """Every scoring comes out a quarter of a nat below the one before."""
    return [ResponseScore(score.total - call / 4) for score in scores]


def test_a_whole_scoring_that_failed_can_be_tried_again(printed: Any) -> None:
    out, err = printed(FormulaEngine(before=fails_without(LATE)))

    assert f"failed: late: the server refuses to go without {LATE!r}" in err
    assert "run the same again to try only these" in err
    assert "; × failed" in " ".join(out.split())


def test_a_cell_that_failed_alone_will_fail_again(printed: Any) -> None:
    out, err = printed(FormulaEngine(after=cut_otherwise_without(TABS, 1)))

    assert f"failed: tabs: 1 response: {RETOKENISED}" in err
    assert "again" not in err
    assert "; × failed" in " ".join(out.split())


def test_where_both_failed_it_is_said_which_can_be_tried_again(printed: Any) -> None:
    _, err = printed(FormulaEngine(before=fails_without(LATE), after=cut_otherwise_without(TABS, 1)))

    assert "run the same again to try only those that failed as a whole" in err


def test_memories_that_a_template_does_not_show_lead_to_the_setting_that_helps(printed: Any) -> None:
    _, err = printed(FormulaEngine(after=unseen))

    assert f"failed: late: 1 response: {NOT_VISIBLE}" in err
    assert err.count("--fold memories") == 1


def test_the_noise_of_the_run_is_told_with_what_it_was_measured_by(printed: Any) -> None:
    quiet, _ = printed(FormulaEngine())
    loud, _ = printed(FormulaEngine(after=drifting, concurrency=1))
    noise = json.loads(printed(FormulaEngine(after=drifting, concurrency=1), "--json")[0])["noise"]

    assert "formula, noise floor 0 nats." in quiet
    assert noise["floor"] == 5 / 4  # between the first scoring and the sixth, which is the baseline again
    assert noise["cells"] > 0
    told = f"noise floor 1.25 nats (repeated baseline), {noise['cells']} effects are noise."
    assert told in " ".join(loud.split())


def test_a_store_that_cannot_be_used_is_told_once_with_what_scores_without_it(
    talk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir().mkdir(parents=True)
    (data_dir() / FILE_NAME).write_bytes(b"no store at all" * 1_000)

    assert run(["matrix", talk]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "the store is damaged" in line
    assert line.endswith("Move the file away to start a new one. --no-store scores without it.")
    assert run(["matrix", talk, "--no-store"]) == 0
