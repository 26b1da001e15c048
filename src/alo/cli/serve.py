"""``alo serve``: the inference pipeline as an HTTP service."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from alo.cli.progress import watched
from alo.cli.run import add_setup_arguments, add_worker_arguments, setup_of
from alo.cli.values import count, megabytes, named, port
from alo.engine.request import RunRequest

TOKEN_VARIABLE = "ALO_TOKEN"  # noqa: S105 - its name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (127.0.0.1)")
    parser.add_argument("--port", type=port, default=8000, help="port (8000); 0: a free one")
    parser.add_argument(
        "--token",
        type=named,
        help=f"what clients have to show (or {TOKEN_VARIABLE}, which no process list shows); "
        "needed on any address but loopback",
    )
    parser.add_argument(
        "--max-body",
        type=megabytes,
        default=100,
        metavar="MB",
        help="MB that a request may have (100)",
    )
    parser.add_argument(
        "--max-queue", type=count, default=100, metavar="N", help="requests that may wait (100)"
    )
    parser.add_argument(
        "--queue",
        metavar="URL",
        type=named,
        help="a Redis whose loops (alo run --loop), on any machine, do the work",
    )
    add_worker_arguments(parser)
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="another plan than solution/experimental_plan.yaml",
    )
    parser.add_argument("--system", metavar="FILE|JSON", type=named, help="solution metadata")
    add_setup_arguments(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    shown.add_argument("--json", action="store_true", help="print one JSON object for each event")


def execute(options: argparse.Namespace) -> int:
    from alo.serve.http_server import serve_http

    request = RunRequest(
        home=options.project,
        config=options.config,
        system=options.system or "",
        mode="inference",
        setup=setup_of(options),
    )
    with watched(quiet=options.quiet, as_json=options.json) as listener:
        serve_http(
            request,
            options.host,
            options.port,
            options.token or os.environ.get(TOKEN_VARIABLE, ""),
            listener,
            workers=options.workers,
            body_mb=options.max_body,
            queue=options.max_queue,
            limit_s=options.request_timeout,
            queue_url=_queue_url(options.queue),
        )
    return 0


def _queue_url(given: str | None) -> str:
    if not given:
        return ""
    from alo.serve.redis_url import whole_url

    return whole_url(given)
