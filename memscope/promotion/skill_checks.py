"""Whether a skill is what the Agent Skills format asks for (agentskills.io/specification)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memscope.base.text import clean_line
from memscope.promotion.skill_file import Finding, SkillFile

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
LONGEST_COMPATIBILITY = 500
MOST_LINES = 500
MOST_TOKENS = 5000
_BYTES_A_TOKEN = 4  # about, of English

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DEVICES = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")


def check(skill: SkillFile, folder: str | None = None) -> list[Finding]:
    """What is wrong with what a skill says, errors and warnings, in the order of the fields. `folder`: the name of the
    folder it is in, where it is in one. What is wrong with a file as such, reading it tells."""
    return list(_findings(skill, folder))


def name_problem(name: str) -> str:
    """Why a skill cannot have this name, in words; "" if it can."""
    if not name.strip():
        return "is missing"
    if len(name) > LONGEST_NAME:
        return f"has {len(name):,} characters; at most {LONGEST_NAME} are allowed"
    if _DEVICES.fullmatch(name):
        return f"{name} is one that no folder can have on Windows"
    if _NAME.fullmatch(name):
        return ""
    shown = clean_line(name)
    if re.search(r"[^a-z0-9-]", name):
        return f"{shown} has other signs than a-z, 0-9 and -"
    return f"{shown} has a hyphen at its beginning or end, or two in a row"


def _findings(skill: SkillFile, folder: str | None) -> Iterator[Finding]:
    problem = name_problem(skill.name)
    if problem:
        yield Finding("error", "name", problem)
    if folder is not None and skill.name.strip() and folder != skill.name:
        shown = clean_line(folder)[:80]
        yield Finding("error", "name", f"{clean_line(skill.name)[:80]} is not the name of its folder, {shown}")
    if not skill.description.strip():
        yield Finding("error", "description", "is missing")
    elif len(skill.description) > LONGEST_DESCRIPTION:
        yield _too_long("description", skill.description, LONGEST_DESCRIPTION)
    if set("<>") & set(skill.description):
        yield Finding("warning", "description", "has angle brackets, which products that put it into a prompt refuse")
    if len(skill.compatibility) > LONGEST_COMPATIBILITY:
        yield _too_long("compatibility", skill.compatibility, LONGEST_COMPATIBILITY)
    yield from _about_body(skill.body)


def _about_body(body: str) -> Iterator[Finding]:
    if not body.strip():
        yield Finding("warning", "body", "is empty: the skill says nothing of how")
        return
    lines = body.count("\n") + 1
    if lines >= MOST_LINES:
        yield Finding("warning", "body", f"has {lines:,} lines; fewer than {MOST_LINES} are recommended")
    tokens = len(body.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN
    if tokens > MOST_TOKENS:
        yield Finding("warning", "body", f"has about {tokens:,} tokens; fewer than {MOST_TOKENS:,} are recommended")


def _too_long(field: str, text: str, longest: int) -> Finding:
    return Finding("error", field, f"has {len(text):,} characters; at most {longest:,} are allowed")
