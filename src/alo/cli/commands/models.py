"""``alo models``: the models of a project, their comparisons, and which one answered when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "action",
        metavar="ACTION ...",
        nargs="...",
        help="list, show, log or at; alo models at --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    from alo.cli.actions.dispatch import act

    options.action = options.action or ["list"]
    return act("models", options)
