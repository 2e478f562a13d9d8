"""The settings in force and where each came from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from memscope.base.settings import Resolved, Settings, api_key, config_path, data_dir
from memscope.reports.view import Column, Document, View


class SettingRow(Document):
    """A setting: its value, the place the value came from, and what it is for."""

    name: str
    value: Any
    origin: str
    description: str


class ConfigDocument(Document):
    """`config_file` and `data_dir` are where settings are read and scores kept. `api_key` names the variable that
    holds the key, or is null: the key itself is shown nowhere."""

    schema_: Literal["memscope/config@1"] = Field("memscope/config@1", alias="schema")
    config_file: str
    data_dir: str
    api_key: str | None
    settings: list[SettingRow]


def config_document(resolved: Resolved) -> ConfigDocument:
    values = resolved.settings.model_dump(mode="json")
    return ConfigDocument(
        config_file=str(config_path()),
        data_dir=str(data_dir()),
        api_key=api_key()[1] or None,
        settings=[
            SettingRow(
                name=name, value=values[name], origin=resolved.origins[name], description=field.description or ""
            )
            for name, field in Settings.model_fields.items()
        ],
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        value = [f"{name} = {text}" for name, text in value.items()]
    return (", ".join(value) if isinstance(value, list) else str(value if value is not None else "")) or "–"


CONFIG: View[ConfigDocument, SettingRow] = View(
    "config",
    ConfigDocument,
    lambda document: document.settings,
    lambda _: (
        Column("setting", lambda row: row.name),
        Column("value", lambda row: _shown(row.value)),
        Column("from", lambda row: row.origin),
        Column("for", lambda row: row.description, wide=True, rank=1),
    ),
)
