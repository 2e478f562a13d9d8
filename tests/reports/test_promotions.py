"""What is said of patterns: their rows as JSON and in tables, why there is none, and what was left out."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.promoting import draft_of
from memscope.actions.promotion_report import promotion_document, promotions_document
from memscope.actions.promotion_standing import look
from memscope.actions.promotions import Found, Unread
from memscope.base.text import json_text
from memscope.promotion.model import Grouping, Skipped
from memscope.promotion.pattern import NearestSkill, Pattern
from memscope.reports.csv import csv_text
from memscope.reports.promotion import PROMOTION
from memscope.reports.promotions import (
    PROMOTION_COLUMNS,
    PROMOTIONS,
    PromotionRow,
    PromotionsDocument,
    PromotionSkipped,
    Standing,
    left_out_words,
    promotion_row,
    promotions_words,
    skill_words,
    skipped_words,
    verdict_on,
)
from memscope.reports.registry import VIEWS
from tests.promotion.patterns import TESTS, member, pattern, run_the_tests

NEW = Standing("new", "promoted-pattern-x")
LEFT = {"copies": 0, "synthetic": 0, "short": 0, "bad": 0, "repeated": 0}

# The fields of memscope/promotions@1 that other programs count on.
DOCUMENT = {"schema", "candidates", "skipped", "clusters"}
CANDIDATE = {"signature", "members", "sessions", "size", "cohesion", "stability", "nearest_skill"}
SKIPPED = {"no_embedding", "dimension", "not_finite"}


def document(*patterns: Pattern, **more: Any) -> PromotionsDocument:
    found = Found(
        grouping=Grouping(),
        patterns=patterns,
        rows=more.pop("rows", 9),
        sessions=more.pop("sessions", 3),
        clusters=more.pop("clusters", 4),
        skipped=more.pop("skipped", Skipped()),
        left_out=more.pop("left_out", LEFT),
        unread=more.pop("unread", ()),
        space=more.pop("space", "lexical-1"),
        lexical=more.pop("lexical", True),
    )
    assert not more
    return promotions_document(found, {one.signature: NEW for one in patterns})


def told(one: PromotionsDocument) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_text(one.model_dump(mode="json", by_alias=True)))
    return found


def row(one: Pattern, standing: Standing = NEW) -> PromotionRow:
    return promotion_row(one, standing)


# JSON


def test_the_document_has_the_fields_that_programs_count_on() -> None:
    got = told(document(run_the_tests()))
    assert got.keys() >= DOCUMENT
    assert got["schema"] == "memscope/promotions@1"
    (candidate,) = got["candidates"]
    assert candidate.keys() >= CANDIDATE
    assert got["skipped"].keys() == SKIPPED
    schema = PromotionsDocument.model_json_schema(by_alias=True)
    assert set(schema["required"]) >= DOCUMENT - {"schema"}
    assert set(schema["$defs"]["PromotionRow"]["required"]) >= CANDIDATE
    assert set(schema["$defs"]["PromotionSkipped"]["required"]) == SKIPPED


def test_the_documents_are_known_by_their_names() -> None:
    assert VIEWS["promotions"] is PROMOTIONS
    assert VIEWS["promotion"] is PROMOTION


def test_a_candidate_is_told_as_it_was_found() -> None:
    one = replace(run_the_tests(), nearest_skill=NearestSkill("tests", "/srv/skills/tests/SKILL.md", 0.8))
    standing = Standing("draft", "run-them", "run-them", frozenset({("s1", "0:1")}), ("a command",))
    (candidate,) = told(document(one))["candidates"]
    assert candidate == {
        "signature": one.signature,
        "members": ["0:1", "0:3", "0:5"],
        "member_sessions": ["s1", "s2", "s3"],
        "sessions": ["s1", "s2", "s3"],
        "size": 3,
        "cohesion": 0.9,
        "stability": 0.75,
        "nearest": 0.25,
        "nearest_skill": {
            "name": "tests",
            "path": "/srv/skills/tests/SKILL.md",
            "similarity": 0.8,
            "verdict": "merge",
        },
        "state": "new",
        "decided": None,
        "name": "promoted-pattern-x",
        "kinds": ["request"],
        "tools": ["Bash", "Edit"],
        "left_out": 0,
        "flags": [],
        "preview": "run the tests and fix what fails",
    }
    got = row(one, standing)
    assert (got.state, got.decided, got.name, got.left_out, got.flags) == (
        *("draft", "run-them", "run-them", 1, ["a command"]),
    )


def test_numbers_that_are_names_stay_numbers() -> None:
    got = told(document(pattern(member("run it", 7, 1), member("run that", "7", "1"))))["candidates"][0]
    assert (got["members"], got["sessions"]) == ([1, "1"], [7, "7"])


def test_requests_come_before_plans_and_what_nobody_says_is_no_kind() -> None:
    both = pattern(member("a b", kind="plan"), member("c d"), member("e f", kind=""))
    assert row(both).kinds == ["request", "plan"]
    assert row(pattern(member("a b", kind=""))).kinds == []


def test_what_could_not_be_read_is_told_with_its_line() -> None:
    got = told(document(unread=[Unread("/srv/a.json", 0, "no transcript"), Unread("/srv/r.jsonl", 7, "no object")]))
    assert [(one["source"], one["line"], one["error"]) for one in got["unread"]] == [
        *(("/srv/a.json", 0, "no transcript"), ("/srv/r.jsonl", 7, "no object"))
    ]


def test_one_pattern_is_told_with_its_messages_and_its_draft(tmp_path: Path) -> None:
    one = run_the_tests()
    looked = look([one], tmp_path / "skills", None)
    got = promotion_document(one, looked, draft_of(one)).model_dump(mode="json", by_alias=True)
    assert (got["schema"], got["path"], got["findings"], got["flags"]) == ("memscope/promotion@1", None, [], [])
    assert got["text"].startswith("---\nname: promoted-pattern-")
    assert [(m["message_id"], m["source"], m["message"], m["dropped"]) for m in got["members"]] == [
        *(("0:1", "/srv/a.jsonl", 1, False), ("0:3", "/srv/b.jsonl", 1, False), ("0:5", "/srv/c.jsonl", 1, False))
    ]


# Tables


def test_csv_has_a_line_for_each_candidate_and_a_header_in_any_case() -> None:
    lines = [*csv.DictReader(StringIO(csv_text(PROMOTIONS, document(run_the_tests()))))]
    assert (lines[0]["signature"], lines[0]["size"], lines[0]["tools"]) == (run_the_tests().signature, "3", "Bash Edit")
    assert csv_text(PROMOTIONS, document()).startswith("signature,state,size,")


def shown(one: PromotionRow) -> dict[str, str]:
    return {column.title: column.text(one) for column in PROMOTION_COLUMNS}


def test_a_table_shows_what_there_is_in_few_signs() -> None:
    one = replace(run_the_tests(), stability=None, nearest_skill=NearestSkill("other", "/srv/o/SKILL.md", 0.74))
    got = shown(row(one, replace(NEW, dropped=frozenset({("s1", "0:1")}), flags=("a command",))))
    assert (got["signature"], got["size"], got["stability"], got["flags"]) == (one.signature[:12], "2", "–", "!")
    assert got["nearest skill"] == ""
    many = pattern(member("a b", tools=("A", "B", "C", "D", "E")))
    assert shown(row(many))["tools"] == "A B C +2"


@pytest.mark.parametrize(
    ("similarity", "verdict", "words"),
    [
        *((1.0, "duplicate", "duplicate s 1.00"), (0.9, "duplicate", "duplicate s 0.90")),
        *((0.899, "merge", "merge? s 0.90"), (0.75, "merge", "merge? s 0.75"), (0.749, None, ""), (-1.0, None, "")),
    ],
)
def test_a_skill_that_is_near_is_a_duplicate_or_to_be_merged(similarity: float, verdict: str, words: str) -> None:
    assert verdict_on(similarity) == verdict
    near = row(replace(run_the_tests(), nearest_skill=NearestSkill("s", "/srv/s/SKILL.md", similarity)))
    assert skill_words(near.nearest_skill) == words
    assert skill_words(None) == ""


def test_hostile_words_do_not_reach_a_table() -> None:
    hostile = pattern(member("run \x1b]0;owned\x07 it\nnow" + "x" * 999))
    got = row(hostile)
    assert "\x1b" not in got.preview and "\n" not in got.preview
    assert len(got.preview) <= 200


# Words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rows": 0, "sessions": 0}, "there are no messages to look at"),
        (
            {"rows": 0, "left_out": {**LEFT, "short": 2, "copies": 1}},
            "there are no messages to look at: 1 copy of a session, 2 requests and plans that say too little left out",
        ),
        (
            {"rows": 3, "skipped": Skipped(1, 1, 1)},
            "none of 3 messages has an embedding that can be compared",
        ),
        ({"sessions": 1}, "1 session: a pattern has to be in 2 at least"),
        (
            {"rows": 9, "skipped": Skipped(no_embedding=2), "clusters": 7},
            "nothing recurs: 7 messages of 3 sessions fall into 7 clusters, and none has 3 messages of 2 sessions that"
            " are alike from a cosine of 0.85 on",
        ),
    ],
)
def test_why_there_is_none_is_said(more: dict[str, Any], words: str) -> None:
    assert document(**more).reason == words


def test_where_there_is_one_nothing_is_to_be_explained() -> None:
    assert document(run_the_tests()).reason is None


def test_what_was_looked_at_is_said_in_a_line() -> None:
    assert promotions_words(document(run_the_tests())) == (
        "9 messages of 3 sessions · 4 clusters, 1 candidate · stable from a cosine of 0.85 on ·"
        " lexical-1 (lexical: by words, not by meaning)"
    )
    assert promotions_words(document(space=None, lexical=False)).endswith("the rows' own embeddings")


def test_what_was_left_out_and_skipped_is_said_as_far_as_there_is_any() -> None:
    assert left_out_words({"copies": 1, "synthetic": 2, "short": 1, "repeated": 2, "bad": 3}) == [
        *("1 copy of a session", "2 texts by software", "1 request or plan that says too little"),
        *("2 messages told before", "3 bad rows"),
    ]
    assert left_out_words(LEFT) == [] == left_out_words({})
    assert skipped_words(PromotionSkipped(no_embedding=1, dimension=0, not_finite=2)) == [
        "1 message without an embedding",
        "2 messages with an embedding that holds numbers that are not finite",
    ]


def test_every_column_has_a_value_and_a_title_of_its_own() -> None:
    titles = [column.title for column in PROMOTION_COLUMNS]
    assert len(set(titles)) == len(titles)
    assert all(isinstance(text, str) for text in shown(row(pattern(*TESTS))).values())
