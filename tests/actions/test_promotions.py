"""What recurs is found, whatever the rows are; what is found is kept, and known again by its signature."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.promotions import OWN_VECTORS, Found, Wanted, find, found_pattern, known_pattern
from memscope.base.errors import Cancelled, EngineError, SourceError, StoreError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.promotion.model import Skipped, content_hash
from memscope.promotion.pattern import Pattern, encoded
from memscope.promotion.signature import signature
from memscope.store.candidates import Candidates
from memscope.store.database import Database
from tests.promotion.patterns import run_the_tests
from tests.promotion.recurring import ASKED, OTHER, STRANGERS, TESTS, row, write_rows, write_talk
from tests.promotion.skills import planted

TEXTS = {one["text"] for one in TESTS}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", [*TESTS, *STRANGERS])


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    return tmp_path / "skills"


def found(*inputs: Path, database: Database | None = None, job: Job | None = None, **wanted: Any) -> Found:
    settings = wanted.pop("settings", Settings())
    wanted.setdefault("skills", inputs[0].parent / "skills")
    return find(Wanted(inputs, **wanted), settings, database, job or Job(), **wanted.pop("more", {}))


def told(pattern: Pattern) -> dict[str, Any]:
    """A pattern as values that compare."""
    values = {name: getattr(pattern, name) for name in Pattern.__slots__}
    return {**values, "centroid": pattern.centroid.tolist()}


# What is found.


def test_what_recurs_in_enough_sessions_is_found_and_kept(rows: Path, database: Database) -> None:
    got = found(rows, database=database)
    (pattern,) = got.patterns
    assert {one.text for one in pattern.members} == TEXTS
    assert {one.message_id for one in pattern.members} == {1, 2, 3}
    assert (pattern.sessions, pattern.size, pattern.space) == (("s1", "s2", "s3"), 3, "")
    assert pattern.signature == signature(sorted(map(content_hash, TEXTS)))
    assert [one.closeness for one in pattern.members] == sorted(one.closeness for one in pattern.members)[::-1]
    assert (got.rows, got.sessions, got.clusters) == (5, 3, 3)
    assert (got.space, got.lexical, got.grouping.threshold, got.trouble) == (None, False, OWN_VECTORS, "")
    assert told(known_pattern(pattern.signature[:12], database)) == told(pattern)


def test_a_pattern_is_named_by_the_beginning_of_its_signature_among_those_that_were_found(rows: Path) -> None:
    got = found(rows)
    (one,) = got.patterns
    assert found_pattern(f" {one.signature[:6].upper()}", got) is one
    for begun, said in (("0123456789", "was found there"), (one.signature[:5], "names no pattern"), ("", "no pattern")):
        with pytest.raises(UsageError, match=said):
            found_pattern(begun, got)
    twin = replace(one, signature=one.signature + "00")
    both = replace(got, patterns=(twin, one))
    assert found_pattern(one.signature, both) is one
    with pytest.raises(UsageError, match="2 patterns have signatures"):
        found_pattern(one.signature[:10], both)


@given(st.randoms(use_true_random=False))
def test_the_same_is_found_in_any_order_of_the_rows(tmp_path_factory: pytest.TempPathFactory, chance: Any) -> None:
    told_rows = [*TESTS, *STRANGERS, *(row(10 + n, f"s{n}", (0, 1, n / 50), OTHER) for n in range(4))]
    path = tmp_path_factory.mktemp("shuffled") / "rows.jsonl"
    first = found(write_rows(path, told_rows))
    chance.shuffle(told_rows)
    again = found(write_rows(path, told_rows))
    assert [told(one) for one in again.patterns] == [told(one) for one in first.patterns]
    assert len(first.patterns) == 2


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        *(({"min_occurrences": 4}, 0), ({"min_sessions": 4}, 0), ({"min_sessions": 3}, 1), ({"threshold": 1.0}, 0)),
        *(({"min_occurrences": 1, "min_sessions": 1}, 3), ({"threshold": -1.0}, 1)),
    ],
)
def test_how_often_and_how_alike_is_asked_for(rows: Path, wanted: dict[str, Any], number: int) -> None:
    assert len(found(rows, **wanted).patterns) == number


@pytest.mark.parametrize("method", ["stable", "greedy"])
def test_rows_that_cannot_be_compared_are_counted_and_cost_the_others_nothing(tmp_path: Path, method: Any) -> None:
    bad = [
        row(6, "s9"),
        row(7, "s9", (1, 0)),
        row(8, "s9", (1, 0, 0, 0)),
        row(9, "s9", (1, None, 0)),
        '{"message_id": 10, "session_id": "s9", "text": "t", "embedding": [1, NaN, 0]}',
        '{"message_id": 11, "session_id": "s9", "text": "t", "embedding": [1, Infinity, 0]}',
        row(12, "s9", (1e300, 0, 0)),
        row(13, "s9", ()),
    ]
    got = found(write_rows(tmp_path / "r.jsonl", [*bad, *TESTS, *STRANGERS]), method=method)
    (pattern,) = got.patterns
    assert {one.text for one in pattern.members} == TEXTS
    assert got.skipped == Skipped(no_embedding=2, dimension=2, not_finite=4)
    assert (got.rows, got.clusters) == (13, 3)


@pytest.mark.parametrize("method", ["stable", "greedy"])
def test_zero_vectors_are_like_nothing(tmp_path: Path, method: Any) -> None:
    zeros = [row(n, f"z{n}", (0, 0, 0), "All of these are the same text") for n in range(20, 26)]
    got = found(write_rows(tmp_path / "r.jsonl", [*zeros, *TESTS]), method=method)
    assert [one.size for one in got.patterns] == [3]
    assert (got.clusters, got.skipped) == (7, Skipped())
    assert found(write_rows(tmp_path / "z.jsonl", zeros), method=method).patterns == ()


def test_rows_without_any_embedding_are_compared_by_their_words(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [row(n, f"s{n}") for n in range(3)] + [row(9, "s9", None, OTHER)])
    got = found(path)
    (pattern,) = got.patterns
    assert (pattern.size, got.skipped, got.lexical, got.space) == (3, Skipped(), True, pattern.space)
    assert pattern.space and got.grouping.threshold != OWN_VECTORS


def test_vectors_that_rows_brought_are_left_aside_where_that_is_asked_for(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [row(n, f"s{n}", [n == 0, n == 1, n == 2]) for n in range(3)])
    path.write_text(path.read_text().replace("true", "1").replace("false", "0"))
    assert found(path).patterns == ()
    (pattern,) = found(path, embed=True).patterns
    assert (pattern.size, bool(pattern.space)) == (3, True)


def test_requests_and_plans_of_transcripts_recur_and_lead_back(tmp_path: Path, database: Database) -> None:
    folder = tmp_path / "t"
    for name in "abc":
        write_talk(folder / f"{name}.json", ASKED)
    got = found(folder, database=database)
    kinds = {one.members[0].kind: one for one in got.patterns}
    assert set(kinds) == {"request", "plan"}
    assert kinds["request"].tools == ("Bash", "Edit")
    refs = [one.ref for one in known_pattern(kinds["request"].signature, database).members]
    assert {ref.source.path.name for ref in refs if ref is not None} == {"a.json", "b.json", "c.json"}
    assert [one.members[0].kind for one in found(folder, kinds=("plan",)).patterns] == ["plan"]
    assert [one.members[0].kind for one in found(folder, kinds=("request",)).patterns] == ["request"]


def test_what_was_left_out_or_could_not_be_read_is_told(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "r.jsonl", ["{broken", *TESTS, {"message_id": 1}])
    folder = tmp_path / "t"
    write_talk(folder / "a.json", "ok", "/init", tools=())
    (folder / "bad.json").write_text("{}")
    got = found(rows, folder)
    assert len(got.patterns) == 1
    assert (got.left_out["bad"], got.left_out["short"], got.left_out["synthetic"]) == (2, 1, 1)
    assert [(Path(one.source).name, one.line) for one in got.unread] == [
        ("bad.json", 0),
        ("r.jsonl", 1),
        ("r.jsonl", 5),
    ]
    assert all(one.error for one in got.unread)


def test_an_input_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        found(tmp_path / "gone")
    with pytest.raises(SourceError):
        found(write_rows(tmp_path / "o.json", [{"a": 1}]))


def test_a_request_and_what_the_assistant_says_of_it_is_one_occurrence(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    for name in "ab":
        write_talk(folder / f"{name}.json", ASKED, words=f"I'll {ASKED.lower()}.", tools=("Bash",))
    assert found(folder).patterns == ()
    both = found(folder, min_occurrences=2).patterns
    assert sorted(pattern.members[0].kind for pattern in both) == ["plan", "request"]
    assert all(len({one.kind for one in pattern.members}) == 1 for pattern in both)
    assert all(pattern.stability is not None for pattern in both)


def test_web_addresses_do_not_make_messages_alike(tmp_path: Path) -> None:
    address = "https://github.com/acme/rocket/pull/{}"
    asked = ("summarize", "address the feedback on", "merge main into")
    told_rows = [row(n, f"s{n}", None, f"{words} {address.format(n)}") for n, words in enumerate(asked)]
    assert found(write_rows(tmp_path / "r.jsonl", told_rows)).patterns == ()
    same = [row(n, f"s{n}", None, f"address the feedback on {address.format(n)}") for n in range(3)]
    assert [one.size for one in found(write_rows(tmp_path / "s.jsonl", same)).patterns] == [3]


def test_a_row_that_is_there_twice_counts_once_but_in_classic_mode(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [TESTS[0], TESTS[0], TESTS[1]])
    other = write_rows(tmp_path / "o.jsonl", [TESTS[1]])
    for got in (found(path, other), found(path, other, embed=True)):
        assert (got.patterns, got.rows, got.left_out["repeated"]) == ((), 2, 2)
    got = found(path, other, classic=True)
    assert (got.patterns[0].size, got.rows, got.left_out["repeated"]) == (4, 4, 0)


def test_what_is_sent_is_said_only_where_there_is_something_to_send(tmp_path: Path) -> None:
    api = Settings(embedder="api", embed_url="http://127.0.0.1:9/v1", embed_model="m")
    said: list[str] = []

    def look(path: Path) -> None:
        find(Wanted((path,), skills=tmp_path / "skills"), api, None, Job(), sending=said.append)

    look(write_rows(tmp_path / "r.jsonl", TESTS))
    (tmp_path / "empty").mkdir()
    look(tmp_path / "empty")
    assert said == []
    with pytest.raises(EngineError):
        look(write_rows(tmp_path / "t.jsonl", [row(1, "s1"), row(2, "s2")]))
    assert len(said) == 1 and "127.0.0.1:9" in said[0]


def test_patterns_of_the_same_texts_are_kept_side_by_side(tmp_path: Path, database: Database) -> None:
    apart = [{**one, "message_id": 9, "embedding": [0, 1, number / 20]} for number, one in enumerate(TESTS)]
    got = found(write_rows(tmp_path / "r.jsonl", [*TESTS, *apart]), database=database)
    assert [one.size for one in got.patterns] == [3, 3]
    for one in got.patterns:
        assert told(known_pattern(one.signature, database)) == told(one)


# Classic mode.


def test_classic_mode_has_the_signatures_of_the_first_engine(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "r.jsonl", [row(n, f"s{n}", (1, 0, 0, 0)) for n in range(3)])
    got = found(rows, classic=True)
    assert ([one.signature for one in got.patterns], got.grouping.method) == (["5eca24ccab358611"], "greedy")
    assert got.patterns[0].stability is None


@pytest.mark.parametrize("bad", [(1, 0), (1, 0, 0, 0), (1, None, 0)])
def test_classic_mode_takes_all_rows_or_none(tmp_path: Path, bad: Any) -> None:
    path = write_rows(tmp_path / "r.jsonl", [*TESTS, row("m\x1b7", "s9", bad)])
    with pytest.raises(UsageError) as raised:
        found(path, classic=True)
    assert "message m" in str(raised.value) and "session s9" in str(raised.value) and "\x1b" not in str(raised.value)


def test_classic_mode_passes_over_rows_without_an_embedding_but_embeds_none(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [*TESTS, row(9, "s9")])
    assert found(path, classic=True).skipped == Skipped(no_embedding=1)
    with pytest.raises(UsageError, match="embed"):
        found(write_rows(tmp_path / "t.jsonl", [row(n, f"s{n}") for n in range(3)]), classic=True)


# Skills that there are.


def test_the_nearest_skill_is_told_but_not_the_one_it_was_made_into(tmp_path: Path, skills: Path) -> None:
    rows = write_rows(tmp_path / "r.jsonl", [row(n, f"s{n}") for n in range(3)])
    (alone,) = found(rows).patterns
    assert alone.nearest_skill is None
    text = f'---\nname: {{}}\ndescription: "{ASKED}"\n{{}}---\n\nWords.\n'
    own = f"metadata:\n  memscope-signature: {alone.signature}\n"
    planted(skills, "other", text='---\nname: other\ndescription: "Bakes bread"\n---\n\nWords.\n')
    planted(skills, "mine", text=text.format("mine", own))
    (pattern,) = found(rows).patterns
    assert pattern.nearest_skill is not None
    assert (pattern.nearest_skill.name, pattern.nearest_skill.similarity < 0.75) == ("other", True)
    planted(skills, "suite", text=text.format("suite", ""))
    (pattern,) = found(rows).patterns
    assert pattern.signature == alone.signature
    assert pattern.nearest_skill is not None
    assert pattern.nearest_skill.path == str(skills / "suite" / "SKILL.md")
    assert pattern.nearest_skill.similarity > 0.75


def test_a_skills_folder_that_is_a_file_is_known_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "skills").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        found(tmp_path / "gone", skills=tmp_path / "skills")


def test_nothing_is_written_but_to_the_store(rows: Path, skills: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert found(rows).patterns
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# Stability.


def test_patterns_are_shown_and_kept_before_their_stability_is_known(rows: Path, database: Database) -> None:
    shown: list[tuple[bool, float | None, float | None]] = []

    def show(early: Found) -> None:
        (pattern,) = early.patterns
        shown.append((early.complete, pattern.stability, known_pattern(pattern.signature, database).stability))

    wanted = Wanted((rows,), skills=rows.parent / "skills")
    got = find(wanted, Settings(), database, Job(), show)
    assert shown == [(False, None, None)]
    assert (got.complete, got.patterns[0].stability) == (True, 1.0)
    assert known_pattern(got.patterns[0].signature, database).stability == 1.0


@pytest.mark.parametrize("wanted", [{"stability": False}, {"method": "greedy"}, {"classic": True}])
def test_without_stability_nothing_is_shown_early(rows: Path, wanted: dict[str, Any]) -> None:
    def show(early: Found) -> None:
        raise AssertionError("shown")

    got = find(Wanted((rows,), skills=rows.parent / "skills", **wanted), Settings(), None, Job(), show)
    assert [(one.stability, got.complete) for one in got.patterns] == [(None, True)]


# A store that fails, and being stopped.


def test_a_store_that_fails_is_told_and_costs_no_pattern(
    rows: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Candidates, kept: object) -> None:
        raise StoreError("the disk is full", where="/srv/store")

    monkeypatch.setattr(Candidates, "keep", full)
    got = found(rows, database=database)
    assert (len(got.patterns), got.patterns[0].stability, got.trouble) == (1, 1.0, "/srv/store: the disk is full")


@pytest.mark.parametrize("at", range(4))
def test_it_stops_when_it_is_told_to(rows: Path, at: int) -> None:
    told: list[object] = []

    def progress(one: object) -> None:
        told.append(one)
        if len(told) > at:
            job.cancel()

    job = Job(progress)
    with pytest.raises(Cancelled):
        found(rows, job=job)


# What was found before.


def test_a_pattern_is_known_by_the_beginning_of_its_signature(database: Database) -> None:
    pattern = run_the_tests()
    Candidates(database).keep({pattern.signature: encoded(pattern)})
    for begun in (pattern.signature, pattern.signature[:6], f" {pattern.signature[:12].upper()}\n"):
        assert told(known_pattern(begun, database)) == told(pattern)


@pytest.mark.parametrize("begun", ["", "abc", "     ", "abcde"])
def test_too_few_signs_name_no_pattern(database: Database, begun: str) -> None:
    with pytest.raises(UsageError, match="names no pattern"):
        known_pattern(begun, database)


@pytest.mark.parametrize("begun", ["0" * 12, "%%%%%%", "______", "'; drop table candidates", "\udcff" * 8, "x" * 9999])
def test_one_that_is_not_known_says_how_to_find_it(database: Database, begun: str) -> None:
    pattern = run_the_tests()
    Candidates(database).keep({pattern.signature: encoded(pattern)})
    for opened in (database, None):
        with pytest.raises(UsageError, match="no pattern is known"):
            known_pattern(begun, opened)
    assert known_pattern(pattern.signature, database)


def test_several_that_begin_alike_are_listed(database: Database) -> None:
    text = encoded(run_the_tests())
    Candidates(database).keep({f"abcdef{n:x}": text for n in range(9)} | {"abcdef0123": text})
    with pytest.raises(UsageError, match="10 patterns") as raised:
        known_pattern("abcdef", database)
    assert "abcdef1" in raised.value.do and "abcdef7" not in raised.value.do
    assert known_pattern("abcdef0", database).signature == "abcdef0"  # all of it, though others go on from there
    assert known_pattern("abcdef01", database).signature == "abcdef0123"


@pytest.mark.parametrize("broken", ["", "{}", "[1]", '{"members": []}', "[" * 100_000, "null"])
def test_what_cannot_be_read_in_the_store_is_no_pattern(database: Database, broken: str) -> None:
    Candidates(database).keep({"abcdef0": broken, "abcdef1": encoded(run_the_tests())})
    assert known_pattern("abcdef", database).signature == "abcdef1"
    with pytest.raises(UsageError, match="no pattern is known"):
        known_pattern("abcdef0", database)


def test_chance_has_no_part_in_it(rows: Path) -> None:
    random.seed(1)
    first = found(rows)
    random.seed(2)
    assert [told(one) for one in found(rows).patterns] == [told(one) for one in first.patterns]


def test_a_skill_that_is_there_leaves_the_patterns_as_they_are(tmp_path: Path) -> None:
    asked = ("Run the tests and fix what fails", "Run all tests, then fix what fails", "Bump the version and tag it")
    for number in range(4):
        write_talk(tmp_path / "talks" / f"{number}.jsonl", *(f"{one} {number}" for one in asked))
    before = found(tmp_path / "talks")
    planted(tmp_path / "skills", "run-the-tests", before.patterns[0].signature)
    planted(tmp_path / "skills", "fix-what-fails")
    after = found(tmp_path / "talks")
    assert before.patterns and after.patterns[0].nearest_skill is not None
    assert [one.signature for one in after.patterns] == [one.signature for one in before.patterns]
    assert [one.centroid.tolist() for one in after.patterns] == [one.centroid.tolist() for one in before.patterns]
