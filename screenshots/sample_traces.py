"""Made-up sessions that teach something: tools that failed again and again, what went well, a long thought."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

_BEGAN = datetime(2026, 5, 4, 9, tzinfo=UTC)

_NO_PNPM = "npm ERR! code EUSAGE: this workspace is locked by pnpm; run pnpm install"
_NOT_READ = "File has not been read yet. Read it first before writing to it."
_NO_SERVICE = "psql: could not connect to server: Connection refused (is it running on port 5433?)"
_THOUGHT = (
    "The retries hide the fault. Each upload is tried three times with the same token, and the token is made once, "
    "when the worker starts: after an hour every first try fails, the second asks for a new token, and the third "
    "succeeds, so that the dashboards stay green while each upload takes three times as long. What the test sees is "
    "the first minute of that, in which nothing fails. So the token has to be asked for where it is used, and kept "
    "until a minute before it ends; the retries can then go back to one, and a failure will be a failure again."
)


class _Session(NamedTuple):
    """What was asked, which tools were called (those behind a ! failed with `error`), and the last words."""

    repository: str
    request: str
    calls: str
    ending: str
    error: str = ""


_SESSIONS = (
    _Session("harbor", "Install what the web app needs and start it", "!Bash !Bash !Bash Bash", "It runs.", _NO_PNPM),
    _Session("harbor", "Add the retry header to the uploader", "!Write !Write Read Write", "Added.", _NOT_READ),
    _Session("harbor", "Why are uploads slow in the afternoon?", "Grep Read Read Bash", _THOUGHT),
    _Session("lantern", "Set up the workspace on the new laptop", "!Bash !Bash Bash", "It is set up.", _NO_PNPM),
    _Session("lantern", "Port the settings page", "Read Grep Edit Bash Edit Bash Bash", "All tests pass."),
    _Session("tidewater", "Run the migration", "!Bash !Bash !Bash !Bash !Bash", "No service runs.", _NO_SERVICE),
    _Session("tidewater", "Write the migration and try it", "Read Write Bash Edit Bash", "Done."),
    _Session("tidewater", "Update the seed data", "!Write !Write Read Edit Bash", "Updated.", _NOT_READ),
)


def write_traces(home: Path) -> None:
    """Writes them below a home folder, as Claude Code does."""
    for number, session in enumerate(_SESSIONS):
        name = f"7a1b2c3d-0000-4000-8000-{number:012d}"
        path = home / ".claude" / "projects" / f"-home-dev-{session.repository}" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in _lines(number, name, session)), encoding="utf-8")


def _lines(number: int, name: str, session: _Session) -> Iterator[dict[str, Any]]:
    cwd = f"/home/dev/{session.repository}"
    messages: list[tuple[str, Any]] = [("user", session.request)]
    for place, tool in enumerate(session.calls.split()):
        call, fails = f"toolu_{number}_{place}", tool.startswith("!")
        messages.append(
            ("assistant", [{"type": "tool_use", "id": call, "name": tool.strip("!"), "input": {"of": cwd}}])
        )
        answer = session.error if fails else "ok"
        result = {"type": "tool_result", "tool_use_id": call, "content": answer, "is_error": fails}
        messages.append(("user", [result]))
    messages.append(("assistant", [{"type": "text", "text": session.ending}]))
    parent = None
    for place, (role, content) in enumerate(messages):
        at = _BEGAN + timedelta(days=2 * number, seconds=30 * place)
        uuid = f"{number:04d}{place:04d}-0000-4000-8000-000000000000"
        message: dict[str, Any] = {"role": role, "content": content}
        if role == "assistant":
            message |= {"id": f"msg_{number}_{place}", "model": "m"}
        yield {
            "type": role,
            "uuid": uuid,
            "parentUuid": parent,
            "isSidechain": False,
            "sessionId": name,
            "cwd": cwd,
            "version": "2.1.90",
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "message": message,
        }
        parent = uuid
