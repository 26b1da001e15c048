"""``alo sweep``: many train runs with other args, to find the best; and what became of them."""

from __future__ import annotations

import argparse

from alo.cli.actions import dispatch
from alo.cli.options import CommandParser
from alo.cli.setup_options import setup_of
from alo.cli.sweep_options import add_sweep_options
from alo.errors import UsageError

ACTIONS = ("list", "show", "resume", "stop", "apply", "plot", "export")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_sweep_options(parser)
    parser.add_argument(
        "action",
        metavar="[NAME] [ACTION ...]",
        nargs="...",
        help=f"name of the sweep; or one of {', '.join(ACTIONS)}",
    )


def execute(options: argparse.Namespace) -> int:
    if options.action[:1] and options.action[0] in ACTIONS:
        return dispatch.act("sweep", options)
    name, options = named_sweep(options)
    from alo.cli.actions.sweep_new import run_new

    if options.seed_arg and options.repeats == 1:
        raise UsageError("--seed-arg is for --repeats", fix="add --repeats R, or leave it out")
    return run_new(options, name, setup_of(options))


def named_sweep(options: argparse.Namespace) -> tuple[str, argparse.Namespace]:
    """The name of a new sweep, and its options, which may also come behind the name.

    Raises:
        UsageError: they make no sense.
    """
    name, *rest = options.action or [""]
    parser = CommandParser(prog="alo sweep NAME", allow_abbrev=False, add_help=False)
    add_sweep_options(parser)
    return name, parser.parse_args(rest, options)
