"""A causal model that reads token ids from left to right and remembers what it has read.

Logits are made where a token's log-probability is wanted and nowhere else, and never many at a time: a large vocabulary
times a long conversation would fill the memory.
"""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.engines.transformers.loading import ELSEWHERE, computing

MOST_TOKENS = 2_048  # of one forward pass
MOST_ON_CPU = 512  # where more at a time is no faster, and a person who stops a run waits for the pass to end
APART, APART_IN_HALF = 1e-2, 0.1  # nats a token that a model may differ by when it reads in two passes
_PROBED = 48  # tokens
MOST_LOGITS = 1 << 25  # of one forward pass: rows times vocabulary, 128 MiB in float32

Ids = NDArray[np.int64]


class Weights:
    """A model on its device. Safe to use from any thread, one forward pass at a time.

    `forwarded` counts the tokens that went through it.
    """

    def __init__(self, model: Any) -> None:
        self._model: Any = model
        self._lock = threading.Lock()
        self.forwarded = 0
        self.most_tokens = MOST_ON_CPU if model.device.type == "cpu" else MOST_TOKENS
        self.most_rows = max(1, MOST_LOGITS // int(model.config.get_text_config().vocab_size))
        takes = inspect.signature(model.forward).parameters
        self._cache_name = "cache" if "cache" in takes else "past_key_values"  # the older name, deprecated in 5.24
        self._known = int(model.get_input_embeddings().weight.shape[0])
        self._exact = str(model.dtype) in ("torch.float32", "torch.float64")

    def prove(self) -> None:
        """Tries whether the model goes on rightly from what it has read: some forget it, or look ahead. Raises a
        lasting `EngineError` where it does not. It does not count as `forwarded`."""
        ids = np.random.default_rng(0).integers(0, self._known, _PROBED)
        half, last = _PROBED // 2, _PROBED - 1
        at_once = self.cache()
        whole = self.logprobs(ids[:last], np.arange(last), ids[1:], at_once)
        begun = self.cache()
        first = self.logprobs(ids[:half], np.arange(half), ids[1 : half + 1], begun)
        beginnings = [self.copied(begun)]
        if self.cuttable(at_once):
            beginnings.append(self.beginning(at_once, half))
        for beginning in beginnings:
            rest = self.logprobs(ids[half:last], np.arange(last - half), ids[half + 1 :], beginning)
            apart = np.abs(np.concatenate([first, rest]) - whole)
            if not (apart.max() <= APART if self._exact else apart.mean() <= APART_IN_HALF):
                what = "the model does not go on rightly from what it has read"
                does = f"tokens read in two passes differ by up to {apart.max():.2g} nats"
                raise EngineError(f"{what}: {does}", where="transformers", do=ELSEWHERE, lasting=True)
        self.forwarded = 0

    def close(self) -> None:
        """Lets go of the model, but for a forward pass that is under way: nobody waits for it."""
        self._model = None

    def cache(self) -> Any:
        """A memory of nothing read yet."""
        import transformers

        with self._used() as model:
            return transformers.DynamicCache(config=model.config)

    def copied(self, cache: Any) -> Any:
        """A memory of its own that holds the same."""
        with self._used():
            return copy.deepcopy(cache)

    def cuttable(self, cache: Any) -> bool:
        """Whether what `cache` holds of the first ids is all there is of them: not so where layers look back through a
        window, or keep a state that moves on."""
        from transformers.cache_utils import DynamicLayer

        return all(type(layer) is DynamicLayer for layer in cache.layers)

    def beginning(self, cache: Any, length: int) -> Any:
        """A memory of its own that holds the first `length` ids of a cuttable one. Nothing is copied: what is read into
        it makes it new tensors."""
        with self._used():
            cut = copy.copy(cache)
            cut.layers = [copy.copy(layer) for layer in cache.layers]
            for layer in cut.layers:
                if layer.is_initialized:
                    layer.keys, layer.values = layer.keys[..., :length, :], layer.values[..., :length, :]
            return cut

    def check(self, ids: Ids) -> None:
        """Raises `EngineError` for ids the model has no embedding for; on an accelerator they would end the process."""
        if len(ids) and int(ids.max()) >= self._known:
            what = f"the tokenizer makes token {int(ids.max())}, and the model knows {self._known}"
            raise EngineError(what, do="Tokenizer and weights are not of one model.", lasting=True)

    def logprobs(self, ids: Ids, rows: NDArray[np.intp], targets: Ids, cache: Any) -> NDArray[np.float64]:
        """Reads `ids` after what `cache` holds, and gives at each of `rows` (places in `ids`) the log-probability in
        nats of that row's next token being the target. Raises `EngineError`, `Cancelled` once closed."""
        import torch

        with self._used() as model:
            logits = self._forward(model, ids, rows if len(rows) else np.array([len(ids) - 1]), cache)
            if not len(rows):
                return np.empty(0)
            chosen = torch.from_numpy(targets).to(logits.device)
            values = logits.gather(1, chosen[:, None])[:, 0] - logits.logsumexp(1)
            return np.asarray(values.cpu().numpy(), np.float64)

    def likeliest(self, ids: Ids, cache: Any) -> tuple[int, float]:
        """Reads `ids` after what `cache` holds, and gives the likeliest next token and its log-probability."""
        with self._used() as model:
            logits = self._forward(model, ids, np.array([len(ids) - 1]), cache)[0]
            token = int(logits.argmax())
            return token, float(logits[token] - logits.logsumexp(0))

    def _forward(self, model: Any, ids: Ids, rows: NDArray[np.intp], cache: Any) -> Any:
        import torch

        logits = model(
            input_ids=torch.from_numpy(ids).to(model.device)[None],
            use_cache=True,
            logits_to_keep=torch.from_numpy(rows).to(model.device),
            **{self._cache_name: cache},
        ).logits[0]
        self.forwarded += len(ids)
        if len(logits) != len(rows):
            what = f"{type(model).__name__} makes all logits where some were asked for"
            raise EngineError(what, do="A newer version of the package transformers may not.", lasting=True)
        return logits.float()

    @contextmanager
    def _used(self) -> Iterator[Any]:
        import torch

        with self._lock, torch.inference_mode(), computing():
            model = self._model
            if model is None:
                raise Cancelled("the engine was closed")
            yield model


class Reading:
    """The reading of one sequence of ids. `wanted` says for each place whether its token's log-probability is asked
    for; `logprobs` holds those of the places read so far, NaN elsewhere."""

    def __init__(self, weights: Weights, ids: Ids, wanted: NDArray[np.bool_], cache: Any = None, at: int = 0) -> None:
        weights.check(ids)
        self._weights = weights
        self._ids = ids
        self._wanted = wanted
        self._cache: Any = weights.cache() if cache is None else cache
        self.at = at
        """How many ids were read."""
        self.logprobs = np.full(len(ids), np.nan)

    def upto(self, end: int, job: Job) -> None:
        """Reads the ids before `end`, in pieces. What is read gives the log-probability of the next token too.

        Raises `EngineError`, after which nothing more can be read, and `Cancelled`."""
        while self.at < end:
            job.check()
            stop = min(end, self.at + self._weights.most_tokens)
            rows = np.flatnonzero(self._wanted[self.at + 1 : stop + 1])
            if len(rows) > self._weights.most_rows:
                rows = rows[: self._weights.most_rows]
                stop = self.at + int(rows[-1]) + 1
            next_ones = self.at + 1 + rows
            self.logprobs[next_ones] = self._weights.logprobs(
                self._ids[self.at : stop], rows, self._ids[next_ones], self._cache
            )
            self.at = stop

    @property
    def cuttable(self) -> bool:
        """Whether it can be forked at places it has passed."""
        return self._weights.cuttable(self._cache)

    def fork(self, ids: Ids, wanted: NDArray[np.bool_], at: int) -> Reading:
        """The reading of other ids that begin with the first `at` of these: where it is now or, if it is cuttable, has
        been. Raises `EngineError`."""
        weights, cache = self._weights, self._cache
        held = weights.beginning(cache, at) if self.cuttable else weights.copied(cache)
        return Reading(weights, ids, wanted, held, at)

    def go_on(self, count: int, job: Job) -> list[tuple[int, float]]:
        """The `count` likeliest tokens, one after the other, when all but the last of the ids was read."""
        found: list[tuple[int, float]] = []
        last = self._ids[-1:]
        for _ in range(count):
            job.check()
            found.append(self._weights.likeliest(last, self._cache))
            last = np.array([found[-1][0]], np.int64)
        return found


def wanted(length: int, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """For each of `length` places whether it lies in one of the spans."""
    found = np.zeros(length, np.bool_)
    for start, end in spans:
        found[start:end] = True
    return found
