"""``alo dataset``: frozen, versioned train data that is made of reviews."""

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
        help="make, list, show, diff, verify, export or remove; alo dataset make --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    from alo.cli.actions.dispatch import act

    options.action = options.action or ["list"]
    return act("dataset", options)
