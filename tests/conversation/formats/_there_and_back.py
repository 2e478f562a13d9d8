"""What a format reads, written in the native form and read again, is the same conversation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from memscope.conversation.load import load
from memscope.conversation.model import Conversation
from memscope.conversation.native import native, sha256


def assert_there_and_back(conversation: Conversation, folder: Path) -> None:
    path = folder / "native.json"
    path.write_text(json.dumps(native(conversation)), encoding="utf-8")
    again = load(path)
    assert [replace(m, line=0) for m in again.messages] == [replace(m, line=0) for m in conversation.messages]
    assert again.tools == conversation.tools
    assert sha256(again) == sha256(conversation)


def assert_all_come_back(path: Path, folder: Path) -> None:
    """The same of every window of every item in the file at `path`."""
    for item in range(load(path).items):
        for window in range(load(path, item=item).windows):
            assert_there_and_back(load(path, item=item, window=window), folder)
