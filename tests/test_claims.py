"""Who is alive, in other containers, on other machines, after a reboot and on a clone."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo import claims
from alo.claims import died_here, holder_of, left_behind, ours, take
from alo.mounts import Mount

from .support.waiting import PATIENCE_S

HOLD = """
import os, sys
from pathlib import Path
from alo.claims import take
claim = take(Path(sys.argv[1]), "another")
print(os.getpid() if claim else "taken", flush=True)
sys.stdin.read()
"""
CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claim"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start a process that claims the file; words before its command line are for ``unshare``."""
    processes = []

    def start_it(*before: str, said: str = "") -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-c", HOLD, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, text=True, **pipes)
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if before and not line:
            pytest.skip("no PID namespace can be made here")
        assert line == said if said else line.isdigit()
        return process

    yield start_it
    for process in processes:
        kill(process)
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def note(path: Path, **changes: object) -> None:
    """A file as a holder that we cannot see leaves it."""
    path.touch()
    fields = {"what": "a loop", "process": 1, "host": "other", "boot": "other", "beats": False}
    path.write_text(json.dumps({**fields, "file": path.stat().st_ino, **changes}))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``disk("fuse.sshfs")``: what all folders are said to lie on."""

    def change(kind: str) -> None:
        monkeypatch.setattr(claims, "mount_of", lambda folder: Mount(kind, frozenset()))

    return change


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``wait(61)``: so many seconds pass."""
    now = [1000.0]
    monkeypatch.setattr(claims, "monotonic", lambda: now[0])

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


def test_one_has_it_and_says_who(path: Path) -> None:
    claim = take(path, "a run")
    assert claim is not None

    holder = holder_of(path)

    assert holder is not None
    assert str(holder) == f"a run (process {os.getpid()})"
    assert take(path, "a second") is None
    assert ours(path) is claim
    claim.release()
    assert holder_of(path) is None
    assert ours(path) is None


def test_a_released_one_can_go_with_its_file(path: Path) -> None:
    claim = take(path, "a run")
    assert claim is not None

    claim.release(remove=True)
    claim.release()

    assert not path.exists()


def test_what_is_not_there_is_held_by_no_one(path: Path) -> None:
    assert holder_of(path) is None
    assert not died_here(path)


def test_a_killed_holder_is_known_to_be_dead_at_once(path: Path, start: Start) -> None:
    process = start()
    assert holder_of(path) is not None
    assert not died_here(path)

    kill(process)

    assert holder_of(path) is None
    assert died_here(path)
    assert take(path, "the next") is not None


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs PID namespaces")
def test_two_containers_where_both_are_process_1_are_two(path: Path, start: Start) -> None:
    first = start(*CONTAINER)

    start(*CONTAINER, said="taken")
    holder = holder_of(path)

    assert holder is not None
    assert holder.process == 1
    assert not died_here(path)
    kill(first)
    start(*CONTAINER)


def test_a_number_that_lives_here_says_nothing(path: Path) -> None:
    note(path, process=os.getpid(), host=os.uname().nodename, boot=claims.boot_id())

    assert holder_of(path) is None
    assert died_here(path)


def test_one_from_before_a_reboot_is_dead(path: Path) -> None:
    note(path)

    assert holder_of(path) is None
    assert take(path, "the next") is not None


def test_a_clone_or_a_copy_of_its_folder_does_not_know_whether_it_lives(path: Path) -> None:
    note(path)
    assert not died_here(path)  # it may live on the host that this one was cloned from

    note(path, boot=claims.boot_id(), file=1)
    assert not died_here(path)  # it may live where this was copied from


def test_without_a_boot_id_no_one_is_said_to_have_died_here(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BOOT_ID", "/nowhere")
    note(path, boot="")

    assert not died_here(path)
    assert holder_of(path) is None  # this disk shows all locks


def test_another_machine_lives_for_as_long_as_it_gives_signs(
    path: Path, disk: Callable[[str], None], wait: Callable[[float], None]
) -> None:
    disk("fuse.sshfs")  # where its lock is not seen
    note(path, beats=True)

    for _ in range(30):
        assert holder_of(path) is not None
        assert take(path, "another") is None
        wait(claims.BEAT_S)
        os.utime(path, ns=(0, path.stat().st_mtime_ns - 3600 * 10**9))  # its clock is set back
    wait(claims.SILENT_S - 1)
    assert holder_of(path) is not None
    wait(claims.SILENT_S)

    assert holder_of(path) is None
    claim = take(path, "the next")
    assert claim is not None
    claim.release()


def test_its_signs_count_also_where_our_own_locks_are_shared(
    path: Path, disk: Callable[[str], None], wait: Callable[[float], None]
) -> None:
    disk("nfs4")  # here; the other has mounted it with local_lock=all
    note(path, beats=True)

    assert holder_of(path) is not None


def test_what_cannot_be_known_is_not_taken(path: Path, disk: Callable[[str], None]) -> None:
    disk("virtiofs")  # of a guest; the host holds the lock on its own disk, and gives no signs
    note(path)

    assert take(path, "another") is None
    assert str(holder_of(path)) == "a loop (process 1 on other)"


def test_where_locks_are_kept_to_oneself_signs_are_given_until_it_is_released(
    path: Path, disk: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk("9p")
    monkeypatch.setattr(claims, "BEAT_S", 0.01)
    beaten = threading.Event()
    utime = os.utime

    def beat(descriptor: int) -> None:
        utime(descriptor)
        beaten.set()

    monkeypatch.setattr(os, "utime", beat)

    claim = take(path, "a loop")

    assert claim is not None
    assert json.loads(path.read_bytes())["beats"] is True
    assert beaten.wait(PATIENCE_S)
    before = threading.active_count()
    claim.release()
    assert threading.active_count() == before - 1


def test_on_a_disk_of_this_machine_there_is_no_thread(path: Path) -> None:
    before = threading.active_count()

    claim = take(path, "a run")

    assert claim is not None
    assert threading.active_count() == before
    claim.release()


def test_whoever_only_looks_keeps_no_one_out(path: Path) -> None:
    claim = take(path, "first")
    assert claim is not None
    claim.release()
    looks = threading.Event()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            holder_of(path)
            looks.set()

    thread = threading.Thread(target=look)
    thread.start()
    looks.wait(PATIENCE_S)
    try:
        for _ in range(200):
            claim = take(path, "next")
            assert claim is not None
            claim.release()
    finally:
        ended.set()
        thread.join()


def test_a_fork_does_not_have_it_and_cannot_give_it_up(path: Path) -> None:
    claim = take(path, "a run")
    assert claim is not None

    child = os.fork()
    if child == 0:
        claim.release(remove=True)
        os._exit(0 if ours(path) is None and holder_of(path) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.exists()
    claim.release()


def test_a_file_system_without_locks_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(OSError, match="No locks"):
        take(path, "a run")
    assert holder_of(path) is not None  # it cannot be known
    with left_behind(path) as is_left:
        assert not is_left


@pytest.fixture
def no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A file system without locks; ``no_locks("one")``: as seen in a container of this name."""
    flock = fcntl.flock

    def refuse(descriptor: int, how: int) -> None:
        if "of-container-" not in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOLCK, "No locks available")
        flock(descriptor, how)

    def enter(name: str) -> None:
        (tmp_path / f"of-container-{name}").mkdir(exist_ok=True)
        monkeypatch.setattr(claims, "STAND_INS", str(tmp_path / f"of-container-{name}"))

    monkeypatch.setattr(fcntl, "flock", refuse)
    enter("one")
    return enter


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_without_locks_containers_of_one_host_name_are_reported_apart(
    path: Path, no_locks: Callable[[str], None], wait: Callable[[float], None]
) -> None:
    claim = take(path, "a loop")
    assert claim is not None
    assert claim.is_without_lock
    assert take(path, "another of this container") is None

    no_locks("two")  # of the same host name, on the same system

    assert holder_of(path) is not None
    assert take(path, "of another container") is None
    assert not died_here(path)
    wait(claims.SILENT_S)
    assert holder_of(path) is None
    no_locks("one")
    claim.release()
    assert holder_of(path) is None


def test_what_others_keep_locked_is_not_left_behind(
    path: Path, disk: Callable[[str], None]
) -> None:
    with open(path, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with left_behind(path) as is_left:
            assert not is_left
    with left_behind(path) as is_left:
        assert is_left
    disk("fuse.sshfs")
    with left_behind(path) as is_left:
        assert not is_left  # another machine may have it locked
    os.utime(path, (0, 0))
    with left_behind(path) as is_left:
        assert is_left


def test_folders_have_no_locks_over_nfs(tmp_path: Path, disk: Callable[[str], None]) -> None:
    disk("nfs4")

    with left_behind(tmp_path) as is_left:
        assert not is_left
