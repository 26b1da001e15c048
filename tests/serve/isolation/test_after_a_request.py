"""What a request does to the process of its worker ends with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import OUTPUT, Edge, RunningLoop

MakeSolution = Callable[..., Path]
STEP = f"""
import decimal, hashlib, json, locale, logging, os, signal, sys, warnings

def look():
    mask = os.umask(0)
    os.umask(mask)
    return dict(
        environment=sorted(os.environ.items()),
        folder=os.getcwd(),
        umask=mask,
        path=list(sys.path),
        hooks=[str(sys.excepthook), str(sys.displayhook)],
        recursion=sys.getrecursionlimit(),
        precision=decimal.getcontext().prec,
        locale=locale.setlocale(locale.LC_ALL),
        signals=[str(signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGUSR2)],
        logging=[logging.root.level, len(logging.root.handlers), logging.root.manager.disable],
        filters=len(warnings.filters),
        streams=[type(each).__name__ for each in (sys.stdout, sys.stderr, sys.stdin)],
    )

def spoil():
    os.environ["LEFT"] = "x"
    os.environ.pop("PATH", None)
    os.chdir("/")
    os.umask(0o077)
    sys.path.insert(0, "/nowhere")
    sys.excepthook = print
    sys.setrecursionlimit(5000)
    decimal.getcontext().prec = 3
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("error")
    sys.stdout = sys.stderr

found = look()
digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:12]
if self.args.get("shows"):
    digest = json.dumps(found[self.args["shows"]])[:30]
if self.args.get("spoils"):
    spoil()
if self.args.get("raises"):
    raise ValueError("as was asked")
self.data["result"] = digest
{OUTPUT}
"""
WHAT = ("environment", "folder", "umask", "path", "hooks", "recursion", "precision", "locale")
MORE = ("signals", "logging", "filters", "streams")


@pytest.mark.parametrize("raises", [False, True])
def test_the_next_request_finds_the_process_as_it_was(
    raises: bool, make_solution: MakeSolution, loop: Callable[..., RunningLoop], edge: Edge
) -> None:
    running = loop(make_solution(inference={"inference": STEP}))
    (worker,) = running.workers()

    def ask(**args: object) -> str:
        content = edge.ask(args={"inference": args})[0]
        return str(content["message"]["result"] if content["status"] == "success" else "failed")

    ask()  # what is imported by the first stays
    before = {what: ask(shows=what) for what in (*WHAT, *MORE)}
    whole = ask()

    assert ask(spoils=True, raises=raises) == ("failed" if raises else whole)

    assert {what: ask(shows=what) for what in before} == before
    assert ask() == whole
    assert running.workers() == [worker]
    assert running.end() == 0
