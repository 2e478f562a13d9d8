"""What a person should hear of a pattern before a skill is made of it; how patterns stand is tried in
`test_promoting`, step by step.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memscope.actions.promoting import accept, reject, write_draft
from memscope.actions.promotion_decisions import NOTHING
from memscope.actions.promotion_standing import known_words, look
from memscope.promotion.pattern import NearestSkill, Pattern
from memscope.store.database import Database
from tests.promotion.patterns import member, pattern, run_the_tests
from tests.promotion.skills import planted

MORE = pattern(*run_the_tests().members, member("run the linter as well", "s5", "0:9"), centroid=(0.0, 1.0))


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    return tmp_path / "skills"


def words(one: Pattern, skills: Path, database: Database) -> tuple[str, ...]:
    return known_words(one, look([one], skills, database))


def test_of_a_new_pattern_nothing_is_known(database: Database, skills: Path) -> None:
    assert words(run_the_tests(), skills, database) == ()


def test_what_it_has_grown_from_is_said_with_what_became_of_that(database: Database, skills: Path) -> None:
    first = run_the_tests()
    reject(database, first)
    assert words(first, skills, database) == ("it was rejected before",)
    assert words(MORE, skills, database) == (f"it has grown from {first.signature}, which was rejected",)
    name = write_draft(database, first, NOTHING, skills).path.parent.name
    assert words(MORE, skills, database) == (f"it has grown from {name}, which is a draft",)
    accept(database, first, NOTHING, skills)
    assert words(MORE, skills, database) == (f"it has grown from {name}, which is a skill",)
    assert words(first, skills, database) == ()


@pytest.mark.parametrize(
    ("similarity", "said"), [(0.95, "the skill mine says the same"), (0.8, "may be where this belongs"), (0.5, "")]
)
def test_a_skill_like_it_is_said_as_long_as_it_is_there(
    database: Database, skills: Path, similarity: float, said: str
) -> None:
    path = planted(skills, "mine")
    near = replace(run_the_tests(), nearest_skill=NearestSkill("mine", str(path), similarity))
    found = words(near, skills, database)
    assert len(found) == bool(said) and all(said in one and str(path) in one for one in found)
    path.unlink()
    assert words(near, skills, database) == ()


def test_hostile_names_are_signs_in_it(database: Database, skills: Path) -> None:
    path = planted(skills, "mine")
    near = replace(run_the_tests(), nearest_skill=NearestSkill("\x1b[2Jx\ny", str(path), 0.95))
    (said,) = words(near, skills, database)
    assert said.isprintable()
