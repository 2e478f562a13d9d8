"""llama.cpp itself: reading a model and its tokens through the functions of the package `llama_cpp`.

Its own high-level class keeps the logits of every position; here they are computed where they are asked for alone, a
few rows at a time.
"""

from __future__ import annotations

import ctypes
import os
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memscope.base.errors import EngineError, UsageError
from memscope.engines.spans import common_prefix
from memscope.engines.token_engine import too_long

_BATCH = 512  # tokens that are computed together
_ROWS = 64  # of which have logits, at most: each of them takes 4 bytes for every token of the vocabulary
_SHORTEST = 1024  # tokens of a context: it is made anew, and longer, when a conversation needs it
_STEP = 256  # llama.cpp makes the tokens of a context a multiple of it, upwards
_LIKE_ANY_LENGTH = frozenset({"linear", "yarn"})  # ways to stretch positions that do not look at the context's size
_EVERY_LAYER = 2**31 - 1
_PIECE = 256  # bytes of most tokens
_VALUE = 128  # bytes of what is looked for in a file's metadata, at most
_SHOWN = 300  # characters of what the library says


class Native:
    """A model, and the tokens it has read. For one thread at a time."""

    def __init__(self, path: Path, *, gpu: bool | None) -> None:
        """`gpu`: whether to compute on one; None where there is one. Raises `EngineError` where the file cannot be
        loaded, `UsageError` where the package cannot, or has no GPU to compute on."""
        self._api = api = _api()
        if gpu and not api.llama_supports_gpu_offload():
            do = "Take --device cpu, or install llama-cpp-python built for this machine's GPU."
            raise UsageError("there is no GPU that the installed llama-cpp-python can compute on", do=do)
        self._path, self._gpu = path, gpu is not False
        self._context: Any = None
        self._batch: Any = None
        self._room = 0  # tokens that the context takes
        self._read: list[int] = []  # those it has read
        parameters = api.llama_model_default_params()
        parameters.n_gpu_layers = _EVERY_LAYER if self._gpu else 0
        _said.clear()
        self._model = api.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            do = "The file may be cut off, or of a kind that this llama.cpp does not know: upgrade llama-cpp-python."
            raise self._failure("llama.cpp cannot load the model", do)
        self._vocabulary = api.llama_model_get_vocab(self._model)
        self._count: int = api.llama_vocab_n_tokens(self._vocabulary)
        self.longest = self._longest()
        self.bos = self._special(api.llama_vocab_bos(self._vocabulary))
        self.eos = self._special(api.llama_vocab_eos(self._vocabulary))
        template = api.llama_model_chat_template(self._model, None)
        self.template: str | None = template.decode("utf-8", "replace") if template else None

    def close(self) -> None:
        """Lets go of the memory; nothing may be asked after it."""
        self._leave()
        if self._model:
            self._api.llama_model_free(self._model)
            self._model = None

    def _longest(self) -> int | None:
        """The tokens that the model takes: no more than it was trained on.

        A model with LongRoPE has two sets of factors, and llama.cpp takes the long ones by the size of the context, not
        by what is in it. Contexts grow with what is scored, so they stay where the short ones hold.
        """
        trained: int | None = self._api.llama_model_n_ctx_train(self._model) or None
        family = self._told("general.architecture")
        original = self._told(f"{family}.rope.scaling.original_context_length")
        if not original.isdecimal() or self._told(f"{family}.rope.scaling.type") in _LIKE_ANY_LENGTH:
            return trained  # some files with two sets name no type
        short = int(original)
        if not short or (trained is not None and trained <= short):
            return trained
        return short // _STEP * _STEP

    def _told(self, key: str) -> str:
        """What the file's metadata say of it; empty where they do not."""
        buffer = ctypes.create_string_buffer(_VALUE)
        length = self._api.llama_model_meta_val_str(self._model, key.encode(), buffer, _VALUE)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    # tokens

    def tokenise(self, text: str, *, begins: bool) -> list[int]:
        """A text as token ids, special ones as such. `begins`: it has the token that a text has to begin with; else
        that is set before it, where the model wants it."""
        api, data = self._api, text.encode("utf-8", "replace")
        wanted = not begins and bool(api.llama_vocab_get_add_bos(self._vocabulary))
        room = len(data) + 8
        for _ in range(2):
            tokens = (api.llama_token * room)()
            count = api.llama_tokenize(self._vocabulary, data, len(data), tokens, room, wanted, True)
            if count >= 0:
                return list(tokens[:count])
            room = -count
        raise self._failure("llama.cpp cannot tokenise the conversation")

    def piece(self, token: int) -> bytes:
        """What a token reads: it may be a part of a character."""
        api, room = self._api, _PIECE
        for _ in range(2):
            buffer = ctypes.create_string_buffer(room)
            length = api.llama_token_to_piece(self._vocabulary, token, buffer, room, 0, True)
            if length >= 0:
                return buffer.raw[:length]
            room = -length
        return b""

    def ends(self, token: int) -> bool:
        """Whether a token ends a generation."""
        return bool(self._api.llama_vocab_is_eog(self._vocabulary, token))

    def _special(self, token: int) -> str:
        return self.piece(token).decode("utf-8", "replace") if token >= 0 else ""

    # reading

    def read(
        self, ids: Sequence[int], wanted: Sequence[int], check: Callable[[], None]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Reads `ids` as far as needed, and yields for each of the places `wanted`, which ascend, what the model holds
        likely to come next: a logit for each token of its vocabulary, good until the next is asked for.

        What was read before, up to the first difference, is not read again. `check` is called between batches. Raises
        `EngineError`.
        """
        if not all(0 <= token < self._count for token in ids):
            raise EngineError("there are token ids that the model does not have", where=self._path)
        if not wanted:
            return
        self._make_room(len(ids))
        at = self._go_back(min(common_prefix(self._read, ids), wanted[0]))
        done, last = 0, wanted[-1] + 1
        while at < last:
            check()
            end = min(at + _BATCH, last)
            now = bisect_left(wanted, end, done)
            if now - done > _ROWS:
                now = done + _ROWS
                end = wanted[now]
            self._decode(ids[at:end], at, [place - at for place in wanted[done:now]])
            for place in wanted[done:now]:
                yield place, self._logits(place - at)
            at, done = end, now

    def _decode(self, tokens: Sequence[int], at: int, outputs: Sequence[int]) -> None:
        """Reads tokens that stand at the places from `at` on; those at `outputs` among them have logits then."""
        batch, count = self._batch, len(tokens)
        batch.n_tokens = count
        flags = np.zeros(count, np.int8)
        flags[list(outputs)] = 1
        for field, values in ((batch.token, tokens), (batch.pos, np.arange(at, at + count)), (batch.logits, flags)):
            np.ctypeslib.as_array(field, (count,))[:] = values
        _said.clear()
        status = self._api.llama_decode(self._context, batch)
        if status:
            self._go_back(0)
            raise self._failure(f"llama.cpp cannot read the conversation (status {status})")
        self._read += tokens

    def _logits(self, place: int) -> NDArray[np.float32]:
        row = self._api.llama_get_logits_ith(self._context, place)
        if not row:
            raise self._failure("llama.cpp gives no logits")
        return np.ctypeslib.as_array(row, (self._count,))

    def _go_back(self, keep: int) -> int:
        """Forgets what was read behind the first `keep` tokens, and says how many are left: none where a model can only
        forget everything."""
        if keep < len(self._read):
            memory = self._api.llama_get_memory(self._context)
            if not keep or not self._api.llama_memory_seq_rm(memory, 0, keep, -1):
                self._api.llama_memory_clear(memory, True)
                keep = 0
            del self._read[keep:]
        return keep

    # the context

    def _make_room(self, tokens: int) -> None:
        """Has a context that takes so many tokens: one that is too short is made anew. Raises `EngineError`."""
        if self.longest is not None and tokens > self.longest:
            raise too_long(tokens, self.longest, str(self._path))
        if tokens <= self._room:
            return
        self._leave()
        api, room = self._api, max(_SHORTEST, 1 << (tokens - 1).bit_length())
        if self.longest is not None:
            room = min(room, self.longest)
        parameters = api.llama_context_default_params()
        threads = _threads()
        settings = {
            "n_ctx": room,
            "n_batch": _BATCH,
            "n_ubatch": _BATCH,
            "n_seq_max": 1,
            "n_outputs_max": _ROWS,
            "n_outputs_max_per_seq": _ROWS,
            "n_threads": threads,
            "n_threads_batch": threads,
            "type_k": api.GGML_TYPE_F32,
            "type_v": api.GGML_TYPE_F32,
            "flash_attn_type": 0,  # disabled
            "flash_attn": False,  # as it was called before
            "swa_full": True,  # keeps what a sliding window has left behind, which going back needs
            "offload_kqv": self._gpu,
            "op_offload": self._gpu,
            "no_perf": True,
        }
        for name, value in settings.items():
            if hasattr(parameters, name):  # they come and go with llama.cpp's versions
                setattr(parameters, name, value)
        _said.clear()
        self._context = api.llama_init_from_model(self._model, parameters)
        if not self._context:
            do = "It may not fit into memory: take a smaller model or a shorter conversation, or --device cpu."
            raise self._failure(f"llama.cpp cannot make a context of {room:,} tokens", do)
        self._batch, self._room = api.llama_batch_init(_BATCH, 0, 1), room
        for place in range(_BATCH):
            self._batch.n_seq_id[place] = 1
            self._batch.seq_id[place][0] = 0

    def _leave(self) -> None:
        """Lets go of the context."""
        if self._batch is not None:
            self._api.llama_batch_free(self._batch)
        if self._context:
            self._api.llama_free(self._context)
        self._context = self._batch = None
        self._room = 0
        self._read.clear()

    def _failure(self, what: str, do: str = "") -> EngineError:
        said = " ".join("".join(_said).split())[-_SHOWN:]
        return EngineError(f"{what}: {said}" if said else what, where=self._path, do=do)


_said: deque[str] = deque(maxlen=20)
"""What llama.cpp last said of something that failed."""


@cache
def _api() -> Any:
    """The package, which from now on writes nothing to the terminal: a screen may be drawn there."""
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        do = "Install it again: pip install --force-reinstall llama-cpp-python."
        raise UsageError(f"the package llama_cpp cannot be loaded ({error})", do=do) from error
    llama_cpp.llama_log_set(_listener(), ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


@cache
def _listener() -> Any:
    """Hears what llama.cpp would print; kept for ever, as llama.cpp may call it for ever."""
    import llama_cpp

    def hear(_level: int, text: bytes, _data: object) -> None:
        said = text.decode("utf-8", "replace")
        if "error" in said.lower() or "failed" in said.lower():
            _said.append(said)

    return llama_cpp.llama_log_callback(hear)


def _threads() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
