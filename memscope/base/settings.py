"""Settings, and where each value came from: flag, environment, file, default, in that order."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from memscope.base.errors import SettingsError

_FALLBACKS = {"base_url": ("OPENAI_BASE_URL",)}  # read after MEMSCOPE_<NAME>
_KEYS = ("MEMSCOPE_API_KEY", "OPENAI_API_KEY")


class Settings(BaseModel):
    """What can be set, with its default. A setting's name is also its flag, its variable and its line in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    engine: str = Field("embedded", description="what assigns the log-probabilities")
    base_url: str = Field("", description="where the scoring server answers")
    model: str = Field("", description="the model on the server; one served model is chosen by itself")
    timeout: float | None = Field(None, gt=0, description="seconds to wait for an answer; unset: the engine's own")
    workers: int | None = Field(None, ge=1, le=256, description="scorings at a time; unset: the engine's own")
    threshold: float = Field(0.01, ge=0, description="effects at or below this many nats do not count")
    store: bool = Field(True, description="keep scores on disk, and use those that are there")
    thinking: bool = Field(False, description="score and send thinking too")
    rules_off: tuple[str, ...] = Field((), description="memory rules not to use: fenced, tool, heading")
    patterns: dict[str, str] = Field({}, description="more memory rules: a name and a regex with groups key and text")

    @field_validator("base_url")
    @classmethod
    def _no_credentials(cls, url: str) -> str:
        """They would be shown by `config` and kept with every score."""
        if any(sign in url for sign in "@?#"):
            raise ValueError("it holds a user name, a password or a query; put the key into MEMSCOPE_API_KEY")
        return url


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings in force, and for each the place its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def data_dir() -> Path:
    """The folder where memscope keeps what lasts."""
    return _folder("MEMSCOPE_DATA_DIR", "user_data_path")


def config_path() -> Path:
    """The settings file, which need not exist."""
    return _folder("MEMSCOPE_CONFIG_DIR", "user_config_path") / "config.toml"


def api_key() -> tuple[str, str]:
    """The key for scoring servers and the variable it came from; both empty when there is none. Never shown."""
    for name in _KEYS:
        if key := os.environ.get(name, "").strip():
            return key, name
    return "", ""


def resolve(flags: Mapping[str, Any] | None = None) -> Resolved:
    """The settings in force; `flags` are those a command was given (None: not given). Raises `SettingsError`."""
    path = config_path()
    places: list[tuple[Mapping[str, Any], Mapping[str, str]]] = []
    in_file = _read(path)
    places.append((in_file, dict.fromkeys(in_file, f"file {path}")))
    places.append(_from_environment())
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    places.append((given, {name: f"flag {_flag(name, value)}" for name, value in given.items()}))
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for found, where in places:
        values |= found
        origins |= where
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, origins) from None
    return Resolved(settings, origins)


def _flag(name: str, value: object) -> str:
    return f"--{'no-' if value is False else ''}{name.replace('_', '-')}"


def _folder(variable: str, platform_name: str) -> Path:
    if moved := os.environ.get(variable):
        try:
            return Path(moved).expanduser()
        except RuntimeError as error:  # the ~ of somebody who does not exist
            raise SettingsError(f"there is no folder {moved}", where=f"environment {variable}") from error
    import platformdirs

    folder: Path = getattr(platformdirs, platform_name)("memscope", appauthor=False)
    return folder


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"the settings cannot be read ({error.strerror})", where=path) from error
    except (ValueError, RecursionError) as error:  # bad TOML, not UTF-8, a number or a nesting beyond all measure
        raise SettingsError(f"the settings are not valid TOML: {error}", where=path) from error
    return {name.replace("-", "_"): value for name, value in found.items()}


def _from_environment() -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in Settings.model_fields:
        for variable in (f"MEMSCOPE_{name.upper()}", *_FALLBACKS.get(name, ())):
            text = os.environ.get(variable)
            if text and name != "patterns":
                values[name] = [part.strip() for part in text.split(",")] if name == "rules_off" else text
                origins[name] = f"environment {variable}"
                break
    return values, origins


def _refusal(error: ValidationError, origins: Mapping[str, str]) -> SettingsError:
    problem = error.errors()[0]["type"]
    name = str(error.errors()[0]["loc"][0])
    where = origins.get(name, "default")
    if name == "api_key":
        return SettingsError("a key is no setting", where=where, do=f"Put it into {_KEYS[0]} in the environment.")
    if problem == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(Settings.model_fields)}."
        return SettingsError(f"there is no setting {name!r}", where=where, do=hint)
    if problem == "value_error":  # a check of our own says all that may be said: the value may hold a password
        return SettingsError(f"{name} cannot be used: {error.errors()[0]['ctx']['error']}", where=where)
    return SettingsError(
        f"{name} cannot be {error.errors()[0]['input']!r}: {error.errors()[0]['msg'].lower()}", where=where
    )
