"""Keys for memories that came without one."""

from __future__ import annotations

import hashlib

from memscope.base.text import slug


def digest(text: str, length: int) -> str:
    """The first hex digits of the SHA-256 of `text`; lone surrogates are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def made_up_key(text: str) -> str:
    """A readable key of the first words and a short hash, so that the same text has the same key everywhere."""
    words = slug(text)
    return f"{words}-{digest(text.strip(), 6)}" if words else f"memory-{digest(text.strip(), 6)}"
