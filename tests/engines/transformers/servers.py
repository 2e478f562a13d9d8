"""A model folder behind the protocols of other servers, on the loopback.

    with serving("vllm", folder) as server: server.url ...
    python -m tests.engines.transformers.servers vllm FOLDER      prints the address, and serves until it is ended

The log-probabilities are made by the library alone, in one pass over the whole prompt with all its logits: nothing of
the engine under test is used.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.engines.token_server import DIALECTS, Dialect, RangesDialect, TokenServer, VllmDialect


class Plain:
    """A model as the protocols' stand-ins want one."""

    def __init__(self, folder: Path | str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
        self._lock = threading.Lock()

    def encode(self, text: str) -> list[int]:
        with self._lock:
            return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def piece(self, token: int) -> str:
        return self.text([token])

    def text(self, ids: Sequence[int]) -> str:
        with self._lock:
            return str(self.tokenizer.decode(list(ids), skip_special_tokens=False))

    def logprobs(self, ids: Sequence[int]) -> list[float]:
        import torch

        with self._lock, torch.inference_mode():
            said = self._model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].float().log_softmax(-1)
            return [0.0, *(float(said[at - 1, token]) for at, token in enumerate(ids) if at)]

    def next(self, ids: Sequence[int]) -> int:
        import torch

        with self._lock, torch.inference_mode():
            return int(self._model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0, -1].argmax())

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
        with self._lock:
            return str(
                self.tokenizer.apply_chat_template(
                    [dict(message) for message in messages], tools=list(tools) or None, tokenize=False
                )
            )


class MessagesDialect(VllmDialect):
    """The scoring API's first form: messages, and a total for each that the assistant said.

    The server knows its template, which is ChatML: a response stands between two marks.
    """

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes["POST /v1/score"] = self.score
        self.routes["GET /v1/models"] = self.models

    def score(self, body: Mapping[str, Any]) -> object:
        self.asked(body)
        ids = self.rendered({"messages": body["messages"], "add_generation_prompt": False})
        opened, closed = (self.server.model.encode(mark)[0] for mark in ("<|im_start|>", "<|im_end|>"))
        head = self.server.model.encode("<|im_start|>assistant\n")
        values = [p.logprob for p in self.server.positions(ids)]
        totals = []
        for at in (at for at, token in enumerate(ids) if token == opened):
            if ids[at : at + len(head)] == head:
                end = ids.index(closed, at)
                totals.append(sum(value or 0.0 for value in values[at + len(head) : end]))
        return {"scores": [{"total_logprob": total} for total in totals]}


PROTOCOLS: dict[str, type[Dialect]] = DIALECTS | {"score-api": MessagesDialect, "score-api-ranges": RangesDialect}


def serving(protocol: str, model: Plain | Path) -> TokenServer:
    """A server that speaks one of `PROTOCOLS` over a model, already running."""
    plain = model if isinstance(model, Plain) else Plain(model)
    return TokenServer(PROTOCOLS[protocol], model=plain, render=plain.render)


if __name__ == "__main__":
    with serving(sys.argv[1], Path(sys.argv[2])) as running:
        print(running.url, flush=True)
        threading.Event().wait()
