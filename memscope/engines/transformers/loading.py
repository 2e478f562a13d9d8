"""Loading configuration, tokenizer and weights with the library `transformers`, and what can go wrong with it.

The library is told to be quiet: it would write into a screen. It never runs code that comes with a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import Any

from memscope.base.errors import EngineError, MemscopeError, UsageError
from memscope.engines.transformers.origin import Origin

ELSEWHERE = "Serve the model with vLLM or SGLang, and use --engine vllm or sglang."
_SHOWN = 300  # characters of the library's own words
_MEMORY = (
    "Close what else uses it, take a smaller model, or --dtype bfloat16; --device cpu takes the main memory. Shorter"
    " conversations take less: `memscope why FILE --message I` stops at a response."
)


def device_of(asked: str) -> str:
    """The device that `--device` names; unset, the best there is: cuda, mps or cpu."""
    if asked:
        return asked
    if metadata.version("torch").endswith("+cpu"):
        return "cpu"  # without loading it, which takes seconds: a run that is wholly on disk does not need it
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def library() -> str:
    """The versions that compute; nothing is loaded for it."""
    return f"transformers {metadata.version('transformers')}, torch {metadata.version('torch')}"


def config_of(origin: Origin) -> Any:
    """The model's configuration. Raises `EngineError`."""
    with _loading(origin, "the model's configuration"):
        return _library().AutoConfig.from_pretrained(origin.name, trust_remote_code=False, **origin.arguments)


def tokenizer_of(origin: Origin) -> Any:
    """The model's tokenizer. Raises `EngineError`."""
    with _loading(origin, "the model's tokenizer"):
        return _library().AutoTokenizer.from_pretrained(origin.name, trust_remote_code=False, **origin.arguments)


def weights_of(origin: Origin, device: str, dtype: str) -> Any:
    """The model itself on its device. `dtype`: a name, or "auto" for that of the files. Raises `EngineError`,
    `UsageError` for a device that is not there."""
    import torch

    place = _place(device)
    kind = dtype if dtype == "auto" else getattr(torch, dtype)
    with _loading(origin, "the model's weights"):
        model, report = _library().AutoModelForCausalLM.from_pretrained(
            origin.name, dtype=kind, trust_remote_code=False, output_loading_info=True, **origin.arguments
        )
        model.eval().to(place)
    if absent := sorted(map(str, report["missing_keys"])):  # the library makes them up at random, and goes on
        what = f"the files lack {len(absent)} of the model's weights, {absent[0]} among them"
        do = "The download may be incomplete, or these are weights for another purpose than writing text."
        raise EngineError(what, where=origin.name, do=do, lasting=True)
    return model


def _place(device: str) -> Any:
    import torch

    do = "There are cpu, cuda (a number behind it chooses one: cuda:1) and mps; unset, the best that is there."
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"there is no device {device!r}", do=do) from error
    try:
        torch.zeros(1, device=place).item()  # which "meta" cannot
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"the device {device!r} is not available here", do=do) from error
    return place


@contextmanager
def computing() -> Iterator[None]:
    """Turns what a model fails of while it computes into an `EngineError` that says what to do."""
    try:
        yield
    except MemscopeError:
        raise
    except Exception as error:  # the code of a model raises whatever it likes
        if _is_out_of_memory(error):
            raise EngineError("out of memory", where="transformers", do=_MEMORY) from error
        do = "Another --device or --dtype may do." if isinstance(error, RuntimeError) else ELSEWHERE
        raise EngineError(f"the model cannot compute ({_head(error)})", where="transformers", do=do) from error


@contextmanager
def _loading(origin: Origin, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the library raises whatever a broken file leads it to
        if _is_out_of_memory(error):
            raise EngineError("out of memory", where=origin.name, do=_MEMORY, lasting=True) from error
        do = "Is the folder complete? A copy or download may have been cut short."
        if not origin.local:
            do = "It is no folder here. As a hub name: is it right, and the hub in reach? A gated one needs HF_TOKEN."
        raise EngineError(
            f"{what} cannot be loaded ({_head(error)})", where=origin.name, do=do, lasting=True
        ) from error


def _is_out_of_memory(error: BaseException) -> bool:
    import torch

    words = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(said in str(error) for said in words)


def _head(error: BaseException) -> str:
    """The beginning of what the library says, in a line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words[:_SHOWN] + ("…" if len(words) > _SHOWN else "")


@cache
def _library() -> Any:
    """The library, quiet."""
    import huggingface_hub
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    huggingface_hub.logging.set_verbosity_error()
    huggingface_hub.utils.disable_progress_bars()
    return transformers
