"""Builds memscope/data/words.txt: common words of general and technical English, best first.

    python tests/benchmarks/build_word_list.py SOURCES > memscope/data/words.txt

Inputs, all public:
- general: the word frequencies of the PyPI package `wordfreq` 3.1.1 (`pip install wordfreq`), English, "best" list;
- technical: words counted in the documentation (docs/**/*.rst, *.txt, *.md) of the source distributions below, unpacked
  in the folder SOURCES (`pip download --no-deps --no-binary :all: Django==5.2 ...`), and in the docstrings of the
  standard library of the Python that runs this.

A word's frequency is the mean of its two relative frequencies. Signs and numbers, which wordfreq does not have, take
their technical one. Words are cut by memscope's own tokenizer.
"""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import wordfreq

from memscope.engines.embedded.tokens import surfaces
from memscope.engines.embedded.vocabulary import fold

SIZE = 4000
DISTRIBUTIONS = {  # source distribution -> licence
    "Django-5.2": "BSD-3-Clause",
    "celery-5.5.3": "BSD-3-Clause",
    "flask-3.1.2": "BSD-3-Clause",
    "pip-25.3": "MIT",
    "sphinx-8.2.3": "BSD-2-Clause",
}
PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
HEADER = f"""\
# Common words of general and technical English, signs and numbers among them, best first; lower case, one a line.
# Built by tests/benchmarks/build_word_list.py.
# General ranks: wordfreq 3.1.1 by Robyn Speer, https://github.com/rspeer/wordfreq, data under CC BY-SA 4.0.
# Technical ranks: word counts in the documentation of {", ".join(DISTRIBUTIONS)}
# (BSD and MIT licences) and in the docstrings of the standard library of {PYTHON} (PSF licence).
# This file is under CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/ (the rest of memscope is MIT).
"""


def main() -> None:
    general = relative(general_counts())
    technical = in_common([relative(counts) for counts in technical_counts(Path(sys.argv[1]))])
    lettered = {word for word in technical if word[0].isalpha() or word[0] == "'"}
    share = sum(technical[word] for word in lettered)  # wordfreq counts letters only: compare like with like
    blend = {word: p if word not in lettered else p / 2 for word, p in technical.items()}
    for word, p in general.items():
        blend[word] = blend.get(word, 0.0) + share * p / 2
    best = sorted(blend, key=lambda word: (-blend[word], word))[:SIZE]
    print(HEADER)
    print("\n".join(best))


def in_common(sources: list[dict[str, float]]) -> dict[str, float]:
    """The mean over all sources but the one that uses the word most: what only Django says is not technical English."""
    words = set().union(*sources)
    return {word: sum(sorted(source.get(word, 0.0) for source in sources)[:-1]) / (len(sources) - 1) for word in words}


def relative(counts: Counter[str]) -> dict[str, float]:
    total = sum(counts.values())
    return {word: count / total for word, count in counts.items()}


def general_counts() -> Counter[str]:
    counts: Counter[str] = Counter()
    for word in wordfreq.top_n_list("en", 20_000):
        for part in surfaces(word):
            if part[0].isalpha() or fold(part)[0] == "'":
                counts[fold(part)] += round(wordfreq.word_frequency(word, "en") * 1e9)
    return counts


def technical_counts(sources: Path) -> Iterator[Counter[str]]:
    """For each source, in how many paragraphs a word occurs."""
    for name in DISTRIBUTIONS:
        yield paragraph_counts(documentation(sources / name))
    yield paragraph_counts(docstrings(Path(sysconfig.get_path("stdlib"))))


def paragraph_counts(paragraphs: Iterator[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for paragraph in paragraphs:
        counts.update({fold(surface) for surface in surfaces(paragraph) if surface.isascii()})
    return counts


def documentation(root: Path) -> Iterator[str]:
    """Paragraphs of prose: no headings, directives or indented code."""
    pages = [page for folder in ("docs", "doc") for page in (root / folder).rglob("*.*")]
    if not pages:
        raise SystemExit(f"{root} has no documentation; see the head of this script")
    for page in sorted(pages):
        if page.suffix in {".rst", ".txt", ".md"}:
            for block in re.split(r"\n\s*\n", page.read_text("utf-8", "replace")):
                if not block.startswith((" ", "\t", "..")) and not re.search(r"[=~^*-]{4}", block):
                    yield block


def docstrings(library: Path) -> Iterator[str]:
    for module in sorted(library.glob("**/*.py")):
        if {"site-packages", "test", "tests", "lib2to3"}.intersection(module.parts):
            continue
        try:
            tree = ast.parse(module.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield from re.split(r"\n\s*\n", ast.get_docstring(node) or "")


if __name__ == "__main__":
    main()
