"""Run all topics, or some, and print one table: ``python -m benchmarks [topic ...]``."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.rows import Row, show

PREFIX = "bench_"


def main(arguments: Sequence[str]) -> int:
    modules = _modules()
    topics = sorted(modules)
    unknown = sorted(set(arguments) - set(topics))
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are: {', '.join(topics)}\n")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows: list[Row] = []
    try:
        for topic in topics:
            if not arguments or topic in arguments:
                rows += _run(topic, modules[topic])
    finally:  # also of what was measured before someone ended it
        show(rows)
    return 0 if all(row.is_met for row in rows) else 1


def _modules() -> dict[str, str]:
    """Each topic, whichever folder it is in, and the module that measures it."""
    here = Path(__file__).parent
    return {
        path.stem.removeprefix(PREFIX): f"benchmarks.{path.parent.name}.{path.stem}"
        for path in here.glob(f"*/{PREFIX}*.py")
    }


def _run(topic: str, module: str) -> list[Row]:
    start = time.monotonic()
    sys.stderr.write(f"{topic} ...")
    sys.stderr.flush()
    try:
        rows: list[Row] = import_module(module).measure()
    except Exception as failure:  # the other topics' figures are not lost for it
        sys.stderr.write(f" failed: {failure!r}\n")
        return [Row(f"{topic}: failed", float("nan"), None, 0, "")]
    sys.stderr.write(f" {time.monotonic() - start:.0f} s\n")
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
