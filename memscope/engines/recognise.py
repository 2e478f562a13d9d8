"""Which server answers at an address, found by cheap questions, and which engine speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.clients.http import Server
from memscope.clients.served import MOST_MODELS, Served, listed, root
from memscope.engines.registry import EngineOptions
from memscope.engines.served import server_at

_PATIENCE = 30.0  # seconds for an answer: the first scoring of a server that has just begun takes long
_NOT_THERE = (404, 405, 501)
_TRIED = "/v1/models, /get_model_info, /props, /api/tags, /api/v0/models, /info, /score, /v1/completions with echo"
_SAME_FILE = "Run the same GGUF file with llama-server, or with --engine llamacpp."
_TEXT = "One two three four five six seven."


@dataclass(frozen=True, slots=True)
class Recognised:
    """What answers: `name` for people, as "vLLM 0.32.0"; the `engines` that can score with it, the best first; and the
    `models` it lists. Where it cannot score a given text there are no engines, and `why` says so and `do` what to run
    instead. `note`: what is to be known of it. Without a name it is nothing that is known."""

    name: str = ""
    engines: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    why: str = ""
    do: str = ""
    note: str = ""

    @property
    def engine(self) -> str:
        """The engine to use; empty where there is none."""
        return self.engines[0] if self.engines else ""

    def fits(self, engine: str) -> bool:
        """Whether an engine can speak to it; of what is not known any may try."""
        return not self.name or engine in self.engines

    def words(self) -> str:
        """What it looks like, in a line, and what to do where that is not plain."""
        if not self.name:
            return f"it is none that memscope knows (asked for: {_TRIED})"
        if self.why:
            return f"it looks like {self.name}, and {self.why}. {self.do}".strip()
        return f"it looks like {self.name}: --engine {self.engine}"


def recognise(options: EngineOptions, job: Job, *, hasty: bool = False) -> Recognised:
    """What answers at the address of the options. `hasty`: for somebody who chooses, and waits. Raises `UsageError`
    without an address, `EngineError` where nothing answers, or refuses to, or where a web page does; `Cancelled`."""
    host = (urlsplit(options.base_url).hostname or "").lower()
    if host == "api.openai.com" or host.endswith(".openai.azure.com"):
        return _OPENAI
    server = server_at("auto", root(options.base_url), options, timeout=_PATIENCE, hasty=hasty)
    base = server_at("auto", options.base_url, options, timeout=_PATIENCE, hasty=hasty)
    try:
        return _Look(server, base, options.model, job).found()
    finally:
        server.close()
        base.close()


_OPENAI = Recognised(
    "OpenAI's API",
    why="it gives log-probabilities of generated tokens alone, none of a given text",
    do="Serve an open model with vLLM, SGLang or llama-server, or use --engine transformers.",
)


_OLLAMA = Recognised(
    "Ollama", why="it gives log-probabilities of generated tokens alone, none of a given text", do=_SAME_FILE
)
_LM_STUDIO = Recognised("LM Studio", why="it gives no log-probabilities of a given text", do=_SAME_FILE)
_TABBY = Recognised(
    "tabbyAPI", why="it gives no log-probabilities of a given text", do="Serve the model with vLLM or SGLang."
)
_TGI = Recognised(
    "text-generation-inference",
    why="it gives log-probabilities of a given text only where it was started for that, and is no longer maintained",
    do="Serve the same model with vLLM or SGLang, or use --engine transformers.",
)
_LLAMA_CPP_PYTHON = Recognised(
    "llama-cpp-python's server",
    ("openai-echo",),
    note="It has to run with --logits_all true, and its echo is off by one where a prompt does not begin with the"
    " model's BOS token; the same GGUF file with --engine llamacpp is exact.",
)
_BY_OWNER = {"organization_owner": _LM_STUDIO, "tabbyAPI": _TABBY, "me": _LLAMA_CPP_PYTHON}
_VLLM = Recognised("vLLM", ("vllm", "openai-echo"))
_SGLANG = Recognised("SGLang", ("sglang", "openai-echo"))
_LLAMA_SERVER = Recognised("llama-server", ("llama-server",))
_SCORE_API = Recognised("a server that scores whole conversations", ("score-api",))
_ECHO = Recognised("a completions server with echo", ("openai-echo",))


class _Look:
    """One look at a server: `server` at its root, `base` at the very address that was given."""

    def __init__(self, server: Server, base: Server, model: str, job: Job) -> None:
        self._server, self._base, self._job = server, base, job
        self._models = self._listed()
        self._model = model or (self._models[0].name if self._models else "")

    def found(self) -> Recognised:
        """By what it says of itself where it does, else by what answers. One that scores whole conversations may be
        built on another: where that can be, it is asked to."""
        known = self._by_owner() or self._by_routes()
        if known is None:
            known = _SCORE_API if self._scores() else _ECHO if self._echoes() else Recognised()
        elif known.engine == "vllm" and self._scores():
            known = replace(known, engines=(*known.engines, "score-api"))
        hidden = self._server.hidden
        return replace(
            known, name=hidden(known.name), models=tuple(hidden(model.name) for model in self._models[:MOST_MODELS])
        )

    def _listed(self) -> list[Served]:
        try:
            return listed(self._server, self._job)
        except EngineError as error:
            if error.status not in _NOT_THERE:
                raise
        if self._base.base_url == self._server.base_url + "/v1":
            return []
        try:
            return listed(self._base, self._job, "/models")
        except EngineError:
            return []

    def _by_owner(self) -> Recognised | None:
        owners = {model.owner for model in self._models}
        if "vllm" in owners:
            return _named(_VLLM, self._get("/version").get("version"))
        if "sglang" in owners:
            return self._sglang()
        if "llamacpp" in owners:
            return _named(_LLAMA_SERVER, self._get("/props").get("build_info"))
        if "library" in owners:
            return _named(_OLLAMA, self._get("/api/version").get("version"))
        return next((_BY_OWNER[owner] for owner in owners if owner in _BY_OWNER), None)

    def _by_routes(self) -> Recognised | None:
        if "model_path" in self._get("/get_model_info") or "model_path" in self._get("/model_info"):
            return self._sglang()
        props = self._get("/props")
        if "default_generation_settings" in props:
            return _named(_LLAMA_SERVER, props.get("build_info"))
        if isinstance(self._get("/api/tags").get("models"), list):
            return _named(_OLLAMA, self._get("/api/version").get("version"))
        entries = self._get("/api/v0/models").get("data")
        if isinstance(entries, list) and entries and isinstance(entries[0], Mapping) and "state" in entries[0]:
            return _LM_STUDIO
        about = self._get("/info")
        return _named(_TGI, about.get("version")) if "model_id" in about and "max_total_tokens" in about else None

    def _sglang(self) -> Recognised:
        return _named(_SGLANG, (self._get("/server_info") or self._get("/get_server_info")).get("version"))

    def _scores(self) -> bool:
        """Whether it scores a whole conversation, and answers as score-api has it: other APIs share the path."""
        messages = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": _TEXT}]
        try:
            answer = self._base.post("/score", {"model": self._model, "messages": messages, "logprobs": 1}, self._job)
        except EngineError as error:
            return error.status == 422 and "prompt" in error.what  # the later form, which takes token ids
        scores = answer.get("scores") if isinstance(answer, Mapping) else None
        if not isinstance(scores, list) or len(scores) != 1 or not isinstance(scores[0], Mapping):
            return False
        total = scores[0].get("total_logprob")
        return isinstance(total, int | float) and not isinstance(total, bool)

    def _echoes(self) -> bool:
        """Whether it completes a text and gives log-probabilities of that text's tokens too."""
        body = {"model": self._model, "prompt": _TEXT, "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0}
        choices = self._object(lambda: self._server.post("/v1/completions", body, self._job)).get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        logprobs = choice.get("logprobs") if isinstance(choice, Mapping) else None
        values = logprobs.get("token_logprobs") if isinstance(logprobs, Mapping) else None
        return isinstance(values, list) and len(values) > 3

    def _get(self, path: str) -> Mapping[str, Any]:
        return self._object(lambda: self._server.get(path, self._job))

    @staticmethod
    def _object(ask: Callable[[], Any]) -> Mapping[str, Any]:
        """The object that answers; an empty one where none does."""
        try:
            answer = ask()
        except EngineError:
            return {}
        return answer if isinstance(answer, Mapping) else {}


def _named(known: Recognised, version: object) -> Recognised:
    """The same with its version, where it says one."""
    short = " ".join(version.split())[:40] if isinstance(version, str) else ""
    return replace(known, name=f"{known.name} {short}".strip())
