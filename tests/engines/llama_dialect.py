"""llama.cpp's server as a dialect of `TokenServer`: what it generates has log-probabilities, and a grammar or a bias
says what it generates.

As the real one does, it leaves the last answer of a chat open, refuses a grammar with a token that ends a generation or
is a part of a character, and reports nothing of a token that leaves a character open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.engines.token_server import SPECIAL, Dialect, Formula, Positions, RefusedError, TokenServer

RECORDED = Path(__file__).parent / "recorded"
END, BOS = SPECIAL.index("<|im_end|>") + 1, SPECIAL.index("<s>") + 1
_FORCED = re.compile(r"<\[(\d+)\]>")


def recorded(name: str) -> Any:
    """A request to a real server and its answer."""
    return json.loads((RECORDED / f"llama-server-{name}.json").read_text(encoding="utf-8"))


class LlamaDialect(Dialect):
    """`bos`: the tokeniser sets a token at the beginning; `shown`: special tokens that are written otherwise;
    `at_once`: the most tokens it generates for a request; `drafts`: a smaller model drafts all but the first of them;
    `mute`: it gives no log-probabilities; `obeys`: grammars and biases; `rounds`: it takes improbable for impossible;
    `crowd`: how many tokens are likelier than any that was seen; `told`: it says how long a slot is."""

    owner = "llamacpp"
    bos = False
    at_once: int | None = None
    drafts = mute = rounds = False
    obeys = told = True
    crowd = 0

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.model = Formula()
        self.shown: dict[int, str] = {}
        self._seen: set[int] = set()
        self.routes |= {
            "GET /props": self.props,
            "POST /apply-template": self.apply_template,
            "POST /tokenize": self.tokenize,
            "POST /completion": self.completion,
        }

    def about(self) -> dict[str, Any]:
        return {"meta": {"n_ctx": self.server.longest, "n_ctx_train": 8 * self.server.longest}}

    def props(self, _: object) -> object:
        if not self.told:
            raise RefusedError(501, {"error": {"message": "This server does not support it", "code": 501}})
        return {"default_generation_settings": {"n_ctx": self.server.longest}, "total_slots": 4}

    def apply_template(self, body: Mapping[str, Any]) -> object:
        try:
            text = self.server.render(body["messages"], body.get("tools") or [])
        except ValueError as error:
            raise RefusedError(
                500, {"error": {"message": f"Jinja Exception: {error}", "type": "server_error", "code": 500}}
            ) from None
        if body["messages"][-1]["role"] == "assistant":
            text = text.removesuffix("<|im_end|>\n")
        self.server.prompt(text)
        return {"prompt": text}

    def tokenize(self, body: Mapping[str, Any]) -> object:
        self.server.prompt(body["content"])
        ids = self.server.model.encode(body["content"])
        self._seen |= set(ids)
        if self.bos and body["add_special"]:
            ids = [BOS, *ids]
        return {"tokens": [{"id": token, "piece": self._piece(token)} for token in ids]}

    def completion(self, body: Mapping[str, Any]) -> object:
        ids = self.ids(body["prompt"])
        made, text, told = [], b"", []
        for token in self._to_generate(ids, body):
            made.append(token)
            text += self._bytes(token)
            if not _opens_at_the_end(text):
                told.append(len(made) - 1)
            if token == END:
                break
        whole = ids + made
        positions = self.server.spoiled(whole, self.server.right(whole))[len(ids) :]
        entries = [self._entry(ids + made[:at], positions, at, body["n_probs"]) for at in told if at < len(positions)]
        answer = {"content": text.decode("utf-8", "replace"), "tokens": made, "stop": True, "model": "tiny.gguf"}
        return answer if self.mute or not entries else answer | {"completion_probabilities": entries}

    def ids(self, prompt: object) -> list[int]:
        assert isinstance(prompt, list)
        if self.server.longest and len(prompt) >= self.server.longest:
            what = f"request ({len(prompt)} tokens) exceeds the available context size ({self.server.longest} tokens)"
            error = {"code": 400, "message": f"{what}, try increasing it", "type": "exceed_context_size_error"}
            raise RefusedError(400, {"error": error})
        return prompt

    def _to_generate(self, ids: list[int], body: Mapping[str, Any]) -> list[int]:
        count = min(body["n_predict"], self.at_once or body["n_predict"])
        forced = [int(token) for token in _FORCED.findall(body.get("grammar", ""))]
        for token in forced:
            if token == END or isinstance(self._piece(token), list):
                raise RefusedError(500, recorded("grammar-refused")["response"])
        if not self.obeys or not (forced or body.get("logit_bias")):
            return [p.token for p in self.server.generated(ids, count, endless=body["ignore_eos"])]
        return forced[:count] or [body["logit_bias"][0][0]]

    def _entry(self, ids: Sequence[int], positions: Positions, at: int, count: int) -> dict[str, Any]:
        here = positions[at]
        if self.drafts and at:
            return self._named(here.token, 0.0) | {"top_logprobs": []}
        value = -3.4028234663852886e38 if self.rounds else here.logprob
        return self._named(here.token, value) | {"top_logprobs": self._likeliest(ids, count)}

    def _likeliest(self, ids: Sequence[int], count: int) -> list[dict[str, Any]]:
        values = [(self.server.model.logprobs([*ids, token])[-1], token) for token in self._seen]
        values += [(-0.5, -1 - number) for number in range(self.crowd)]
        return [self._named(token, value) for value, token in sorted(values, reverse=True)[:count]]

    def _named(self, token: int, value: float | None) -> dict[str, Any]:
        data = b"" if token <= len(SPECIAL) else self._bytes(token)
        return {"id": token, "token": data.decode("utf-8", "ignore"), "bytes": [*data], "logprob": value}

    def _piece(self, token: int) -> str | list[int]:
        try:
            return self.shown.get(token) or self._bytes(token).decode()
        except UnicodeDecodeError:
            return [*self._bytes(token)]

    def _bytes(self, token: int) -> bytes:
        return b"?" if token < 0 else self.model._bytes(token)


def _opens_at_the_end(text: bytes) -> bool:
    """Whether a text ends within a character."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
