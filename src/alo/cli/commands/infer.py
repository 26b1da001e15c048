"""``alo infer``: a large input in shards, which become one inference run."""

from __future__ import annotations

import argparse

from alo.batch.shards.definition import (
    CHECKED_ROWS,
    FILES,
    MAX_BAD_ROWS,
    ON_ERROR,
    ROWS,
    SHARDS,
)
from alo.cli.options import CommandParser
from alo.cli.setup_options import add_computing_arguments, add_setup_arguments, setup_of
from alo.cli.values import count, named, path, processes, rows_in_pieces, run_count
from alo.cli.withheld import ALARM_SECRET, take

OFF = "off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        metavar="[SOURCE ...] [NAME]",
        nargs="...",
        help="folders, files or URLs (default: load_inference_data_path of the plan), and a name "
        "for the batch",
    )
    _add_options(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    unit = parser.add_mutually_exclusive_group()
    unit.add_argument(
        "--shards", type=count, metavar="N", dest=SHARDS, help="cut the input into so many shards"
    )
    unit.add_argument(
        "--rows-per-shard", type=count, metavar="M", dest=ROWS, help="cut tables after M rows each"
    )
    unit.add_argument(
        "--files-per-shard", type=count, metavar="M", dest=FILES, help="M files in each shard"
    )
    known = parser.add_mutually_exclusive_group()
    known.add_argument(
        "--resume",
        metavar="NAME",
        type=named,
        help="resume a batch that has not ended",
    )
    known.add_argument(
        "--restart", metavar="NAME", type=named, help="begin a batch anew, with the options it had"
    )
    parser.add_argument(
        "--jobs",
        type=processes,
        metavar="N",
        help="shards at once (as many as there are cores for)",
    )
    add_computing_arguments(parser)
    parser.add_argument(
        "--model",
        metavar="RUN_ID",
        type=named,
        help="the model of this train run (the current)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR|URI",
        type=named,
        help="where the artifacts are saved (save_inference_artifacts_path of the plan)",
    )
    parser.add_argument(
        "--on-error",
        choices=ON_ERROR,
        help="what becomes of a shard that fails: the batch stops; it is left out; or it is halved "
        "until the rows that fail are known, which are left out (stop)",
    )
    parser.add_argument(
        "--max-failed-shards",
        type=run_count,
        metavar="N",
        help="shards that may be left out with --on-error skip (0)",
    )
    parser.add_argument(
        "--max-bad-rows",
        type=run_count,
        metavar="N",
        help=f"rows that may be left out with --on-error bisect ({MAX_BAD_ROWS})",
    )
    parser.add_argument(
        "--row-check",
        type=_rows,
        metavar="N|off",
        help="rows that are answered in one piece and in two first, to see that each is answered "
        f"by itself ({CHECKED_ROWS})",
    )
    parser.add_argument(
        "--set",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="use this value for an arg; may be repeated",
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
    parser.add_argument(
        "--no-wait", action="store_true", help="exit at once if another run has the project"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")
    add_setup_arguments(parser)


def execute(options: argparse.Namespace) -> int:
    from alo.cli.actions.infer import run

    take(ALARM_SECRET)  # of services alone: no asset is to see it
    options = _with_words(options)
    return run(options, setup_of(options))


def _with_words(options: argparse.Namespace) -> argparse.Namespace:
    """The options that are given among and behind sources and name, too.

    Raises:
        UsageError: there is no such option.
    """
    parser = CommandParser(prog="alo infer", allow_abbrev=False, add_help=False)
    _add_options(parser)
    options, words = parser.parse_known_args(options.words, options)
    if unknown := [word for word in words if word.startswith("-")]:
        parser.error(f"unrecognized arguments: {unknown[0]}")
    options.words = words
    return options


def _rows(text: str) -> int:
    """How many rows are checked; 0: none."""
    return 0 if text == OFF else rows_in_pieces(text)
