"""The options of ``alo sweep``, and those of them that a resumed sweep takes again."""

from __future__ import annotations

import argparse

from alo.cli.setup_options import add_computing_arguments, add_setup_arguments
from alo.cli.values import count, few, named, path, processes, seconds, whole
from alo.plan.keys.sweep import NONE, PRUNERS, SAMPLERS

MODES = ("train", "all")


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """What a new sweep is, and how it is run."""
    parser.add_argument(
        "--param",
        metavar="STEP.KEY=SPEC",
        action="append",
        default=[],
        help="an arg and its values: LOW..HIGH, LOW..HIGH:STEP, LOW..HIGH@log, or A,B,C; may be "
        "repeated",
    )
    parser.add_argument(
        "--from-ui",
        metavar="STEP.KEY",
        nargs="*",
        help="the args of ui_args that ui_args_detail bounds: these, or all",
    )
    parser.add_argument(
        "--metric",
        metavar="NAME[:max|:min]",
        action="append",
        default=[],
        help="what is better (score:max); two: the best are those that no other beats in both",
    )
    parser.add_argument(
        "--sampler", choices=SAMPLERS, help="how values are chosen (auto: grid, tpe or random)"
    )
    parser.add_argument("--seed", type=whole, metavar="S", help="the same one: the same trials (0)")
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="train",
        help="all: each trial is also an inference, with metrics inference.NAME (train)",
    )
    parser.add_argument(
        "--repeats", type=few, default=1, metavar="R", help="runs of each trial (1)"
    )
    parser.add_argument(
        "--seed-arg", metavar="STEP.KEY", type=named, help="arg that is 0, 1, … in the repeats"
    )
    parser.add_argument(
        "--pruner",
        choices=PRUNERS,
        default=NONE,
        help="how trials are found hopeless by save_metric(..., step=) and ended (none)",
    )
    parser.add_argument(
        "--set",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="use this value in every trial; may be repeated",
    )
    parser.add_argument(
        "--system",
        metavar="FILE|JSON",
        type=named,
        help="solution metadata, which overrides the plan",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=path, help="another plan than the project's own"
    )
    add_limits(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")
    add_setup_arguments(parser)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """How a sweep is run: the same for a new one and for a resumed one."""
    parser.add_argument("--trials", type=count, metavar="N", help="number of trials")
    parser.add_argument(
        "--jobs", type=processes, metavar="N", help="trials at once (one for each core)"
    )
    parser.add_argument(
        "--trial-timeout", type=seconds, metavar="S", help="seconds that a trial may take"
    )
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds that the sweep may take"
    )
    parser.add_argument(
        "--max-failures",
        type=whole,
        metavar="N",
        help="trials that may fail (a tenth of them, at least 3)",
    )
    parser.add_argument(
        "--retries", type=whole, default=2, metavar="N", help="tries of a trial that was lost (2)"
    )
    parser.add_argument(
        "--keep",
        metavar="best:K|all|none",
        type=named,
        default="best:5",
        help="whose models stay in history (best:5)",
    )
    parser.add_argument(
        "--storage",
        metavar="URL",
        type=named,
        help="PostgreSQL database through which several machines work on one sweep",
    )
    add_computing_arguments(parser)
