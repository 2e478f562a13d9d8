"""An embedding model in this process, with the library sentence-transformers (the extra `embeddings`)."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_LIBRARY = "sentence_transformers"
_BATCH = 32  # texts at a time: progress and a request to stop come between
_SHOWN = 300  # characters of the library's own words
_ORGANISATION = "sentence-transformers/"  # where the library looks for a bare name
_HUB_NAME = re.compile(r"\w[\w.-]*(?:/[\w.-]+)?")
_GIVE = "Set embed_model to the folder of an embedding model, or to its name on the hub."


class LocalModel:
    """A model folder, or a name on the hub, from where it is downloaded if it is not on this disk. `device`: where it
    computes; empty for what there is. The vectors are unit vectors.

    A folder is not read before the first vector is wanted. Raises `UsageError` where the library is missing or the
    folder is none, `EngineError` where the model cannot be loaded.
    """

    def __init__(self, model: str, device: str = "") -> None:
        if importlib.util.find_spec(_LIBRARY) is None:
            do = "Install it: pip install 'memscope[embeddings]'; or set embedder to embedded, or to api."
            raise UsageError("the embedder local needs sentence-transformers, not installed", do=do)
        path = _folder(model)
        self.where = model if path is None else str(path)
        self._device = device
        self._model: Any = None
        if path is not None:
            self._commit = ""
            self.name = f"{path.name}@{_state(path)}"
            return
        self._commit = _commit_of(model)
        if not self._commit:
            self._load()  # which downloads it: only then is its state known
        self.name = f"{model}@{self._commit or _commit_of(model)}"

    def vectors(self, texts: Sequence[str], job: Job) -> Generator[tuple[Sequence[int], Vectors], None, None]:
        """See `kept_embeddings.VectorModel`."""
        if not texts:
            return
        if self._model is None:
            with job.aside("loading the embedding model"):
                self._load()
        for start in range(0, len(texts), _BATCH):
            job.check()
            batch = list(texts[start : start + _BATCH])
            yield range(start, start + len(batch)), self._encoded(batch)

    def _encoded(self, texts: list[str]) -> Vectors:
        try:
            made = self._model.encode(
                texts,
                batch_size=_BATCH,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
        except Exception as error:  # the code of a model raises whatever it likes
            raise EngineError(f"the model cannot compute ({_head(error)})", where=self.where) from error
        return np.asarray(made, dtype=np.float32)

    def _load(self) -> None:
        try:
            library = _quiet()
            self._model = library.SentenceTransformer(
                self.where, device=self._device or None, revision=self._commit or None, trust_remote_code=False
            )
        except Exception as error:  # the library raises whatever a broken file leads it to
            do = "A folder has to be a whole one of sentence-transformers; a hub name needs the hub in reach."
            what = f"the embedding model cannot be loaded ({_head(error)})"
            raise EngineError(what, where=self.where, do=do, lasting=True) from error


def _folder(model: str) -> Path | None:
    """The folder that is meant; None for a name on the hub. Raises `UsageError`."""
    try:
        path = Path(model).expanduser()
        if path.is_dir():
            if not any((path / name).is_file() for name in ("modules.json", "config.json")):
                raise UsageError("this folder holds no model: there is no config.json", where=path, do=_GIVE)
            return path.resolve()
        there = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"the model cannot be read ({error})", where=model, do=_GIVE) from error
    if there or not _HUB_NAME.fullmatch(model):
        raise UsageError("there is no such folder", where=model, do=_GIVE)
    return None


def _state(folder: Path) -> str:
    """A digest that changes with the files: of their names, sizes and times."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        about = file.stat()
        line = f"{file.relative_to(folder).as_posix()}\0{about.st_size}\0{about.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _commit_of(name: str) -> str:
    """The commit of a hub's model that is on this disk; empty where none is. Raises `UsageError`."""
    from huggingface_hub import try_to_load_from_cache

    for repository in (name,) if "/" in name else (name, _ORGANISATION + name):
        try:
            found = try_to_load_from_cache(repository, "config.json")
        except ValueError as error:
            raise UsageError("it is neither a folder nor a name on the hub", where=name, do=_GIVE) from error
        if isinstance(found, str):
            return Path(found).parent.name
    return ""


def _head(error: BaseException) -> str:
    """The beginning of what the library says, in a line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words[:_SHOWN] + ("…" if len(words) > _SHOWN else "")


def _quiet() -> Any:
    """The library, told not to write into a screen."""
    import huggingface_hub
    import sentence_transformers
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    huggingface_hub.logging.set_verbosity_error()
    huggingface_hub.utils.disable_progress_bars()
    return sentence_transformers
