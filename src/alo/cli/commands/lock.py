"""``alo lock``: write down exactly what a plan runs with."""

from __future__ import annotations

import argparse

from alo.cli.commands.run import add_plan_arguments, request_of
from alo.cli.output import console
from alo.cli.output.live import watched
from alo.cli.setup_options import add_fetch_arguments
from alo.engine.install import lock
from alo.engine.request import Setup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_fetch_arguments(parser)
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def execute(options: argparse.Namespace) -> int:
    setup = Setup(offline=options.offline, force=options.force)
    with watched(quiet=options.quiet) as listener:
        path, lines = lock(request_of(options)._replace(setup=setup), listener)
    if not options.quiet:
        console.write("\n".join([*lines, f"{console.style('ok', 'green')}  {path}"]))
    return 0
