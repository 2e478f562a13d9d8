"""The YAML at the head of a SKILL.md: read without trust, written so that it reads back everywhere.

What is read may come from anybody: nothing in it makes an object, refers to another part, or nests deeper than a skill
needs, and what a parser would turn into a number or a date stays the text it was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from memscope.base.text import clean_line

LARGEST = 64_000  # characters
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # fifty times as fast, where libyaml was there to build it
_DEEPEST = 8  # levels; two mean something
_TOO_DEEP = "it is nested too deep"
_HEAD = re.compile(r"\ufeff?---[ \t]*\r?\n")
_FOOT = re.compile(r"^---[ \t]*\r?$\n?", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_TAGS = {"str": "a text", "null": "nothing", "bool": "yes or no", "timestamp": "a date"}
_PLAIN = re.compile(r"[A-Za-z][^\n]+")  # no parser, of whatever YAML, makes a number or a bool of these


class FrontmatterError(ValueError):
    """The frontmatter cannot be read; the words say why, cleaned for a screen."""


class Scalar(NamedTuple):
    """A value as it was written, without its quotes. `kind`: what YAML takes it for, in words; "a text" for a text."""

    text: str
    kind: str

    @property
    def is_text(self) -> bool:
        return self.kind == _TAGS["str"]

    @property
    def is_nothing(self) -> bool:
        return self.kind == _TAGS["null"]


class Listed:
    """A list, which no field of the format is."""


Value = Scalar | Listed | dict[str, "Value"]


def parted(text: str) -> tuple[str, str]:
    """The frontmatter of a SKILL.md and its body, without the lines of --- around the one and the blank ones around the
    other. Raises `FrontmatterError`."""
    head = _HEAD.match(text)
    if head is None:
        raise FrontmatterError("it does not begin with frontmatter, which stands between two lines of ---")
    foot = _FOOT.search(text, head.end())
    if foot is None:
        raise FrontmatterError("the frontmatter has no end: a line of --- is missing")
    return text[head.end() : foot.start()], text[foot.end() :].strip("\r\n")


def fields(frontmatter: str) -> dict[str, Value]:
    """The fields in their order. Raises `FrontmatterError` for what is no map, names a field twice, refers to parts of
    itself, asks for objects, is nested deep, or is very long."""
    if len(frontmatter) > LARGEST:
        raise FrontmatterError(f"the frontmatter has more than {LARGEST:,} characters")
    try:
        _look_through(frontmatter)
        node = yaml.compose(frontmatter, _LOADER)
    except yaml.MarkedYAMLError as error:
        problem = clean_line(error.problem or error.context or "this is no YAML")
        if problem.startswith("mapping values"):
            problem = "a value that holds a colon and a space has to be in quotes"
        elif "nesting" in problem:
            problem = _TOO_DEEP
        raise FrontmatterError(f"{_line(error.problem_mark)}{problem}") from error
    except yaml.YAMLError as error:  # a sign that no YAML may hold
        raise FrontmatterError("it holds a sign that YAML does not allow") from error
    if not isinstance(node, yaml.MappingNode):
        raise FrontmatterError("the frontmatter is no map of fields")
    return _map(node)


def written(values: Mapping[str, str | Mapping[str, str]]) -> str:
    """`values` as YAML, in their order, one line for each; it holds no run of hyphens, at which some readers would take
    the frontmatter to end."""
    plain = {name: value if isinstance(value, str) else dict(value) for name, value in values.items()}
    text = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return text.replace("--", "-\\x2D")  # texts that hold one are in double quotes, see `_Dumper`


class _Dumper(yaml.SafeDumper):
    """Quotes what any parser could take for something else than text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "--" in text or not text.isprintable():  # of signs that break a line, versions of YAML know different ones
        style: str | None = '"'
    else:
        style = None if _PLAIN.fullmatch(text) else "'"
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


_Dumper.add_representer(str, _text_node)


def _look_through(text: str) -> None:
    """Raises `FrontmatterError` for what no frontmatter needs, before anything is made of it."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        at = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise FrontmatterError(f"{at}references (& and *) are not allowed")
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None):
            raise FrontmatterError(f"{at}tags (!) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise FrontmatterError(f"{at}{_TOO_DEEP}")


def _line(mark: Any) -> str:
    """Where something stands in the file, whose first line is not in the frontmatter; "" where YAML does not know."""
    return f"line {mark.line + 2}: " if mark is not None else ""


def _value(node: yaml.Node) -> Value:
    if isinstance(node, yaml.MappingNode):
        return _map(node)
    if isinstance(node, yaml.SequenceNode):
        return Listed()
    return Scalar(node.value, _TAGS.get(node.tag.removeprefix(_TAG), "a number"))


def _map(node: yaml.MappingNode) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in node.value:
        at = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise FrontmatterError(f"{at}the name of a field is no text")
        if key.value in found:
            raise FrontmatterError(f"{at}the field {clean_line(key.value)[:80]} is there twice")
        found[key.value] = _value(value)
    return found
