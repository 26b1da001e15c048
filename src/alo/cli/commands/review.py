"""``alo review``: what people say of results, and how accurate the model is by it."""

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
        help="new, list, show, decide, accuracy, export, import, close, reopen or remove; "
        "alo review new --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    from alo.cli.actions.dispatch import act

    options.action = options.action or ["list"]
    return act("review", options)
