"""A command, defined once: its options as a pydantic model feed the parser, its help and its checks."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import click
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from memscope.base.errors import Exit, UsageError
from memscope.cli.output import Console, Form


class Options(BaseModel):
    """The arguments of a command. A field's description is its help; `positional` makes it an argument, not a flag."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Given = TypeVar("Given", bound=Options)
_FORM = "--format"


@dataclass(frozen=True, slots=True)
class Command(Generic[Given]):
    """`run` does the work, prints through the console, and returns the exit code. `examples` end the help."""

    name: str
    summary: str
    options: type[Given]
    run: Callable[[Given, Console], Exit]
    examples: Sequence[str] = ()
    details: str = ""
    form: Form = "table"  # what it prints when not told
    order: int = 50


def positional(metavar: str) -> dict[str, Any]:
    """For `Field(json_schema_extra=...)`: an argument without a flag."""
    return {"positional": metavar}


def choices(names: Callable[[], list[str]]) -> dict[str, Any]:
    """For `Field(json_schema_extra=...)`: what an option's values are completed from; they are checked later."""
    return {"choices": names}


def click_command(command: Command[Any]) -> click.Command:
    """The command as the parser sees it."""

    def call(as_json: bool, form: Form | None = None, **values: Any) -> Exit:
        given = {name: value for name, value in values.items() if value is not None and value != ()}
        try:
            options = command.options.model_validate(given)
        except ValidationError as error:
            raise _refusal(error) from None
        return command.run(options, Console("json" if as_json else form or command.form, asked=as_json or bool(form)))

    fields = command.options.model_fields
    parameters = [_parameter(name, fields[name]) for name in _own_first(command.options)]
    if _FORM not in map(_flag, fields):  # where it says what to write, --json says how to print
        how = click.Choice(get_args(Form))
        parameters.append(click.Option([_FORM, "form"], type=how, help=f"How to print. [{command.form}]"))
        short = f"Short for {_FORM} json."
    else:
        short = "Print JSON."
    parameters.append(click.Option(["--json", "as_json"], is_flag=True, help=short))
    epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in command.examples) if command.examples else None
    text = "\n\n".join(filter(None, (command.summary, command.details)))
    return _Spreading(
        command.name, params=parameters, callback=call, help=text, short_help=command.summary, epilog=epilog
    )


class _Spreading(click.Command):
    """Takes `--memories A B` for `--memories A --memories B`, as a shell's wildcard gives it.

    Where no other word can be the FILE, the last one after `--memories` is.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._spread(ctx, args))

    def _spread(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = [p for p in self.get_params(ctx) if isinstance(p, click.Option) and not p.is_flag]
        single = {flag for option in valued if not option.multiple for flag in option.opts}
        several = {flag for option in valued if option.multiple for flag in option.opts}
        files = {flag for option in valued if isinstance(option.type, click.Path) for flag in option.opts}
        arguments = [p for p in self.get_params(ctx) if isinstance(p, click.Argument)]
        out: list[str] = []
        flags: list[int] = []  # where in `out` the flags stand that each word of a list was given
        at = free = 0
        while at < len(args):
            arg, at = args[at], at + 1
            words = list(takewhile(lambda word: not word.startswith("-"), args[at:])) if arg in several else []
            if arg == "--":
                free += len(args) - at
                out += [arg, *args[at:]]
                break
            if words:
                flags += range(len(out), len(out) + 2 * len(words), 2)
                out += [part for word in words for part in (arg, word)]
            elif arg in single:
                out += [arg, *args[at : at + 1]]
            else:
                out.append(arg)
                free += arg == "-" or not arg.startswith("-")
            at += len(words) + (arg in single)
        # What is no path is never one of the FILEs that need not be named.
        wanted = sum(p.required or (p.nargs < 0 and out[flags[-1]] in files) for p in arguments) if flags else 0
        if free < wanted and len(flags) > 1:
            del out[flags[-1]]
        return out


class _Path(click.Path):
    """A path; an empty one, as an unset "$DIR" gives, would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)


def _own_first(options: type[Options]) -> dict[str, None]:
    """The fields' names, the class's own before those it shares with other commands."""
    declared = (name for base in options.__mro__ for name in inspect.get_annotations(base))
    return {name: None for name in declared if name in options.model_fields}


def _parameter(name: str, info: FieldInfo) -> click.Parameter:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, many = _kind(info.annotation)
    if metavar := extra.get("positional"):
        required = info.is_required()
        return click.Argument([name], type=kind, nargs=-1 if many else 1, required=required, metavar=str(metavar))
    flag = _flag(name)
    if kind is bool and extra.get("alone"):  # what nobody would want to undo
        return click.Option([flag], is_flag=True, help=info.description)
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=None, help=info.description)
    names = extra.get("choices")
    listed = f" ({', '.join(names())})" if callable(names) else ""
    return click.Option(
        [name, flag],
        type=kind,
        multiple=many,
        default=None,
        required=info.is_required(),
        help=f"{info.description}{listed}",
        metavar="NAME" if listed else extra.get("metavar") or ("PATH..." if many else None),
        shell_complete=_completer(names) if callable(names) else None,
    )


def _flag(name: str) -> str:
    """The flag of a field; one that is called as a word of Python has a _ behind it."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def _completer(names: Callable[[], list[str]]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    return lambda _context, _parameter, begun: [name for name in names() if name.startswith(begun)]


def _kind(annotation: Any) -> tuple[Any, bool]:
    """What click makes of a type, and whether there may be several."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return _kind(args[0])[0], True
    if origin is Literal:
        return click.Choice([str(arg) for arg in args]), False
    if annotation is Path:
        return _Path(readable=False, path_type=Path), False  # what may not be read is told by whoever reads it
    return annotation if annotation in (int, float, bool) else str, False


def _refusal(error: ValidationError) -> UsageError:
    first = error.errors()[0]
    name = _flag(str(first["loc"][0])) if first["loc"] else "the options"
    if first["type"] == "missing":
        return UsageError(f"{name} is missing", do="See --help.")
    value = f" cannot be {first['input']!r}" if first["type"] != "value_error" else ""
    why = first["msg"].removeprefix("Value error, ")
    return UsageError(f"{name}{value}: {why[:1].lower()}{why[1:]}", do="See --help.")
