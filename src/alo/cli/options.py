"""The options of a command: those that every command has, and its own; then the command itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from alo.cli.output import console
from alo.cli.values import path
from alo.errors import UsageError
from alo.layout import PLAN_NAME, Workspace, find_plan
from alo.processes.inherited import reset_signals

WITHOUT_PROJECT = ("init", "loop", "schema")  # commands that need none to work on
OF_ACTIONS = ("review", "models", "dataset")  # commands that do nothing but their actions


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse: fail as every command of ours does, and name ``--help``."""
        raise UsageError(message, fix=f"{self.prog} --help lists what it takes")

    def _get_formatter(self) -> argparse.HelpFormatter:
        # With a width of its own it need not import shutil, which would cost each command 3 ms.
        return argparse.HelpFormatter(self.prog, width=console.columns() - 2)

    def _print_message(self, message: str, file: Any = None) -> None:
        console.write(message.rstrip())


def find_command(
    name: str, help_line: str, words: Sequence[str]
) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
    """A command's ``execute``, and the options for it, from the words after the command's name.

    Raises:
        UsageError: the words, or the project folder that they name, make no sense.
    """
    reset_signals()
    options = parse(name, help_line, words)
    if options is None:
        return _help_was_shown, argparse.Namespace()
    if name not in WITHOUT_PROJECT and not asks_for_help(words):
        check_project(options.project)
    return _module(name).execute, options


def _module(name: str) -> ModuleType:
    """The one that has a command's ``add_arguments`` and ``execute``."""
    return import_module(f"alo.cli.{'actions' if name in OF_ACTIONS else 'commands'}.{name}")


def _help_was_shown(options: argparse.Namespace) -> int:
    return 0


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether only help is wanted, of a part of the command that has its own."""
    return not {"-h", "--help"}.isdisjoint(words)


def parse(name: str, help_line: str, words: Sequence[str]) -> argparse.Namespace | None:
    """What the words after the command's name ask for; None where its help was shown.

    Raises:
        UsageError: they make no sense.
    """
    parser, common = parsers_of(name, help_line)
    # Common options first and by themselves, so that they may also follow a subcommand.
    options, own_words = common.parse_known_args(words)
    try:
        options, unknown = parser.parse_known_args(own_words, options)
    except SystemExit:
        return None
    if unknown:
        raise _unknown_words(parser, unknown)
    return options


def parsers_of(name: str, help_line: str) -> tuple[CommandParser, CommandParser]:
    """The parser of a command, and the one of the options that every command has."""
    common = _common_parser(f"alo {name}")
    parser = CommandParser(
        prog=common.prog,
        description=f"{help_line[0].upper()}{help_line[1:]}.",
        parents=[common],
        allow_abbrev=False,
    )
    _module(name).add_arguments(parser)
    return parser, common


def check_project(folder: Path) -> None:
    """See that the folder is one of a project.

    Raises:
        UsageError: it is not there, or holds nothing of a project.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(
            f"the project folder {what}: {folder.absolute()}",
            fix="name another with --project DIR, or make a project: alo init NAME",
        )
    if is_project(folder):
        return
    fix = "go to a project's folder, name one with --project DIR, or make one: alo init NAME"
    above = next((each for each in folder.resolve().parents if find_plan(each).is_file()), None)
    if above is not None:
        fix = f"the project above it is meant? --project {above}"
    raise UsageError(
        f"this folder is no project: it has neither solution/{PLAN_NAME} nor assets/",
        where=str(folder.absolute()),
        fix=fix,
    )


def is_project(folder: Path) -> bool:
    """Whether the folder has a plan, or at least assets or runs that once had one."""
    workspace = Workspace(folder)
    return find_plan(folder).is_file() or workspace.assets.is_dir() or workspace.history.is_dir()


def _common_parser(prog: str) -> CommandParser:
    parser = CommandParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument(
        "--project",
        metavar="DIR",
        type=path,
        default=Path(),
        help="the project's folder (default: here)",
    )
    parser.add_argument(
        "--debug", action="store_true", help="with an error, show ALO's own traceback too"
    )
    return parser


def _unknown_words(parser: CommandParser, words: Sequence[str]) -> UsageError:
    from difflib import get_close_matches

    word = words[0].partition("=")[0]
    if not word.startswith("-"):
        return UsageError(
            f"{parser.prog} does not know what to do with '{word}'",
            fix=f"{parser.prog} --help lists what it takes",
        )
    near = get_close_matches(word, parser._option_string_actions, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return UsageError(
        f"{parser.prog} has no option {word}{guess}", fix=f"{parser.prog} --help lists them"
    )
