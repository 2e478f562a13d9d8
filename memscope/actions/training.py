"""Exporting accepted responses as training data: each conversation opened again, each line checked and looked through.

Nothing is lost: what cannot be exported is told, with the reason, and its decision stays as it was.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from memscope import __version__
from memscope.actions.accepted import Accepted, Found, Lost, accepted_responses, found_again, found_in, parted
from memscope.actions.alternates import Alternates
from memscope.actions.chat import chat, chat_is_set
from memscope.actions.export import free_place, write_files
from memscope.base.clock import now
from memscope.base.text import json_text
from memscope.conversation.lineage import lineage
from memscope.conversation.model import ToolCall
from memscope.conversation.native import sha256
from memscope.reports.training import (
    LeftOut,
    TrainingDocument,
    TrainingEngine,
    TrainingError,
    TrainingFile,
    TrainingSource,
)
from memscope.triage.chat_lines import ChatMessage, Example, Examples, reply_message
from memscope.triage.checks import NOTHING_BEFORE, refusal
from memscope.triage.formats import PREFERENCES, TrainingFormat, training_line
from memscope.triage.leaks import Leaks
from memscope.triage.split import Origin, split

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.clients.kept_chat import KeptChat
    from memscope.store.database import Database

_NO_SERVER = "there is no alternate answer, for no chat server is set (chat_url)"
_NO_ALTERNATE = "no alternate answer is kept; the Fine-tune pane of the console asks for them"
_SAME = "the alternate answer says the same"
_LEAK = "is not written; reject the response, or change its target or the transcript"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: the accepted responses, those alone in conversations at `paths` where any are given, to
    `output`, with a manifest beside it; about `validation` (0 to 1) of them to another file."""

    format: TrainingFormat
    output: Path
    validation: float = 0.0
    overwrite: bool = False
    paths: tuple[Path, ...] = ()


def export_training(order: Order, settings: Settings, database: Database, job: Job) -> TrainingDocument:
    """Writes the lines and the manifest, which is returned; nothing where there is no line. Raises `UsageError` and
    `MemscopeError` where the files cannot be written, `SourceError` for a path at which there is nothing, `StoreError`,
    `Cancelled`."""
    output, aside, manifest = _places(order)
    with _chat(order, settings, database) as model:
        made = _Made(order.format, model)
        for found in _conversations(order, settings, database, job):
            made.take(found)
    # Readers that tell a file's columns from its beginning are to see them all.
    lines = sorted(made.lines, key=lambda line: (not line.has_tools, line.place))
    parts = split([line.origin for line in lines], order.validation)
    files = {
        path: [line.text for line, is_aside in zip(lines, parts.validation, strict=True) if is_aside is (path == aside)]
        for path in (output, aside)
    }
    files = {path: texts for path, texts in files.items() if texts}
    document = TrainingDocument(
        format=order.format,
        memscope=__version__,
        when=datetime.fromtimestamp(now(), UTC).isoformat(timespec="seconds"),
        accepted=len(lines) + made.left_out.total() + len(made.errors),
        written=len(lines),
        left_out=[LeftOut(reason=reason, count=count) for reason, count in sorted(made.left_out.items())],
        errors=sorted(made.errors, key=lambda error: (error.source, error.item, error.message or 0)),
        conversations=parts.conversations,
        validation=order.validation,
        engines=_engines(lines),
        sources=_sources(lines, parts.validation),
        files=[_file(path, texts, path == aside) for path, texts in files.items()],
    )
    if lines:
        about = json_text(document.model_dump(mode="json", by_alias=True)) + "\n"
        write_files({**files, manifest: [about]}, overwrite=order.overwrite)
    return document


def _places(order: Order) -> tuple[Path, Path, Path]:
    """Where the lines, those for validation and the manifest go, if they can."""
    output = free_place(order.output, overwrite=order.overwrite)
    aside = output.with_name(f"{output.stem}.validation{output.suffix}")
    manifest = output.with_name(f"{output.name}.manifest.json")
    for path in (aside, manifest) if order.validation else (manifest,):
        free_place(path, overwrite=order.overwrite)
    return output, aside, manifest


@contextmanager
def _chat(order: Order, settings: Settings, database: Database) -> Iterator[KeptChat | None]:
    """The chat model whose kept answers are the alternates, where any are needed and one is set; nobody is asked."""
    if order.format not in PREFERENCES or not chat_is_set(settings):
        yield None
        return
    with chat(settings, database) as model:
        yield model


def _conversations(order: Order, settings: Settings, database: Database, job: Job) -> Iterator[Found | Lost]:
    accepted = accepted_responses(database)
    if not order.paths:
        yield from found_again(accepted, settings, database, job)
        return
    inside, others, files = parted(accepted, order.paths, job)
    lost: dict[str, Lost] = {}  # unless they are in another of the files, which may be what became of theirs
    for found in found_again(inside, settings, database, job):
        if isinstance(found, Lost):
            lost[found.accepted.subject] = found
        else:
            yield found
    for moved in found_in(files, [*others, *(one.accepted for one in lost.values())], settings, database, job):
        for one in moved.responses.values():
            lost.pop(one.subject, None)
        yield moved
    yield from lost.values()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it is written, with what is told of it. `place`: its file, item, window and message."""

    place: tuple[str, int, int, int]
    has_tools: bool
    text: str
    origin: Origin
    title: str
    sha256: str
    accepted: Accepted


@dataclass
class _Made:
    """What becomes of accepted responses: lines, or why they are none. `model`: None where no alternates are kept."""

    format: TrainingFormat
    model: KeptChat | None
    lines: list[_Line] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    errors: list[TrainingError] = field(default_factory=list)

    def take(self, found: Found | Lost) -> None:
        """Raises `StoreError`."""
        if isinstance(found, Lost):
            whence = found.accepted.known.source
            if whence is None:
                self._err("", 0, None, found.error)
            else:
                self._err(whence.path, whence.item, whence.message, found.error)
            return
        conversation = found.conversation
        examples, leaks = Examples(conversation), Leaks()
        alternates = Alternates(conversation, self.model) if self.model is not None else None
        origin, digest = Origin(lineage(conversation), found.first), sha256(conversation)
        source = conversation.source
        path = str(source.path.absolute()) if source is not None else ""
        item, window = (source.item, source.window) if source is not None else (0, 0)
        for message, accepted in found.responses.items():
            example = examples.example(message, accepted.decided.target)
            rejected, lacking = self._rejected(alternates, example)
            text, reason = (None, lacking) if lacking else self._text(example, rejected)
            if text is None:
                self.left_out[reason] += 1
            elif (leak := leaks.found(example, rejected)) is not None:
                self._err(path, item, message, f"{leak}: it {_LEAK}")
            else:
                place, has_tools = (path, item, window, message), bool(example.tools)
                self.lines.append(_Line(place, has_tools, text, origin, conversation.title, digest, accepted))

    def _rejected(self, alternates: Alternates | None, example: Example) -> tuple[ChatMessage | None, str]:
        """The alternate of an example, where the format needs one; or why there is none."""
        if self.format not in PREFERENCES:
            return None, ""
        if not example.prompt:
            return None, NOTHING_BEFORE
        if alternates is None:
            return None, _NO_SERVER
        kept = alternates.cached(example.message)
        if kept is None:
            return None, _NO_ALTERNATE
        calls = [ToolCall(call.id, call.name, call.arguments) for call in kept.calls]
        rejected = reply_message(kept.text, calls)
        return rejected, _SAME if _says_the_same(rejected, example.target) else ""

    def _text(self, example: Example, rejected: ChatMessage | None) -> tuple[str | None, str]:
        """The line as it is written, or why it cannot be."""
        line = training_line(self.format, example, rejected)
        reason = refusal(self.format, line)
        return (None, reason) if reason is not None else (json_text(line, indent=None) + "\n", "")

    def _err(self, source: str, item: int, message: int | None, error: str) -> None:
        self.errors.append(TrainingError(source=source, item=item, message=message, error=error))


def _says_the_same(one: ChatMessage, other: ChatMessage) -> bool:
    """Whether two answers are the same but for the names of their calls and blanks at their ends."""
    said = [
        ((m.get("content") or "").strip(), [call["function"] for call in m.get("tool_calls") or ()])
        for m in (one, other)
    ]
    return said[0] == said[1]


def _engines(lines: Sequence[_Line]) -> list[TrainingEngine]:
    known = (line.accepted.known for line in lines)
    counts = Counter((one.engine, one.model, one.threshold) for one in known)
    rows = [TrainingEngine(engine=e, model=m, threshold=t, lines=number) for (e, m, t), number in counts.items()]
    return sorted(rows, key=lambda row: (row.engine, row.model, -1.0 if row.threshold is None else row.threshold))


def _sources(lines: Sequence[_Line], validation: Sequence[bool]) -> list[TrainingSource]:
    """The conversations of the lines, in their order."""
    counts = Counter(line.place[:3] for line in lines)
    first = {line.place[:3]: (line, aside) for line, aside in zip(lines, validation, strict=True)}
    return [
        TrainingSource(
            path=path,
            item=item,
            window=window,
            title=line.title,
            sha256=line.sha256,
            lines=counts[path, item, window],
            validation=aside,
        )
        for (path, item, window), (line, aside) in first.items()
    ]


def _file(path: Path, texts: Sequence[str], is_aside: bool) -> TrainingFile:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    part = "validation" if is_aside else "training"
    return TrainingFile(name=path.name, part=part, lines=len(texts), sha256=digest.hexdigest())
