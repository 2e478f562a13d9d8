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

from memscope.base.clock import now
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
_LARGEST = 2**20  # bytes of a template's file


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
        sandbox.globals["strftime_now"] = lambda form: datetime.fromtimestamp(now()).strftime(form)
        return sandbox.from_string(_GENERATION.sub(r"{#\1\2#}", self.source))

    def render(self, said: Chat) -> str:
        """The chat as text. Raises `EngineError` where the template refuses it."""
        from jinja2 import TemplateError

        try:
            text: str = self._compiled.render(
                messages=[with_objects(message) for message in said.messages],
                tools=list(said.tools) or None,
                add_generation_prompt=False,
                bos_token=self.bos,
                eos_token=self.eos,
            )
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise refused(str(error) or type(error).__name__) from error
        return text


def refused(reason: str) -> EngineError:
    """A chat template does not take the conversation as it is."""
    do = (
        "Some templates refuse messages of these roles in this order: --fold memories puts each memory into the message"
        " beside it, --fold system the system message into the first of the user."
    )
    return EngineError(f"the chat template refuses the conversation: {reason}", do=do)


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
    """The template that a setting names: one of `BUILT_IN`, or a file: Jinja, or a tokenizer_config.json that holds it.

    Raises `UsageError` for what is neither.
    """
    if setting in BUILT_IN:
        return Template(BUILT_IN[setting], *_SPECIAL.get(setting, ("", "")), name=setting)
    path = Path(setting).expanduser()
    there = f"There are: {', '.join(BUILT_IN)}; or give a file, Jinja or tokenizer_config.json."
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError("this is too large for a chat template", where=path, do=there)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no chat template {setting!r}", do=there) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"the chat template cannot be read ({error})", where=path, do=there) from error
    if path.suffix != ".json":
        return Template(text, name=path.name)
    return _configured(text, path)


def _configured(text: str, path: Path) -> Template:
    try:
        config = json.loads(text)
        source = config["chat_template"]
        if isinstance(source, list):  # several, by name
            source = next((one["template"] for one in source if one["name"] == "default"), source[0]["template"])
        if not isinstance(source, str):
            raise TypeError
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UsageError("this file holds no chat_template", where=path, do="Give the Jinja file itself.") from error
    return Template(source, _text(config.get("bos_token")), _text(config.get("eos_token")), name=path.name)


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
