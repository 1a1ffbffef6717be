"""The command line: `mednca COMMAND ...`.

If nothing of what a command is asked for is done, it ends with one line on stderr that says why. Each command's file in
`commands` has its options, and imports what it needs only when it runs, so that `--help` is quick and PyTorch is loaded
only if it is asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .._version import __version__
from ..errors import USER_ERRORS, failure_text
from .commands import COMMANDS
from .exit_codes import DONE, FAILED, STOPPED
from .streams import command_streams, flush_output, print_message


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: without the program's name; default: those of this process.

    Returns:
        The exit code.
    """
    with command_streams():
        try:
            given = sys.argv[1:] if arguments is None else arguments
            options = _parser().parse_args([_guarded(argument) for argument in given])
            code: int = options.run(options) or DONE  # commands that finish or fail as a whole return nothing
            flush_output()
        except BrokenPipeError:  # whoever read the output has closed it
            flush_output()
            return DONE
        except USER_ERRORS as error:
            print_message(failure_text(error))
            return FAILED
        except KeyboardInterrupt:
            print_message("stopped.")
            return STOPPED
        return code


def _guarded(argument: str) -> str:
    """A negative number with a space before it, since argparse takes `-4e1` and `-46.` for options."""
    try:
        float(argument)
    except ValueError:
        return argument
    return f" {argument}" if argument.startswith("-") else argument


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mednca", description="Segment medical volumes with Neural Cellular Automata.")
    parser.add_argument("--version", action="version", version=f"mednca {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        summary = command.SUMMARY
        own = commands.add_parser(
            name,
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=f"{summary}\n\n{command.DETAILS}".strip(),
        )
        command.add_options(own)
        own.set_defaults(run=command.run)
    return parser
