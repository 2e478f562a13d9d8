"""A GGUF file as a `TokenModel`."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.engines.chat import Chat
from memscope.engines.llamacpp.native import Native
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.templates import Template, template_of
from memscope.engines.token_engine import TokenScores
from memscope.engines.token_text import spelled

_MAGIC = b"GGUF"
_HEAD = 2**20  # bytes at the beginning of a file that tell it from others
_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf", re.DOTALL)  # the name of a file that is one of several
_GPU = frozenset({"gpu", "cuda", "metal", "mps", "vulkan"})  # llama.cpp is built for one of them: all are that one


class LlamaCpp:
    """The model in a GGUF file. The file is read when it is first needed; one scoring runs at a time."""

    capabilities = Capabilities(label="llamacpp", tokens=True, concurrency=1, reuses=True)

    def __init__(self, options: EngineOptions) -> None:
        """Raises `UsageError` where the options name no GGUF file, or a template, device or dtype that cannot be."""
        self._gpu = _on_gpu(options.device)
        if options.dtype != "auto":
            do = "Leave --dtype out; a file with another quantisation has another."
            raise UsageError(f"llamacpp computes as the file was saved, not in {options.dtype}", do=do)
        self._path = Path(options.model).expanduser() if options.model else None
        numbers = [("flash attention", "off"), ("keys and values", "f32"), ("library", _library()), ("rope", "short")]
        self._template = template_of(options.template) if options.template else None
        if self._template is not None:
            numbers.append(("template", self._template.digest))
        if self._gpu is not None:
            numbers.append(("device", "gpu" if self._gpu else "cpu"))
        revision = _digest(self._path)
        assert self._path is not None
        self.identity = EngineIdentity(
            "llamacpp", model=self._path.name, revision=revision, options=options.shown(*numbers)
        )
        self._lock = threading.Lock()
        self._native: Native | None = None
        self._closed = False

    def close(self) -> None:
        self._closed = True  # who is at work stops at the next batch
        with self._lock:
            if self._native is not None:
                self._native.close()
                self._native = None

    def longest(self, job: Job) -> int | None:
        with self._lock:
            return self._loaded(job).longest

    def lay(self, said: Chat, job: Job) -> list[int]:
        with self._lock:
            native = self._loaded(job)
            template = self._chosen(native)
            text = template.render(said)
            return native.tokenise(text, begins=bool(template.bos) and text.startswith(template.bos))

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        before = [at - 1 for start, end in spans for at in range(start, end)]  # where each token is foretold
        with self._lock:
            native = self._loaded(job)
            foretold = native.read(ids, before, self._stop(job))
            values = np.array([_logprob(row, ids[at + 1]) for at, row in foretold], np.float64)
            pieces = [spelled([native.piece(token) for token in ids[start:end]]) for start, end in spans]
        parts = np.split(values, np.cumsum([end - start for start, end in spans])[:-1])
        return [TokenScores(part, texts) for part, texts in zip(parts, pieces, strict=True)]

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        whole, made = list(ids), list[tuple[int, float]]()
        with self._lock:
            native = self._loaded(job)
            while len(made) < count and not (made and native.ends(made[-1][0])):
                for _, row in native.read(whole, [len(whole) - 1], self._stop(job)):
                    token = int(row.argmax())
                    made.append((token, _logprob(row, token)))
                whole.append(made[-1][0])
        return made

    def _loaded(self, job: Job) -> Native:
        self._stop(job)()
        if self._native is None:
            assert self._path is not None
            self._native = Native(self._path, gpu=self._gpu)
        return self._native

    def _stop(self, job: Job) -> Callable[[], None]:
        """Raises `Cancelled` where somebody asked to stop."""

        def check() -> None:
            if self._closed:
                raise Cancelled("the engine was closed")
            job.check()

        return check

    def _chosen(self, native: Native) -> Template:
        """The template that was asked for, else the file's own, with the file's special tokens."""
        template = self._template
        if template is None:
            if native.template is None:
                do = "Give the one it was trained with as --template: chatml, llama3, mistral, gemma, or a file."
                raise EngineError("the file has no chat template", where=self._path, do=do)
            template = self._template = Template(native.template)
        if (native.bos or template.bos, native.eos or template.eos) != (template.bos, template.eos):
            template = self._template = replace(
                template, bos=native.bos or template.bos, eos=native.eos or template.eos
            )
        return template


def _logprob(row: NDArray[np.float32], token: int) -> float:
    """Of a token, in nats, given the logits of all."""
    logits = row.astype(np.float64)
    highest = logits.max()
    return float(logits[token] - highest - np.log(np.exp(logits - highest).sum()))


def _on_gpu(device: str) -> bool | None:
    """Whether `--device` names a GPU; None where it is unset. Raises `UsageError` for what it cannot be."""
    if device and device != "cpu" and device not in _GPU:
        do = f"There are: cpu, {', '.join(sorted(_GPU))}. Unset, it computes on a GPU where it can."
        raise UsageError(f"llamacpp has no device {device!r}", do=do)
    return device in _GPU if device else None


def _library() -> str:
    """The version that computes; nothing is loaded for it."""
    try:
        return f"llama-cpp-python {metadata.version('llama-cpp-python')}"
    except metadata.PackageNotFoundError:  # it can be imported, and was not installed under this name
        return "llama-cpp-python"


def _parts(path: Path) -> list[Path]:
    """The files that llama.cpp loads for this one: a large model is split into several."""
    if (found := _PART.fullmatch(path.name)) is None:
        return [path]
    return [path.with_name(f"{found[1]}-{part:05}-of-{found[2]}.gguf") for part in range(1, int(found[2]) + 1)]


def _digest(path: Path | None) -> str:
    """What tells a file, or the parts of one, from others, and from what it was before a change. Raises `UsageError`
    where it is no GGUF, or a part is missing."""
    if path is None:
        raise UsageError("llamacpp needs a GGUF file", do="Give its path as --model.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        do = "Give the path of a GGUF file as --model."
        raise UsageError(f"the model cannot be read ({error.strerror})", where=path, do=do) from error
    if not head.startswith(_MAGIC):
        do = "A model folder is for --engine transformers; llama.cpp's convert_hf_to_gguf.py makes a GGUF file of one."
        raise UsageError("this is no GGUF file", where=path, do=do)
    told = ""
    for part in _parts(path):
        try:
            found = part.stat()
        except OSError as error:
            do = "The parts of a split model have to lie together, under the names they were made with."
            raise UsageError(f"a part of the model cannot be read ({error.strerror})", where=part, do=do) from error
        told += f"{found.st_size} {found.st_mtime_ns} "
    return hashlib.sha256(told.encode() + head).hexdigest()[:16]
