"""``alo run --loop``, and ``alo loop``: what became of requests that were given up."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from alo.cli.output import console
from alo.cli.output.live import watched
from alo.cli.values import count, named
from alo.cli.withheld import ALARM_SECRET, take
from alo.engine.request import RunRequest
from alo.texts import counted

URL_VARIABLE = "ALO_REDIS_URL"  # as in alo.serve.redis_queue.url, which a run does not import


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("status", "dead"),
        help="the state of this project's loops, or the requests that were given up",
    )
    parser.add_argument(
        "action",
        choices=("list", "replay", "drop"),
        nargs="?",
        default="list",
        help="of dead: list them, put them back into the queue, or delete them",
    )
    parser.add_argument(
        "numbers",
        nargs="*",
        type=count,
        metavar="N",
        help="their numbers in the list (default: all)",
    )
    add_redis_arguments(parser)
    parser.add_argument(
        "--system", metavar="FILE|JSON", type=named, help="solution metadata that names Redis"
    )
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def add_redis_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--redis``, which every command that talks to Redis takes."""
    parser.add_argument(
        "--redis",
        metavar="URL",
        type=named,
        help=f"the URL of Redis (default: {URL_VARIABLE}, or that of --system)",
    )


def execute(options: argparse.Namespace) -> int:
    if options.what == "status":
        return _show_status(options)
    from alo.serve.redis_queue.dead_letters import DeadLetters
    from alo.serve.redis_queue.url import find_url

    letters = DeadLetters(find_url(options.redis or "", options.system or ""))
    if options.action == "list":
        _show(letters.all(), options.json)
        return 0
    count = (
        letters.replay(options.numbers)
        if options.action == "replay"
        else letters.drop(options.numbers)
    )
    done = "put back into the queue" if options.action == "replay" else "deleted"
    if options.json:
        console.write_json({"count": count})
    else:
        console.write(f"{counted(count, 'request')} {done}")
    return 0


def _show_status(options: argparse.Namespace) -> int:
    """1 where no loop serves: for a probe."""
    from alo.cli.options import check_project
    from alo.cli.output import alarms
    from alo.layout import Workspace
    from alo.serve.redis_queue.health import SERVING, loops_of

    check_project(options.project)
    workspace = Workspace(options.project)
    loops, raised = list(loops_of(workspace)), alarms.raised_now(workspace)
    if options.json:
        of_project = alarms.as_json(raised)  # all services and loops of a project share them
        console.write_json([{**each._asdict(), "alarms": of_project} for each in loops])
    else:
        lines = [
            f"{each.name}  {each.status} since {each.since}; {each.requests} requests "
            f"(process {each.pid} on {each.host})"
            for each in loops
        ]
        lines = lines or ["no loop of this project runs"]
        lines += [f"alarm {alarms.as_line(each)}" for each in raised or ()]
        console.write("\n".join(lines))
    return 0 if any(each.status == SERVING for each in loops) else 1


def _show(letters: Sequence[Any], as_json: bool) -> None:
    if as_json:
        console.write_json([each._asdict() for each in letters])
        return
    lines = [
        f"{each.number}  {each.time}  {console.one_line(each.reason)}\n   {each.request[:200]}"
        for each in letters
    ]
    console.write("\n".join(lines) or "no request was given up")


def run_loop(options: argparse.Namespace, request: RunRequest) -> int:
    """Serve requests from Redis until a signal ends it; a second signal ends it at once."""
    from alo.serve.redis_queue.loop import serve_loop
    from alo.serve.redis_queue.url import find_url

    url = find_url(options.redis or "", options.system or "")
    alarm_secret = take(ALARM_SECRET)
    with watched(quiet=options.quiet, as_json=options.json) as listener:
        serve_loop(
            request,
            url,
            listener,
            workers=options.workers,
            limit_s=options.request_timeout,
            boot_s=options.boot_timeout,
            alarm_secret=alarm_secret,
        )
    return 0
