"""``alo serve``: the inference pipeline as an HTTP service."""

from __future__ import annotations

import argparse
import os

from alo.cli.commands.run import add_setup_arguments, add_worker_arguments, setup_of
from alo.cli.output.live import watched
from alo.cli.values import count, kilobytes, megabytes, named, path, port, seconds
from alo.engine.request import RunRequest
from alo.errors import UsageError
from alo.json_text import bad_character
from alo.serve.http_api.guard import Access
from alo.serve.http_api.limits import Limits, TableLimits

TOKEN_VARIABLE = "ALO_TOKEN"  # noqa: S105 - its name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", type=named, default="127.0.0.1", help="address to serve on (127.0.0.1)"
    )
    parser.add_argument("--port", type=port, default=8000, help="port (8000); 0: a free one")
    parser.add_argument(
        "--token",
        type=named,
        help=f"what clients have to show (or {TOKEN_VARIABLE}, which no process list shows); "
        "needed on any address but loopback",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        type=named,
        default=[],
        metavar="NAME",
        help="a name under which clients without a token may ask, beside those of loopback",
    )
    parser.add_argument(
        "--public-docs", action="store_true", help="show the description without the token, too"
    )
    _add_limits(parser)
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
        type=path,
        help="another plan than solution/experimental_plan.yaml",
    )
    parser.add_argument("--system", metavar="FILE|JSON", type=named, help="solution metadata")
    add_setup_arguments(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    shown.add_argument("--json", action="store_true", help="print one JSON object for each event")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")
    usual = Limits()
    for name, kind, metavar, what, default in (
        ("--max-body", megabytes, "MB", "MB that a request may have", usual.body_bytes / 1e6),
        ("--max-head", kilobytes, "KB", "kB that its head may have", usual.head_bytes / 1e3),
        ("--max-headers", count, "N", "header fields that it may have", usual.headers),
        ("--head-timeout", seconds, "S", "seconds for the head to come", usual.head_s),
        ("--body-timeout", seconds, "S", "seconds without a byte of a body", usual.idle_body_s),
        ("--max-connections", count, "N", "connections that may be open", usual.connections),
        ("--max-cells", count, "N", "cells that a table may have", usual.table.cells),
        ("--max-columns", count, "N", "columns that it may have", usual.table.columns),
        ("--max-depth", count, "N", "objects and lists in each other", usual.table.depth),
        ("--max-args", kilobytes, "KB", "kB of its args", usual.table.args_bytes / 1e3),
        ("--max-output", megabytes, "MB", "MB of a request's output", usual.output_bytes / 1e6),
        ("--keep-mb", megabytes, "MB", "MB of outputs that are kept", usual.kept_bytes / 1e6),
        ("--max-queue", count, "N", "requests that may wait", usual.queue),
    ):
        limits.add_argument(
            name, type=kind, default=default, metavar=metavar, help=f"{what} ({default:,.10g})"
        )


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(
        workers=options.workers,
        queue=options.max_queue,
        request_s=options.request_timeout,
        boot_s=options.boot_timeout,
        body_bytes=int(options.max_body * 1e6),
        head_bytes=int(options.max_head * 1e3),
        headers=options.max_headers,
        head_s=options.head_timeout,
        idle_body_s=options.body_timeout,
        connections=options.max_connections,
        table=TableLimits(
            options.max_cells, options.max_columns, options.max_depth, int(options.max_args * 1e3)
        ),
        output_bytes=int(options.max_output * 1e6),
        kept_bytes=int(options.keep_mb * 1e6),
    )


def execute(options: argparse.Namespace) -> int:
    from alo.serve.http_api.server import serve_http

    request = RunRequest(
        home=options.project,
        config=options.config,
        system=options.system or "",
        mode="inference",
        setup=setup_of(options),
    )
    # Taken out of the environment: what an asset sees, it may print.
    token = options.token or os.environ.get(TOKEN_VARIABLE, "")
    if wrong := bad_character(token):
        raise UsageError(f"the token cannot be shown by any client: {wrong}")
    os.environ.pop(TOKEN_VARIABLE, None)
    hosts = frozenset(name.lower() for name in (options.host, *options.allowed_host))
    with watched(quiet=options.quiet, as_json=options.json) as listener:
        serve_http(
            request,
            options.host,
            options.port,
            listener,
            access=Access(token, hosts, options.public_docs),
            limits=_limits(options),
            queue_url=_queue_url(options.queue),
        )
    return 0


def _queue_url(given: str | None) -> str:
    if not given:
        return ""
    from alo.serve.redis_queue.url import whole_url

    return whole_url(given)
