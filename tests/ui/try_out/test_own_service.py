"""The studio's own service: one, warm, and gone when nobody needs it or the studio is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.waiting import PATIENCE_S, wait_until

from alo.layout import Workspace
from alo.ui.problems import UiError
from alo.ui.try_out.client import Sent
from alo.ui.try_out.own_service import OwnService

SCRIPT = """\
import sys
from pathlib import Path
from alo.layout import Workspace
from alo.ui.try_out.own_service import OwnService
own = OwnService(Workspace(Path(sys.argv[1])))
with own.in_use():
    print(own.pid, flush=True)
    sys.stdin.read()
"""
MakeOwn = Callable[..., OwnService]


@pytest.fixture
def make_own(home: Path) -> Iterator[MakeOwn]:
    """``make_own(idle_s=...)``: the service of a studio of the project."""
    made: list[OwnService] = []

    def make(**options: float) -> OwnService:
        made.append(OwnService(Workspace(home), **options))
        return made[-1]

    yield make
    for own in made:
        own.stop()


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def children_of(pid: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found.append(int(name))
    return found


def test_there_is_one_for_all_who_want_it(make_own: MakeOwn) -> None:
    own = make_own()

    def use() -> int:
        with own.in_use() as client:
            assert client.infer(Sent(csv="a\n1\n")).status == 200
            return own.pid

    with ThreadPoolExecutor(3) as pool:
        assert len({each.result() for each in [pool.submit(use) for _ in range(3)]}) == 1


def test_it_ends_when_it_is_idle_but_not_while_it_is_used(make_own: MakeOwn) -> None:
    own = make_own(idle_s=0.2)

    with own.in_use() as client:  # its boot alone takes longer than that
        pid = own.pid
        assert client.infer(Sent(csv="a\n1\n")).status == 200

    wait_until(lambda: own.pid == 0 and not lives(pid))


def test_one_that_was_killed_is_started_again(make_own: MakeOwn) -> None:
    own = make_own()
    with own.in_use() as gone:
        first = own.pid
    os.kill(first, signal.SIGKILL)
    own.discard(gone)

    with own.in_use() as client:
        assert client.infer(Sent(csv="a\n1\n")).status == 200
        second = own.pid
    own.discard(gone)
    assert own.pid == second != first


def test_it_ends_with_the_studio_and_begins_no_more(make_own: MakeOwn) -> None:
    own = make_own()
    with own.in_use():
        pid = own.pid

    own.stop()

    assert not lives(pid)
    with pytest.raises(UiError) as caught, own.in_use():
        pass
    assert caught.value.status == 503


def test_a_studio_that_is_killed_leaves_none_of_its_processes(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as studio:
        assert studio.stdout is not None
        pid = int(studio.stdout.readline())
        workers = children_of(pid)
        assert workers
        studio.kill()
        studio.wait(PATIENCE_S)

    wait_until(lambda: not any(map(lives, [pid, *workers])))


def test_a_pipeline_that_cannot_be_served_says_why(home: Path, make_own: MakeOwn) -> None:
    (home / "assets/infer/asset_infer.py").write_text("import nothing_of_this_name\n")

    with pytest.raises(UiError) as caught, make_own().in_use():
        pass

    assert caught.value.status == 409
    assert "nothing_of_this_name" in caught.value.what


def test_who_waits_longer_than_a_boot_may_take_is_reported(make_own: MakeOwn) -> None:
    own = make_own(boot_s=0.0)

    with pytest.raises(UiError) as caught, own.in_use():
        pass

    assert caught.value.status == 504
