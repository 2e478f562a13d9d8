"""Addresses in a text: of pages, of hosts and mailboxes, of files by their whole path, of issues by number.

Two requests are not alike because both name something of one site or one folder, so addresses do not count when texts
are compared. The name of a file alone says something of what is asked, and stays; so does a route of a web service.
"""

from __future__ import annotations

import re

# What an address goes on with. Of Chinese and Japanese, which need no space, what follows is a sentence.
_END = "[^\\s\"'`<>|\\\\^(){}\\[\\],;\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\.){1,6}"
_SITES = r"(?:com|org|edu|gov|dev|app|ai)"  # that a name with a dot before them is a site's: no file ends so
_MORE_SITES = rf"(?:{_SITES}|net|io|co|me|so|sh|us|uk|eu|de|fr|ch|at|nl|it|es|pl|jp|cn|in|info|cloud|tech|xyz)"
_ROOTS = (
    r"(?:home|Users|tmp|var|etc|usr|opt|dev|mnt|root|srv|proc|sys|bin|lib|media|private|Volumes|Applications|nix|work"
    r"|workspaces?|repos?|testbed|app|data|code|src|project)"
)

_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]{0,200}\)){1,2000}(?:[ \t]+\"[^\"\n]{0,200}\")?\)")
_ADDRESS = re.compile(
    "|".join(
        (
            rf"(?<![a-z0-9])(?:https?|ftps?|wss?|ssh|git|file|s3|gs)://?(?:{_END}|\([^\s()]{{0,200}}\)){{1,4000}}",
            rf"(?<![\w@./-])(?:(?:mailto:)?[\w.+-]{{1,64}}@|www\.){_HOST}[a-z]{{2,18}}\b(?:[:/]{_END}{{0,2000}})?",
            rf"(?<![\w@./-]){_HOST}{_MORE_SITES}(?::\d{{1,5}})?/{_END}{{0,2000}}",
            rf"(?<![\w@./-]){_HOST}{_SITES}(?![\w-]|\.\w)(?::\d{{1,5}})?",
            rf"(?<![\w@./-])(?:localhost|\d{{1,3}}(?:\.\d{{1,3}}){{3}})(?::\d{{1,5}}(?:/{_END}{{0,2000}})?|/{_END}{{1,2000}})",
            # A path from the root: below a folder that roots have, or with a file at its end.
            rf"(?<![\w~/.:@$%}})>\]-])(?-i:/{_ROOTS})/{_END}{{1,2000}}",
            r"(?<![\w~/.:@$%})>\]-])(?:/[\w.@+~-]{1,200}){2,30}(?<=\w)\.[a-z]\w{0,7}(?::\d{1,7}){0,2}(?![\w/])",
            rf"(?<![\w~/.:@$%}})>\]-])(?:~|\$HOME|%USERPROFILE%)[/\\](?:{_END}|\\){{0,2000}}",
            rf"(?<!\w)[a-z]:[\\/](?:{_END}|\\){{1,2000}}",
            r"(?<![\w@./-])[\w.-]{1,100}/[\w.-]{1,100}#\d{1,9}\b",  # owner/repository#12
        )
    ),
    re.IGNORECASE,
)


def without_addresses(text: str) -> str:
    """`text` without its addresses; of a link the words stay, unless they are one."""
    return _ADDRESS.sub(" ", _LINK.sub(r" \1 ", text))
