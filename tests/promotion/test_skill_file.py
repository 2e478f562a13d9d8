"""The Agent Skills format: what is written reads back, and what is read is held against the whole of it."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.text import clean_line
from memscope.promotion import frontmatter
from memscope.promotion.frontmatter import FrontmatterError, fields, parted
from memscope.promotion.skill_checks import check, name_problem
from memscope.promotion.skill_file import SkillFile, default_name, embedded_text, written
from memscope.promotion.skill_reading import read
from tests.promotion.skills import skill

NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).filter(lambda name: len(name) <= 64)
WORDS = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip())) | st.sampled_from(
    [
        "---",
        "a: b",
        "yes",
        "null",
        "1e5",
        "0o17",
        "- x",
        "# no",
        "'",
        '"',
        "a\n---\nb",
        "{x}",
        "&a",
        "*a",
        "!!int 1",
        "\\",
    ]
)


LOADERS = list(dict.fromkeys([yaml.SafeLoader, frontmatter._LOADER]))


def found(text: str, folder: str | None = None) -> list[tuple[str, str]]:
    return [(finding.severity, finding.field) for finding in read(text, folder).findings]


def words(text: str, folder: str | None = None) -> str:
    return "; ".join(map(str, read(text, folder).findings))


def file(*lines: str, body: str = "Do it.") -> str:
    return "\n".join(["---", *lines, "---", "", body, ""])


@given(
    NAMES,
    WORDS,
    st.text(max_size=200),
    WORDS | st.just(""),
    WORDS | st.just(""),
    st.dictionaries(WORDS, st.text(max_size=30), max_size=3),
)
def test_what_is_written_reads_back(
    name: str, description: str, body: str, licence: str, tools: str, metadata: dict[str, str]
) -> None:
    made = SkillFile(name, description, body.strip("\r\n"), licence, "", metadata, tools)

    text = written(made)
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(frontmatter, "_LOADER", loader)
            reading = read(text.encode(), name)

        assert reading.skill == made
        assert not reading.errors
        about = {"body", "description"} if set("<>") & set(description) else {"body"}
        assert {finding.field for finding in reading.findings} <= about  # no text reads as a number or a date
    assert written(made) == text


@given(WORDS, WORDS)
def test_no_reader_that_splits_at_hyphens_takes_a_text_for_the_end_of_the_frontmatter(name: str, value: str) -> None:
    text = written(SkillFile(name, value, "", metadata={value: value}))

    assert text.count("---") == 2
    assert "--" not in text[3:-4]


def test_the_fields_have_a_fixed_order_and_those_that_are_not_there_are_not_written() -> None:
    made = SkillFile("a", "Does.", "Words.", "MIT", "Needs git", {"z": "1", "b": "two"}, "Bash Read")

    assert written(made) == (
        "---\nname: 'a'\ndescription: Does.\nlicense: MIT\ncompatibility: Needs git\n"
        "metadata:\n  'z': '1'\n  'b': two\nallowed-tools: Bash Read\n---\n\nWords.\n"
    )
    assert written(SkillFile("name", "Does.", "")) == "---\nname: name\ndescription: Does.\n---\n"


def test_a_file_of_windows_reads_the_same() -> None:
    reading = read("\ufeff---\r\nname: deploy\r\ndescription: Deploys.\r\n--- \r\n\r\n# One\r\ntwo\r\n", "deploy")

    assert reading.skill == SkillFile("deploy", "Deploys.", "# One\r\ntwo")
    assert not reading.findings


def test_a_line_of_hyphens_in_the_body_is_of_the_body() -> None:
    assert parted("---\na: b\n---\none\n---\ntwo\n") == ("a: b\n", "one\n---\ntwo")
    assert parted("---\n---\n") == ("", "")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it does not begin with frontmatter"),
        ("# Deploy\n", "it does not begin with frontmatter"),
        ("----\nname: a\n---\n", "it does not begin with frontmatter"),
        ("---\nname: a\n", "the frontmatter has no end"),
        ("---\nname: a\n ---\n", "the frontmatter has no end"),
        ("---\n---\n", "no map of fields"),
        ("---\n- a\n---\n", "no map of fields"),
        ("---\njust words\n---\n", "no map of fields"),
        ("---\nname: a\nname: b\n---\n", "line 3: the field name is there twice"),
        ("---\nmetadata: {v: a, v: b}\n---\n", "line 2: the field v is there twice"),
        ("---\n? [a]\n: b\n---\n", "line 2: the name of a field is no text"),
        ("---\na: &a [x, x]\nb: [*a, *a]\n---\n", "line 2: references"),
        ("---\na: *b\n---\n", "line 2: references"),
        ("---\na: b\nname: !!python/object/apply:os.system [exit]\n---\n", "line 3: tags"),
        ("---\nname: !!str 12\n---\n", "line 2: tags"),
        ("---\nname: " + "[" * 5000 + "\n---\n", "line 2: it is nested too deep"),
        ("---\n" + "? " * 3000 + "\n---\n", "line 2: it is nested too deep"),
        ("---\n" + "a: b\n" * 20_000 + "---\n", "more than 64,000 characters"),
        ("---\nname: a\ndescription: Deploys: fast\n---\n", "line 3: a value that holds a colon and a space"),
        ('---\nname: "a\n---\n', "line 3: found unexpected end of stream"),
        ("---\nname: a\x00b\n---\n", "a sign that YAML does not allow"),
        ("---\nname: a\n\x85---\x85b: c\n---\n", "another document"),
        ("---\n\tname: a\n---\n", "cannot start any token"),
        ("---\n%YAML 9.9\n---\n", "line "),
        (b"---\nname: \xff\n---\n", "it is no UTF-8"),
        (b"---\n" + b"x" * 300_000, "it has more than 300 kB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, text: str | bytes, told: str, loader: type[yaml.SafeLoader]
) -> None:
    monkeypatch.setattr(frontmatter, "_LOADER", loader)
    reading = read(text, "a")

    assert reading.skill is None
    assert told in "; ".join(map(str, reading.errors))
    assert len(reading.findings) == 1


@given(
    st.binary(max_size=300)
    | st.text(alphabet="-ab:\n\t &*!{}[]?|>\"'#%@,\x85", max_size=120).map(lambda t: f"---\n{t}")
)
def test_nothing_that_anybody_writes_makes_reading_fail(data: str | bytes) -> None:
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(frontmatter, "_LOADER", loader)
            for finding in read(data, "a").findings:
                assert str(finding) == clean_line(str(finding))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "is missing"),
        ("  ", "is missing"),
        ("x" * 65, "has 65 characters"),
        ("Deploy", "Deploy has other signs"),
        ("de_ploy", "other signs"),
        ("déploy", "other signs"),
        ("a b", "other signs"),
        ("../../x", "other signs"),
        ("a/b", "other signs"),
        ("a\0b", "a␀b has other signs"),
        ("a\n", "other signs"),
        ("_drafts", "other signs"),
        ("CON", "other signs"),
        ("-a", "hyphen at its beginning"),
        ("a-", "hyphen at its beginning"),
        ("a--b", "two in a row"),
        ("-", "hyphen"),
    ],
)
def test_a_name_that_cannot_be_one_says_why(name: str, told: str) -> None:
    assert told in name_problem(name)
    assert any(finding.field == "name" and finding.severity == "error" for finding in check(skill(name), name))


@given(st.text(max_size=70))
def test_a_name_is_one_exactly_where_the_format_says_so(name: str) -> None:
    fits = 1 <= len(name) <= 64 and not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    fits = fits and not name.startswith("-") and not name.endswith("-") and "--" not in name

    assert (not name_problem(name)) == fits


def test_a_name_has_to_be_that_of_the_folder() -> None:
    text = file("name: deploy", "description: Deploys.")

    assert not found(text, "deploy")
    assert not found(text)
    assert found(text, "other") == [("error", "name")]
    assert "deploy is not the name of its folder, other" in words(text, "other")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["name: a"], [("error", "description")]),
        (["description: d"], [("error", "name")]),
        (["name:", "description: '  '"], [("error", "name"), ("error", "description")]),
        (["name: [a]", "description: {a: b}"], [("error", "name"), ("error", "description")]),
        (["name: a", f"description: {'d' * 1024}"], []),
        (["name: a", f"description: {'d' * 1025}"], [("error", "description")]),
        (["name: a", "description: d", f"compatibility: {'d' * 500}"], []),
        (["name: a", "description: d", f"compatibility: {'d' * 501}"], [("error", "compatibility")]),
        (["name: a", "description: d", "compatibility: ''"], [("error", "compatibility")]),
        (["name: a", "description: d", "license: [MIT]"], [("error", "license")]),
        (["name: a", "description: d", "allowed-tools: [Bash, Read]"], [("error", "allowed-tools")]),
        (["name: a", "description: d", "allowed-tools: Bash(git:*) Read"], []),
        (["name: a", "description: d", "metadata: words"], [("error", "metadata")]),
        (["name: a", "description: d", "metadata: {a: [b]}"], [("error", "metadata")]),
        (["name: a", "description: d", "metadata: {a: b}"], []),
        (["name: a", "description: d", "metadata:"], []),
        (["name: a", "description: d", "metadata: {v: 1.0}"], [("warning", "metadata")]),
        (["name: 12", "description: 2026-01-01"], [("warning", "name"), ("warning", "description")]),
        (["name: a", "description: d", "model: x", "hooks: []"], [("error", "model"), ("error", "hooks")]),
        (["name: a", "description: d", "<<: {a: b}"], [("error", "<<")]),
    ],
)  # fmt: skip
def test_every_field_is_held_against_the_format(lines: list[str], expected: list[tuple[str, str]]) -> None:
    assert found(file(*lines)) == expected


def test_a_number_among_the_metadata_stays_the_text_it_was() -> None:
    reading = read(file("name: a", "description: d", "metadata: {version: 1.0, on: yes, since: 2026-01-01, none: }"))

    assert reading.skill is not None
    assert reading.skill.metadata == {"version": "1.0", "on": "yes", "since": "2026-01-01", "none": ""}
    assert "version reads as a number; put it in quotes" in "; ".join(map(str, reading.findings))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("x\n" * 498 + "x", ""),
        ("x\n" * 499 + "x", "has 500 lines; fewer than 500 are recommended"),
        ("word " * 4001, "has about 5,001 tokens; fewer than 5,000 are recommended"),
        ("\n \n", "is empty"),
    ],
)
def test_a_body_that_is_long_or_empty_is_a_warning(body: str, told: str) -> None:
    findings = check(skill(body=body))

    assert [finding.severity for finding in findings] == (["warning"] if told else [])
    assert told in "; ".join(map(str, findings))


def test_a_file_that_nobody_would_read_is_an_error() -> None:
    assert found(written(skill(body="word " * 60_000))) == [("error", "")]


def test_what_stands_in_a_finding_cannot_act_on_a_screen() -> None:
    told = words(file('name: "\\e[2J\\u202e"', "description: d", '"\\e]0;x": y'), "\x1b[31m")

    assert not re.search(r"[\x00-\x1f\u202e]", told)


def test_fields_keep_their_order() -> None:
    assert list(fields("b: x\na: y\n")) == ["b", "a"]
    with pytest.raises(FrontmatterError):
        fields("a")


def test_the_text_that_is_compared_has_no_made_up_name() -> None:
    assert embedded_text("deploy-staging", "Deploys.") == "deploy staging\nDeploys."
    assert embedded_text(default_name("ab12" * 16), "Deploys.") == "Deploys."
    assert default_name("0123456789abcdef") == "promoted-pattern-0123456789ab"


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt0"])
def test_a_device_of_windows_is_no_name(name: str) -> None:
    assert "Windows" in name_problem(name)
    assert not name_problem(f"{name}-x")


def test_angle_brackets_in_a_description_are_warned_of() -> None:
    (finding,) = check(SkillFile("a", "Uses <b>.", "Words."))
    assert (finding.severity, finding.field) == ("warning", "description")
