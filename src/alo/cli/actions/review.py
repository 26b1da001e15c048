"""``alo review new``, ``list``, ``show``, ``decide``, ``accuracy``, ``export``, ``import``, ..."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from alo.cli.actions.dispatch import Action
from alo.cli.output import console
from alo.cli.person import person
from alo.cli.values import named, path, run_count
from alo.database.connection import Database
from alo.database.opening import open_database
from alo.errors import UsageError
from alo.files import write_whole
from alo.history.deployment import utc_now
from alo.history.filters import Filters, parse_param, parse_since
from alo.layout import Workspace
from alo.loop.accuracy_of import accuracy_of, every_item
from alo.loop.new_review import (
    ReviewRequest,
    close_review,
    new_review,
    remove_review,
    reopen_review,
)
from alo.review.accuracy import METHODS, Accuracy
from alo.review.deciding import CONFLICT, MOST, REFUSED, Result, decide
from alo.review.decisions import NewDecision
from alo.review.exchange import FORMATS, export_text, read_decisions, read_labels
from alo.review.reviews import Reviews
from alo.review.rows import CLOSED, OPEN, ItemShown, Review
from alo.review.settings import UNITS, ReviewSettings

RANDOM = 100  # records, where nothing else is asked for
SHOWN_ITEMS = 20


def _add_new(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
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
    how = parser.add_argument_group("what the columns mean")
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
    how.add_argument("--labels", metavar="NAME", nargs="+", default=[], help="that can be given")


def _new(options: argparse.Namespace) -> int:
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
        made = new_review(Workspace(options.project), database, asked)
    if options.json:
        console.write_json(_line(made.review) | {"queued": made.queued, "notes": list(made.notes)})
        return 0
    counts = dict(made.review.counts)
    console.write(
        f"review {made.review.name}: {made.queued:,} of {counts.pop('records'):,} records are "
        f"queued, of {len(made.review.runs):,} runs"
    )
    for why, count in counts.items():
        console.write(f"left out: {count:,} rows: {why}")
    for note in made.notes:
        console.write(f"note: {note}")
    console.write(f"next: alo ui, or alo review decide {made.review.name} --from FILE.csv")
    return 0


def _random(options: argparse.Namespace) -> int:
    if options.random is not None:
        return int(options.random)
    return 0 if options.uncertain or options.pick else RANDOM


def _settings(options: argparse.Namespace) -> ReviewSettings:
    defaults = ReviewSettings()
    probabilities: dict[str, str] = {}
    for text in options.probability:
        name, equals, column = text.partition("=")
        if not (name and equals and column):
            raise UsageError(
                f"--probability takes CLASS=COLUMN, not '{text}'",
                fix="for example: --probability malignant=probability",
            )
        probabilities[name] = column
    return ReviewSettings(
        unit=options.unit or defaults.unit,
        prediction=options.prediction or defaults.prediction,
        probabilities=probabilities,
        certainty=options.certainty or "",
        key=options.key or "",
        image=options.image or "",
        label=options.label or "",
        labels=options.labels,
    )


def _list(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        lines = [(each, reviews.states(each)) for each in reviews.all()]
    if options.json:
        console.write_json([_line(each) | {"states": states} for each, states in lines])
        return 0
    rows = [
        (
            each.name,
            each.state,
            f"{sum(states.values()) - states.get('undecided', 0):,} of {sum(states.values()):,}",
            f"{each.counts.get('records', 0):,}",
            each.created,
            each.person,
        )
        for each, states in lines
    ]
    headers = ("name", "state", "decided", "records", "created (UTC)", "by")
    console.write(
        console.table(headers, rows, right=(2, 3))
        if rows
        else "no reviews yet: alo review new NAME"
    )
    return 0


def _show(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        review = reviews.get(options.name)
        items = every_item(reviews, review, queue_only=True)
        states, agreed = reviews.states(review), reviews.agreement(review)
    if options.json:
        asked = review.asked
        console.write_json(
            {
                "name": review.name,
                "state": review.state,
                "runs": [each.id for each in review.runs],
                "seed": asked.get("seed"),
                "population": review.counts.get("records", 0),
                "counts": {**review.counts, **states},
                "labels": [each.to_json() for each in review.labels.shown],
                "agreement": agreed.to_json(),
                "items": [each.to_json() for each in items],
            }
        )
        return 0
    console.write(f"review {review.name}, {review.state}; {len(review.runs):,} runs")
    console.write(", ".join(f"{count:,} {state}" for state, count in states.items()))
    console.write(f"labels: {', '.join(each.name for each in review.labels.shown)}")
    if agreed.items:
        kappa = "" if agreed.kappa is None else f", kappa {agreed.kappa:.2f}"
        console.write(f"agreement: {agreed.share:.1%} of {agreed.items:,} records{kappa}")
    open_items = [each for each in items if each.state.state == "undecided"]
    rows = [
        (each.id, each.record.predicted, _percent(each.record.certainty), each.record.source or "")
        for each in open_items[:SHOWN_ITEMS]
    ]
    if rows:
        console.write("next:")
        console.write(console.table(("record", "predicted", "certainty", "why"), rows, right=(2,)))
    return 0


def _add_decide(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "--from",
        dest="file",
        metavar="FILE",
        type=path,
        required=True,
        help="CSV or JSON lines with key, record, verdict, label, note, seen",
    )


def _decide(options: argparse.Namespace) -> int:
    return _store(options, lambda items: read_decisions(options.file, items))


def _add_import(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "file", metavar="FILE", type=path, help="a CSV with record and label, or Label Studio JSON"
    )


def _import(options: argparse.Namespace) -> int:
    return _store(options, lambda items: read_labels(options.file, items))


def _store(
    options: argparse.Namespace,
    read: Callable[[Mapping[str, ItemShown]], Sequence[NewDecision]],
) -> int:
    """Store the decisions of a file; the status is 1 where one is refused or in conflict."""
    with opened(options) as database:
        reviews = Reviews(database)
        review = reviews.get(options.name)
        items = {item.id: item for item in every_item(reviews, review)}
        sent = read(items)
        results: list[Result] = []
        for start in range(0, len(sent), MOST):
            results += decide(
                database,
                review.name,
                sent[start : start + MOST],
                person=person(),
                time=utc_now(),
                may_settle=True,
            )
    if options.json:
        console.write_json({"results": [each.to_json() for each in results]})
    else:
        counts = Counter(each.state for each in results)
        console.write(
            ", ".join(f"{count:,} {state}" for state, count in counts.items()) or "no decisions"
        )
        for each in results:
            if each.state in (CONFLICT, REFUSED):
                console.write_error(f"{each.record}: {each.state}: {each.why}")
    return 1 if any(each.state in (CONFLICT, REFUSED) for each in results) else 0


def _add_accuracy(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="by strata, or by the certainty of all, corrected (from 50 items on)",
    )


def _accuracy(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        found = accuracy_of(reviews, reviews.get(options.name), options.method)
    if options.json:
        console.write_json(found.to_json())
    else:
        console.write("\n".join(_accuracy_lines(found)))
    return 0


def _accuracy_lines(found: Accuracy) -> Iterator[str]:
    reviewed = found.reviewed
    seen = f"{reviewed['random']:,} random, {reviewed['uncertain']:,} uncertain"
    if found.estimate is None or found.low is None or found.high is None:
        yield f"too little was reviewed to say how accurate the model is: {seen}"
    else:
        yield (
            f"accuracy {found.estimate:.1%}, from {found.low:.1%} to {found.high:.1%} "
            f"({found.level:.0%} sure)"
        )
        yield f"of {found.population:,} records; reviewed: {seen}"
        for name, share in found.by_class.items():
            yield f"  predicted {name}: {'not seen' if share is None else f'{share:.1%} right'}"
    if found.needed:
        yield f"{found.needed:,} more random ones would tell it to ± 2 points"


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")
    parser.add_argument("--to", metavar="FILE", type=path, help="default: standard output")


def _export(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        text = export_text(
            every_item(reviews, reviews.get(options.name), queue_only=True), options.format
        )
    if options.to is None:
        sys.stdout.write(text)
        return 0
    target: Path = options.to
    write_whole(target, text.encode("utf-8", "surrogatepass"))
    console.write(f"written to {target}")
    return 0


def _close(options: argparse.Namespace) -> int:
    return _set_state(options, CLOSED)


def _reopen(options: argparse.Namespace) -> int:
    return _set_state(options, OPEN)


def _set_state(options: argparse.Namespace, state: str) -> int:
    with opened(options) as database:
        change = close_review if state == CLOSED else reopen_review
        review = change(Workspace(options.project), database, options.name)
    return _done(options, review, f"review {review.name} is {review.state}")


def _remove(options: argparse.Namespace) -> int:
    with opened(options) as database:
        review = remove_review(Workspace(options.project), database, options.name)
    return _done(options, review, f"review {review.name} was removed")


def _done(options: argparse.Namespace, review: Review, what: str) -> int:
    if options.json:
        console.write_json(_line(review))
    else:
        console.write(what)
    return 0


def _line(review: Review) -> dict[str, object]:
    return {
        "name": review.name,
        "state": review.state,
        "created": review.created,
        "by": review.person,
        "runs": [each.id for each in review.runs],
        "counts": dict(review.counts),
        "labels": [each.to_json() for each in review.labels.shown],
    }


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def share(text: str) -> float:
    """A share, from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, not '{text}'")
    return value


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=named, help="of the review")
    add_database(parser)


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add ``--database-url``."""
    parser.add_argument(
        "--database-url",
        metavar="URL",
        type=named,
        help="postgresql://…, as alo ui has it (default: studio/studio.sqlite of the project)",
    )


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Database]:
    """The database that the options name."""
    database = open_database(Workspace(options.project), options.database_url or "")
    try:
        yield database
    finally:
        database.close()


ACTIONS = {
    "new": Action("Make a review of the results of past runs.", _add_new, _new),
    "list": Action("List the reviews.", add_database, _list),
    "show": Action("Show a review, and what is to be reviewed next.", _add_name, _show),
    "decide": Action("Store the decisions of a file.", _add_decide, _decide),
    "accuracy": Action("Show how accurate the model is by a review.", _add_accuracy, _accuracy),
    "export": Action("Write the records with their labels.", _add_export, _export),
    "import": Action("Store the labels that another program made.", _add_import, _import),
    "close": Action("Close a review: nothing more is decided in it.", _add_name, _close),
    "reopen": Action("Open a closed review again.", _add_name, _reopen),
    "remove": Action("Delete a review with all its decisions.", _add_name, _remove),
}
