"""``alo retrain``: a model of a data set, compared with the deployed one by a gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alo.cli.output import console
from alo.cli.values import named
from alo.errors import UsageError
from alo.texts import counted

if TYPE_CHECKING:
    import argparse

    from alo.loop.retrain import Retrained

GATE = ("min_rows", "max_loss", "min_gain", "slice_min_rows", "slice_max_loss")
STANDARD_ERROR = 2  # where a train run prints, as standard output has the JSON alone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset", metavar="NAME[@V]", type=named, required=True, help="what it is trained on"
    )
    parser.add_argument(
        "--against",
        metavar="RUN",
        type=named,
        help="the model it is compared with (default: the deployed one, else the current one)",
    )
    parser.add_argument(
        "--set",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="use this value for an arg of the train pipeline; may be repeated",
    )
    parser.add_argument(
        "--gate",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help=f"a rule, in place of the review's and the plan's: {', '.join(GATE)}; may be repeated",
    )
    parser.add_argument("--deploy", action="store_true", help="deploy it, if the gate lets it pass")
    parser.add_argument(
        "--force", action="store_true", help="with --deploy and --reason: also if the gate holds it"
    )
    parser.add_argument("--reason", metavar="TEXT", type=named, help="why it is forced")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def execute(options: argparse.Namespace) -> int:
    from alo.cli.audited import audited
    from alo.cli.person import person
    from alo.gate.rules import read_rules
    from alo.layout import Workspace
    from alo.loop.plan_settings import gate_of_plan
    from alo.loop.retrain import RetrainRequest, retrain

    if options.force != bool(options.reason) or (options.force and not options.deploy):
        raise UsageError("--force, --reason TEXT and --deploy go together")
    workspace = Workspace(options.project)
    asked = RetrainRequest(
        dataset=options.dataset,
        against=options.against or "",
        overrides=options.set,
        gate=gate_of_plan(workspace),
        rules=read_rules(options.gate),
        deploy=options.deploy,
        force_reason=options.reason or "",
        person=person(),
        command=_command(options),
        prints_to=STANDARD_ERROR if options.json else None,
    )
    say = console.write_error if options.json else console.write
    with audited(workspace) as note:
        found = retrain(workspace, asked, say, note)
    if options.json:
        console.write_json(found.to_json())
    else:
        console.write("\n".join(_lines(found)))
    return found.exit_status


def _command(options: argparse.Namespace) -> str:
    """What makes such a candidate again."""
    import shlex

    words = ["alo", "retrain", "--dataset", options.dataset]
    words += ["--against", options.against] if options.against else []
    words += [word for text in options.set for word in ("--set", text)]
    words += [word for text in options.gate for word in ("--gate", text)]
    return shlex.join(words)


def _lines(found: Retrained) -> Iterator[str]:
    from alo.cli.output.comparison import comparison_lines

    compared, judged = found.comparison, found.comparison.judged
    yield f"candidate {found.run}, trained on {compared.dataset}"
    yield from comparison_lines(compared)
    if judged.needed:
        how = (
            f"about {counted(judged.needed_reviews, 'more random review')}"
            if judged.needed_reviews
            else "make the data set with a --test-share above 0"
        )
        yield f"{counted(judged.needed, 'more test row')} could decide it: {how}"
    if found.is_deployed:
        yield f"deployed {found.run}"
    elif judged.reasons:
        yield f"to deploy it all the same: alo deploy {found.run} --force --reason TEXT"
    else:
        yield f"next: alo deploy {found.run}"
