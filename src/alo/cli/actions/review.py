"""``alo review new``, ``list``, ``show``, ``decide``, ``accuracy``, ``export``, ``import``, ..."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from alo.cli.actions.dispatch import Action, of_actions
from alo.cli.actions.review_database import add_database, opened
from alo.cli.actions.review_new import add_new, new
from alo.cli.output import console
from alo.cli.output.written import is_stdout, write_output
from alo.cli.person import person
from alo.cli.values import named, path
from alo.database.audit import add_change
from alo.history.ids import utc_now
from alo.layout import Workspace
from alo.loop.accuracy_of import accuracy_of, every_item
from alo.loop.exported import exported
from alo.loop.held_runs import close_review, release_unmade, remove_review, reopen_review
from alo.review.accuracy import METHODS, STRATIFIED, Accuracy
from alo.review.deciding import CONFLICT, MOST, REFUSED, SAVED, Result, decide
from alo.review.decisions import NewDecision
from alo.review.exchange import FORMATS, read_decisions, read_labels
from alo.review.reviews import Reviews
from alo.review.rows import CLOSED, OPEN, ItemShown, Review
from alo.texts import counted

SHOWN_ITEMS = 20
SHOWN_KEYS = ("name", "state", "runs", "seed", "population", "labels")


def _list(options: argparse.Namespace) -> int:
    with opened(options) as database:
        for said in release_unmade(Workspace(options.project), database):
            console.write_error(said)
        reviews = Reviews(database)
        lines = [(each, reviews.states(each)) for each in reviews.all()]
    if options.json:
        console.write_json([each.to_json() | {"states": states} for each, states in lines])
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
        line = review.to_json()
        console.write_json(
            {
                **{key: line[key] for key in SHOWN_KEYS},
                "counts": {**review.counts, **states},
                "agreement": agreed.to_json(),
                "items": [each.to_json() for each in items],
            }
        )
        return 0
    console.write(f"review {review.name}, {review.state}; {counted(len(review.runs), 'run')}")
    console.write(", ".join(f"{count:,} {state}" for state, count in states.items()))
    console.write(f"labels: {', '.join(each.name for each in review.labels.shown)}")
    for note in filter(None, [review.not_in_history.note]):
        console.write(f"note: {note}")
    if agreed.items:
        kappa = "" if agreed.kappa is None else f", kappa {agreed.kappa:.2f}"
        console.write(f"agreement: {agreed.share:.1%} of {counted(agreed.items, 'record')}{kappa}")
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
    # What something was said of is in the queue; of other records nothing has to be known.
    return _store(options, lambda items: read_decisions(options.file, items), queue_only=True)


def _add_import(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "file",
        metavar="FILE",
        type=path,
        help="a CSV or JSON lines with record and label, or Label Studio JSON, whatever its name",
    )


def _import(options: argparse.Namespace) -> int:
    return _store(options, lambda items: read_labels(options.file, items))


def _store(
    options: argparse.Namespace,
    read: Callable[[Mapping[str, ItemShown]], Sequence[NewDecision]],
    *,
    queue_only: bool = False,
) -> int:
    """Store the decisions of a file; the status is 1 where one is refused or in conflict.

    Args:
        read: makes decisions of the records that are known, by id.
        queue_only: whether those are known that are in the queue, or all.
    """
    with opened(options) as database:
        reviews = Reviews(database)
        review = reviews.get(options.name)
        known = every_item(reviews, review, queue_only=queue_only)
        items = {item.id: item for item in known}
        sent, who = read(items), person()
        results: list[Result] = []
        for start in range(0, len(sent), MOST):
            with database.transaction() as rows:
                stored = decide(
                    database,
                    review.name,
                    sent[start : start + MOST],
                    person=who,
                    time=utc_now(),
                    may_settle=True,
                )
                if saved := sum(each.state == SAVED for each in stored):
                    add_change(rows, who, "decide", review.name, after={"decisions": saved})
            results += stored
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
        default=STRATIFIED,
        help="by strata, or by the certainty of all, corrected (from 50 items on)",
    )


def _accuracy(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        review = reviews.get(options.name)
        found = accuracy_of(reviews, review, options.method)
    if options.json:
        console.write_json(found.to_json())
    else:
        lines = [*_accuracy_lines(found), *filter(None, [review.not_in_history.note])]
        console.write("\n".join(lines))
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
        yield f"of {counted(found.population, 'record')}; reviewed: {seen}"
        for name, share in found.by_class.items():
            right = "not known yet" if share is None else f"{share:.1%} right"
            yield f"  predicted {name}: {right}"
    if found.waiting:
        those = counted(found.waiting, "decided record does", "decided records do")
        yield f"{those} not count yet: {found.waits_for}, which comes before, is undecided"
    elif found.needed:
        yield f"{counted(found.needed, 'more random one')} would give it to ± 2 points"


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")
    parser.add_argument("--to", metavar="FILE", type=path, help="default: standard output")


def _export(options: argparse.Namespace) -> int:
    with opened(options) as database:
        reviews = Reviews(database)
        review = reviews.get(options.name)
        text = exported(Workspace(options.project), reviews, review, options.format)
    if is_stdout(options.to):
        console.write(text.removesuffix("\n"))
        return 0
    target: Path = options.to
    write_output(target, text.encode("utf-8", "surrogatepass"))
    console.write(f"written to {target}")
    return 0


def _close(options: argparse.Namespace) -> int:
    return _set_state(options, CLOSED)


def _reopen(options: argparse.Namespace) -> int:
    return _set_state(options, OPEN)


def _set_state(options: argparse.Namespace, state: str) -> int:
    with opened(options) as database:
        change = close_review if state == CLOSED else reopen_review
        review = change(Workspace(options.project), database, options.name, person())
    return _done(options, review, f"review {review.name} is {review.state}")


def _remove(options: argparse.Namespace) -> int:
    with opened(options) as database:
        review = remove_review(Workspace(options.project), database, options.name, person())
    return _done(options, review, f"review {review.name} was removed")


def _done(options: argparse.Namespace, review: Review, what: str) -> int:
    if options.json:
        console.write_json(review.to_json())
    else:
        console.write(what)
    return 0


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=named, help="of the review")
    add_database(parser)


ACTIONS = {
    "new": Action("Make a review of the results of past runs.", add_new, new),
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

add_arguments, execute = of_actions("review", ACTIONS, example="new")
