"""Chat templates that are rendered here, for servers and models that do not render their own.

Templates are Jinja, as models ship them, and run in a sandbox: they come with a model and are not trusted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from memscope.base.errors import EngineError, UsageError
from memscope.engines.chat import Chat

BUILT_IN = {
    "chatml": (
        "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' + m.content }}"
        "{%- for c in m.tool_calls or [] %}{{ '\n<tool_call>\n' }}"
        "{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}{{ '\n</tool_call>' }}"
        "{%- endfor %}{{ '<|im_end|>\n' }}{%- endfor -%}"
    ),
    "llama3": (
        "{{ bos_token }}{%- for m in messages -%}"
        "{{ '<|start_header_id|>' + ('ipython' if m.role == 'tool' else m.role) + '<|end_header_id|>\n\n' }}"
        "{{ m.content | trim }}{%- for c in m.tool_calls or [] %}"
        "{{ {'name': c.function.name, 'parameters': c.function.arguments} | tojson }}"
        "{%- endfor %}{{ '<|eot_id|>' }}{%- endfor -%}"
    ),
    "mistral": (
        "{{ bos_token }}{%- for m in messages -%}{%- if m.role == 'assistant' -%}{{ ' ' + m.content }}"
        "{%- if m.tool_calls %}{{ '[TOOL_CALLS] [' }}{%- for c in m.tool_calls -%}"
        "{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}"
        "{{ ', ' if not loop.last }}{%- endfor -%}{{ ']' }}{%- endif -%}{{ eos_token }}"
        "{%- elif m.role == 'tool' -%}{{ '[TOOL_RESULTS] ' + m.content + '[/TOOL_RESULTS]' }}"
        "{%- else -%}{{ '[INST] ' + m.content + ' [/INST]' }}{%- endif -%}{%- endfor -%}"
    ),
    "gemma": (
        "{{ bos_token }}{%- for m in messages -%}{%- if m.role == 'system' and not loop.first -%}"
        "{{ raise_exception('a system message in mid-conversation is not supported') }}{%- endif -%}"
        "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else 'user') + '\n' + m.content | trim }}"
        "{%- for c in m.tool_calls or [] %}{{ '\n' }}"
        "{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}"
        "{%- endfor %}{{ '<end_of_turn>\n' }}{%- endfor -%}"
    ),
}
_SPECIAL = {
    "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "mistral": ("<s>", "</s>"),
    "gemma": ("<bos>", "<eos>"),
}
_GENERATION = re.compile(r"{%([-+]?)\s*(?:end)?generation\s*([-+]?)%}")  # a mark for training, which changes no text
DAY = datetime(2024, 7, 26)
"""Today, for templates that write the date: the day that those of Llama fall back to. With another every day, scores of
one day could not be compared with those of the next."""
_LARGEST = 2**24  # bytes of a template's file
_CONFIG = "tokenizer_config.json"
_NONE, _GIVE = "this file holds no chat_template", "Give the Jinja file itself."
_THERE = f"There are: {', '.join(BUILT_IN)}; or give a file, Jinja or {_CONFIG}."


@dataclass(frozen=True)
class Template:
    """A chat template: its Jinja source, and the texts of the tokens it may write."""

    source: str
    bos: str = ""
    eos: str = ""
    name: str = ""

    @cached_property
    def digest(self) -> str:
        """What tells it from other templates."""
        return hashlib.sha256("\0".join((self.source, self.bos, self.eos)).encode()).hexdigest()[:16]

    @cached_property
    def _compiled(self) -> Any:
        from jinja2 import TemplateError
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def refuse(message: str) -> str:
            raise TemplateError(message)

        def as_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **more: Any) -> str:
            return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **more)

        sandbox = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        sandbox.filters["tojson"] = as_json
        sandbox.globals["raise_exception"] = refuse
        sandbox.globals["strftime_now"] = DAY.strftime
        return sandbox.from_string(_GENERATION.sub(r"{#\1\2#}", self.source))

    def render(self, said: Chat) -> str:
        """The chat as text. Raises `EngineError` where the template refuses it."""
        try:
            text: str = self._compiled.render(
                messages=[with_objects(message) for message in said.messages],
                tools=list(said.tools) or None,
                add_generation_prompt=False,
                bos_token=self.bos,
                eos_token=self.eos,
            )
        except Exception as error:  # a template is input: whatever it does wrong is no bug here
            raise refused(str(error) or type(error).__name__) from error
        return text


FOLDING = (
    "Some templates refuse messages of these roles in this order: --fold memories puts each memory into the message"
    " beside it, --fold system the system message into the first of the user."
)


def refused(reason: str, *, where: str | None = None, status: int = 0) -> EngineError:
    """A chat template does not take the conversation as it is."""
    do = FOLDING
    return EngineError(f"the chat template refuses the conversation: {reason}", where=where, do=do, status=status)


def with_objects(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message whose tool calls have their arguments as objects, where they are: what templates are written for."""
    calls = message.get("tool_calls")
    if not calls:
        return dict(message)
    return {
        **message,
        "tool_calls": [
            {**call, "function": {**call["function"], "arguments": _object(call["function"]["arguments"])}}
            for call in calls
        ],
    }


def template_of(setting: str) -> Template:
    """The template that a setting names: one of `BUILT_IN`, or a file: Jinja, or a tokenizer_config.json that holds it;
    or a model's folder, which has one of them.

    The texts of special tokens are in tokenizer_config.json: a Jinja file is read with the one beside it. Raises
    `UsageError` for what is no template.
    """
    if setting in BUILT_IN:
        return Template(BUILT_IN[setting], *_SPECIAL.get(setting, ("", "")), name=setting)
    path = Path(setting).expanduser()
    config = path / _CONFIG if path.is_dir() else path if path.suffix == ".json" else path.with_name(_CONFIG)
    settings: object = {}
    if config == path or config.exists():
        try:
            settings = json.loads(_read(config, setting))
        except (ValueError, RecursionError) as error:
            raise UsageError(_NONE, where=config, do=_GIVE) from error
    settings = settings if isinstance(settings, dict) else {}
    if path.suffix == ".json" or path.is_dir():
        jinja = config.with_name("chat_template.jinja")
        source = _read(jinja, setting) if jinja.exists() else _held(settings.get("chat_template"))
        if source is None:
            raise UsageError(_NONE, where=config, do=_GIVE) if config.exists() else _none(setting)
    else:
        source = _read(path, setting)
    return Template(source, _text(settings.get("bos_token")), _text(settings.get("eos_token")), name=path.name)


def _read(path: Path, setting: str) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError("this is too large for a chat template", where=path, do=_THERE)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _none(setting) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the chat template cannot be read ({error})", where=path, do=_THERE) from error


def _none(setting: str) -> UsageError:
    return UsageError(f"there is no chat template {setting!r}", do=_THERE)


def _held(source: object) -> str | None:
    """The template a configuration holds; of several, by name, the default or the first."""
    if isinstance(source, list):
        named = [one for one in source if isinstance(one, Mapping)]
        first = next((one for one in named if one.get("name") == "default"), named[0] if named else {})
        source = first.get("template")
    return source if isinstance(source, str) else None


def _text(token: object) -> str:
    """A special token as a configuration writes it: a text, or an object with one."""
    found = token.get("content") if isinstance(token, Mapping) else token
    return found if isinstance(found, str) else ""


def _object(arguments: object) -> object:
    if not isinstance(arguments, str):
        return arguments
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return arguments
    return value if isinstance(value, dict) else arguments
