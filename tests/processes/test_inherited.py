"""Whatever state a process was started in, a run goes as ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from alo.processes.inherited import default_sigchld, reset_signals

from ..support.waiting import PATIENCE_S

MakeSolution = Callable[..., Path]

STATES = {
    "SIGCHLD ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "everything blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "no stdin": "os.close(0)",
    "no stdout": "os.close(1)",
    "no stderr": "os.close(2)",
    "no streams": "os.closerange(0, 3)",
    "few files": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))",
    "no environment": "os.environ.clear()",
    "warnings are errors": "os.environ['PYTHONWARNINGS'] = 'error'",
    "without docstrings": "os.environ['PYTHONOPTIMIZE'] = '2'",
    "a locale that is not there": "os.environ['LC_ALL'] = 'xx_YY.zz'",
    "plain ASCII": "os.environ.update(LC_ALL='C', PYTHONCOERCECLOCALE='0', PYTHONUTF8='0')",
    "a terminal of no width": "os.environ.update(TERM='dumb', COLUMNS='0', LINES='0')",
}
STEP = "import os, sys; print('한글', file=sys.stderr)\nprint('printed', flush=True)"
RAW = "os.system('echo raw')"  # to what has the numbers of standard output and error
MODEL = "Path(self.asset.get_model_path(), 'm').write_text('model')"


def started_in(state: str, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process that has done ``state`` to itself before."""
    start = f"import os, signal, sys\n{state}\nos.execv(sys.argv[1], sys.argv[1:])"
    argv = [sys.executable, "-c", start, *command]
    return subprocess.run(argv, capture_output=True, timeout=PATIENCE_S, check=False)


def alo(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "alo.cli.main", *map(str, arguments)]


@pytest.mark.parametrize("isolation", [{}, {"isolation": "process"}], ids=["memory", "process"])
@pytest.mark.parametrize("state", STATES)
def test_a_run_goes_as_ever(
    state: str, isolation: dict[str, object], make_solution: MakeSolution
) -> None:
    home = make_solution({"train": f"{STEP}\n{RAW}\n{MODEL}"}, beside={"train": isolation})

    done = started_in(STATES[state], *alo("run", "--project", home))

    assert done.returncode == 0, done.stderr
    assert (home / "train_artifacts/models/train/m").read_text() == "model"
    log = (home / "train_artifacts/log/pipeline.log").read_text("utf-8")
    assert "printed\n" in log
    assert "한글\n" in log
    assert "raw" not in (home / "train_artifacts/log/process.log").read_text("utf-8")


def test_what_is_blocked_from_the_start_still_ends_a_run(make_solution: MakeSolution) -> None:
    home = make_solution(
        {"train": "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)"}
    )

    done = started_in(STATES["everything blocked"], *alo("run", "--project", home))

    assert done.returncode == 143, done.stderr


def test_input_that_was_closed_from_the_start_is_empty(make_solution: MakeSolution) -> None:
    home = make_solution({"train": "import sys; print('read', repr(sys.stdin.read()))"})

    done = started_in("os.close(0)", *alo("run", "--project", home))

    assert b"read ''" in done.stdout


def test_an_installer_that_fails_is_reported_also_where_sigchld_is_ignored(
    make_solution: MakeSolution,
) -> None:
    source = {"train": {"code": "local", "requirements": ["no-such-package-of-anyone==1"]}}
    home = make_solution({"train": MODEL}, source=source)

    command = alo("run", "--project", home, "--offline")
    done = started_in(STATES["SIGCHLD ignored"], *command)

    assert done.returncode == 1, done.stderr
    assert b"no-such-package-of-anyone" in done.stderr


HOSTS = {
    "ignores SIGCHLD": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "takes the status of every child": """\
        def reap(number, frame):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
        signal.signal(signal.SIGCHLD, reap)""",
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_keeps_its_way_with_children(host: str, make_solution: MakeSolution) -> None:
    home = make_solution({"train": MODEL}, beside={"train": {"isolation": "process"}})
    script = f"import os, signal, sys\n{dedent(HOSTS[host])}\n" + dedent(
        """
        import alo
        before = signal.getsignal(signal.SIGCHLD)
        pipeline = alo.Project(sys.argv[1]).train
        pipeline.run()
        pipeline.save()
        assert signal.getsignal(signal.SIGCHLD) == before
        alo.Project(sys.argv[1]).run()
        assert signal.getsignal(signal.SIGCHLD) == before
        """
    )

    command = [sys.executable, "-c", script, str(home)]
    subprocess.run(command, check=True, timeout=PATIENCE_S)

    assert len(os.listdir(home / "history/train")) == 2


def test_a_thread_of_a_host_that_ignores_sigchld_is_reported_what_to_do() -> None:
    script = dedent(
        """
        import signal, threading
        from alo.processes.inherited import default_sigchld
        from alo.errors import RunError
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        def run():
            try:
                with default_sigchld():
                    pass
            except RunError as error:
                print(error)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        """
    )

    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)

    assert "signal.signal(signal.SIGCHLD, signal.SIG_DFL)" in done.stdout


def test_handlers_of_a_host_stay() -> None:
    def handler(number: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGCHLD, handler)
    try:
        reset_signals()
        with default_sigchld():
            assert signal.getsignal(signal.SIGCHLD) is handler
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("where", ["there", "here"])
def test_a_folder_that_is_gone_is_reported_and_hides_no_report(
    where: str, make_solution: MakeSolution, tmp_path: Path
) -> None:
    home = make_solution({"train": MODEL})
    (tmp_path / "gone").mkdir()
    project = ["--project", str(home)] if where == "there" else []

    gone = f"os.chdir({str(tmp_path / 'gone')!r}); os.rmdir(os.getcwd())"
    done = started_in(gone, *alo("run", *project))

    if where == "there":
        assert f"{home}/train_artifacts".encode() in done.stdout
        assert done.returncode == 0
    else:
        assert b"the current folder does not exist any more" in done.stderr


def test_too_few_files_are_reported_with_what_to_do(make_solution: MakeSolution) -> None:
    home = make_solution({"train": MODEL}, beside={"train": {"isolation": "process"}})
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))"

    done = started_in(few, *alo("run", "--project", home))

    assert done.returncode == 1
    assert b"ulimit -n" in done.stderr
