"""Chat templates of the shapes that real models ship, and what tests lay out with them."""

from __future__ import annotations

from pathlib import Path

from memscope.engines.templates import Template

FOLDER = Path(__file__).parent / "templates"
TEMPLATES = {
    path.stem: Template(path.read_text(encoding="utf-8"), bos="<s>", eos="</s>", name=path.stem)
    for path in sorted(FOLDER.glob("*.jinja"))
}
TRIM = {"llama3", "gemma"}  # those that trim what is said
