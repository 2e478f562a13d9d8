"""Where a model comes from: what can be said of it without the extra's packages."""

from __future__ import annotations

from pathlib import Path

from memscope.engines.registry import engine_spec
from memscope.engines.transformers.origin import origin


def test_announcing_it_needs_none_of_its_packages() -> None:
    spec = engine_spec("transformers")
    assert (spec.packages, spec.extra, spec.served) == (("torch", "transformers"), "hf", False)


def test_a_folder_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    first = origin(str(tmp_path))
    assert (first.name, first.local, first.arguments) == (str(tmp_path.resolve()), True, {})
    assert origin(str(tmp_path)) == first
    (tmp_path / "config.json").write_text("{ }")
    assert origin(str(tmp_path)).revision != first.revision


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "model")
    assert origin(str(tmp_path / "link")) == origin(str(tmp_path / "model"))
