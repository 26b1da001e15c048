"""One run at a time has a workspace; the others wait, are told for whom, or are refused."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent, indent

import pytest

from alo.claims import Holder
from alo.engine.workspace import lock
from alo.engine.workspace.lock import hold_workspace
from alo.errors import WorkspaceBusy
from alo.events.types import Event, LogLine
from alo.layout import Workspace
from alo.processes.signals import SignalGuard, Signalled

from ...support.waiting import PATIENCE_S

HOLD = """\
import sys, time
from pathlib import Path
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.unfinished import begin
from alo.layout import Workspace

workspace = Workspace(Path(sys.argv[1]))
with hold_workspace(workspace, wait=True, listener=print, what=sys.argv[2]):
{body}
    print("has it", flush=True)
    sys.stdin.readline()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One in which nothing has run."""
    return Workspace(tmp_path)


@pytest.fixture
def start(workspace: Workspace) -> Iterator[Start]:
    """Start a process that has the workspace until a line comes in, or it is killed."""
    processes = []

    def start_it(what: str = "train_pipeline", body: str = "pass") -> subprocess.Popen[str]:
        script = HOLD.replace("{body}", indent(dedent(body), "    "))
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(workspace.home), what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "has it\n"
        return process

    yield start_it
    for process in processes:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def release(process: subprocess.Popen[str]) -> None:
    """Let a process that was started go on to its end."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def take(workspace: Workspace, *, wait: bool = False, heard: list[Event] | None = None) -> bool:
    """Have the workspace for a moment; whether another had it before."""
    tell = (heard if heard is not None else []).append
    with hold_workspace(workspace, wait=wait, listener=tell, what="a test") as waited:
        return waited


def test_a_free_workspace_is_had_at_once(workspace: Workspace) -> None:
    heard: list[Event] = []

    assert take(workspace, heard=heard) is False
    assert take(workspace, heard=heard) is False
    assert heard == []


def test_while_one_process_has_it_another_does_not(workspace: Workspace, start: Start) -> None:
    process = start("train_pipeline")

    with pytest.raises(WorkspaceBusy) as caught:
        take(workspace)

    assert caught.value.what.endswith(f"train_pipeline (process {process.pid})")
    assert caught.value.where == str(workspace.home)
    assert "--no-wait" in caught.value.fix


def test_who_waits_is_reported_for_whom_and_has_it_in_the_end(
    workspace: Workspace, start: Start
) -> None:
    heard: list[Event] = []
    process = start("inference_pipeline")

    def tell(event: Event) -> None:
        heard.append(event)
        release(process)

    with hold_workspace(workspace, wait=True, listener=tell, what="a test") as waited:
        pass

    assert waited is True
    (line,) = heard
    assert isinstance(line, LogLine)
    assert line.level == "WARNING"
    assert f"inference_pipeline (process {process.pid})" in line.text


def test_who_waits_is_reported_of_a_new_holder(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders = iter(map(Holder, ["one", "one", "", "two"]))
    answers = iter([None, None, None, None, 7])
    heard: list[LogLine] = []
    pauses: list[float] = []
    monkeypatch.setattr(lock, "sleep", pauses.append)
    monkeypatch.setattr(lock, "_claim_now", lambda workspace, what: next(answers))
    monkeypatch.setattr(lock, "_holder", lambda workspace: next(holders))

    lock._claim_when_free(workspace, "a test", heard.append)  # type: ignore[arg-type]

    assert [line.text.split(" ")[-3] for line in heard] == ["one", "two"]
    assert pauses == [lock.POLL_S] * 4  # between two looks the processor is left to others


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_can_be_interrupted(
    number: signal.Signals, workspace: Workspace, start: Start
) -> None:
    start()
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.2, signal.pthread_kill, [main, number]).start()

    with SignalGuard().installed(), pytest.raises(Signalled):
        take(workspace, wait=True)


def test_a_holder_that_is_killed_has_it_no_more(workspace: Workspace, start: Start) -> None:
    process = start()
    process.kill()
    process.wait()

    assert take(workspace) is False


def test_an_error_inside_gives_it_back(workspace: Workspace) -> None:
    with (
        pytest.raises(ValueError, match="inside"),
        hold_workspace(workspace, wait=False, listener=print, what="x"),
    ):
        raise ValueError("inside")

    assert take(workspace) is False


def test_the_children_of_a_killed_holder_do_not_keep_it(workspace: Workspace, start: Start) -> None:
    process = start(
        body="""
        import os, subprocess
        started = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        reader, writer = os.pipe()
        if (forked := os.fork()) == 0:
            os.close(1)
            os.write(writer, b"here")
            time.sleep(60)
        os.read(reader, 4)
        Path(sys.argv[1], "children").write_text(f"{forked} {started.pid}")
        """
    )
    process.kill()
    process.wait()
    children = [int(pid) for pid in (workspace.home / "children").read_text().split()]

    try:
        assert take(workspace) is False
        for pid in children:
            os.kill(pid, 0)  # they live
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def test_a_fork_that_leaves_the_block_does_not_give_it_back(workspace: Workspace) -> None:
    with ExitStack() as block:
        block.enter_context(hold_workspace(workspace, wait=False, listener=print, what="x"))

        child = os.fork()
        if child == 0:
            try:
                block.close()
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        with open(workspace.lock, "rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_who_has_it_already_is_not_left_waiting_for_itself(workspace: Workspace) -> None:
    with (
        hold_workspace(workspace, wait=True, listener=print, what="train in a notebook"),
        pytest.raises(WorkspaceBusy) as caught,
    ):
        take(workspace, wait=True)

    assert "this process" in caught.value.what
    assert "train in a notebook" in caught.value.what
    assert "close()" in caught.value.fix


def test_who_had_it_before_waits_for_another_like_anyone(
    workspace: Workspace, start: Start
) -> None:
    take(workspace)
    process = start("another run")
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        release(process)

    with hold_workspace(workspace, wait=True, listener=listen, what="a test") as waited:
        pass

    assert waited is True
    assert len(heard) == 1


def test_a_fork_of_its_holder_is_another_process(workspace: Workspace) -> None:
    with hold_workspace(workspace, wait=False, listener=print, what="the parent's run"):
        child = os.fork()
        if child == 0:
            try:
                take(workspace)
            except WorkspaceBusy as error:
                os._exit(0 if "another run" in error.what else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_another_thread_waits_like_another_process(workspace: Workspace) -> None:
    waited = []
    thread = threading.Thread(target=lambda: waited.append(take(workspace, wait=True)))

    with hold_workspace(workspace, wait=True, listener=print, what="x"):
        thread.start()
        thread.join(0.3)
        assert waited == []
    thread.join()

    assert waited == [True]


def test_two_workspaces_are_two(tmp_path: Path, start: Start) -> None:
    start()
    (tmp_path / "other").mkdir()

    assert take(Workspace(tmp_path / "other")) is False


def test_internals_deleted_while_a_run_continues_do_not_let_another_in(
    workspace: Workspace, start: Start
) -> None:
    process = start(body="begin(workspace, {'id': '1', 'pipeline': 'train'})")
    shutil.rmtree(workspace.internal)

    with pytest.raises(WorkspaceBusy, match=f"process {process.pid}"):
        take(workspace)
    process.kill()
    process.wait()

    assert take(workspace) is False
    assert workspace.unfinished.exists()


def test_what_a_killed_run_left_keeps_no_one_waiting(workspace: Workspace, start: Start) -> None:
    process = start(body="begin(workspace, {'id': '1', 'pipeline': 'train'})")
    process.kill()
    process.wait()
    shutil.rmtree(workspace.internal)

    assert take(workspace) is False


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{",
        b"[]",
        b'{"what": 1}',
        b'{"what": "y", "process": "x"}',
        b'{"other": 1}',
        b"\0" * 9,
    ],
)
def test_a_note_that_says_nothing_of_use_is_passed_over(
    note: bytes, workspace: Workspace, start: Start
) -> None:
    start()
    workspace.lock.write_bytes(note)

    with pytest.raises(WorkspaceBusy, match="it has just begun"):
        take(workspace)


def test_the_note_of_one_that_is_gone_is_not_reported(workspace: Workspace, start: Start) -> None:
    gone = start("an old run")
    gone.kill()
    gone.wait()
    start("the run of now")

    with pytest.raises(WorkspaceBusy) as caught:
        take(workspace)

    assert "the run of now" in caught.value.what


def test_many_processes_have_it_one_after_the_other(workspace: Workspace) -> None:
    script = """
        import os, sys, time
        from pathlib import Path
        from alo.engine.workspace.lock import hold_workspace
        from alo.layout import Workspace
        home = Path(sys.argv[1])
        for _ in range(3):
            with hold_workspace(Workspace(home), wait=True, listener=lambda e: None, what="x"):
                (home / "inside").mkdir()
                time.sleep(0.01)
                (home / "inside").rmdir()
    """
    command = [sys.executable, "-c", dedent(script), str(workspace.home)]

    processes = [subprocess.Popen(command) for _ in range(3)]

    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0]
