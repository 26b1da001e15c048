from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.actions.dispatch import MODULES, actions_of
from alo.cli.commands import run as run_command
from alo.cli.main import COMMANDS, main
from alo.cli.options import is_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    home = tmp_path / "project"
    (home / "solution").mkdir(parents=True)
    (home / "solution" / "experimental_plan.yaml").touch()
    (home / "assets" / "train").mkdir(parents=True)
    return home


@pytest.fixture
def ran_with(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """The options that ``alo run`` was executed with."""
    calls: list[argparse.Namespace] = []

    def execute(options: argparse.Namespace) -> int:
        calls.append(options)
        return 0

    monkeypatch.setattr(run_command, "execute", execute)
    return calls


def test_the_project_is_the_current_folder(
    project: Path, ran_with: list[argparse.Namespace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)

    assert main(["run"]) == 0

    assert ran_with[0].project == Path()


def test_the_project_may_be_named_and_the_last_name_counts(
    project: Path, ran_with: list[argparse.Namespace]
) -> None:
    assert main(["run", "--project", "nowhere", "--mode", "train", "--project", str(project)]) == 0

    assert (ran_with[0].project, ran_with[0].mode) == (project, "train")


def test_common_options_may_stand_behind_a_subcommand(
    project: Path, ran_with: list[argparse.Namespace], monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_subparsers(dest="action").add_parser("show").add_argument("id")

    monkeypatch.setattr(run_command, "add_arguments", add_arguments)

    assert main(["run", "show", "abc", "--project", str(project), "--debug"]) == 0

    found = ran_with[0]
    assert (found.action, found.id, found.project, found.debug) == ("show", "abc", project, True)


def test_a_folder_that_is_not_there_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--project", str(tmp_path / "nix")]) == 2

    reported = capsys.readouterr().err
    assert f"does not exist: {tmp_path / 'nix'}" in reported
    assert "alo init" in reported


def test_a_file_is_no_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--project", str(project / "solution" / "experimental_plan.yaml")]) == 2

    assert "is not a folder" in capsys.readouterr().err


def test_a_folder_that_is_no_project_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--project", str(tmp_path)]) == 2

    reported = capsys.readouterr().err
    assert "this folder is no project" in reported
    assert str(tmp_path) in reported
    assert "alo init NAME" in reported


def test_inside_a_project_the_project_above_is_offered(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--project", str(project / "assets" / "train")]) == 2

    assert f"--project {project}" in capsys.readouterr().err


@pytest.mark.parametrize("left", ["assets", "history"])
def test_a_project_that_lost_its_plan_is_one_still(tmp_path: Path, left: str) -> None:
    (tmp_path / left).mkdir()

    assert is_project(tmp_path)


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["--mdoe", "train"], "alo run has no option --mdoe; did you mean --mode?"),
        (["--mod=train"], "did you mean --mode?"),
        (["--xyzzy"], "alo run has no option --xyzzy\n"),
        (["train"], "alo run does not know what to do with 'train'"),
        (["--mode", "trian"], "'trian'"),
        (["--mode"], "--mode"),
        (["--project"], "--project"),
    ],
)
def test_wrong_words_are_reported(
    words: list[str], reported: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words]) == 2

    captured = capsys.readouterr()
    assert reported in captured.err
    assert "alo run --help" in captured.err
    assert captured.out == ""


def test_the_help_of_a_command_lists_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0

    out = capsys.readouterr().out
    names = "--config --system --mode --set --no-wait --loop --computing --quiet --json"
    assert all(name in out for name in [*names.split(), "--project", "--debug"])


WORDS = {  # command → words that make it complete
    "check": [],
    "run": [],
    "install": [],
    "lock": [],
    "history": [],
    "history show": ["1"],
    "history prune": ["--keep", "5"],
    "serve": [],
    "deploy": [],
    "loop status": [],
}


@pytest.mark.parametrize("command", WORDS)
def test_a_folder_that_is_no_project_is_said_to_be_none(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([*command.split(), *WORDS[command]]) == 2

    assert "this folder is no project" in capsys.readouterr().err
    assert main([*command.split(), *WORDS[command], "--project", "nowhere"]) == 2
    assert "the project folder does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS,
        *(f"{it} {name}" for it in MODULES for name in actions_of(it)),
        "loop status",
        "loop dead",
    ],
)
def test_help_needs_no_project(
    command: str,
    flag: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([*command.split(), flag]) == 0

    captured = capsys.readouterr()
    assert captured.out.startswith("usage: alo")
    assert captured.err == ""


EMPTY = [
    "init @",
    "run --project @",
    "history --project @",
    "run --config @",
    "run --system @",
    "run --set @",
    "run --only @",
    "run --redis @ --loop",
    "history show @",
    "history diff a @",
    "history rerun @",
    "history remove @",
    "history verify @",
    "history --since @",
    "history --param @",
    "deploy @",
    "deploy --shadow @",
    "loop dead --redis @",
    "loop dead --system @",
    "serve --host @",
    "serve --token @",
]


@pytest.mark.parametrize("command", EMPTY)
def test_a_variable_that_was_not_set_is_not_the_current_folder_nor_all_runs(
    command: str,
    make_solution: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = make_solution({"one": ""})
    monkeypatch.chdir(home)
    assert main(["run", "--quiet"]) == 0
    runs = list((home / "history/train").iterdir())

    assert main([word.replace("@", "") for word in command.split()]) == 2

    assert capsys.readouterr().err.startswith("error: ")
    assert list((home / "history/train").iterdir()) == runs
