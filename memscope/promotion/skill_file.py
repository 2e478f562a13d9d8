"""A skill as the Agent Skills format has it: a SKILL.md, which is YAML frontmatter and a body in Markdown.

See agentskills.io/specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from memscope.promotion import frontmatter

SKILL_FILE = "SKILL.md"
LARGEST = 300_000  # bytes of a SKILL.md; what is read whole by an agent is never near it

SIGNATURE = "memscope-signature"
SOURCES = "memscope-sources"
SESSIONS = "memscope-sessions"
MADE_AT = "memscope-made-at"
"""Metadata of skills that were made of patterns."""


@dataclass(frozen=True, slots=True)
class SkillFile:
    """What a SKILL.md says. `body` has no blank lines around it; "" stands for an optional field that is not there.
    `metadata` maps texts to texts; `allowed_tools` are names with spaces between them."""

    name: str
    description: str
    body: str
    license: str = ""
    compatibility: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed_tools: str = ""

    @property
    def signature(self) -> str:
        """Of the pattern it was made of; "" of none."""
        return self.metadata.get(SIGNATURE, "")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a skill: an error is against the format, a warning against what it recommends. `field` is the
    field as the file names it, "body", or "" for the file as a whole; the words are one clean line."""

    severity: Literal["error", "warning"]
    field: str
    words: str

    def __str__(self) -> str:
        return f"{self.field}: {self.words}" if self.field else self.words


def written(skill: SkillFile) -> str:
    """The text of the SKILL.md, which reads back as it was."""
    values: dict[str, str | Mapping[str, str]] = {"name": skill.name, "description": skill.description}
    optional = (
        ("license", skill.license),
        ("compatibility", skill.compatibility),
        ("metadata", skill.metadata),
        ("allowed-tools", skill.allowed_tools),
    )
    values.update((name, value) for name, value in optional if value)
    body = skill.body.strip("\r\n")
    return f"---\n{frontmatter.written(values)}---\n" + (f"\n{body}\n" if body else "")


def embedded_text(name: str, description: str) -> str:
    """What of a skill is compared with the messages of a pattern: the words of its name, unless that was made up, and
    its description."""
    words = "" if name.startswith(DEFAULT_NAME) else name.replace("-", " ")
    return f"{words}\n{description}".strip()


DEFAULT_NAME = "promoted-pattern-"


def default_name(signature: str) -> str:
    """What a skill is called until somebody names it."""
    return f"{DEFAULT_NAME}{signature[:12]}"
