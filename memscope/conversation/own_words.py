"""What of a request are a person's own words, and whether they say enough to be told from others.

Formats know what software says in a person's name. What stands beside a person's words in one text, or is written so
by some version that its format does not know, is looked for here, by rules that hold for all of them.
"""

from __future__ import annotations

import re

from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.rules import fenced

WORDS = 2  # that carry meaning: fewer recur everywhere, and are no pattern
# Scripts that put no spaces between words, as the inside of a character class.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff"  # Thai, Lao, Burmese, Khmer, kana

_LOOKED_AT = 4000  # characters of a text in which its words are looked for
_LETTERS = 4  # of a script without spaces that make a word; of Chinese characters, half as many
_BLOCKS = """system-reminder environment_context environment_details user_instructions command-name command-message
    command-args command-contents local-command-stdout local-command-stderr local-command-caveat task-notification
    bash-input bash-stdout bash-stderr ide_opened_file ide_selection user-prompt-submit-hook hook_context
    post-tool-use-hook session-start-hook teammate-message turn_aborted user_action""".split()
_BY_SOFTWARE = (
    *("[Request interrupted", "Caveat: The messages below", "This session is being continued from a previous"),
    *("<command-", "<local-command", "<system-reminder", "<environment_context", "<task-notification", "<bash-"),
    *(
        "Base directory for this skill:",
        "Stop hook feedback",
        "# AGENTS.md instructions",
        "PreToolUse:",
        "PostToolUse:",
    ),
    *("Another language model started to solve this problem", "<user_action>", "[SYSTEM NOTIFICATION", "API Error:"),
    *("Warning: apply_patch was requested via", "Unknown slash command:"),
)
_GO_ON = "Continue from where you left off."  # what software says of itself; with more, a person goes on from there
_OF_EDITOR = re.compile(r"# Context from my IDE(?: setup)?:?[ \t]*(?:\n|$)")  # what an editor puts before a request
_ASKED_BEHIND = re.compile(r"^## My request(?: for Codex)?:[ \t]*$", re.MULTILINE)
_NOTES = re.compile(r"\[[^\[\]\n]{1,200}\](?:\s*\[[^\[\]\n]{1,200}\])*")  # "[Image #1] [Image #2]"
_ROOTS = r"tmp|etc|var|home|usr|opt|dev|mnt|root|srv|proc|sys|bin|lib|media"  # folders, and no commands
_SLASH = re.compile(rf"/(?!(?:{_ROOTS})\s)[A-Za-z][\w:.-]*(?:\s|$)")
_TOKEN = re.compile(r"\S+")
_LETTER = re.compile(r"[^\W\d_]")
_CORE = re.compile(r"[^\W_](?:.*[^\W_])?")  # of a token, without the signs around it
_HAN = re.compile(f"[{HAN}]")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_LITTLE = frozenset(  # words that say go on, thank you, or hold a sentence together, in a few languages
    """a again ahead all alright also am an and any are as at be been but by can continue cool could did do does doing
    done dont don't else exactly fine for from go going good got great had has have he hello her hey hi him his how i
    i'd i'll i'm i've if in indeed into is it it's its just keep kindly let let's lets like looks may me might my nah
    need next nice no nope not now of off oh ok okay on one ones or our out perfect please pls proceed really resume
    right shall she should so some still sure thank thanks that that's the their them then there these they thing this
    those to too try understood until up us very want was we well were what when which who will with works would y yeah
    yep yes yet you your yup
    aber auch bitte da danke das dem den der die doch ein eine er es gut ich ist ja jetzt klar mach nein nicht nun
    oder sie super und was weiter wir zu
    allez bien c'est ce d'accord de des du est et il je la le les merci moi non oui parfait pas que s'il si te tu un une
    va vas vous y
    adelante ahora claro con dale e el ella en es eso esta este favor gracias lo los mas más mi o para perfecto por que
    qué se si sigue sigues sí su te un una va vale y ya
    certo com continua continue da dai de e fa favor grazie isso obrigado ok per por pra prego segue sim vai
    а в да давай дальше же и на не нет ну о ок окей пожалуйста продолжай продолжи с спасибо так то у хорошо что это я
    """.split()
)
_LITTLE_UNSPACED = re.compile(
    "请|好的|好|是的|继续|繼續|可以|谢谢|謝謝|はい|お願いします|ください|続けて|ありがとう|了解"
)


def without_memories(message: Message) -> str:
    """The texts of a message: without its memories, those too that the fenced rule finds, and tool results."""
    text = "".join(part.text for part in message.parts if type(part) is Text)
    if not fenced.may_hold(text):
        return text
    message = fenced.RULE.apply(Conversation((message,))).messages[0]
    return "".join(part.text for part in message.parts if type(part) is Text)


def own_words(text: str) -> str:
    """What a person said of what is told as theirs, without space around it; "" where all of it is software's: slash
    commands, reminders, errors, notes of an interruption or an image, what an editor tells of its tabs, the summary a
    session goes on from."""
    text = _without_blocks(text).strip()
    if _OF_EDITOR.match(text):
        asked = _ASKED_BEHIND.search(text)
        text = text[asked.end() :].strip() if asked else ""
    if text == _GO_ON or text.startswith(_BY_SOFTWARE) or _SLASH.match(text) or _NOTES.fullmatch(text):
        return ""
    return text


def is_short(text: str) -> bool:
    """Whether fewer than `WORDS` different words of it carry meaning: "yes", "ok go on", "继续"."""
    found: set[str] = set()
    unspaced = 0.0
    for match in _TOKEN.finditer(text[:_LOOKED_AT].casefold().replace("’", "'")):
        token = match[0]
        if token.isascii():
            core = _CORE.search(token)
        else:
            token = _LITTLE_UNSPACED.sub("", token)
            unspaced += len(_HAN.findall(token)) * 2 / _LETTERS + len(_UNSPACED.findall(token)) / _LETTERS
            core = _CORE.search(_UNSPACED.sub("", _HAN.sub("", token)))
        if core and core[0] not in _LITTLE and _LETTER.search(core[0]):
            found.add(core[0])
        if len(found) + int(unspaced) >= WORDS:
            return False
    return True


def _without_blocks(text: str) -> str:
    """The text without what stands between the tags of software; one that is not closed stays."""
    if "</" not in text:
        return text
    for tag in _BLOCKS:
        opening, closing = f"<{tag}>", f"</{tag}>"
        start = text.find(opening)
        kept, at = [], 0
        while start >= 0:
            end = text.find(closing, start)
            if end < 0:
                break
            kept.append(text[at:start])
            at = end + len(closing)
            start = text.find(opening, at)
        if at:
            text = "".join((*kept, text[at:]))
    return text
