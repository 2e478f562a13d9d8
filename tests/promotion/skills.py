"""Made-up members of patterns and skills that tests share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memscope.promotion.draft import Origin
from memscope.promotion.model import Row
from memscope.promotion.skill_file import SIGNATURE, SkillFile, written

SIGNED = "ab12" * 16
OTHER = "cd34" * 16


def row(number: int, text: str, tools: Sequence[str] = (), failures: Sequence[str] = (), session: str = "") -> Row:
    return Row(number, session or f"s{number}", text, "request", tuple(tools), failures=tuple(failures))


def origin(*members: Row, size: int | None = None) -> Origin:
    return Origin(SIGNED, members, size or len(members), len({member.session_id for member in members}))


def skill(name: str = "deploy-staging", **fields: str) -> SkillFile:
    told = {"description": "Deploys. Use when asked to deploy.", "body": "# Deploy\n\nDo it."} | fields
    return SkillFile(name=name, **told)


def planted(folder: Path, name: str, signature: str = "", text: str | None = None) -> Path:
    """A SKILL.md that somebody put below `folder`, at `name`."""
    path = folder / name / "SKILL.md"
    path.parent.mkdir(parents=True)
    made = SkillFile(path.parent.name, "Does things.", "Words.", metadata={SIGNATURE: signature} if signature else {})
    path.write_text(written(made) if text is None else text, encoding="utf-8")
    return path
