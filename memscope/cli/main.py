"""The command line as a whole: finding the command, and ending well whatever happens."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import shell_complete

from memscope import __version__
from memscope.base.errors import Exit, MemscopeError
from memscope.base.plugins import member, member_names, members
from memscope.base.text import clean_line
from memscope.cli import commands
from memscope.cli.command import Command, click_command
from memscope.cli.output import Console

DEFAULT = "open"  # what a file or folder alone is opened with, and nothing at all on a terminal
_NAME, _COMPLETE = "memscope", "_MEMSCOPE_COMPLETE"


class Commands(click.Group):
    """The commands of the folder `commands`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        found: dict[str, Command[object]] = members(commands, "COMMAND")  # type: ignore[type-var]
        return [c.name for c in sorted(found.values(), key=lambda c: (c.order, c.name))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in member_names(commands):
            return None
        return click_command(member(commands, cmd_name, "COMMAND"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in member_names(commands) and (os.path.lexists(name) or any(c in name for c in "./\\")):
            return DEFAULT, self.get_command(ctx, DEFAULT), args
        return super().resolve_command(ctx, args)


_HELP = """See which memory each response of an agent depended on.

Every response of a conversation is scored with and without each memory that was surfaced into it; the difference, in
nats, measures the memory's support for this wording under this engine, not what the model would otherwise have done.
`memscope FILE` opens the console on a transcript, `memscope FOLDER` on all that are in it, by what they are worth, and
`memscope` alone on those there were; without a terminal the matrix of a FILE is printed."""

_EPILOG = """\b
Exit codes: 0 done; 1 nothing found where something was asked for, or a check failed;
2 wrong use or bad input; 3 engine failure; 130 interrupted."""


def parser() -> click.Group:
    """The whole command line, for running it and for completion."""
    group = Commands(
        _NAME,
        help=_HELP,
        epilog=_EPILOG,
        context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
    )
    group.params.append(
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, help="Show the version.", callback=_version
        )
    )
    return group


def run_cli(args: list[str]) -> int:
    """Runs a command line; the exit code. Everything a person can cause ends here as a message. Raises
    `BrokenPipeError` where nobody reads what is printed any more."""
    group = parser()
    try:
        if asked := os.environ.get(_COMPLETE):
            return shell_complete(group, {}, _NAME, _COMPLETE, asked)
        args = args or [DEFAULT if Console().interactive else "--help"]
        with group.make_context(_NAME, args) as ctx:  # not `main`, for which a closed pipe is a failure
            return int(group.invoke(ctx) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" Try: {context.command_path} --help" if context is not None else ""
        if getattr(error, "option_name", "") == "--api-key":
            hint = " A key on the command line can be read by others: set MEMSCOPE_API_KEY."
        sys.stderr.write(clean_line(f"memscope: {error.format_message()}{hint}") + "\n")
        return Exit.USAGE
    except MemscopeError as error:
        sys.stderr.write(clean_line(f"memscope: {error}") + "\n")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\nmemscope: interrupted\n")  # behind the ^C of a terminal
        return Exit.INTERRUPTED


def _version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked:
        print(f"memscope {__version__}")
        context.exit()
