"""Names of repositories: from folders, remotes, and what tool calls say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SettingsError
from memscope.conversation.records import Fact
from memscope.sessions.folders import is_below, repository_folder, repository_name
from memscope.sessions.repositories import LONGEST, MOST, Patterns, Repositories, remote_name

FOLDERS = {
    "/home/me/src/mise": "mise",
    "/home/me/mise": "mise",
    "/home/me/src/mise/src": "mise",
    "/home/me/src/mise/": "mise",
    "/Users/jdx/.codex/worktrees/5afe/mise": "mise",
    "/Users/me/.cursor/worktrees/mise/abcd1": "mise",
    "/Users/me/.superset/worktrees/mise/fix-it": "mise",
    "/Users/alex/workspace/cli/.worktrees/2": "cli",
    "/home/me/src/mise/.claude/worktrees/warm-orbit": "mise",
    "/home/me/src/mise/.git/worktrees/b": "mise",
    "/home/me/src/mise/worktrees/fix/a": "mise",
    "/home/me/src/mise.worktrees/fix": "mise",
    "/home/me/src/mise-worktrees/fix": "mise",
    "/home/me/Code/worktrees/mise/quiet-minnow/mise": "mise",
    "/home/me/conductor/workspaces/mise/oslo": "mise",
    "/home/me/.config/nvim": "nvim",
    "/root/mise": "mise",
    "/workspace/mise": "mise",
    "/workspaces/mise": "mise",
    "/srv/git/mise.git": "mise",
    "/Volumes/Disk/mise": "mise",
    "/mnt/c/Users/me/mise": "mise",
    "/c/Users/me/mise": "mise",
    "~/go/src/github.com/jdx/mise/crates/x": "mise",
    "~/mise": "mise",
    r"C:\Users\me\src\mise": "mise",
    "c:/dev/mise/.claude/worktrees/x": "mise",
    r"\\wsl$\Ubuntu\home\me\mise": "mise",
    r"\\?\C:\dev\mise": "mise",
}
NONE = r"""/ /home /home/me /home/me/ /Users/me /root ~ ~me /home/me/src /home/me/.claude /home/me/.codex/worktrees
    /tmp /tmp/x/y /private/tmp/x /private/var/folders/ab/x /var/folders/ab/x /var/tmp/x /dev/shm/x /app /workspace
    /testbed /mnt /media/disk /opt/src C:\ C: C:\Users\me C:\Users\me\Documents C:\Users\me\AppData\Local\Temp\x
    ~/src/github.com ~/src/github.com/jdx relative/x [trimmed] . .. //""".split()


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_belongs_to_its_repository(path: str) -> None:
    folder = repository_folder(path)
    assert folder is not None
    assert repository_name(folder) == FOLDERS[path]


@pytest.mark.parametrize("path", [*NONE, "", " "])
def test_a_folder_that_is_no_repository(path: str) -> None:
    assert repository_folder(path) is None


@given(st.text("/\\.~:-_ aHome\udcff", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_folder_or_none(path: str) -> None:
    folder = repository_folder(path)
    assert folder is None or (folder[-1] and not is_below(folder, folder))
    remote_name(path)


REMOTES = {
    "git@github.com:jdx/mise.git": "mise",
    "https://github.com/jdx/mise": "mise",
    "https://github.com/jdx/mise.git/": "mise",
    "https://me:secret@gitlab.com/a/b/mise.git?x=1#y": "mise",
    "ssh://git@host.example:2222/jdx/mise.git": "mise",
    "file:///srv/git/mise.git": "mise",
    "host:mise": "mise",
    "jdx/mise": "mise",
    "mise": "mise",
    "../mise": "mise",
    "/home/me/src/mise": "mise",
    "C:\\src\\mise": "mise",
    "Jdx/Mise": "Mise",
    "https://github.com": "",
    "/home/me": "",
    ".git": "",
    "": "",
    " ": "",
}


@pytest.mark.parametrize("remote", REMOTES)
def test_a_remote_is_named_by_its_last_part(remote: str) -> None:
    assert remote_name(remote) == REMOTES[remote]


def names_in(text: str, *settings: str) -> list[str]:
    return [name.removesuffix(".git") for name, _ in Patterns.of(settings).find(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("git clone https://github.com/jdx/mise.git\\n && cd mise", ["mise"]),
        ("git remote add up git@github.com:jdx/mise.git", ["mise"]),
        ("https:\\/\\/github.com\\/jdx\\/mise\\/pull\\/2", ["mise"]),
        ("ssh://git@gitlab.example.org:22/a/b/mise.git", ["mise"]),
        ("https://gitlab.com/a/b/mise/-/blob/main/x", ["mise"]),
        ("https://bitbucket.example.org/scm/proj/mise.git", ["mise"]),
        ("https://codeberg.org/me/mise", ["mise"]),
        ("curl https://api.github.com/repos/jdx/mise/pulls", ["mise"]),
        ("https://raw.githubusercontent.com/jdx/mise/main/x", ["mise"]),
        ("https://tok:en@github.com/jdx/mise https://github.com/jdx/hk", ["mise", "hk"]),
        ("import github.com/jdx/mise", []),
        ("https://github.com/settings/tokens", []),
        ("https://github.com/orgs/jdx/repositories", []),
        ("https://github.com/jdx", []),
        ("https://docs.github.com/en/rest", []),
        ("https://jdx.github.io/mise/x", []),
        ("https://example.com/github.com/x", []),
        ("notgit@github.com:jdx/mise", []),
    ],
)
def test_addresses_in_a_call_name_repositories(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_a_plain_name_is_found_as_a_word_of_its_own() -> None:
    assert names_in("cd ../mise && ls", "mise") == ["mise"]
    assert names_in("cd MISE.git", "Mise") == ["Mise"]
    assert names_in("premise mise-x mise_y mise.toml", "mise") == []
    assert names_in("see jdx/mise", "jdx/mise") == ["mise"]
    assert names_in("a.b axb", "a.b") == ["a.b"]


def test_a_regex_names_what_it_finds() -> None:
    assert names_in("ticket ACME-12 and ACME-7", r"ACME-(?P<name>\d+)") == ["12", "7"]


@pytest.mark.parametrize("text", ["(?P<name>", "a(b)", "(?P<text>x)", "a b", "*", "(" * 500])
def test_what_is_neither_a_name_nor_such_a_regex_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="pattern"):
        Patterns.of([text])


def found(*facts: tuple[str, str], calls: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> list[str]:
    gathered = Repositories(Patterns.of(own))
    for line, (kind, text) in enumerate(facts, 1):
        gathered.fact(Fact(kind, text, line), 0, line)  # type: ignore[arg-type]
    for call in calls:
        gathered.call(call, 1, 9, 90)
    return [repository.name for repository in gathered.found()]


def test_a_remote_speaks_for_the_folders_beside_it() -> None:
    assert found(("cwd", "/home/me/src/mise-fork"), ("repository", "jdx/mise")) == ["mise"]
    assert found(("cwd", "/home/me/src/mise-fork")) == ["mise-fork"]


def test_a_folder_below_another_is_the_same() -> None:
    below, above = ("cwd", "/home/me/src/mise/crates/x"), ("cwd", "/home/me/src/mise")
    assert found(below, above) == found(above, below) == ["mise"]
    assert found(("cwd", "/home/me"), above) == ["mise"]
    assert found(above, ("cwd", "/home/me/src/mise2")) == ["mise", "mise2"]
    assert found(("cwd", r"C:\Dev\Mise"), ("cwd", "c:/dev/mise/docs")) == ["Mise"]


def test_one_repository_has_one_name() -> None:
    calls = ("clone https://github.com/JDX/Mise", "https://github.com/jdx/hk")
    assert found(("cwd", "/home/me/src/mise"), calls=calls) == ["mise", "hk"]


def test_each_says_where_it_was_found_and_no_password_with_it() -> None:
    gathered = Repositories(Patterns.of([]))
    gathered.fact(Fact("repository", "https://me:secret@github.com/jdx/mise.git", 3), 0, 0)
    gathered.call("curl https://me:secret@github.com/jdx/hk", 2, 9, 90)
    mise, hk = gathered.found()
    assert mise.evidence == (0, 0, 3, "https://github.com/jdx/mise.git")
    assert hk.evidence == (2, 9, 90, "github.com/jdx/hk")


def test_there_is_an_end_to_what_is_kept_and_searched() -> None:
    calls = tuple(f"https://github.com/o/r{n}" for n in range(3 * MOST))
    assert len(found(*(("cwd", f"/home/me/src/f{n}") for n in range(3 * MOST)), calls=calls)) <= 2 * MOST
    assert found(calls=(" " * LONGEST + calls[0],)) == []
