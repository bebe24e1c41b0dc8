"""The `tidelog` command: what the SDK offers, and what other installed parts add to it.

Exit codes: 0 all is well, 1 wrong use or a failed command, 2 something is left to send,
3 the key was refused, 4 everything was sent but damaged records were skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from tidelog.settings import VERSION

GROUP = "tidelog.commands"
Command = Callable[[list[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tidelog COMMAND ...` and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    added = {point.name: point for point in entry_points(group=GROUP)}
    if arguments and arguments[0] in added:
        command: Command = added[arguments[0]].load()
        return command(arguments[1:])
    parser = _parser(added)
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 0
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    return code


def _parser(added: Mapping[str, EntryPoint]) -> argparse.ArgumentParser:
    from tidelog.cli import login, status, sync

    more = ", ".join(sorted(added))
    parser = argparse.ArgumentParser(
        prog="tidelog",
        description="Record, show and search machine-learning runs.",
        epilog=f"Also installed: {more} (each has its own --help)." if more else None,
    )
    parser.add_argument("--version", action="version", version=f"tidelog {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for each in (login, status, sync):
        each.add_to(commands)
    return parser
