"""The help of the Sessions pane, with what a filter may ask, from its fields themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memscope.actions.sessions import filter_fields
from memscope.reports.sessions import LEGEND

if TYPE_CHECKING:
    from memscope.sessions.query_fields import Field


def _fields() -> Iterator[str]:
    """What a filter may ask of a session, those that compare alike together."""
    alike: dict[frozenset[str], list[Field]] = {}
    for field in filter_fields():
        alike.setdefault(frozenset(field.operators), []).append(field)
    for fields in alike.values():
        signs = " ".join(fields[0].operators)
        yield f"With {signs} go {', '.join(f'{field.name} ({field.about})' for field in fields)}."


HELP = "\n\n".join(
    [
        "Every session in the folders of the agents on this machine, or in the one that o asks for, by what it is "
        "worth to read and score first: 3 to 16 points, for being recent, long, the first of its repository, failed, "
        f"and full of tool calls. A column has these parts: {LEGEND}. Beside the table, each part with what it rests "
        "on; Tab leads there, and Enter on a line with an arrow goes to that place of the transcript, or to that row.",
        "Only a session with memories and a response can be scored; m leaves out the others, which are most. Enter "
        "opens the one under the cursor, v only reads it. space marks, a marks all that are shown; b scores the marked "
        "one after another, f looks in them for responses worth training on. A session that is in several files is one "
        "row, and its sub-agents are part of it; c shows them all.",
        "/ filters: words that stand in the title, the first request or a repository, and comparisons. All of them "
        'have to hold: score>=12 outcome=failure memories>0 repo!=NAME since:7d "two words" -word, where the minus '
        "says that it must not be so. Tab takes what is offered, up brings back earlier ones.",
        *_fields(),
        "A scan reads each file once, and again only when it has changed; R scans again, x stops, and what was found "
        "stays.",
    ]
)
