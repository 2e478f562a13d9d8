"""Reading a SKILL.md that anybody may have written: what it says, and all that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from memscope.base.text import byte_count, clean_line
from memscope.promotion.frontmatter import FrontmatterError, Listed, Scalar, Value, fields, parted
from memscope.promotion.skill_checks import check
from memscope.promotion.skill_file import LARGEST, Finding, SkillFile

_TEXTS = ("name", "description", "license", "compatibility", "allowed-tools")


@dataclass(frozen=True, slots=True)
class Reading:
    """A SKILL.md as it was read. `skill` is None where the frontmatter cannot be read; a field that has errors of form
    is "" in it."""

    skill: SkillFile | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def read(data: str | bytes, folder: str | None = None) -> Reading:
    """Reads and checks a SKILL.md. `folder`: the name of the folder it is in, which has to be the skill's."""
    if len(data) > LARGEST:
        return _unreadable(f"it has more than {byte_count(LARGEST)}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        head, body = parted(text)
        found = fields(head)
    except UnicodeDecodeError:
        return _unreadable("it is no UTF-8")
    except FrontmatterError as error:
        return _unreadable(str(error))
    formed = _Formed(found)
    texts = {name: formed.text(name) for name in _TEXTS}
    metadata = formed.metadata()
    formed.look_for_others()
    skill = SkillFile(
        name=texts["name"],
        description=texts["description"],
        body=body,
        license=texts["license"],
        compatibility=texts["compatibility"],
        metadata=metadata,
        allowed_tools=texts["allowed-tools"],
    )
    amiss = {finding.field for finding in formed.findings if finding.severity == "error"}
    rest = [finding for finding in check(skill, folder) if not finding.field or finding.field not in amiss]
    return Reading(skill, (*formed.findings, *rest))


def _unreadable(words: str) -> Reading:
    return Reading(None, (Finding("error", "", words),))


class _Formed:
    """Fields as they were found, and what is wrong with their form."""

    def __init__(self, found: dict[str, Value]) -> None:
        self._found = found
        self.findings: list[Finding] = []

    def text(self, name: str) -> str:
        """A field that is a text; "" where it is none, or is not there."""
        value = self._found.get(name)
        if value is None:
            return ""
        if not isinstance(value, Scalar):
            self._err(name, f"is {_form(value)}, not a text")
            return ""
        if value.is_nothing or not value.text.strip():
            if name == "compatibility":
                self._err(name, "is empty; leave it out, or say something")
            return ""
        self._warn_of_quotes(name, value)
        return value.text

    def metadata(self) -> dict[str, str]:
        value = self._found.get("metadata")
        if value is None or (isinstance(value, Scalar) and value.is_nothing):
            return {}
        if not isinstance(value, dict):
            self._err("metadata", f"is {_form(value)}, not a map")
            return {}
        texts: dict[str, str] = {}
        for key, inner in value.items():
            if not isinstance(inner, Scalar):
                self._err("metadata", f"{clean_line(key)[:80]} is {_form(inner)}, not a text")
                continue
            self._warn_of_quotes("metadata", inner, f"{clean_line(key)[:80]} ")
            texts[key] = inner.text
        return texts

    def look_for_others(self) -> None:
        for name in self._found:
            if name not in (*_TEXTS, "metadata"):
                self._err(clean_line(name)[:80], "is no field of the format; keep it under metadata")

    def _warn_of_quotes(self, field: str, value: Scalar, which: str = "") -> None:
        """The format asks for texts; what is meant is plain, so that this is no error, as in its own checker."""
        if not value.is_text:
            self.findings.append(Finding("warning", field, f"{which}reads as {value.kind}; put it in quotes"))

    def _err(self, field: str, words: str) -> None:
        self.findings.append(Finding("error", field, words))


def _form(value: Value) -> str:
    if isinstance(value, dict):
        return "a map"
    return "a list" if isinstance(value, Listed) else value.kind
