"""A conversation that attacks the terminal, the screen's markup and the reader, from every place that is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from memscope.base.text import clean

ATTACKS = (
    "\x1b]0;PWNED title\x07",
    "\x1b]52;c;UFdORUQ=\x07",
    "\x1b]52;c;UFdORUQ=\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[6n",
    "\x1b[?1049l",
    '\x1bP$q"p\x1b\\',
    "\x9b2J",
    "\x9d0;PWNED\x9c",
    "\x00\x07\x08\x0b\x0c\x0e\x7f",
    "\u202eSDROW\u202c \u2066x\u2069",
    "\u200bzero\u200dwidth\ufeff",
    "\U000e0041\U000e0042",
    "[/] [/red] [b +",
    "[@click=app.quit]see[/] [@click=app.bell]more[/]",
    "[link=file:///etc/passwd]here[/link]",
    "$foo {x} %s \\[b\\]",
    "half \ud83d of a pair",
    "e\u0301\u0336 \u0915\u094d\u0937 \u6f22\u5b57 \U0001f469\u200d\U0001f680",
)
EVIL = " ".join(ATTACKS)


def conversation() -> dict[str, Any]:
    """Native form; the attacks are in keys, texts, names, tools and the title."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": f"You help. {EVIL}"},
        {"role": "user", "memory_key": f"key {EVIL}", "content": f"- The port is 7741. {EVIL}"},
        {"role": "user", "memory_key": "[/]\x1b]0;PWNED\x07", "content": f"{EVIL}\n" * 3},
        {"role": "user", "memory_key": "plain", "content": "Deploys go to staging first."},
    ]
    for turn, attack in enumerate(ATTACKS):
        call = {"name": attack, "arguments": f'{{"a": "{attack}'}
        messages += [
            {"role": "user", "name": attack, "content": f"Turn {turn}: which port? {attack}"},
            {
                "role": "assistant",
                "content": f"The port is 7741. {attack} {EVIL}",
                "tool_calls": [{"id": f"c{turn}", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"c{turn}", "content": f"out {attack}\n{EVIL}"},
        ]
    return {"title": f"evil {EVIL}", "messages": messages}


def hostile_file(folder: Path) -> Path:
    """The conversation in a file whose own name attacks."""
    path = folder / "evil \x1b]0;PWNED\x07 \u202e[b +[red].json"
    path.write_text(json.dumps(conversation()), encoding="utf-8")
    return path


# What the console itself writes: moves, colours, modes, the shape of the mouse, and what a person copies, in base64.
_OWN = re.compile(
    r"\x1b\]52;c;(?!UFdORUQ=\x07)[A-Za-z0-9+/=]*\x07|\x1b\]22;[a-z-]*\x07|"
    r"\x1b\[[0-9;:?<=>]*[ $!\"']*[A-Za-z]|\x1b[78=>]|\x1b\([B0]"
)


def foreign(raw: bytes) -> str:
    """What in a terminal's input is no text and not the console's own; empty when all is well."""
    text = raw.decode("utf-8", "replace")
    assert "\ufffd" not in text
    rest = _OWN.sub("", text).replace("\r", "").replace("\x0f", "")
    wrong = [char for char in rest if clean(char) != char]
    commands = [found for found in _OWN.findall(text) if found.endswith(("n", "J", "t", "c")) and found not in _ASKED]
    return f"{wrong[:5]} {commands[:5]}" if wrong or commands else ""


_ASKED = {"\x1b[2J", "\x1b[?6n", "\x1b[c"}
