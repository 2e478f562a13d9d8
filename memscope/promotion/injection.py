"""Text that reads as if it wanted to steer whoever reads it, or to hide from them: for a person to look at.

A net and no proof. What is found was said by somebody in a transcript, where it may have been harmless; in a skill it
would be read as an instruction. Every pattern is read in a time that grows with the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memscope.base.secrets import credentials
from memscope.base.text import clean_line

_SHOWN = 120  # characters of the words


@dataclass(frozen=True, slots=True)
class Flag:
    """Something at [start, end) of a text that a person should look at. `kind` is in words, `words` the beginning of
    what stands there on one clean line; of a credential that is nothing."""

    kind: str
    start: int
    end: int
    words: str


CREDENTIAL = "a credential"


def flags(text: str) -> list[Flag]:
    """What in `text` a person should look at, in order."""
    found = [
        Flag(kind, start, end, clean_line(text[start:end][: _SHOWN * 2])[:_SHOWN]) for kind, start, end in _found(text)
    ]
    found += [Flag(f"{CREDENTIAL} ({one.kind})", one.start, one.end, "") for one in credentials(text)]
    return sorted(found, key=lambda flag: (flag.start, flag.end, flag.kind))


def _found(text: str) -> Iterator[tuple[str, int, int]]:
    folded = text.lower()
    for shape in _SHAPES:
        # Lower case may be longer than what it was made of, so that places in it mean nothing; hints do.
        if shape.hints and not any(hint in folded for hint in shape.hints):
            continue
        last = -1
        for match in shape.pattern.finditer(text):
            if match.start() >= last and shape.fits(match):
                last = match.end()
                yield shape.kind, match.start(), match.end()
    yield from _comments(text)


def _comments(text: str) -> Iterator[tuple[str, int, int]]:
    """HTML comments, which a page does not show. One that does not end goes on to the end."""
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        end = len(text) if end < 0 else end + 3
        yield "a comment that a page does not show", at, end
        at = text.find("<!--", end)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of such text: one of the `hints`, in lower case, stands in every text that holds one, where any are given;
    `fits` has the last word."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    fits: Callable[[re.Match[str]], bool]


def _always(_: re.Match[str]) -> bool:
    return True


def _is_encoded(match: re.Match[str]) -> bool:
    """Whether a long run of signs is data in base64: letters of both cases, and no path or made-up name."""
    run = match.group()
    joints = sum(run.count(sign) for sign in "/-_+")
    return joints * 12 <= len(run) and not (run.islower() or run.isupper() or run.isdigit())


def _is_hiding(match: re.Match[str]) -> bool:
    """Whether signs that nobody sees stand where no script and no emoji needs them."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    run = match.group()
    if run == "\ufeff" and start == 0:
        return False
    if run in ("\u200c", "\u200d"):  # joiners: of emoji, and of scripts that join their letters
        return not (before > "\u02ff" and after > "\u02ff")
    if run in ("\u200e", "\u200f"):  # a mark of direction beside letters that have one
        return not any("\u0590" <= sign <= "\u08ff" for sign in text[max(0, start - 40) : end + 40])
    if run == "\xad":  # a soft hyphen within a word
        return not (before.isalpha() and after.isalpha())
    return before != "\U0001f3f4"  # the flags of countries within countries are spelled in tags


def _is_elsewhere(match: re.Match[str]) -> bool:
    """Whether an address is one of another machine."""
    host = match["host"].lower()
    return not host.startswith(("{", "<", "$")) and _NEAR.fullmatch(host) is None


_NEAR = re.compile(
    r"(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|\[::1\]"
    r"|(?:[\w.-]{1,60}\.)?example\.(?:com|org|net)|[\w.-]{1,60}\.(?:local|test|example))(?::\d{0,5})?"
)

_GAP = r"[\s,]{1,6}"
_ORDERS = r"(?:instruction|direction|prompt|rule|guideline|command|message|order|constraint|safeguard|context)s?"
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|former|foregoing|existing|original|initial|system|safety|built-in)"
)
_WHO = r"(?:the |your )?(?:users?|humans?|person|people|operators?|owners?|developers?|anyone|anybody|reviewers?)"
_THINGS = (
    r"(?:keys?|tokens?|secrets?|passwords?|credentials?|\.env|environment|conversation|history|transcript|contents?|data"
    r"|files?|codebase|source|database|cookies?|memor(?:y|ies)|prompts?|everything|it|them|this|these|results?|output)"
)
_ROLES = r"(?:system|developer|user|operator)s?"
_SHELLS = r"(?:ba|z|da|k|fi)?sh|python[\d.]{0,4}|perl|ruby|node|iex|powershell|pwsh"


_FOREIGN_OVERRIDE = (
    r"\b(?:ignor(?:e[zrs]?|iere?n?|a|ad|ar|en?)|oubli(?:e[zrs]?)|ne tien(?:s|ez) pas compte de|vergiss|vergessen sie"
    r"|missachten?(?: sie)?|beachten?(?: sie)? nicht|olvid(?:a|ad|e|ar)|desconsidere)\s{1,4}(?:sie\s{1,4})?"
    r"(?:(?:toutes?|tous|les?|la|des?|tes|vos|ces|alle[snr]?|d(?:ie|ein|eine|einen|as)|diese|ihre|todas?|todos?|l[ao]s"
    r"|tus|sus|as|os)\s{1,4}){0,3}"
    r"(?:(?:précédente?s?|antérieure?s?|bisherigen?|vorherigen?|vorigen?|obigen?|früheren?|anteriores|previas|système)"
    r"\s{1,4})?"
    r"(?:instructions?|consignes?|directives?|règles?|ordres?|anweisung(?:en)?|instruktionen|befehle?|regeln|vorgaben"
    r"|instrucciones|órdenes|reglas|instruções|regras|istruzioni)\b"
)
_UNSPACED_OVERRIDE = (
    r"(?:忽略|忽視|忽视|无视|無視|忘记|忘記|不要理会)[^\n。.!?]{0,12}(?:指令|指示|提示|规则|規則|命令|要求|说明|內容|内容)"
    r"|(?:指示|命令|プロンプト|ルール|規則)[^\n。]{0,6}(?:無視|無効)"
    r"|(?:игнорируй(?:те)?|забудь(?:те)?)\s{1,4}(?:\w{1,20}\s{1,4}){0,3}(?:инструкци|указани|правил|команд)\w{0,6}"
)


def _shapes() -> Iterator[_Shape]:
    def shape(kind: str, hints: str, pattern: str, fits: Callable[[re.Match[str]], bool] = _always) -> _Shape:
        return _Shape(kind, tuple(hints.split()), re.compile(pattern, re.IGNORECASE), fits)

    override = "an instruction to disregard others"
    yield shape(
        override,
        "ignore disregard forget override bypass overrule",
        rf"\b(?:ignore|disregard|forget|override|bypass|overrule){_GAP}(?:about{_GAP})?"
        rf"(?:(?:all|any|every|each|of|the|your|my|these|those|other){_GAP}){{0,4}}"
        rf"(?:{_EARLIER}{_GAP}(?:\w{{1,20}}{_GAP}){{0,2}}{_ORDERS}|{_ORDERS}{_GAP}(?:above|before|so far|given)"
        rf"|{_ORDERS}{_GAP}(?:in|of|from|by){_GAP}(?:(?:the|your|a){_GAP})?(?:system|developer|user|operator)\b"
        rf"|(?:everything|anything|all){_GAP}"
        r"(?:above|before|previously|prior|so far|else|i said|you (?:know|were|have))"
        rf"|what(?:ever)?{_GAP}(?:you{_GAP}(?:were|have been|had been)|(?:they|the {_ROLES})(?: has| have)?){_GAP}"
        r"(?:told|said|asked|instructed|given|taught))",
    )
    yield shape(override, "forget", rf"\bforget{_GAP}(?:everything|all)(?=\s{{0,4}}(?:[.!;:]|and\b|\Z))")
    yield shape(
        override,
        "new updated",
        r"(?:^|[.!:\n])[ \t#*>\[]{0,6}(?:new|updated|revised)[ \t]{1,3}(?:system[ \t]{1,3})?"
        r"(?:instructions?|prompt|rules|persona|directives?)[ \t\]*]{0,4}:",
    )
    yield shape(override, "ignor oubli tien vergess vergiss missacht beachte olvid desconsid", _FOREIGN_OVERRIDE)
    yield shape(override, "忽略 忽視 忽视 无视 無視 忘记 忘記 不要理会 無効 игнорир забудь", _UNSPACED_OVERRIDE)
    yield shape(override, "new", r"\bnew[ \t]{1,3}system[ \t]{1,3}(?:prompt|message|instructions?)\b")
    yield shape(
        "an instruction to be somebody else",
        "you",
        r"\b(?:you are now|from now on,? you are|from now on,? you will be)\s{1,4}(?:called|known as|free|unrestricted"
        r"|jailbroken|DAN\b|no longer|(?:an?|the|my|in)\b[^\n.]{0,60}\b(?:mode|assistant|ai|agent|bot|model|hacker"
        r"|expert|persona|character|administrator|admin|root|version))",
    )
    yield shape(
        "an instruction to be somebody else",
        "act pretend roleplay",
        r"(?:^|[.!?\n:]|\byou (?:must|should|will|shall|are to|can)|\bplease|\bnow)[ \t\n]{0,4}"
        r"(?:(?:act|behave|respond)[ \t]{1,3}as[ \t]{1,3}(?:if[ \t]{1,3}you|though[ \t]{1,3}you|an?\b|my\b|the\b|DAN\b)"
        r"|(?:pretend|roleplay)[ \t]{1,3}(?:to[ \t]{1,3}be|that[ \t]{1,3}you|you[ \t]{1,3}are|as)\b)",
    )
    yield shape(
        "an instruction to hide something",
        "tell inform alert notify reveal mention disclose secret hidden know",
        r"\b(?:do not|don['’]?t|never|must not|without)\s{1,4}(?:ever\s{1,4})?"
        r"(?:(?:tell|telling|inform|informing|alert|alerting|notify|notifying)"
        rf"\s{{1,4}}{_WHO}\b|(?:reveal|revealing|mention|mentioning|disclose|disclosing)\s{{1,4}}"
        rf"(?:\w{{1,20}}\s{{1,4}}){{0,6}}to\s{{1,4}}{_WHO}\b|let(?:ting)?\s{{1,4}}{_WHO}\s{{1,4}}(?:know|see|notice)"
        r"|(?:reveal|disclose)\s{1,4}(?:this|these|your|the)\s{1,4}(?:system |hidden )?(?:prompt|instructions?))",
    )
    yield shape(
        "an instruction to hide something",
        "keep",
        rf"\bkeep\s{{1,4}}(?:this|it|that|them)\s{{1,4}}(?:a\s{{1,4}})?(?:secret|hidden|quiet)\b"
        rf"(?:\s{{1,4}}from\s{{1,4}}{_WHO})?",
    )
    yield shape(
        "a mark of who is speaking",
        "<| [inst] [/inst] <<sys>> </system <system </assistant <assistant </user </instructions [system]",
        r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>"
        r"|</?(?:system|assistant|user|human|instructions)(?:[-_ ](?:prompt|reminder|message|instructions?|note))?>"
        r"|\[(?:system|/system)\]",
    )
    yield shape(
        "a mark of who is speaking",
        "system assistant human developer",
        r"(?m:^)[ \t#*>]{0,8}(?:system|assistant|human|developer)(?: (?:prompt|message))?[*]{0,2}:[*]{0,2}[ \t]{1,4}"
        r"[^\s:]{1,40}[ \t]{1,3}[^\s:]{1,40}",
    )
    yield shape(
        "signs that nobody sees",
        "",
        "[\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\U000e0000-\U000e0fff]{1,4096}",
        _is_hiding,
    )
    yield shape(
        "data that nobody can read (base64)", "", r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{160,}={0,2}", _is_encoded
    )
    yield shape(
        "a program from the net that is run unseen",
        "curl wget iwr invoke-webrequest",
        rf"\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|]{{0,300}}\|[ \t]{{0,4}}(?:sudo[ \t]{{1,4}})?(?:{_SHELLS})\b"
        rf"|\b(?:{_SHELLS}|eval|source)[ \t]{{1,4}}(?:-c[ \t]{{1,4}})?[\"']?(?:<\(|\$\(|`)[ \t]{{0,4}}(?:curl|wget)\b",
    )
    yield shape(
        "a command that runs when the skill is read",
        "!` ``` ~~~",
        r"(?<![\w`])!`[^`]{1,2000}`|(?:`{3}|~{3})[ \t]{0,20}!",
    )
    yield shape(
        "an instruction to ask nobody",
        "dangerously yolo bypass skip-perm approv permission confirm consent asking auto",
        r"--(?:dangerously|allow-dangerous)[a-z-]{0,60}|--yolo\b|--auto-approve\b|--full-auto\b|\bbypassPermissions\b"
        r"|\bpermission[-_]mode[= ]{1,3}bypass\w{0,20}|\bapproval[-_]policy[\"']?\s{0,3}[=:]\s{0,3}[\"']?never\b"
        r"|\b(?:do not|don['’]?t|never|no need to|without)\s{1,4}(?:ever\s{1,4})?"
        r"(?:ask(?:ing)?|wait(?:ing)?|request(?:ing)?|seek(?:ing)?|requir(?:e|ing))\s{1,4}"
        rf"(?:(?:me|us|{_WHO})\s{{1,4}})?(?:for\s{{1,4}})?(?:{_WHO}['’]s\s{{1,4}})?(?:(?:any|the|my|their|user|your|explicit|further)\s{{1,4}}){{0,2}}"
        r"(?:permission|approval|confirmation|consent|authori[sz]ation)s?\b",
    )
    yield shape(
        "a command that deletes whole folders",
        "rm rmdir remove-item",
        r"\brm[ \t]{1,4}(?:-[a-z]{1,8}[ \t]{1,4}|--[a-z-]{1,20}[ \t]{1,4}){0,4}(?:-[a-z]{0,6}r[a-z]{0,6}f[a-z]{0,6}"
        r"|-[a-z]{0,6}f[a-z]{0,6}r[a-z]{0,6}|-r[ \t]{1,4}-f|-f[ \t]{1,4}-r|--recursive[ \t]{1,4}--force)\b[^\n]{0,80}"
        r"|\bremove-item\b[^\n]{0,80}-recurse\b[^\n]{0,40}-force\b",
    )
    yield shape(
        "an instruction to send something elsewhere",
        "http",
        rf"\b(?:send|post|upload|forward|exfiltrate|leak|transmit|email|submit|copy)\b[^\n]{{0,80}}?\b{_THINGS}\b"
        rf"[^\n]{{0,80}}?\b(?:to|at|into)[ \t]{{1,4}}(?:https?://(?P<host>[^\s/\"'`)]{{1,100}})[^\s\"'`)]{{0,200}})",
        _is_elsewhere,
    )
    yield shape(
        "a picture from elsewhere, which tells that it was looked at",
        "http",
        r"!\[[^\]\n]{0,200}\]\(https?://[^\s)]{1,300}[?&][^\s)]{1,300}\)",
    )


_SHAPES = tuple(_shapes())
