"""One definition, several outputs: a `View` feeds the JSON schema, the JSON, the CSV and the tables of a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Cell = str | int | float | bool | None


class Document(BaseModel):
    """A document or a part of one. Numbers that are not finite never get in: they are null."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


Doc = TypeVar("Doc", bound=BaseModel)  # a `Document`, or a bare list
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column of a table: `title` heads it everywhere, `value` is what rows are sorted by and CSV gets, unless
    there is something `exported`; `shown` is what a table shows. Of a `latest` one the end stays where it is cut.

    `rank` says which go first when the screen is narrow: the highest. `wide` columns take what room is left. Of
    `negative` numbers the lowest say most. `highest_first`: what has no unit, and says most where it is highest.
    """

    title: str
    value: Callable[[Row], Cell]
    unit: str = ""
    rank: int = 0
    wide: bool = False
    shown: Callable[[Row], str] | None = None
    negative: bool = False
    highest_first: bool = False
    exported: Callable[[Row], Cell] | None = None
    latest: bool = False

    @property
    def numeric(self) -> bool:
        return bool(self.unit)

    def text(self, row: Row) -> str:
        """The cell as a table shows it; not yet cleaned for a screen."""
        return self.shown(row) if self.shown is not None else show(self.value(row))


@dataclass(frozen=True, slots=True)
class View(Generic[Doc, Row]):
    """A kind of document: its name (`memscope/NAME@VERSION` in its `schema`, which a bare list does not have), its
    model, and its table."""

    name: str
    document: type[Doc]
    rows: Callable[[Doc], Sequence[Row]]
    columns: Callable[[Doc], Sequence[Column[Row]]]


def number(value: float) -> float | None:
    """`value` for a document: None where there is none."""
    value = float(value)
    return value if math.isfinite(value) else None


def show(value: Cell) -> str:
    """A cell for a person: four significant digits, – where there is nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return nats(value)
    return str(value)


def nats(value: float) -> str:
    """A number of nats in at most six characters or so: 12.3, -0.04, 1234; ~0 for what rounds to 0 and is not."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.005:
        return f"{value:.2f}"
    return "0" if value == 0 else "~0"


def signed(value: float) -> str:
    """A number of nats with its sign, a plus too; what is too small for a number has none."""
    return ("+" if value >= 0.005 else "") + nats(value)
