"""``alo dataset``: frozen, versioned train data that is made of reviews."""

from __future__ import annotations

import argparse

from alo.cli.actions.dispatch import act_or_list, add_action


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_action(
        parser,
        "make, list, show, diff, verify, export or remove; alo dataset make --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    return act_or_list("dataset", options)
