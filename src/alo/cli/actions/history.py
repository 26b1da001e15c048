"""``alo history show``, ``follow``, ``diff``, ``verify``, ``rerun``, ``remove`` and ``prune``."""

import argparse
from collections.abc import Mapping, Sequence

from alo.cli.actions.dispatch import Action
from alo.cli.output import console
from alo.cli.values import named, run_count, size_mb
from alo.cli.withheld import ALARM_SECRET, take
from alo.history.browse import History
from alo.layout import Workspace


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="ID", type=named, help="id of the run, or the beginning of it"
    )


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    parser.add_argument(
        "--events", action="store_true", help="list what happened in the run, event by event"
    )


def _add_follow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id",
        metavar="ID",
        type=named,
        nargs="?",
        help="id of the run, or the beginning of it (default: the one in progress, or the next)",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="exit at once if no run is in progress"
    )


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ids", metavar="ID", type=named, nargs="+", help="id of a run, or the beginning of it"
    )


def _add_any_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ids",
        metavar="ID",
        type=named,
        nargs="*",
        help="id of a run, or the beginning of it (default: all runs)",
    )


def _add_ids_to_compare(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    parser.add_argument(
        "others", metavar="ID", type=named, nargs="+", help="ids of the runs to compare it with"
    )


def _add_bounds(parser: argparse.ArgumentParser) -> None:
    bound = parser.add_mutually_exclusive_group(required=True)
    bound.add_argument("--keep", metavar="N", type=run_count, help="keep the newest N runs")
    bound.add_argument(
        "--size", metavar="MB", type=size_mb, help="keep as many as take no more than this"
    )


def _add_rerun(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="exit at once if another run has the project"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _history(options: argparse.Namespace) -> History:
    return History(Workspace(options.project))


def _show(options: argparse.Namespace) -> int:
    from alo.cli.output.history_report import run_lines

    if options.events:
        from alo.cli.actions.history_events import show_events

        show_events(_history(options), Workspace(options.project), options.id, as_json=options.json)
        return 0
    history = _history(options)
    record = history.look_up(options.id)
    folder = str(history.folder(record) or "")
    if options.json:
        console.write_json({**record.to_json(), "folder": folder})
    else:
        console.write("\n".join(run_lines(record, folder)))
    return 0


def _follow(options: argparse.Namespace) -> int:
    from alo.cli.actions.history_events import follow_run

    workspace, wait = Workspace(options.project), not options.no_wait
    follow_run(_history(options), workspace, options.id or "", as_json=options.json, wait=wait)
    return 0


def _diff(options: argparse.Namespace) -> int:
    from alo.cli.output.history_report import difference_lines
    from alo.history.diff import differences

    history = _history(options)
    records = [history.look_up(prefix) for prefix in (options.id, *options.others)]
    compared = differences(records)
    if options.json:
        console.write_json({"runs": [record.id for record in records], **compared})
    else:
        console.write("\n".join(difference_lines(records, compared)))
    return 0


def _verify(options: argparse.Namespace) -> int:
    found = _history(options).verify(options.ids)
    if options.json:
        console.write_json(
            [
                {"id": run_id, "damage": [each._asdict() for each in damage]}
                for run_id, damage in found.items()
            ]
        )
    else:
        for run_id, damage in found.items():
            for each in damage:
                console.write(f"{run_id}  {each.name} {each.what}")
        damaged = sum(map(bool, found.values()))
        from alo.texts import counted

        console.write(f"{counted(len(found), 'run')} verified, {damaged or 'none'} damaged")
    return 1 if any(found.values()) else 0


def _rerun(options: argparse.Namespace) -> int:
    from alo.cli.output.live import watched
    from alo.engine.isolation.only_steps import only_steps_run
    from alo.engine.rerun import rerun
    from alo.history.entries.seal import seal_after_us

    seal_after_us()
    with only_steps_run(), watched(quiet=options.quiet, as_json=options.json) as listener:
        take(ALARM_SECRET)  # of services alone: no asset is to see it
        rerun(options.project, options.id, listener, wait=not options.no_wait)
    return 0


def _remove(options: argparse.Namespace) -> int:
    _report_removed(_history(options).remove(options.ids), options)
    return 0


def _prune(options: argparse.Namespace) -> int:
    from alo.history.in_use import holders

    history = _history(options)
    removed = history.prune(keep=options.keep, size_mb=options.size)
    held = holders(Workspace(options.project))
    older = [line.id for line in history.lines(limit=None)[options.keep or 0 :]]
    _report_removed(removed, options, {run_id: held[run_id] for run_id in older if run_id in held})
    return 0


def _report_removed(
    ids: Sequence[str],
    options: argparse.Namespace,
    kept: Mapping[str, Sequence[str]] | None = None,
) -> None:
    from alo.engine.steps.reuse import forget_runs
    from alo.history.in_use import need_it

    forget_runs(Workspace(options.project), ids)
    if options.json:
        held = {run_id: ", ".join(those) for run_id, those in (kept or {}).items()}
        console.write_json({"removed": list(ids)} | ({} if kept is None else {"kept": held}))
        return
    console.write("\n".join(f"removed {run_id}" for run_id in ids) or "nothing to remove")
    for run_id, those in (kept or {}).items():
        console.write(f"kept {run_id}: {need_it(those)}")


ACTIONS = {
    "show": Action("Show everything about a run.", _add_show, _show),
    "follow": Action("Show a run of another process live.", _add_follow, _follow),
    "diff": Action("Show what differs between runs.", _add_ids_to_compare, _diff),
    "verify": Action("Check the files of runs for damage.", _add_any_ids, _verify),
    "rerun": Action("Repeat a run, with the plan, code and model that it had.", _add_rerun, _rerun),
    "remove": Action("Remove runs from the history.", _add_ids, _remove),
    "prune": Action("Remove the oldest runs that are not in use.", _add_bounds, _prune),
}
