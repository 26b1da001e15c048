"""``alo review``: what people say of results, and how accurate the model is by it."""

from __future__ import annotations

import argparse

from alo.cli.actions.dispatch import act_or_list, add_action


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_action(
        parser,
        "new, list, show, decide, accuracy, export, import, close, reopen or remove; "
        "alo review new --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    return act_or_list("review", options)
