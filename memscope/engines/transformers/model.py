"""A model in this process as a `TokenModel`: everything is loaded when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from memscope.base.errors import Cancelled, UsageError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.engines.chat import Chat
from memscope.engines.kept import Kept
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.templates import DAY, Template, refused, template_of, with_objects
from memscope.engines.token_engine import TokenScores
from memscope.engines.transformers.loading import computing, config_of, device_of, library, tokenizer_of, weights_of
from memscope.engines.transformers.origin import origin
from memscope.engines.transformers.pieces import pieces
from memscope.engines.transformers.reading import Ids, Reading, Weights, wanted

_KEPT_PIECES = 500_000  # tokens whose texts are remembered: ablations leave the responses as they are


class Transformers:
    """A causal language model and its tokenizer. Safe to use from any thread.

    Making one reads a few kilobytes. Laying out loads the tokenizer, and the first scoring the weights.
    """

    capabilities = Capabilities(label="transformers", tokens=True, concurrency=1)

    def __init__(self, options: EngineOptions) -> None:
        """Raises `UsageError` for a model or a template that cannot be."""
        self._origin = origin(options.model)
        self._device = device_of(options.device)
        on_cpu = self._device == "cpu" and options.dtype == "auto"  # where half precision is slow, and less exact
        self._dtype = "float32" if on_cpu else options.dtype
        self._template = template_of(options.template) if options.template else None
        numbers = [("device", self._device.partition(":")[0]), ("dtype", self._dtype), ("library", library())]
        if self._template is not None:
            numbers.append(("template", self._template.digest))
        self.identity = EngineIdentity(
            "transformers",
            model=self._origin.name,
            revision=self._origin.revision,
            options=options.shown(*numbers),
        )
        self._text_lock, self._load_lock = threading.Lock(), threading.Lock()
        self._pieces: Kept[tuple[int, ...], tuple[str, ...]] = Kept(_KEPT_PIECES, lambda kept: len(kept) + 1)
        self._config: Any = None
        self._tokenizer: Any = None
        self._weights: Weights | None = None
        self._closed = False

    @property
    def forwarded(self) -> int:
        """How many tokens went through the model so far."""
        weights = self._weights
        return weights.forwarded if weights is not None else 0

    def close(self) -> None:
        """Lets go of the weights; what is being scored ends with `Cancelled`."""
        self._closed = True  # before the weights are looked for: who is just loading them looks here afterwards
        if self._weights is not None:
            self._weights.close()

    def longest(self, job: Job) -> int | None:
        with self._load_lock:
            self._config = self._config or config_of(self._origin)
        config = self._config.get_text_config()
        lengths = [getattr(config, "max_position_embeddings", None), _before_long_rope(config)]
        return min((length for length in lengths if isinstance(length, int) and length > 0), default=None)

    def lay(self, said: Chat, job: Job) -> list[int]:
        with self._text_lock:  # tokenizers do not take two texts at a time
            tokenizer = self._words()
            text = self._text(said) if self._template is None else self._by_template(said, self._template)
            return list(map(int, tokenizer(text, add_special_tokens=False).input_ids))

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        """From the first token on, whatever was scored before."""
        reading = self.reading(ids, spans)
        reading.upto(spans[-1][1] - 1, job)
        return [self.scores(ids, span, reading) for span in spans]

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        reading = self.reading(ids, ())
        reading.upto(len(ids) - 1, job)
        return reading.go_on(count, job)

    def reading(self, ids: list[int], spans: Sequence[Span]) -> Reading:
        """A reading of `ids`, not begun, in which the tokens of `spans` are to be scored. Raises what loading the
        weights does."""
        return Reading(self.weights(), np.asarray(ids, np.int64), wanted(len(ids), spans))

    def scores(self, ids: Sequence[int] | Ids, span: Span, reading: Reading) -> TokenScores:
        """What a reading found for the tokens of `span`, with their texts."""
        start, end = span
        return TokenScores(reading.logprobs[start:end], self._pieces_of(tuple(map(int, ids[start:end]))))

    def weights(self) -> Weights:
        """The model itself, loaded by whoever is first. Raises `EngineError`, `UsageError`; `Cancelled` once closed."""
        with self._load_lock:
            if self._weights is None and not self._closed:
                model = weights_of(self._origin, self._device, self._dtype)
                with computing():
                    weights = Weights(model)
                    weights.prove()
                self._weights = weights
            if self._weights is None or self._closed:
                self._weights = None
                raise Cancelled("the engine was closed")
            return self._weights

    def _pieces_of(self, ids: tuple[int, ...]) -> tuple[str, ...]:
        found = self._pieces.get(ids)
        if found is None:
            with self._text_lock:
                found = pieces(ids, self._decode)
            self._pieces.put(ids, found)
        return found

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._words().decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def _words(self) -> Any:
        """The tokenizer; for whoever holds its lock."""
        self._tokenizer = self._tokenizer or tokenizer_of(self._origin)
        return self._tokenizer

    def _text(self, said: Chat) -> str:
        """The chat as the model's own template writes it."""
        from jinja2 import TemplateError

        tokenizer = self._words()
        if not tokenizer.chat_template:
            do = "Give the one it was trained with as --template: chatml, llama3, mistral, gemma, or a file."
            raise UsageError("the model has no chat template", where=self._origin.name, do=do)
        messages = [with_objects(message) for message in said.messages]
        try:
            text: str = tokenizer.apply_chat_template(
                messages,
                tools=list(said.tools) or None,
                tokenize=False,
                add_generation_prompt=False,
                strftime_now=DAY.strftime,
            )
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise refused(str(error) or type(error).__name__) from error
        return text

    def _by_template(self, said: Chat, template: Template) -> str:
        """The chat as the template that was given writes it, with the model's own special tokens where it has none."""
        tokenizer = self._words()
        bos, eos = template.bos or tokenizer.bos_token or "", template.eos or tokenizer.eos_token or ""
        return replace(template, bos=bos, eos=eos).render(said)


def _before_long_rope(config: Any) -> int | None:
    """Up to how many tokens a model with LongRoPE computes all positions alike; None for another. Behind them it takes
    other factors, for all tokens of a pass and none of those before it: what was read in pieces would not fit."""
    told = getattr(config, "rope_parameters", None)
    kinds = [told, *told.values()] if isinstance(told, Mapping) else []
    for kind in kinds:
        if isinstance(kind, Mapping) and kind.get("rope_type") == "longrope":
            length = kind.get("original_max_position_embeddings")
            return length or getattr(config, "original_max_position_embeddings", None)
    return None
