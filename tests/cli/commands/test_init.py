from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alo.cli.commands import init as init_command
from alo.cli.main import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan_of(home: Path) -> dict[str, object]:
    text = (home / "solution" / "experimental_plan.yaml").read_text(encoding="utf-8")
    plan: dict[str, object] = yaml.safe_load(text)
    return plan


@pytest.mark.parametrize("template", ["tabular", "image", "minimal"])
def test_a_project_has_what_clients_look_for(template: str) -> None:
    assert main(["init", "mine", "--template", template]) == 0

    home = Path("mine")
    assert "from src.alo import ALO" in (home / "main.py").read_text()
    assert (home / "register-ai-solution.ipynb").is_file()
    assert plan_of(home)["name"] == "mine"
    assert (home / ".gitignore").is_file()
    assert (home / "README.md").read_text().startswith("# mine\n")
    assert not list(home.rglob("__pycache__"))
    assert "SOLUTION_NAME" not in (home / "README.md").read_text()


def test_what_to_do_next_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", "my project"])

    out = capsys.readouterr().out
    assert "cd 'my project'" in out
    assert "alo run" in out


@pytest.mark.parametrize(
    "name",
    ["한글 이름", "with space", "a: b #c", "'quoted\"", "123", "true", "- x", "{a}", "%", "é"],
)
def test_any_name_becomes_the_plans_name(name: str) -> None:
    assert main(["init", f"./{name}"]) == 0

    assert plan_of(Path(name))["name"] == name


def test_a_path_may_lead_to_it(tmp_path: Path) -> None:
    assert main(["init", "new/folders/mine", "--project", str(tmp_path)]) == 0

    assert plan_of(tmp_path / "new" / "folders" / "mine")["name"] == "mine"


def test_an_empty_folder_may_be_filled_also_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")

    assert main(["init", "."]) == 0

    assert Path("main.py").is_file()
    assert "cd " not in capsys.readouterr().out
    assert os.listdir(tmp_path) == ["mine"]


def test_an_empty_volume_may_be_filled(tmp_path: Path, mount: Callable[..., Path]) -> None:
    volume = mount(tmp_path / "mine", "-t", "tmpfs", "tmpfs")
    (volume / "lost+found").mkdir()
    (volume / ".mine.0123456789abcdef.alo-tmp").mkdir()  # of one that was killed

    assert main(["init", "mine"]) == 0

    assert (volume / "main.py").is_file()
    assert (volume / "solution/experimental_plan.yaml").is_file()
    assert os.listdir(tmp_path) == ["mine"]


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").touch()

    assert main(["init", "mine"]) == 2

    assert "not empty" in capsys.readouterr().err
    assert os.listdir(tmp_path / "mine") == ["kept"]


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_folder_is_left_alone(
    make: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(make)
    make(tmp_path / "mine")

    assert main(["init", "mine"]) == 2

    assert "is no folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize("name", ["two\nlines", " ", "bell\a"])
def test_a_name_that_cannot_be_shown_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", name]) == 2

    assert "cannot be the name of a project" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_when_it_breaks_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(building: Path, name: str) -> None:
        raise OSError(28, "No space left on device", str(building))

    monkeypatch.setattr(init_command, "_write_name", break_down)

    assert main(["init", "mine"]) == 1

    assert os.listdir(tmp_path) == []
