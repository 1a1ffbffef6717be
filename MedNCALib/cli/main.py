"""The command line: `mednca COMMAND ...`.

A command ends with exit code 0, or with one line on stderr and exit code 2. Each command's own file in `commands` says
its options and imports what it needs only when it runs, so that `--help` is quick and PyTorch is loaded by nobody who
did not ask.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from ..errors import MedNCAError
from .commands import COMMANDS

FAILED = 2
STOPPED = 130  # what shells report for a program that was stopped with Ctrl-C: 128 + SIGINT


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line."""

    def error(self, message: str):
        self.exit(FAILED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: without the program's name; default: those of this process.

    Returns:
        The exit code.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is printed with escapes rather than ending the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has closed it (`mednca models | head -1`). Python would complain once more when it
        # exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MedNCAError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        return _failed("There is not enough memory. Choose a region, or a smaller volume.")
    except KeyboardInterrupt:
        print("mednca: stopped.", file=sys.stderr)
        return STOPPED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mednca", description="Segment medical volumes with Neural Cellular Automata.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        summary = command.__doc__.splitlines()[0]
        own = commands.add_parser(name, help=summary[0].lower() + summary[1:].rstrip("."), description=command.__doc__)
        command.add_options(own)
        own.set_defaults(run=command.run)
    return parser


def _failed(message: str) -> int:
    print("mednca:", " ".join(message.split()), file=sys.stderr)
    return FAILED
