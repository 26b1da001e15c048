"""``alo serve``: the inference pipeline as an HTTP service."""

from __future__ import annotations

import argparse

from alo.cli.commands.run import add_worker_arguments
from alo.cli.output.live import watched
from alo.cli.setup_options import add_setup_arguments, setup_of
from alo.cli.values import count, kilobytes, megabytes, named, path, port, seconds
from alo.cli.withheld import ALARM_SECRET, take
from alo.engine.request import RunRequest
from alo.errors import UsageError
from alo.json_text import bad_character
from alo.serve.http_api.guard import Access, own_names
from alo.serve.http_api.limits import Limits, TableLimits

TOKEN_VARIABLE = "ALO_TOKEN"  # noqa: S105 - its name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", type=named, default="127.0.0.1", help="address to listen on (127.0.0.1)"
    )
    parser.add_argument("--port", type=port, default=8000, help="port (8000); 0: a free one")
    parser.add_argument(
        "--token",
        type=named,
        help=f"token that clients must send (or {TOKEN_VARIABLE}, which no process list shows); "
        "required on any address but loopback",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        type=named,
        default=[],
        metavar="NAME",
        help="a further host name under which clients may connect",
    )
    parser.add_argument(
        "--public-docs",
        action="store_true",
        help="serve /docs and /openapi.json without the token, too",
    )
    _add_limits(parser)
    parser.add_argument(
        "--queue",
        metavar="URL",
        type=named,
        help="a Redis: its loops (alo run --loop), on any machine, run the requests",
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
        ("--max-body", megabytes, "MB", "largest body of a request, in MB", usual.body_bytes / 1e6),
        ("--max-head", kilobytes, "KB", "largest head of a request, in kB", usual.head_bytes / 1e3),
        ("--max-headers", count, "N", "most header fields of a request", usual.headers),
        ("--head-timeout", seconds, "S", "seconds in which a head has to arrive", usual.head_s),
        ("--body-timeout", seconds, "S", "seconds without any byte of a body", usual.idle_body_s),
        ("--max-connections", count, "N", "most open connections", usual.connections),
        ("--max-cells", count, "N", "most cells of a table", usual.table.cells),
        ("--max-columns", count, "N", "most columns of a table", usual.table.columns),
        ("--max-depth", count, "N", "deepest nesting of objects and lists", usual.table.depth),
        (
            "--max-args",
            kilobytes,
            "KB",
            "largest args of a request, in kB",
            usual.table.args_bytes / 1e3,
        ),
        (
            "--max-output",
            megabytes,
            "MB",
            "largest output of a request, in MB",
            usual.output_bytes / 1e6,
        ),
        (
            "--keep-mb",
            megabytes,
            "MB",
            "outputs that are stored for clients, in MB",
            usual.kept_bytes / 1e6,
        ),
        ("--max-queue", count, "N", "longest queue of requests", usual.queue),
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
    given, alarm_secret = take(TOKEN_VARIABLE), take(ALARM_SECRET)
    token = options.token or given
    if wrong := bad_character(token):
        raise UsageError(f"the token cannot be shown by any client: {wrong}")
    with watched(quiet=options.quiet, as_json=options.json) as listener:
        serve_http(
            request,
            options.host,
            options.port,
            listener,
            access=Access(
                token, own_names(options.host, options.allowed_host), options.public_docs
            ),
            limits=_limits(options),
            queue_url=_queue_url(options.queue),
            alarm_secret=alarm_secret,
        )
    return 0


def _queue_url(given: str | None) -> str:
    if not given:
        return ""
    from alo.serve.redis_queue.url import whole_url

    return whole_url(given)
