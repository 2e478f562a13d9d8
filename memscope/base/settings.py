"""Settings, and where each value came from: flag, environment, file, default, in that order.

The console changes them for a session and writes them to the file; both pass the checks that every place passes.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from memscope.base.errors import SettingsError
from memscope.base.files import replace_file
from memscope.base.toml_edit import entries, with_entry

_FALLBACKS = {"base_url": ("OPENAI_BASE_URL",)}  # read after MEMSCOPE_<NAME>
_KEYS = ("MEMSCOPE_API_KEY", "OPENAI_API_KEY")
_CHAT_KEY = "MEMSCOPE_CHAT_API_KEY"
_EMBED_KEY = "MEMSCOPE_EMBED_API_KEY"
_OWN_KEYS = {"chat_url": _CHAT_KEY, "embed_url": _EMBED_KEY}
_BY_HAND = "Change the file by hand."
CLASSIC = "classic"  # the one value of compat beside none
_BROUGHT = {"context": "window", "threshold": 0.01}  # what it brings, unless a flag says otherwise
_BRINGS = f"compat {CLASSIC}"  # the origin of that
SESSION = "this session"  # the origin of a value that was changed in the console and not written


class Settings(BaseModel):
    """What can be set, with its default. A setting's name is also its flag, its variable and its line in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    engine: str = Field("embedded", description="what assigns the log-probabilities")
    base_url: str = Field("", description="where the scoring server answers")
    model: str = Field(
        "", description="a name on the server (one alone is chosen by itself), or a folder, hub name, GGUF file"
    )
    template: str = Field(
        "",
        description="the chat template where none is served: chatml, llama3, mistral, gemma, or a file; unset: its own",
    )
    fold: Literal["off", "memories", "system"] = Field(
        "off",
        description="memories: put those that are messages into the one beside them; system: the system message too",
    )
    device: str = Field(
        "", description="where a model in this process computes: cpu, cuda, mps, gpu; unset: what there is"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="how a model in this process computes; auto: float32 on a CPU, else as it was saved"
    )
    timeout: float | None = Field(None, gt=0, description="seconds to wait for an answer; unset: the engine's own")
    workers: int | None = Field(None, ge=1, le=256, description="scorings at a time; unset: the engine's own")
    threshold: float = Field(0.01, ge=0, description="effects at or below this many nats do not count")
    store: bool = Field(True, description="keep scores on disk, and use those that are there")
    ask_above: int = Field(
        2_000_000, ge=0, description="ask before a run that scores more tokens than this; 0: never ask"
    )
    thinking: bool = Field(False, description="score and send thinking too")
    context: Literal["full", "window"] = Field(
        "full", description="what stands before the responses that are looked at: all of it, or the system prompt alone"
    )
    compat: Literal["", "classic"] = Field(
        "", description="classic: the numbers of the first memory scorers, quirks included, to compare with"
    )
    responses: int | None = Field(
        None,
        ge=1,
        description="responses that are looked at after a memory; unset: 50 of one memory, 100 of those that are due",
    )
    max_age: float = Field(3600, ge=0, description="seconds after which a memory is due to be scored again")
    cutoff: float = Field(
        0.60, ge=0, le=1, description="memories behind this part of a conversation are too recent to be due"
    )
    chat_url: str = Field("", description="where a chat server answers; unset: no chat model is ever asked")
    chat_model: str = Field("", description="the chat server's model; one alone is chosen by itself")
    embedder: Literal["embedded", "api", "local"] = Field(
        "embedded", description="what makes vectors of messages: embedded (their words), api (embed_url), local"
    )
    embed_url: str = Field("", description="where an embeddings server answers; used where the embedder is api")
    embed_model: str = Field(
        "", description="that server's model (one alone is chosen by itself); local: a folder or hub name"
    )
    rules_off: tuple[str, ...] = Field((), description="memory rules not to use: fenced, tool, heading")
    patterns: dict[str, str] = Field({}, description="more memory rules: a name and a regex with groups key and text")
    session_folders: tuple[str, ...] = Field(
        (), description="more folders of transcripts to rank, beside those of the agents that are known"
    )
    repositories: tuple[str, ...] = Field(
        (), description="more repositories to look for in tool calls: names, or a regex with a group name"
    )
    lessons_file: str = Field("outputs/agent_memory.json", description="the file of lessons that an agent keeps")
    lessons_budget: int = Field(200, ge=1, description="tokens (of four characters) that a context block may have")
    insight_chars: int = Field(
        8000, ge=500, description="characters of session traces that a chat model is sent to synthesize insights"
    )
    insight_count: int = Field(10, ge=1, le=100, description="how many insights it is asked for")
    insight_rules: bool = Field(True, description="tell it what the rules observed, too")
    insight_winner: Literal["newer", "confident"] = Field(
        "newer", description="of two insights that say the same, which stays: newer, or confident (the more confident)"
    )
    skills_folder: str = Field("~/.claude/skills", description="where skills are, and accepted ones are put")
    theme: str = Field("", description="the console's theme; empty: the last chosen, else textual-dark")
    glyphs: Literal["auto", "ascii"] = Field("auto", description="ascii: the console draws without · × ▁ and the like")
    keys: dict[str, str] = Field({}, description="the console's keys: a binding's id and the keys, as slash,ctrl+f")

    @field_validator("base_url", "chat_url", "embed_url")
    @classmethod
    def _no_credentials(cls, url: str, about: ValidationInfo) -> str:
        """They would be shown by `config` and kept with every score."""
        if any(sign in url for sign in "@?#"):
            key = _OWN_KEYS.get(about.field_name or "", _KEYS[0])
            raise ValueError(f"it holds a user name, a password or a query; put the key into {key}")
        return url

    @field_validator("keys", mode="before")
    @classmethod
    def _dots_quoted(cls, keys: object) -> object:
        """TOML reads move.up = "k" as a table in a table."""
        if isinstance(keys, dict) and any(isinstance(value, dict) for value in keys.values()):
            raise ValueError('an id with a dot needs quotes, as in "move.up" = "up,k"')
        return keys


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


def chat_key(settings: Settings) -> str:
    """The key for the chat server: its own, else that of the scoring server where both are one; no other server is
    ever sent that. Empty when there is none. Never shown."""
    return _own_key(settings, "chat_url")


def embed_key(settings: Settings) -> str:
    """The key for the embeddings server: its own, else that of the scoring server where both are one. Never shown."""
    return _own_key(settings, "embed_url")


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
    if values.get("compat") == CLASSIC:
        brought = {name: value for name, value in _BROUGHT.items() if name not in given}
        values |= brought
        origins |= dict.fromkeys(brought, _BRINGS)
    return Resolved(_checked(values, origins), origins)


def changed(resolved: Resolved, name: str, value: object) -> Resolved:
    """`resolved` with another value for one setting, for this session; with what comes and goes with that. Raises
    `SettingsError`."""
    found = adopted(resolved, with_values(resolved.settings, **{name: value}), {name})
    if name != "compat" or found.settings.compat == resolved.settings.compat:
        return found
    if found.settings.compat == CLASSIC:
        said = (SESSION, "flag")
        coming = [other for other in _BROUGHT if not resolved.origins[other].startswith(said)]
        brought: Mapping[str, Any] = {other: _BROUGHT[other] for other in coming}
        origins: Mapping[str, str] = dict.fromkeys(coming, _BRINGS)
    else:
        without = resolve({"compat": ""})
        going = [other for other in _BROUGHT if resolved.origins[other] == _BRINGS]
        brought = {other: getattr(without.settings, other) for other in going}
        origins = {other: without.origins[other] for other in going}
    return Resolved(with_values(found.settings, **brought), {**found.origins, **origins})


def adopted(resolved: Resolved, settings: Settings, names: Set[str] = frozenset()) -> Resolved:
    """`resolved` with the values of `settings`; of those that differ, and of `names`, this session is the origin."""
    other = {name for name in Settings.model_fields if getattr(settings, name) != getattr(resolved.settings, name)}
    return Resolved(settings, {**resolved.origins, **dict.fromkeys(other | names, SESSION)})


def with_values(settings: Settings, **values: object) -> Settings:
    """`settings` with other values for some. Raises `SettingsError` for one that cannot be."""
    return _checked(settings.model_dump() | values, {})


def from_text(name: str, text: str) -> object:
    """What a person typed for a setting, as `changed` and `save` take it. Raises `SettingsError` for a bad table."""
    default = Settings.model_fields[name].default
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, dict):
        try:
            return tomllib.loads(f"table = {text.strip() or '{}'}")["table"]
        except (ValueError, RecursionError) as error:
            do = 'It is written as {name = "text", other = "text"}.'
            raise SettingsError(f"{name} cannot be {text!r}: {error}", do=do) from None
    return text.strip() or default


def as_text(value: object) -> str:
    """A setting's value as a person would type it: what `from_text` reads back."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(name)} = {_quoted(text)}" for name, text in value.items()) + "}"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def save(name: str, value: object) -> Path:
    """Writes one setting to the settings file, whose comments and other lines stay; the file.

    A value of None takes the setting out of the file: TOML has no such value. Raises `SettingsError` for a value the
    setting cannot have, for a server's key, and for a file that cannot be read or written.
    """
    value = getattr(_checked({name: value}, {}), name)
    if any(key in str(value) for key in _secrets()):
        raise SettingsError(f"{name} holds the API key, which is not written", do=f"Put it into {_KEYS[0]} alone.")
    path = config_path()
    _read(path)  # a file that is not understood is left alone
    try:
        text = path.read_bytes().decode() if path.exists() else ""
        replace_file(path, with_entry(text, name, list(value) if isinstance(value, tuple) else value))
    except ValueError as error:
        raise SettingsError(f"the settings cannot be changed ({error})", where=path, do=_BY_HAND) from error
    except OSError as error:
        raise SettingsError(f"the settings cannot be written ({error.strerror})", where=path, do=_BY_HAND) from error
    return path


def _secrets() -> list[str]:
    """Keys that must not be written; a short one is a word such as "none", which some servers take."""
    return [key for name in (*_KEYS, *_OWN_KEYS.values()) if len(key := os.environ.get(name, "").strip()) >= 8]


def _checked(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, origins) from None


def _own_key(settings: Settings, setting: str) -> str:
    """The key for the server that `setting` names, see `chat_key`."""
    if key := os.environ.get(_OWN_KEYS[setting], "").strip():
        return key
    url: str = getattr(settings, setting)
    return api_key()[0] if url and _host(url) == _host(settings.base_url) else ""


def _host(url: str) -> tuple[str, str]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url.strip())
    return parts.scheme.lower(), parts.netloc.lower()


def _quoted(text: str) -> str:
    """A basic string of TOML: as in JSON, but that DEL needs an escape."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


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
            return entries(file.read().decode())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"the settings cannot be read ({error.strerror})", where=path) from error
    except (ValueError, RecursionError) as error:  # bad TOML, not UTF-8, a number or a nesting beyond all measure
        raise SettingsError(f"the settings are not valid TOML: {error}", where=path) from error


def _from_environment() -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        for variable in (f"MEMSCOPE_{name.upper()}", *_FALLBACKS.get(name, ())):
            text = os.environ.get(variable, "").strip()
            if text and not isinstance(field.default, dict):
                values[name] = from_text(name, text)
                origins[name] = f"environment {variable}"
                break
    return values, origins


def _refusal(error: ValidationError, origins: Mapping[str, str]) -> SettingsError:
    problem = error.errors()[0]["type"]
    name = str(error.errors()[0]["loc"][0])
    where = origins.get(name)
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
