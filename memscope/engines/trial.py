"""The trial that an engine of tokens stands: made-up conversations, scored and gone on with, and compared.

What is compared is always two ways to the same number: a token as it was generated and as it is scored, a text scored
when it was new to the server and when it was not. The words are made up anew each time, so that no server knows them.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, Protocol

from memscope.base.clock import now
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.conversation.render import Prompt, render
from memscope.engines.checks import NOISE, SECONDS, Check, Verdict
from memscope.engines.spans import Laid
from memscope.engines.token_engine import ROUNDING

Values = Mapping[tuple[int, int | str], float]
"""Log-probabilities in nats of tokens: where each stands, and which it is (its id, or its text)."""

_NOTHING: Values = {}
TOLERANCE = 0.1  # nats a token, in the mean: less is arithmetic, and in half precision there is much of it
FAR = 1.0  # nats: no arithmetic puts a single token so far off
LOUD = 0.5  # nats a response
_LEAST = -14.0  # nats: no vocabulary is so large that its likeliest token is less likely than that
_MADE = 12  # tokens generated at a time
_ENOUGH = 8  # tokens that were generated and compared: no more are generated
_COMPARED = 64  # tokens in front of them that are scored twice
_LETTERS = 4  # of a token, where positions are those of characters
_FEWEST = 3  # tokens that a comparison is worth something for
_AROUND = 160  # tokens, at most, that the long conversation has beside them
_WORDS = 200  # made-up ones of the long conversation: longer than what caches keep as one piece
_SHORT = 2048  # tokens: too few for a conversation of an agent
_LOG = "The server's own log may say why."
_AWRY = "The numbers of this server cannot be used as it runs now; after a change, run `memscope doctor` again."


class Subject(Protocol[Laid]):
    """An engine as a trial sees it. Positions are those of tokens, or of their first characters. All raise
    `EngineError`."""

    def longest(self, job: Job) -> int | None:
        """The most tokens it takes, where that is known."""
        ...

    def whole(self, prompt: Prompt, job: Job) -> Laid:
        """A prompt as the chat template lays it out."""
        ...

    def lay(self, prompt: Prompt, job: Job) -> Laid:
        """The same to the end of its last response's words."""
        ...

    def values(self, laid: Laid, first: int, job: Job) -> Values:
        """The log-probabilities of all tokens that stand at `first` or behind it."""
        ...

    def go_on(self, laid: Laid, count: int, job: Job) -> tuple[Laid, Values]:
        """What the model itself would go on with, `count` tokens at most, behind `laid`; and their log-probabilities as
        it generates them."""
        ...


def trial(subject: Subject[Laid], job: Job) -> Iterator[Check]:
    """All checks in order. One that finds something wrong does not end them, but what stands on it is skipped."""
    return _Trial(subject).checks(job)


class _Trial(Generic[Laid]):
    """What the checks of one trial hand on to each other."""

    def __init__(self, subject: Subject[Laid]) -> None:
        self._subject: Subject[Laid] = subject
        self._random = random.Random(str(now()))
        self._longest: int | None = None
        self._short: tuple[Laid, int] | None = None  # a conversation, and from where on it is scored
        self._scored: Values = {}
        self._long: tuple[Laid, int] | None = None
        self._cold: Values = {}  # of the long one, when it was new
        self._warm: Values = {}  # of the same tokens, when it was not

    def checks(self, job: Job) -> Iterator[Check]:
        steps: tuple[tuple[str, Callable[[Job], Check], bool], ...] = (
            ("model", self._model, True),
            ("template", self._template, False),
            ("scores", self._scores, True),
            ("context", self._context, True),
            ("agrees", self._agrees, False),
            ("cache", self._cache, False),
            ("repeats", self._repeats, False),
        )
        failed = ""
        for name, step, needed in steps:
            job.check()
            if failed:
                yield Check(name, "skip", f"not tried, because of {failed}")
                continue
            try:
                check = step(job)
            except EngineError as error:
                check = Check(name, "fail", error.what, error.do or (_LOG if error.status >= 400 else _AWRY))
            yield check
            if needed and check.verdict == "fail":
                failed = name

    def _model(self, job: Job) -> Check:
        self._longest = self._subject.longest(job)
        laid = self._subject.lay(self._talk(12), job)
        self._short = (laid, max(1, len(laid) // 2))
        return Check("model", "pass", "it is there, and lays a conversation out")

    def _template(self, job: Job) -> Check:
        """Whether memories come through, at the places where agents put them."""
        words, fails = self._words, []
        ask, answer = Message("user", (Text(words(6)),)), Message("assistant", (Text(words(6)),))
        again, end = Message("user", (Text(words(6)),)), Message("assistant", (Text(words(6)),))
        noted = (Memory("noted", words(8)),)
        for what, messages in {
            "a first system message": (Message("system", noted), ask, answer),
            "a system message in mid-conversation": (ask, answer, Message("system", noted), again, end),
            "two messages of the user in a row": (Message("user", noted), ask, answer),
        }.items():
            conversation = Conversation(messages)
            without = self._subject.whole(render(conversation, Ablation.of("noted")), job)
            try:
                if self._subject.whole(render(conversation), job) == without:
                    fails.append(f"does not show {what}")
            except EngineError as error:
                fails.append(f"refuses {what} ({error.what})")
        if not fails:
            return Check("template", "pass", "it shows a memory wherever it stands")
        do = "Where memories stand so, use --fold memories; --fold system where it takes no system message at all."
        return Check("template", "warn", f"it {'; it '.join(fails)}", do)

    def _scores(self, job: Job) -> Check:
        assert self._short is not None
        self._scored = self._subject.values(*self._short, job)
        if wrong := _no_probabilities("scores", self._scored):
            return wrong
        return Check("scores", "pass", f"{len(self._scored)} tokens, each with a log-probability of its own")

    def _context(self, job: Job) -> Check:
        words = _WORDS if self._longest is None else min(_WORDS, (self._longest - _AROUND) // 5)
        told = "it does not say how many it takes" if self._longest is None else f"it takes {self._longest:,}"
        do = "Serve the model with a longer context: conversations of agents have thousands of tokens."
        if words < 8:
            return Check("context", "fail", f"{told} tokens, too few to try it", do)
        laid = self._subject.lay(self._talk(words), job)
        self._long = (laid, max(1, len(laid) - _COMPARED * (_LETTERS if isinstance(laid, str) else 1)))
        began = time.perf_counter()
        try:
            self._cold = self._subject.values(*self._long, job)
        except EngineError as error:
            return Check("context", "fail", f"{words} words are not scored: {error.what}", error.do or do)
        seconds = time.perf_counter() - began
        if wrong := _no_probabilities("context", self._cold):
            return wrong
        verdict: Verdict = "warn" if self._longest is not None and self._longest < _SHORT else "pass"
        tokens = max(1, round(len(self._cold) * len(laid) / (len(laid) - self._long[1])))
        said = f"{told}; {tokens} tokens took {seconds:.2f} s"
        return Check("context", verdict, said, do if verdict == "warn" else "", {SECONDS: seconds / tokens})

    def _agrees(self, job: Job) -> Check:
        """Tokens that the model generates have the same log-probabilities when they are scored. What stands around them
        is unlikely: a value of the token before or behind would be far off."""
        assert self._long is not None
        laid, first = self._long
        seen: list[_Seen] = []
        untold = None
        for cut in _cuts(laid, first):
            whole, made = laid[:cut], _NOTHING
            try:
                whole, made = self._subject.go_on(whole, _MADE, job)
            except EngineError as error:  # a server may score well that generates without telling what this needs
                untold = Check("agrees", "warn", f"nothing to compare: {error.what}", error.do or _UNTOLD)
            scored = self._subject.values(whole + _middle(laid), first, job)
            before = {key: value for key, value in scored.items() if key[0] < cut}
            self._warm = self._warm or before
            if wrong := _no_probabilities("agrees", made) or _no_probabilities("agrees", scored):
                return wrong
            if before.keys() == {key for key in self._cold if key[0] < cut}:  # else a text became other tokens
                seen += _seen(made, scored)
            if untold or len(seen) >= _ENOUGH:
                break
        if len(seen) < _FEWEST:
            return untold or Check("agrees", "warn", "too few generated tokens could be compared", _UNTOLD)
        return _agreement(seen)

    def _cache(self, job: Job) -> Check:
        """The long conversation begins as one that the server has just seen."""
        keys = sorted(self._cold.keys() & self._warm.keys())[:-1]  # shifted values would differ in the last
        if len(keys) < _FEWEST:
            return Check("cache", "skip", "nothing to compare")
        apart = _apart((self._cold[key], self._warm[key]) for key in keys)
        if apart.fits:
            return Check("cache", "pass", f"what it has seen before has the same values again ({apart.within})")
        said = f"tokens that it has just seen come back {apart}: values from a stale prefix cache"
        return Check("cache", "fail", said, _NO_CACHE)

    def _repeats(self, job: Job) -> Check:
        assert self._short is not None
        again = self._subject.values(*self._short, job)
        return repeats(abs(sum(again.values()) - sum(self._scored.values())))

    def _talk(self, words: int) -> Prompt:
        """A made-up conversation, most of it the words of its last response."""
        return render(
            Conversation((Message("user", (Text(self._words(6)),)), Message("assistant", (Text(self._words(words)),))))
        )

    def _words(self, count: int) -> str:
        pick = self._random.choice
        return " ".join(
            "".join(pick("bdfgklmnprstvz") + pick("aeiou") for _ in range(pick((1, 2, 2, 3)))) for _ in range(count)
        )


_NO_CACHE = (
    "Restart the server without its prefix cache (vLLM: --no-enable-prefix-caching; SGLang: --disable-radix-cache), or"
    " upgrade it."
)
_NOISY = "Effects below that are noise, and are drawn so. Fewer --workers may help; vLLM has VLLM_BATCH_INVARIANT=1."
_UNTOLD = "Nothing is known to be wrong, and nothing proven: compare some numbers with those of another engine."
_NOT_LOGITS = (
    "It seems to return logits or something else: have it return log-probabilities of the plain model (vLLM:"
    " --logprobs-mode raw_logprobs)."
)


def repeats(noise: float) -> Check:
    """How far a response that is scored twice differs, in nats."""
    said = f"a response scored twice differs by {noise:.3g} nats"
    if noise > LOUD:
        return Check("repeats", "warn", said, _NOISY, {NOISE: noise})
    return Check("repeats", "pass", said, measured={NOISE: noise})


def _no_probabilities(name: str, values: Values) -> Check | None:
    """A failed check where these cannot be log-probabilities."""
    odd = [value for value in values.values() if not math.isfinite(value)]
    high = max(values.values(), default=0.0)
    if odd:
        return Check(name, "fail", f"{len(odd)} of {len(values)} values are {odd[0]}, not numbers", _AWRY)
    if high > ROUNDING:
        return Check(name, "fail", f"values up to {high:+.2f}: no log-probability is positive", _NOT_LOGITS)
    return None


class _Seen(NamedTuple):
    """The value of a token as it was generated and as it was scored, and the scored ones of its neighbours."""

    generated: float
    scored: float
    before: float
    behind: float


class _Apart(NamedTuple):
    """How far values are apart that should be the same, in nats."""

    mean: float
    most: float

    @property
    def fits(self) -> bool:
        return self.mean <= TOLERANCE and self.most <= FAR

    @property
    def within(self) -> str:
        return f"±{self.mean:.3f} nats, at most {self.most:.3f}"

    def __str__(self) -> str:
        return f"{self.mean:.2f} nats apart, at most {self.most:.2f}"


def _apart(pairs: Iterable[tuple[float, float]]) -> _Apart:
    far = [abs(one - other) for one, other in pairs]
    return _Apart(sum(far) / len(far), max(far))


def _seen(made: Values, scored: Values) -> Iterator[_Seen]:
    """The generated tokens that were scored, up to the first that was not: behind that one the context is another."""
    order = sorted(scored)
    values, places = [scored[key] for key in order], {key: place for place, key in enumerate(order)}
    for key, value in made.items():
        place = places.get(key)
        if place is None:
            return
        yield _Seen(value, values[place], values[max(place - 1, 0)], values[min(place + 1, len(values) - 1)])


def _agreement(seen: list[_Seen]) -> Check:
    """Whether tokens have the same values when they are generated and when they are scored."""
    least = min(one.generated for one in seen)
    if least < _LEAST:
        said = f"the likeliest token has {least:.1f}, which is no log-probability"
        return Check("agrees", "fail", said, _NOT_LOGITS)
    apart = _apart((one.generated, one.scored) for one in seen)
    if apart.fits:
        said = f"{len(seen)} generated tokens have the same values when they are scored ({apart.within})"
        return Check("agrees", "pass", said)
    said = f"tokens have values {apart} when they are generated and when they are scored"
    beside = (_apart((one.generated, one.before) for one in seen), _apart((one.generated, one.behind) for one in seen))
    if min(beside).mean <= TOLERANCE < apart.mean:
        do = "Each token gets the value of one beside it: upgrade the server, or serve the model with another one."
        return Check("agrees", "fail", f"{said}: they are shifted by one token", do)
    return Check("agrees", "fail", said, _AWRY)


def _cuts(laid: Laid, first: int) -> Iterator[int]:
    """Places behind `first` to go on from, the last of them first. They are in the middle of what is said, for at its
    end an answer is over, and the model says so and nothing more; in a text, they are in front of a space."""
    for quarters in (3, 2, 1):
        at = first + (len(laid) - first) * quarters // 4
        if isinstance(laid, str):
            at = max(laid.rfind(" ", 0, at + 1), first + 1)
        yield at


def _middle(laid: Laid) -> Laid:
    """Some words out of the middle, to stand where nothing leads up to them."""
    at = len(laid) // 2
    if isinstance(laid, str):
        at = max(laid.find(" ", at), 0)
        return laid[at : at + _LETTERS * _MADE]
    return laid[at : at + _MADE]
