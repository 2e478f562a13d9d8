"""A document's rows as CSV, for a spreadsheet: what a command prints and what the console exports."""

from __future__ import annotations

import csv
import io
from typing import TypeVar

from pydantic import BaseModel

from memscope.base.text import clean
from memscope.reports.view import View

Doc = TypeVar("Doc", bound=BaseModel)
Row = TypeVar("Row")


def csv_text(view: View[Doc, Row], document: Doc) -> str:
    """The rows as CSV (RFC 4180, but for bare newlines), a header first; cleaned, and inert in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = view.columns(document)
    writer.writerow([column.title for column in columns])
    for row in view.rows(document):
        writer.writerow([_csv_cell((column.exported or column.value)(row)) for column in columns])
    return out.getvalue()


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return repr(value) if isinstance(value, float) else value
    text = clean(value)
    return "'" + text if text.lstrip().startswith(("=", "+", "-", "@")) else text  # else a spreadsheet would run it
