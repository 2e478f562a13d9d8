"""Queries: which sessions they want, how they are written out, and how they are wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.query import Query, QueryError, complete, parse
from memscope.sessions.query_fields import FIELDS
from memscope.sessions.ranked import Place, RankedSession
from tests.sessions.rows import FAILED, NOW, session, unreadable

BEST = session(
    "/s/proj/Best.jsonl",
    days=2,
    repos=("mise", "docs site"),
    title="Mend the Straße parser",
    request="please fix the build",
    session="0199-ab",
    messages=120,
    tool_calls=57,
    memories=4,
    windows=3,
    failure=FAILED,
    size=2_500_000,
)
OLD = session("/s/old.jsonl", days=200, title="Old notes", request="tidy up", format="codex", malformed=2, skipped=3)
EMPTY = session("/s/2026/untold.jsonl", days=40, has_content=False)
COPY = session("/s/copy.jsonl", days=2, title="Mend the parser", copy_of=Place("/s/proj/Best.jsonl", 0))
BROKEN = unreadable()
ROWS = [BEST, OLD, EMPTY, COPY, BROKEN]
NAMES = dict(zip(("best", "old", "empty", "copy", "broken"), ROWS, strict=True))


def found(text: str, rows: Sequence[RankedSession] = ROWS) -> str:
    query = parse(text, NOW)
    return " ".join(name for name, row in NAMES.items() if row in rows and query(row))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "best old empty broken"),
        ("score>=12", "best"),
        ("score<12", "old empty"),
        ("score!=16", "old empty broken"),
        ("-score<12", "best broken"),
        ("outcome=failure", "best"),
        ("outcome>=2", "best old"),
        ("outcome!=failure", "old empty broken"),
        ("outcome=EMPTY", "empty"),
        ("memories>0 windows>1", "best"),
        ("tool_calls=57 messages:120 responses>1", "best"),
        ("Tool-Calls>10", "best"),
        ("repo=MISE", "best"),
        ('repo="docs site"', "best"),
        ("repo:doc", "best"),
        ("repo=doc", ""),
        ("repo=jdx/Mise", "best"),
        ("repo:jdx/mi", "best"),
        ('repo=""', "old empty broken"),
        ("-repo=mise", "old empty broken"),
        ("repo_unique=5 recency=3 length=3", "best"),
        ("size>2M", "best"),
        ("size<=2.5M size>=2500k", "best"),
        ("age<7", "best broken"),
        ("age<=2d", "best broken"),
        ("age>5w", "old empty"),
        ("since:2026-04-01", "best broken"),
        ("since:7d", "best broken"),
        ("before:2026-04-01", "old empty"),
        ("before:today", "best old empty broken"),
        ("since:2026", "best empty broken"),
        ("date=2026-04", "best broken"),
        ("date>2026-03", "best broken"),
        ("date<=2026-03", "old empty"),
        ("date:yesterday", "broken"),
        ("date<2026", "old"),
        ("format=codex", "old"),
        ("format:CODE", "best old empty"),
        ("title:notes", "old"),
        ('title="old NOTES"', "old"),
        ('title=""', "empty broken"),
        ("path:proj", "best"),
        ("path=/s/old.jsonl", "old"),
        ("file=old.jsonl", "old"),
        ("File:proj repository=mise", "best"),
        ("session:0199", "best"),
        ("error=yes", "broken"),
        ("error=no", "best old empty"),
        ("error=TRUE", "broken"),
        ("error=false", "best old empty"),
        ('error:"no json"', "broken"),
        ("malformed>1 skipped=3", "old"),
        ("copies=yes parser", "best copy"),
        ("copies=only", "copy"),
        ("-copies=yes parser", "best"),
        ("copies!=no parser", "best copy"),
        ("parser", "best"),
        ("strasse", "best"),
        ("BUILD fix", "best"),
        ('"fix the"', "best"),
        ("'fix the'", "best"),
        ("title='old notes'", "old"),
        ('"the fix"', ""),
        ('"parser please"', ""),
        ("mise", "best"),
        ("-parser", "old empty broken"),
        ("untold", "empty"),
        ("s/2026", ""),
        ("s/old", ""),
        ("broken", "broken"),
        ("score >= 12 parser", "best"),
        ("title: notes format: codex", "old"),
        ('"or" score>3', ""),
        ("score==16", "best"),
        ("-", "best old empty broken"),
        ('""', "best old empty broken"),
    ],
)
def test_all_that_it_says_has_to_hold(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "http://host/x=1",
        "12:30",
        "std::sort",
        "localhost:8080",
        "C:\\code",
        "feat:",
        "a->b",
        "=>",
        "main.py:12",
        "<p>",
        "(draft)",
        "wow!x",
        "error!",
        "x|y",
        "or",
        "'tis",
        "(see:x)",
    ],
)
def test_what_only_looks_like_a_field_is_a_word(text: str) -> None:
    query = parse(text, NOW)
    assert [(term.field, term.value) for term in query.terms] == [("", text)]
    assert query(session(title=f"see {text.upper()} there"))


@pytest.mark.parametrize(
    ("text", "wrong", "words"),
    [
        ("x scroe>=12", "scroe", "there is no field 'scroe'. Did you mean score?"),
        ("x memory:a", "memory", "Did you mean memories?"),
        ("scor:80", "scor", "Did you mean score?"),
        (
            "foo=bar",
            "foo",
            "no field 'foo'. Quote what is no field; fields are score, outcome, memories, repo, since, ",
        ),
        ("-qqq:bar", "qqq", "there is no field 'qqq'"),
        ("score>=many", "many", "score takes a whole number, not 'many'"),
        ("score>=memories>0", "memories>0", "not 'memories>0'"),
        ("x score>= ", "score>=", "nothing stands behind score>=. It takes a whole number."),
        ("repo> 3", ">", "repo does not go with >. It goes with =, :, !=."),
        ("since>2026", ">", "since does not go with >. It goes with :, =."),
        ("since:2026-13 x", "2026-13", "since takes a day or month as 2026-04-01, 2026-04, today or 7d, not '2026-13'"),
        ("age<old", "old", "age takes a number of days"),
        ("size>1T", "1T", "size takes a number of bytes, as 900, 12k or 1.5M"),
        ("outcome=fail", "fail", "outcome takes failure, content, empty, or their points, not 'fail'"),
        ("outcome=Failed", "Failed", "not 'Failed'. Did you mean failure?"),
        ("outcome=error", "error", "not 'error'. An example: outcome=failure."),
        ("score>=abc", "abc", "score takes a whole number, not 'abc'. An example: score>=12."),
        ("since:yestrday", "yestrday", "Did you mean yesterday?"),
        ("x score=>12", "=>", "score does not go with =>. Did you mean >=?"),
        ("score =< 12", "=<", "Did you mean <=?"),
        ("score<>9", "<>", "Did you mean !=?"),
        ("title=>x", "=>", "title does not go with =>. It goes with :, =, !=."),
        ("messages!50", "!", "messages does not go with ! Did you mean !=?"),
        ("repo=/", "/", "repo takes a name"),
        ("copies=maybe", "maybe", "copies takes yes, no or only"),
        ('title:""', '""', "title takes words"),
        ("x error: ", "error:", "nothing stands behind error:."),
        (
            "x (score>3)",
            "(",
            "'(' joins no terms: all of them have to hold. A minus turns one round, as in -score>=12; ",
        ),
        ("( score > 3 )", "(", "'(' joins no terms"),
        ("!score>3", "!", "'!' joins no terms"),
        ("not score>3", "not", "'not' joins no terms"),
        ("score>=12 or score<5", "or", "'or' joins no terms"),
        ("repo=mise AND words", "AND", "'AND' joins no terms"),
        ("words || repo=mise", "||", "'||' joins no terms"),
        ("score>=\x1b[2J" + "9" * 99, "\x1b[2J" + "9" * 99, "not '␛[2J999999"),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, wrong: str, words: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text, NOW)
    error = raised.value
    assert text[error.start : error.end] == wrong
    assert words in str(error)


TYPED = st.lists(
    st.sampled_from(
        [*FIELDS, *"=:<-!(\"\\ '", ">=", "!=", "=>", " or ", "not", "12", "7d", "2026-04", "yes", "failure"]
    )
    | st.text(max_size=4),
    max_size=12,
).map("".join)


@given(TYPED)
def test_every_text_is_a_query_or_wrong_somewhere_in_it(text: str) -> None:
    try:
        query = parse(text, NOW)
    except QueryError as error:
        assert 0 <= error.start < error.end <= len(text)
        assert str(error)
        return
    assert parse(str(query), NOW) == query
    assert str(parse(str(query), NOW)) == str(query)
    again = parse(str(query), NOW)
    assert [query(row) for row in ROWS] == [again(row) for row in ROWS]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("score  >= 12   x", "score>=12 x"),
        ('"two  words" repo!=a', '"two words" repo!=a'),
        ("-repo=a -repo!=b", "repo!=a repo=b"),
        ("-copies=no", "copies=yes"),
        ('score ">=12"', 'score ">=12"'),
        ('"score>=12" "-x" http://a', '"score>=12" "-x" http://a'),
        ('title="" -"a b" "unclosed', 'title="" -"a b" unclosed'),
        ("'two  words' 'or' title='=x'", '"two words" "or" title="=x"'),
    ],
)
def test_it_is_written_out_in_one_way(text: str, written: str) -> None:
    assert str(parse(text, NOW)) == written


def test_a_query_knows_what_it_asks_for_and_is_told_by_its_terms() -> None:
    query = parse("score>3 word", NOW)
    assert query.asks("score")
    assert not query.asks("copies")
    assert query == parse("score > 3 word", NOW)
    assert query != parse("score>4 word", NOW)
    assert parse("", NOW) == Query()


# What could be typed


def offered(text: str, rows: Sequence[RankedSession] = ROWS) -> list[str]:
    """What the text becomes by each completion at the | in it."""
    before, _, after = text.partition("|")
    whole = before + after
    return [whole[: one.start] + one.text + whole[one.end :] for one in complete(whole, len(before), rows)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["score>=", "outcome=", "memories>", "repo="]),
        ("x |", ["x score>=", "x outcome="]),
        ("-|", ["-score>="]),
        ("sc|", ["score>="]),
        ("x -re|", ["x -repo=", "x -responses>", "x -recency>=", "x -repo_unique="]),
        ("sc| x", ["score>= x"]),
        ("score|", ["score>=", "score=", "score>", "score<", "score<=", "score!="]),
        ("sc|>=12", ["score>=12"]),
        ("scroe>=12|", ["score>=12"]),
        ("score=>12|", ["score>=12"]),
        ("title=>x|", ["title:x", "title=x", "title!=x"]),
        ("score>=|", ["score>=16", "score>=6", "score>=4", "score>=3"]),
        ("score>=1|", ["score>=16"]),
        ("score>|", ["score>16", "score>6", "score>4", "score>3", "score>="]),
        ("outcome=|", ["outcome=failure", "outcome=content", "outcome=empty"]),
        ("outcome=F|", ["outcome=failure"]),
        ("format=|", ["format=claude-code", "format=codex"]),
        ("format=od|", ["format=claude-code", "format=codex"]),
        ("repo=|", ['repo="docs site"', "repo=mise"]),
        ("repo=mi| x", ["repo=mise x"]),
        ('repo="docs|', ['repo="docs site"']),
        ("mi|", ["repo=mise"]),
        ("fail|", ["outcome=failure"]),
        ("error=|", ["error=yes", "error=no"]),
        ("since:|", ["since:7d", "since:30d", "since:today", "since:yesterday", "since:2026-04", "since:2026-03"]),
        ("since:2025|", ["since:2025-10"]),
        ("memories>|", ["memories>0", "memories>="]),
        ("title:|", []),
        ('"sc|', []),
        ("zebra|", []),
    ],
)
def test_what_could_stand_there_is_offered_best_first(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first) or 1] == first


def test_without_sessions_the_usual_is_offered() -> None:
    assert offered("score>=|", []) == ["score>=12"]


def test_nothing_that_stands_there_already_is_offered() -> None:
    assert "outcome=failure" not in offered("outcome=failure|")


@given(TYPED, st.integers(-3, 60))
def test_what_is_offered_stands_within_the_text_and_is_understood(text: str, cursor: int) -> None:
    for one in complete(text, cursor, ROWS):
        assert 0 <= one.start <= one.end <= len(text)
        assert one.about


@given(st.sampled_from(sorted(FIELDS)))
def test_every_field_leads_to_a_query_by_what_is_offered(name: str) -> None:
    (named, *_) = (one for one in offered(f"{name[:-1]}|") if one.startswith(name))
    values = offered(f"{named}|")
    assert values or FIELDS[name].wants in ("words", "a name")
    for text in values:
        if not text.endswith(("=", ">", "<", ":")):
            assert parse(text, NOW).terms
