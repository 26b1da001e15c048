"""``alo review new``: which runs and records are reviewed, and what their columns mean."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from alo.cli.actions.review_database import add_database, opened
from alo.cli.output import console
from alo.cli.person import person
from alo.cli.values import named, run_count, share
from alo.errors import UsageError
from alo.gate.rules import RULES, read_rules
from alo.history.filters import Filters, parse_param, parse_since
from alo.history.ids import utc_now
from alo.layout import Workspace
from alo.loop.new_review import ReviewRequest, new_review
from alo.loop.plan_settings import settings_of_plan
from alo.review.settings import CSV, FOLDERS, UNITS, PictureTruth, ReviewSettings
from alo.texts import counted

# Keys of `review:` whose options have the same names.
SAME = ("unit", "prediction", "certainty", "key", "image", "label", "labels", "slices")
RANDOM = 100  # records, where nothing else is asked for
EXAMPLES = {
    "--probability": "--probability malignant=probability",
    "--label-key": "--label-key malignant=m",
    "--label-colour": "--label-colour malignant=#b03030",
}

Cut = Callable[[str, str], tuple[str, str, str]]


def add_new(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.add_argument("name", metavar="NAME", type=named, help="of the review")
    add_database(parser)
    which = parser.add_argument_group("which runs")
    which.add_argument("--runs", metavar="ID", nargs="+", type=named, default=[], help="these runs")
    which.add_argument("--since", metavar="TIME", type=named, help="runs since then, as 7d")
    which.add_argument(
        "--filter",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="runs with this arg, as alo history --param; may be repeated",
    )
    what = parser.add_argument_group("which records")
    what.add_argument(
        "--random",
        metavar="N",
        type=run_count,
        help=f"so many of all, by chance (default: {RANDOM}, if nothing else is asked for)",
    )
    what.add_argument(
        "--uncertain", metavar="N", type=run_count, help="so many that the model is least sure of"
    )
    what.add_argument(
        "--pick", metavar="RECORD", nargs="+", type=named, default=[], help="these: RUN:ROW"
    )
    what.add_argument("--seed", metavar="S", type=run_count, help="of the choice by chance")
    what.add_argument(
        "--second-look",
        metavar="SHARE",
        type=share,
        default=0.0,
        help="of the random ones, for a second person who does not see the first label",
    )
    how = parser.add_argument_group("what the columns mean (default: what the plan's review says)")
    how.add_argument("--unit", choices=UNITS, help="a record is a row of output.csv, or a run")
    how.add_argument("--prediction", metavar="COLUMN", type=named, help="that people correct")
    how.add_argument(
        "--probability",
        metavar="CLASS=COLUMN",
        action="append",
        default=[],
        help="the probability of a class; may be repeated",
    )
    how.add_argument("--certainty", metavar="COLUMN", type=named, help="of the prediction, 0 to 1")
    how.add_argument("--key", metavar="COLUMN", type=named, help="joins output and input rows")
    how.add_argument("--image", metavar="COLUMN", type=named, help="with the picture's file name")
    how.add_argument("--label", metavar="COLUMN", type=named, help="of the train data")
    how.add_argument(
        "--truth",
        metavar="folders|FILE:COLUMN",
        type=named,
        help="of train data of pictures: a folder for each label, or a table below it, with the"
        " column of the picture's path",
    )
    how.add_argument(
        "--slices", metavar="COLUMN", nargs="+", default=[], help="looked at one by one by the gate"
    )
    how.add_argument("--labels", metavar="NAME", nargs="+", default=[], help="that can be given")
    how.add_argument(
        "--label-key",
        metavar="NAME=KEY",
        action="append",
        default=[],
        help="the letter that gives a label on the screen; may be repeated",
    )
    how.add_argument(
        "--label-colour",
        metavar="NAME=#RRGGBB",
        action="append",
        default=[],
        help="the colour of a label; may be repeated",
    )
    how.add_argument(
        "--gate",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help=f"a rule of the gate for models of this review: {', '.join(RULES)}; may be repeated",
    )


def new(options: argparse.Namespace) -> int:
    """Make the review."""
    workspace = Workspace(options.project)
    asked = ReviewRequest(
        name=options.name,
        person=person(),
        time=utc_now(),
        settings=_settings(options),
        runs=options.runs,
        filters=Filters(
            since=parse_since(options.since) if options.since else "",
            params=tuple(map(parse_param, options.filter)),
        ),
        random=_random(options),
        uncertain=options.uncertain or 0,
        picked=options.pick,
        seed=options.seed,
        second_look=options.second_look,
    )
    with opened(options) as database:
        made = new_review(workspace, database, asked)
    notes = [*made.notes, *filter(None, [made.review.not_in_history.note])]
    if options.json:
        console.write_json(made.review.to_json() | {"queued": made.queued, "notes": notes})
        return 0
    counts = dict(made.review.counts)
    console.write(
        f"review {made.review.name}: {made.queued:,} of {counted(counts.pop('records'), 'record')}"
        f" {'is' if made.queued == 1 else 'are'} queued, of {counted(len(made.review.runs), 'run')}"
    )
    for why, count in counts.items():
        console.write(f"left out: {counted(count, 'row')}: {why}")
    for note in notes:
        console.write(f"note: {note}")
    console.write(f"next: alo ui, or alo review decide {made.review.name} --from FILE.csv")
    return 0


def _random(options: argparse.Namespace) -> int:
    if options.random is not None:
        return int(options.random)
    return 0 if options.uncertain or options.pick else RANDOM


def _settings(options: argparse.Namespace) -> ReviewSettings:
    """The plan's ``review``, and what the options say otherwise."""
    defaults = settings_of_plan(Workspace(options.project))
    given = {
        "probabilities": _pairs(options.probability, "--probability", "CLASS=COLUMN"),
        "label_keys": _pairs(options.label_key, "--label-key", "NAME=KEY", str.rpartition),
        "label_colours": _pairs(
            options.label_colour, "--label-colour", "NAME=#RRGGBB", str.rpartition
        ),
        "gate": read_rules(options.gate),
        "truth": _truth(options.truth) if options.truth else None,
        **{key: getattr(options, key) for key in SAME},
    }
    return defaults.overridden(given)


def _pairs(
    texts: Sequence[str], option: str, form: str, cut: Cut = str.partition
) -> dict[str, str]:
    """What options of a name and its value have given; the last value counts.

    Args:
        cut: at the first = or, where names may have some, at the last.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = cut(text, "=")
        if not (name and equals and value):
            raise UsageError(
                f"{option} takes {form}, not '{text}'", fix=f"for example: {EXAMPLES[option]}"
            )
        found[name] = value
    return found


def _truth(text: str) -> PictureTruth:
    if text == FOLDERS:
        return PictureTruth()
    file, _, path = text.rpartition(":")
    if not (file and path):
        raise UsageError(
            f"--truth takes folders, or FILE:COLUMN, not '{text}'",
            fix="for example: --truth labels.csv:file",
        )
    return PictureTruth(layout=CSV, file=file, path=path)
