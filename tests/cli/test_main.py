from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.commands import run as run_command
from alo.cli.main import COMMANDS, main
from alo.errors import AloError, CheckError, Interrupted, Problem, StepError, WorkspaceBusy
from alo.version import __version__

from ..support.waiting import uncounted_environment

Failing = Callable[[BaseException], None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, a project of nothing but a plan."""
    (tmp_path / "experimental_plan.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_raises(project: Path, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Call it with an error: ``alo run`` ends with that."""

    def let(error: BaseException) -> None:
        def execute(options: object) -> int:
            raise error

        monkeypatch.setattr(run_command, "execute", execute)

    return let


def test_help_names_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)


def test_no_words_at_all_get_the_help_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    assert capsys.readouterr().out.startswith("usage: alo COMMAND")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"alo {__version__}\n"


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize(
    ("call", "is_own"), [("main()", True), ("main(['--version'])", False)], ids=["own", "called"]
)
def test_only_a_process_of_its_own_puts_garbage_collection_off(
    call: str, is_own: bool, collects: bool
) -> None:
    code = f"""if True:
        import gc, sys
        from alo.cli.main import main
        sys.argv = ["alo", "--version"]
        gc.{"enable" if collects else "disable"}()
        before = gc.get_freeze_count()  # Python 3.12 has some from its start
        {call}
        print(gc.isenabled(), gc.get_freeze_count() > before)
    """

    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert ended.stdout.splitlines()[-1] == f"{collects} {is_own}"


def test_help_and_version_import_nothing_of_a_run() -> None:
    code = (
        "import sys; from alo.cli.main import main; main(['--help']); main(['--version']); "
        "heavy = {'argparse', 'yaml', 'json', 'threading', 'alo.engine'} & set(sys.modules); "
        "assert not heavy, heavy"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=uncounted_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_a_run_imports_nothing_of_the_studio(make_solution: Callable[..., Path]) -> None:
    home = make_solution({"only": "pass"})
    code = (
        "import sys; from alo.cli.main import main; "
        f"assert main(['run', '--mode', 'train', '--project', {str(home)!r}]) == 0; "
        "heavy = {'alo.ui', 'starlette', 'jinja2', 'uvicorn', 'asyncio'} & set(sys.modules); "
        "assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["rnu"], "no command 'rnu'; did you mean 'run'?"),
        (["histroy"], "did you mean 'history'?"),
        (["frobnicate"], "no command 'frobnicate'\n"),
        (["--mode", "train", "run"], "the first word is '--mode'; it has to be a command"),
    ],
)
def test_a_wrong_command_is_reported_with_the_nearest(
    words: list[str], reported: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2

    captured = capsys.readouterr()
    assert reported in captured.err
    assert "  fix: " in captured.err
    assert captured.out == ""


def test_an_error_says_what_where_and_how_to_mend_it(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(AloError("it broke", where="plan:3", fix="mend it"))

    assert main(["run"]) == 1

    assert capsys.readouterr().err == "error: it broke\n  where: plan:3\n  fix: mend it\n"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AloError("x"), 1),
        (WorkspaceBusy("x"), 1),
        (CheckError([Problem("x")]), 2),
        (Interrupted("x", signal_number=15), 143),
        (KeyboardInterrupt(), 130),
        (RuntimeError("x"), 1),
    ],
)
def test_the_exit_status_tells_how_it_ended(
    error: BaseException, status: int, run_raises: Failing
) -> None:
    run_raises(error)

    assert main(["run"]) == status


def test_several_problems_are_counted(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [Problem("bad", "plan.yaml", 3, 1), Problem("worse", "plan.yaml", 9, 1)]
    run_raises(CheckError(problems))

    main(["run"])

    assert capsys.readouterr().err.split("\n")[:3] == [
        "error: 2 problems; nothing has run or changed",
        "plan.yaml:3:1  bad",
        "plan.yaml:9:1  worse",
    ]


def test_a_failed_step_shows_the_authors_traceback_before_the_last_lines(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(StepError("step 'train' failed", where="asset.py:3", user_traceback="Traceback: T"))

    main(["run"])

    assert capsys.readouterr().err == (
        "Traceback: T\nerror: step 'train' failed\n  where: asset.py:3\n"
    )


def test_our_own_fault_is_one_line_that_names_the_place(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(KeyError("some\nkey"))

    main(["run"])

    reported = capsys.readouterr().err
    assert reported.count("\n") == 1
    assert reported.startswith("error: sorry, this is a fault in ALO: KeyError: ")
    assert "tests/cli/test_main.py:" in reported
    assert "--debug" in reported


@pytest.mark.parametrize("error", [KeyError("key"), AloError("it broke")])
def test_debug_adds_our_traceback(
    error: Exception, run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(error)

    assert main(["run", "--debug"]) == 1

    reported = capsys.readouterr().err
    assert reported.startswith("Traceback (most recent call last):")
    assert reported.splitlines()[-1].startswith("error: ")


def test_an_error_of_the_system_names_the_file(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(PermissionError(13, "Permission denied", "/some/file"))

    assert main(["run"]) == 1

    assert capsys.readouterr().err.startswith("error: Permission denied\n  where: /some/file\n")


def test_a_reader_that_goes_away_is_no_error(alo_argv: list[str]) -> None:
    with subprocess.Popen(
        [*alo_argv, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        reported = process.stderr.read()

    assert (process.returncode, reported) == (0, b"")


@pytest.mark.parametrize("place", ["pipe", "socket", "terminal", "disk"])
def test_an_error_that_no_one_can_read_leaves_the_exit_status(
    place: str, alo_argv: list[str]
) -> None:
    match place:
        case "pipe":
            reader, writer = os.pipe()
            os.close(reader)
        case "socket":
            one, other = socket.socketpair()
            one.close()
            writer = other.detach()
        case "terminal":
            terminal, writer = os.openpty()
            os.close(terminal)
        case _:
            writer = os.open("/dev/full", os.O_WRONLY)

    done = subprocess.run([*alo_argv, "run", "--mode", "moon"], stdout=writer, stderr=writer)

    os.close(writer)
    assert done.returncode == 2


@pytest.fixture
def alo_argv() -> list[str]:
    return [sys.executable, "-m", "alo.cli.main"]


def test_a_machine_without_memory_is_no_fault_of_ours(
    run_raises: Failing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_raises(MemoryError())

    assert main(["run"]) == 1

    reported = capsys.readouterr().err
    assert reported.startswith("error: out of memory\n")
    assert "fault in ALO" not in reported
