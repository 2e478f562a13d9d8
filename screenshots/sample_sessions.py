"""Some weeks of a developer's sessions with three agents, made up, for the pictures of the panes that are about many.

Written below a home folder as those agents write them, the same every time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """A session: `days` before `NOW` it was left, after so many `turns`. `fails`: it ends with a failed command."""

    agent: str
    repository: str
    request: str
    days: int
    turns: int
    fails: bool = False
    memories: tuple[str, ...] = ()


SAMPLES = (
    Sample("claude", "harbor", "Move the retry logic of the uploader into its own module", 1, 34, True),
    Sample("claude", "harbor", "Why does the upload test hang on the CI runners?", 3, 11, True, ("tests/CLAUDE.md",)),
    Sample("claude", "harbor", "Add a --dry-run flag to the release script", 9, 8),
    Sample(
        "claude", "lantern", "Port the settings page to the new form components", 2, 29, memories=("web/CLAUDE.md",)
    ),
    Sample("claude", "lantern", "The dark theme flashes white on load", 16, 14),
    Sample("claude", "lantern", "Upgrade the bundler and fix what breaks", 41, 40, True),
    Sample("codex", "tidewater", "Write the migration that splits the orders table", 4, 21, True, ("AGENTS.md",)),
    Sample(
        "codex", "tidewater", "Explain how the nightly import decides what is stale", 12, 6, memories=("AGENTS.md",)
    ),
    Sample("codex", "harbor", "Review the open pull request about timeouts", 6, 9),
    Sample("hermes", "", "Plan the trip to Lisbon with what you know of me", 5, 7, memories=("MEMORY", "USER")),
    Sample("hermes", "", "Summarise this week's notes", 19, 3),
)
_ASKED = (
    "Bump the version to 2.{}, update the changelog and tag the release",
    "Run the tests of the upload module and fix what fails, then run them again ({})",
    "Write the notes of standup {} into docs/standups, one line a person",
)
_OTHERS = (
    "Why is the search page slow on the phone?",
    "Draw the tables of the billing service",
    "Which of the feature flags can go?",
    "Translate the welcome mail into Portuguese",
    "Find out who calls the old login route",
)
REPEATED = tuple(
    Sample("claude", "harbor", request, 30 - 5 * week, 3)
    for week in range(5)
    for request in (*(asked.format(week + 4) for asked in _ASKED), _OTHERS[week])
)
"""What is asked again and again, and what is not."""
_STEPS = ("read the module", "run the tests", "look at the failing one", "change it", "run the tests again")
_FAILED = "FAILED tests/test_upload.py::test_retry - TimeoutError: no answer after 30 s"


def write_samples(home: Path, samples: Sequence[Sample] = SAMPLES) -> None:
    """Writes them below `home`, each last changed when it ends."""
    for number, sample in enumerate(samples):
        path, lines = _WRITERS[sample.agent](home, number, sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        ended = (NOW - timedelta(days=sample.days)).timestamp()
        os.utime(path, (ended, ended))


def _times(sample: Sample) -> Iterator[str]:
    at = NOW - timedelta(days=sample.days, minutes=2 * sample.turns)
    while True:
        yield at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        at += timedelta(seconds=20)


def _steps(sample: Sample) -> Iterator[tuple[str, str, bool]]:
    """What is done in each turn, what came of it, and whether it failed."""
    for turn in range(sample.turns):
        fails = sample.fails and turn == sample.turns - 1
        yield _STEPS[turn % len(_STEPS)], _FAILED if fails else "ok", fails


def _claude(home: Path, number: int, sample: Sample) -> tuple[Path, list[dict[str, Any]]]:
    cwd, session = f"/home/dev/{sample.repository}", f"5f0c1d2e-0000-4000-8000-{number:012d}"
    times, parent = _times(sample), None
    lines: list[dict[str, Any]] = []

    def add(kind: str, **more: Any) -> None:
        nonlocal parent
        uuid = f"{number:04d}{len(lines):04d}-0000-4000-8000-000000000000"
        about = {"parentUuid": parent, "isSidechain": False, "sessionId": session, "cwd": cwd, "version": "2.1.90"}
        lines.append({"type": kind, "uuid": uuid, "timestamp": next(times), **about, **more})
        parent = uuid

    for memory in sample.memories:
        content = {"path": f"{cwd}/{memory}", "type": "Project", "content": f"Read {memory} first. Use pnpm, not npm."}
        held = {"type": "nested_memory", "path": content["path"], "displayPath": memory, "content": content}
        add("attachment", attachment=held)
    add("user", message={"role": "user", "content": sample.request})
    for turn, (step, answer, fails) in enumerate(_steps(sample)):
        call = f"toolu_{number}_{turn}"
        use = {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": f"make {step.split()[0]}"}}
        said = [{"type": "text", "text": f"Next I {step}."}, use]
        add("assistant", message={"role": "assistant", "id": f"msg_{number}_{turn}", "model": "m", "content": said})
        result = {"type": "tool_result", "tool_use_id": call, "content": answer, "is_error": fails}
        add("user", message={"role": "user", "content": [result]})
    folder = cwd.replace("/", "-")
    return home / ".claude" / "projects" / folder / f"{session}.jsonl", lines


def _codex(home: Path, number: int, sample: Sample) -> tuple[Path, list[dict[str, Any]]]:
    cwd, session = f"/home/dev/{sample.repository}", f"019f0000-0000-7000-8000-{number:012d}"
    times = _times(sample)
    lines: list[dict[str, Any]] = []

    def add(kind: str, **payload: Any) -> None:
        lines.append({"timestamp": next(times), "type": kind, "payload": payload})

    git = {"repository_url": f"git@github.com:dev/{sample.repository}.git", "branch": "main"}
    add("session_meta", id=session, timestamp=next(times), cwd=cwd, originator="codex_cli", git=git)

    def say(role: str, text: str) -> None:
        kind = "output_text" if role == "assistant" else "input_text"
        add("response_item", type="message", role=role, content=[{"type": kind, "text": text}])

    if sample.memories:
        rules = (
            "# Rules\n\n- Migrations are written by hand and reviewed.\n- Never touch the orders table on a Friday.\n"
        )
        block = f"# AGENTS.md instructions for {cwd}\n\n<INSTRUCTIONS>\n{rules}</INSTRUCTIONS>"
        say("user", block)
    say("user", sample.request)
    for turn, (step, answer, fails) in enumerate(_steps(sample)):
        call = f"call_{number}_{turn}"
        command = json.dumps({"cmd": f"make {step.split()[0]}"})
        add("response_item", type="function_call", name="exec_command", arguments=command, call_id=call)
        told = f"Process exited with code {int(fails)}\nOutput:\n{answer}"
        add("response_item", type="function_call_output", call_id=call, output=told)
        say("assistant", f"I did this: {step}.")
    name = (NOW - timedelta(days=sample.days)).strftime("rollout-%Y-%m-%dT%H-%M-%S")
    return home / ".codex" / "sessions" / "2026" / "05" / f"{name}-{session}.jsonl", lines


def _hermes(home: Path, number: int, sample: Sample) -> tuple[Path, list[dict[str, Any]]]:
    ended = NOW - timedelta(days=sample.days)
    session = f"{ended:%Y%m%d_%H%M%S}_{number:06x}"
    line = "═" * 46
    notes = "Prefers trains to planes.\n§\nLives in Porto, and is free in the last week of May."
    prompt = f"You are Hermes.\n\n{line}\nMEMORY (your personal notes) [2% — 74/5,000 chars]\n{line}\n{notes}\n"
    messages: list[dict[str, Any]] = [{"role": "user", "content": sample.request}]
    for step, _, _ in _steps(sample):
        messages += [{"role": "assistant", "content": f"Next I {step}."}, {"role": "user", "content": "Go on."}]
    about = {"session_id": session, "model": "m", "platform": "cli", "session_start": ended.isoformat()}
    system = prompt if sample.memories else "You are Hermes."
    return home / ".hermes" / "sessions" / f"session_{session}.json", [
        {**about, "system_prompt": system, "tools": [], "messages": messages}
    ]


_WRITERS = {"claude": _claude, "codex": _codex, "hermes": _hermes}
