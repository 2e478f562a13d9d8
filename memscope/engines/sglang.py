"""`sglang`: SGLang.

    POST /tokenize  {"model", "messages", "tools", "add_generation_prompt": false}   -> {"tokens": [id, ...]}
    POST /generate  {"input_ids": [id, ...], "return_logprob": true, "logprob_start_len": k - 1, "sampling_params"}
    ->              meta_info.input_token_logprobs: [[null, id, text], [logprob, id, text], ...] from k - 1 on

The first entry has no value, for no logits were computed in front of it: hence k - 1, one before the first token that
is wanted. Where an answer begins is told by its length, and proved by its ids.
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
from memscope.engines.served import connect, engine_at, may_lack_memory, number, tokenise, tokenised
from memscope.engines.templates import template_of
from memscope.engines.token_checks import token_checks
from memscope.engines.token_engine import TokenScores

_FEWER = (
    "If it ran out of memory, start it with a lower --chunked-prefill-size or --mem-fraction-static: the"
    " log-probabilities of a prompt take a buffer of that many tokens times the vocabulary. Fewer --workers help too."
)
_TOKENISES = (
    "If this release tokenises texts alone (it wants a field `prompt`), upgrade it, or give --template: the"
    " conversation is then laid out here. If its template refuses the conversation, try --fold memories."
)


class Sglang:
    """A model behind SGLang, which keeps its prefix cache for such requests: only what stands behind the first change
    is read again. `template`: the chat is laid out here, and the server tokenises the text."""

    capabilities = Capabilities(label="sglang", tokens=True, concurrency=4, reuses=True)

    def __init__(self, server: Server, model: ServedModel, options: EngineOptions) -> None:
        self._server = server
        self._template = template_of(options.template) if options.template else None
        more = () if self._template is None else (("template", self._template.digest),)
        self.identity = EngineIdentity("sglang", model.name, server.base_url, options=options.shown(*more))
        self.longest = model.longest

    def close(self) -> None:
        self._server.close()

    def lay(self, said: Chat, job: Job) -> list[int]:
        if self._template is not None:
            body = {"model": self.identity.model, "prompt": self._template.render(said), "add_special_tokens": False}
            return tokenised(self._server, body, job)
        try:
            return tokenise(self._server, self.identity.model, said, job)
        except EngineError as error:
            if error.status in (200, 400, 422):
                error.do = _TOKENISES
            raise

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        first = spans[0][0]
        body = {"input_ids": ids, "logprob_start_len": first - 1, **_asking(1)}
        entries = self._generated(body, "input_token_logprobs", job)
        start = len(ids) - len(entries)
        where = self._server.base_url
        if not 0 <= start <= first:
            wanted = f"{len(ids) - first + 1} of {len(ids)} tokens were to be scored, and {len(entries)} came back"
            raise EngineError(wanted, where=where)
        for at, (token, (_, scored, _)) in enumerate(zip(ids[start:], entries, strict=True), start):
            if scored != token:
                raise EngineError(
                    f"at position {at} token {token} was sent, and the score is of token {scored}",
                    where=where,
                    do="Values from a stale prefix cache look so: restart the server with --disable-radix-cache.",
                )
        return [self._span(entries, a - start, b - start, start) for a, b in spans]

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        entries = self._generated({"input_ids": ids, **_asking(count, ignore_eos=True)}, "output_token_logprobs", job)
        return [(token, self._number(value, len(ids) + at)) for at, (value, token, _) in enumerate(entries)]

    def _span(self, entries: list[_Entry], start: int, end: int, before: int) -> TokenScores:
        own = entries[start:end]
        values = [self._number(value, before + start + at) for at, (value, _, _) in enumerate(own)]
        pieces = [text for _, _, text in own if text is not None]
        return TokenScores(np.array(values, np.float64), tuple(pieces) if len(pieces) == len(own) else None)

    def _number(self, value: object, at: int) -> float:
        found = number(value)
        if found is None:
            raise EngineError(
                f"position {at} has no log-probability",
                where=self._server.base_url,
                do="It has to be a release of SGLang that scores from logprob_start_len + 1 on: upgrade it.",
            )
        return found

    def _generated(self, body: Mapping[str, Any], what: str, job: Job) -> list[_Entry]:
        try:
            answer = self._server.post("/generate", body, job)
        except EngineError as error:
            if may_lack_memory(error):
                error.do = f"{error.do} {_FEWER}".strip()
            raise
        meta = answer.get("meta_info") if isinstance(answer, Mapping) else None
        found = meta.get(what) if isinstance(meta, Mapping) else None
        if not isinstance(found, list):
            do = "`memscope doctor` says what the server looks like."
            raise EngineError(f"the answer has no {what}", where=self._server.base_url, do=do)
        return [self._entry(entry, what) for entry in found]

    def _entry(self, entry: object, what: str) -> _Entry:
        if isinstance(entry, list) and len(entry) >= 2 and type(entry[1]) is int:
            text = entry[2] if len(entry) > 2 else None
            return entry[0], entry[1], text if isinstance(text, str) else None
        raise EngineError(f"{what} has an entry without a token id", where=self._server.base_url)


_Entry = tuple[object, int, str | None]
"""A log-probability, the id of its token, and the token's text, where told."""


def _asking(count: int, **more: object) -> dict[str, Any]:
    """What asks for log-probabilities and `count` new tokens; `more`: how they are sampled."""
    sampling = {"max_new_tokens": count, "temperature": 0, **more}
    return {"return_logprob": True, "return_text_in_logprobs": True, "sampling_params": sampling}


ENGINE = EngineSpec(
    "sglang",
    "a server of SGLang",
    Sglang.capabilities,
    lambda options: engine_at("sglang", options, Sglang),
    lambda options, job: names(connect("sglang", options, hasty=True), job),
    check=token_checks,
)
