"""`memscope` and `python -m memscope`: runs a command and turns what goes wrong into a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys


def main(args: list[str] | None = None) -> None:
    """Runs the command line and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: list[str]) -> int:
    """Runs the command line; the exit code."""
    if args == ["--version"]:
        from memscope import __version__

        print(f"memscope {__version__}")
        return 0
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # it would look through every installed distribution
    from memscope.cli.main import run_cli

    # A stream that the caller closed is None: what goes there is lost, as asked.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        code = run_cli(args)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains on its way out
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"memscope: the output could not be written ({error.strerror})\n")
        return 2
    return code


if __name__ == "__main__":
    main()
