"""``alo models``: the models of a project, their comparisons, and which one answered when."""

from __future__ import annotations

import argparse

from alo.cli.actions.dispatch import act_or_list, add_action


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_action(
        parser,
        "list, show, log or at; alo models at --help shows more",
    )


def execute(options: argparse.Namespace) -> int:
    return act_or_list("models", options)
