"""`vllm`: vLLM 0.8 or newer.

    POST /tokenize        {"model", "messages", "tools", "add_generation_prompt": false}   -> {"tokens": [id, ...]}
    POST /v1/completions  {"model", "prompt": [id, ...], "prompt_logprobs": 0, "max_tokens": 1, "temperature": 0}
    ->                    choices[0].prompt_logprobs: [null, {"<id>": {"logprob", "decoded_token"}}, ...]

The id at every position has to be the one that was sent: a server that reads its prefix cache for such a request
answers with the values of other tokens, and with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.clients.http import Server
from memscope.clients.served import ServedModel, names
from memscope.engines.chat import Chat
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import connect, engine_at, may_lack_memory, number, tokenise
from memscope.engines.token_checks import token_checks
from memscope.engines.token_engine import TokenScores

_SHOWN = 3  # ids of a wrong entry
_MEMORY = (
    "If it ran out of memory, start it with a lower --max-num-batched-tokens (2048) or --gpu-memory-utilization: the"
    " log-probabilities of a prompt take a buffer of that many tokens times the vocabulary. Fewer --workers help too."
)


class Vllm:
    """A model behind vLLM. Every scoring reads the whole prompt: vLLM keeps its prefix cache out of such requests."""

    capabilities = Capabilities(label="vllm", tokens=True, concurrency=4)

    def __init__(self, server: Server, model: ServedModel, options: EngineOptions) -> None:
        self._server = server
        self.identity = EngineIdentity("vllm", model=model.name, url=server.base_url, options=options.shown())
        self.longest = model.longest

    def close(self) -> None:
        self._server.close()

    def lay(self, said: Chat, job: Job) -> list[int]:
        return tokenise(self._server, self.identity.model, said, job)

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        entries = self._scored(ids, job)
        return [
            TokenScores(
                np.array([entry[0] for entry in entries[start:end]], np.float64),
                tuple(entry[1] for entry in entries[start:end]),
            )
            for start, end in spans
        ]

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        body = {"prompt": ids, "max_tokens": count, "temperature": 0, "logprobs": 0}
        choice = self._complete({**body, "return_token_ids": True, "ignore_eos": True}, job)
        logprobs = choice.get("logprobs")
        values = logprobs.get("token_logprobs") if isinstance(logprobs, Mapping) else None
        tokens = choice.get("token_ids")
        if not isinstance(values, list) or not isinstance(tokens, list) or len(values) != len(tokens):
            raise EngineError(
                "the server generates without token ids or log-probabilities",
                where=self._server.base_url,
                do="vLLM 0.10.2 or newer gives them: upgrade it, or use --engine openai-echo.",
            )
        made = [(token, number(value)) for token, value in zip(tokens, values, strict=True) if type(token) is int]
        if len(made) != len(tokens) or any(value is None for _, value in made):
            raise EngineError("a generated token has no id or no log-probability", where=self._server.base_url)
        return [(token, value) for token, value in made if value is not None]

    def _scored(self, ids: list[int], job: Job) -> list[tuple[float, str]]:
        """For each position the log-probability and the text of the token that stands there; the first has none."""
        choice = self._complete({"prompt": ids, "prompt_logprobs": 0, "max_tokens": 1, "temperature": 0}, job)
        found = choice.get("prompt_logprobs")
        where = self._server.base_url
        if not isinstance(found, list):
            do = "It has to be vLLM 0.8 or newer; `memscope doctor` says what the server looks like."
            raise EngineError("the answer has no prompt_logprobs", where=where, do=do)
        if len(found) != len(ids):
            raise EngineError(f"{len(ids)} tokens were sent and {len(found)} came back scored", where=where)
        return [(0.0, ""), *(_entry(found[at], token, at, where) for at, token in enumerate(ids[1:], 1))]

    def _complete(self, body: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
        try:
            answer = self._server.post("/v1/completions", {"model": self.identity.model, **body}, job)
        except EngineError as error:
            if may_lack_memory(error):
                error.do = f"{error.do} {_MEMORY}".strip()
            raise
        choices = answer.get("choices") if isinstance(answer, Mapping) else None
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            raise EngineError("the answer has no choices", where=self._server.base_url)
        return choices[0]


def _entry(entry: Any, token: int, at: int, where: str) -> tuple[float, str]:
    value = entry.get(str(token)) if isinstance(entry, Mapping) else None
    if not isinstance(value, Mapping):
        ids = [key for key in entry if str(key).isdecimal()][:_SHOWN] if isinstance(entry, Mapping) else []
        held = f"token {'/'.join(ids)}" if ids else "nothing"
        raise EngineError(
            f"at position {at} token {token} was sent, and the score is of {held}",
            where=where,
            do="Values from a stale prefix cache look so: restart the server with --no-enable-prefix-caching.",
        )
    logprob = number(value.get("logprob"))
    if logprob is None:
        raise EngineError(f"position {at} has no log-probability", where=where)
    text = value.get("decoded_token")
    return logprob, text if isinstance(text, str) else ""


ENGINE = EngineSpec(
    "vllm",
    "a server of vLLM 0.8 or newer",
    Vllm.capabilities,
    lambda options: engine_at("vllm", options, Vllm),
    lambda options, job: names(connect("vllm", options, hasty=True), job),
    check=token_checks,
)
