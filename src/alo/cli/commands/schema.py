"""``alo schema``: the JSON Schema of a plan, which lets an editor complete and check one."""

from __future__ import annotations

import argparse

from alo.cli.output import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Save it to a file, and name that in your editor's settings for YAML."


def execute(options: argparse.Namespace) -> int:
    from alo.plan.schema import plan_schema

    console.write_json(plan_schema(), indent=2)
    return 0
