"""Commands with actions: ``alo history show``, ``alo review new``: each has options of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from alo.cli.options import CommandParser
from alo.errors import UsageError
from alo.plan.suggest import did_you_mean

MODULES = {  # command -> the module with its ACTIONS
    "history": "alo.cli.actions.history",
    "review": "alo.cli.actions.review",
    "models": "alo.cli.actions.models",
    "dataset": "alo.cli.actions.dataset",
    "sweep": "alo.cli.actions.sweep",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What a command can do: its help, its arguments, and what does it."""

    help_line: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int]


def actions_of(command: str) -> Mapping[str, Action]:
    """The actions of a command, by name; none of one that has none."""
    if command not in MODULES:
        return {}
    found: Mapping[str, Action] = import_module(MODULES[command]).ACTIONS
    return found


def of_actions(
    command: str, actions: Mapping[str, Action], example: str
) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]:
    """``add_arguments`` and ``execute`` of a command that does nothing but its actions.

    Args:
        example: the action whose help its own help points to.
    """
    *most, last = actions
    names = f"{', '.join(most)} or {last}; alo {command} {example} --help shows more"

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("action", metavar="ACTION ...", nargs="...", help=names)

    def execute(options: argparse.Namespace) -> int:
        options.action = options.action or ["list"]
        return act(command, options)

    return add_arguments, execute


def act(command: str, options: argparse.Namespace) -> int:
    """Do what the words in ``options.action`` say; returns the exit status.

    Raises:
        UsageError: they make no sense.
    """
    action, parsed = parse_action(command, options)
    return 0 if parsed is None else action.execute(parsed)


def parse_action(
    command: str, options: argparse.Namespace
) -> tuple[Action, argparse.Namespace | None]:
    """The action that ``options.action`` names, and what it is asked for; None: only its help.

    Raises:
        UsageError: the words make no sense.
    """
    name, *words = options.action
    actions = actions_of(command)
    if name not in actions:
        fix = f"alo {command} --help lists them"
        if command == "history":
            fix = f"to see one run: alo history show {name}"
        raise UsageError(
            f"alo {command} has no action '{name}'; {did_you_mean(name, actions)}", fix=fix
        )
    try:
        return actions[name], parser_of(command, name, options.json).parse_args(words, options)
    except SystemExit:
        return actions[name], None


def parser_of(command: str, name: str, as_json: bool = False) -> CommandParser:
    """The parser of an action; ``--json`` may come before the action's name too."""
    action = actions_of(command)[name]
    parser = CommandParser(
        prog=f"alo {command} {name}", description=action.help_line, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", default=as_json, help="print JSON")
    action.add_arguments(parser)
    return parser
