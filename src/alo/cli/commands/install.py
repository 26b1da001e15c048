"""``alo install``: everything that a run needs besides its data, and no run."""

from __future__ import annotations

import argparse

from alo.cli.commands.run import add_plan_arguments, request_of
from alo.cli.output import console
from alo.cli.output.live import watched
from alo.cli.setup_options import add_setup_arguments, setup_of
from alo.engine.install import install


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_setup_arguments(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    shown.add_argument("--json", action="store_true", help="print one JSON object for each event")


def execute(options: argparse.Namespace) -> int:
    request = request_of(options)._replace(setup=setup_of(options))
    with watched(quiet=options.quiet, as_json=options.json) as listener:
        where = install(request, listener)
    if not (options.quiet or options.json):
        console.write(f"{console.style('ok', 'green')}  everything is in place{where}")
    return 0
