"""Options of commands that bring code and packages into place before they run something."""

from __future__ import annotations

import argparse

from alo.cli.values import named
from alo.engine.request import ENVIRONMENTS, Setup


def add_setup_arguments(parser: argparse.ArgumentParser) -> None:
    """How the code and the packages that a plan names are brought into place."""
    parser.add_argument(
        "--env",
        choices=ENVIRONMENTS,
        default=ENVIRONMENTS[0],
        help="where missing packages go: into an environment of the project (default), "
        "or into the current one, in which ALO runs; node: into none, what runs a step has them",
    )
    parser.add_argument(
        "--locked",
        action="store_true",
        help="use exactly the versions and commits of solution/alo.lock",
    )
    add_fetch_arguments(parser)


def add_computing_arguments(parser: argparse.ArgumentParser) -> None:
    """Where runs are done."""
    parser.add_argument(
        "--computing",
        metavar="WHERE",
        type=named,
        help="local, ray, ray://HOST:PORT, or MODULE:CLASS of an executor of yours (control: "
        "computing in the plan)",
    )
    parser.add_argument(
        "--transfer",
        metavar="URI",
        type=named,
        help="move project, data, models and results through this place in an object store "
        "(s3://BUCKET/PREFIX), and not through the cluster",
    )


def add_fetch_arguments(parser: argparse.ArgumentParser) -> None:
    """How what comes from other places is fetched, and put in the place of what is here."""
    parser.add_argument(
        "--offline", action="store_true", help="use only what is cached, and no network"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace edited files of assets that come from git (a copy is kept)",
    )


def setup_of(options: argparse.Namespace) -> Setup:
    """What the options of ``add_setup_arguments`` ask for."""
    return Setup(options.env, options.locked, options.offline, options.force)
