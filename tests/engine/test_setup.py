"""A plan that names git repositories and requirements runs on a machine that has only ALO."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sources.repositories import Repository
from tests.sources.wheels import make_wheel

from alo import ALO, Project
from alo.errors import CheckError, InstallError
from alo.events.types import SettingUp
from alo.sources.packages.installers import find_uv

pytestmark = pytest.mark.usefixtures("own_cache")

Alo = Callable[..., "subprocess.CompletedProcess[str]"]
MakeSolution = Callable[..., Path]
Run = Callable[..., tuple]

TELL = """
    import sys, aloleaf
    print("leaf", aloleaf.VERSION, sys.prefix)
    self.data["leaf"] = aloleaf.VERSION
"""
MODEL = "Path(self.asset.get_model_path(), 'm').write_text(str(self.data))"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(folder, "aloleaf", version)
    return folder


@pytest.fixture
def needs(wheels: Path) -> Callable[[str], dict[str, object]]:
    """The source of a step that requires something of ``wheels``."""
    return lambda text: {"requirements": [f"{text} --find-links {wheels}"]}


def model(home: Path, step: str = "two") -> str:
    return (home / f"train_artifacts/models/{step}/m").read_text()


def test_a_run_continues_in_an_environment_that_has_what_is_required(
    make_solution: MakeSolution, alo: Alo, needs: Any
) -> None:
    home = make_solution({"one": TELL, "two": MODEL}, source={"one": needs("aloleaf<2")})

    done = alo("run", "--set", "two.n=5", "--mode", "train", cwd=home)

    assert done.returncode == 0, done.stderr
    assert "setup  installing aloleaf with" in done.stdout
    assert done.stdout.count("empty: what is in input/train/") == 1
    (environment,) = (home / ".alo/environments").glob("*/ready.json")
    assert f"leaf 1.0 {environment.parent}" in done.stdout
    assert model(home) == "{'leaf': '1.0'}"
    assert (home / ".package_list/train_pipeline_step_0.txt").read_text() == "aloleaf<2\n"
    (record,) = home.glob("history/train/*/log/experimental_history.json")
    known = json.loads(record.read_text())
    assert known["packages"]["aloleaf"] == "1.0"
    assert known["args"]["two"] == {"n": 5}

    again = alo("run", "--quiet", cwd=home)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    events = [json.loads(line) for line in alo("run", "--json", cwd=home).stdout.splitlines()]
    assert {event["event"] for event in events} >= {"run_started", "run_finished"}
    assert "error" not in {event["event"] for event in events}
    assert alo("history", "rerun", record.parents[1].name, cwd=home).returncode == 0


def test_a_main_py_of_2x_continues_in_the_environment_too(
    alo: Alo, tmp_path: Path, wheels: Path
) -> None:
    home = tmp_path / "made"
    assert alo("init", "--template", "minimal", str(home)).returncode == 0
    plan = home / "solution/experimental_plan.yaml"
    source = f"\n    - step: train\n      source: {{requirements: ['aloleaf -f {wheels}']}}"
    plan.write_text(f"{plan.read_text()}\nasset_source:\n  - train_pipeline:{source}\n")

    command = [sys.executable, "main.py", "--mode", "train"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "setup  installing aloleaf" in done.stdout


def test_the_exit_status_and_the_users_traceback_come_from_there(
    make_solution: MakeSolution, alo: Alo, needs: Any
) -> None:
    code = "import aloleaf\nraise ValueError('mine')"
    home = make_solution({"one": code}, source={"one": needs("aloleaf")})

    done = alo("run", cwd=home)

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert "ValueError: mine" in done.stderr
    assert "where: assets/one/asset_one.py:16, in run()" in done.stderr
    assert "/alo/engine/" not in done.stderr


def test_two_steps_that_need_different_versions_both_run(
    make_solution: MakeSolution, alo: Alo, needs: Any
) -> None:
    steps = {
        "one": TELL,
        "two": TELL.replace('self.data["leaf"]', 'self.data["other"]') + f"\n    {MODEL}",
    }
    source = {"one": needs("aloleaf==1.0"), "two": needs("aloleaf==2.0")}
    home = make_solution(steps, source=source)
    refused = alo("run", cwd=home)
    assert refused.returncode == 2
    for part in (
        "'aloleaf==1.0' of step 'one'",
        "'aloleaf==2.0' of step 'two'",
        "environment: isolated",
    ):
        assert part in refused.stderr

    make_solution(steps, source=source, beside={"two": {"environment": "isolated"}})
    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    assert model(home) == "{'leaf': '1.0', 'other': '2.0'}"
    assert len(list((home / ".alo/environments").glob("*/ready.json"))) == 2


def test_an_isolated_step_takes_and_gives_frames_and_classes_of_its_own(
    make_solution: MakeSolution, run: Run, needs: Any
) -> None:
    steps = {
        "one": "import array\nself.data['big'] = array.array('d', bytes(1_000_000))",
        "two": "import aloleaf\n"
        "class Thing:\n    x = 5\n"
        "self.data['thing'] = Thing()\nself.data['sum'] = sum(self.data['big'])\n"
        "self.config['seen'] = aloleaf.VERSION\nself.asset.save_summary('good', 0.5)",
        "three": "text = f\"{self.data['thing'].x} {self.data['sum']} {self.config['seen']}\"\n"
        "Path(self.asset.get_model_path(), 'm').write_text(text)",
    }
    isolated = {"two": {"environment": "isolated"}}
    home = make_solution(steps, source={"two": needs("aloleaf")}, beside=isolated)

    (outcome,) = run(home)

    assert model(home, "three") == "5 0.0 2.0"
    assert outcome.summary["result"] == "good"


def test_the_current_environment_gets_what_is_missing_where_that_is_wanted(
    make_solution: MakeSolution, alo: Alo, needs: Any
) -> None:
    uv = find_uv()
    if not uv:
        pytest.skip("uv is not installed here")
    home = make_solution({"one": TELL, "two": MODEL}, source={"one": needs("aloleaf==1.0")})
    assert alo("install", cwd=home).returncode == 0
    (ready,) = (home / ".alo/environments").glob("*/ready.json")
    python = ready.parent / "bin/python"
    make_solution({"one": TELL, "two": MODEL}, source={"one": needs("aloleaf>=2")})

    code = "import sys; from alo.cli.main import main; sys.exit(main())"
    environment = {**os.environ, "PATH": f"{Path(uv).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [python, "-c", code, "run", "--env", "current"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"leaf 2.0 {ready.parent}" in done.stdout
    assert len(list((home / ".alo/environments").glob("*/ready.json"))) == 1


def test_a_notebook_is_reported_what_is_missing(
    make_solution: MakeSolution, needs: Any, heard: Any
) -> None:
    home = make_solution({"one": TELL}, source={"one": needs("aloleaf")})
    project = Project(home, listener=heard)

    with pytest.raises(InstallError, match=r"aloleaf \(not installed\), for step 'one'") as caught:
        project.run()
    with pytest.raises(InstallError):
        project.train.run()

    assert "project.install()" in caught.value.fix
    assert not (home / ".alo/environments").exists()


def test_a_notebook_and_a_client_of_2x_install_into_their_own_environment(
    make_solution: MakeSolution, needs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alo.sources.packages import environments

    asked = []

    def install(workspace: object, wanted: Any, lacking: Any, tell: object, **_: object) -> None:
        asked.append([each.requirement.text for each in lacking])

    # What it would do to this very environment is shown in test_environments.py.
    monkeypatch.setattr(environments, "install_here", install)
    home = make_solution({"one": MODEL}, source={"one": needs("aloleaf")})

    Project(home).install()
    ALO(project=home).main()

    assert asked == [["aloleaf"], ["aloleaf"]]
    assert model(home, "one") == "{}"


def test_assets_come_from_git_with_their_requirements(
    make_solution: MakeSolution, alo: Alo, tmp_path: Path, wheels: Path
) -> None:
    home = make_solution({"one": TELL, "two": MODEL})
    repository = Repository(tmp_path / "origin")
    asset = (home / "assets/one/asset_one.py").read_text()
    requirements = f"--find-links {wheels}\naloleaf==1.0\n"
    commit = repository.commit(
        {"steps/one/asset_one.py": asset, "steps/one/requirements.txt": requirements}
    )
    subprocess.run(["rm", "-r", home / "assets/one"], check=True)
    source = {
        "one": {
            "code": f"file://{repository.folder}",
            "path": "steps/one",
            "requirements": ["requirements.txt"],
        }
    }
    make_solution({"one": None, "two": MODEL}, source=source)
    checked = alo("check", cwd=home)
    assert checked.returncode == 0, checked.stderr
    assert "the code is fetched by the next run (not there yet)" in checked.stdout
    assert not (home / "assets/one").exists()

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    assert model(home) == "{'leaf': '1.0'}"
    (record,) = home.glob("history/train/*/log/experimental_history.json")
    assert json.loads(record.read_text())["sources"]["one"]["commit"] == commit


def test_a_locked_run_has_exactly_what_was_locked(
    make_solution: MakeSolution, alo: Alo, needs: Any, wheels: Path, tmp_path: Path
) -> None:
    steps = {"one": TELL, "two": MODEL}
    (wheels / "aloleaf-2.0-py3-none-any.whl").rename(tmp_path / "later.whl")
    environment = {**os.environ, "UV_FIND_LINKS": str(wheels), "PIP_FIND_LINKS": str(wheels)}
    home = make_solution(steps, source={"one": {"requirements": ["aloleaf"]}})
    locked = alo("lock", cwd=home, env=environment)
    assert locked.returncode == 0, locked.stderr
    assert "aloleaf==1.0 --hash=sha256:" in (home / "solution/alo.lock").read_text()
    (tmp_path / "later.whl").rename(wheels / "aloleaf-2.0-py3-none-any.whl")

    done = alo("run", "--locked", cwd=home, env=environment)
    assert done.returncode == 0, done.stderr
    assert "leaf 1.0" in done.stdout
    assert "leaf 2.0" in alo("run", cwd=home, env=environment).stdout

    make_solution(steps, source={"one": {"requirements": ["aloleaf>=1"]}})
    refused = alo("run", "--locked", cwd=home, env=environment)
    assert refused.returncode == 1
    assert "the plan has 'one: aloleaf>=1', the lock file not" in refused.stderr
    (home / "solution/alo.lock").unlink()
    assert "there is no lock file" in alo("run", "--locked", cwd=home).stderr


def test_requirements_that_are_there_cost_no_environment(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"one": MODEL}, source={"one": {"requirements": ["PyYAML>=5", "xxhash"]}})

    run(home)
    run(home)

    assert heard.of(SettingUp) == []
    assert not (home / ".alo/environments").exists()


def test_wrong_requirements_stop_the_run_before_it_begins(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"one": MODEL}, source={"one": {"requirements": ["=nonsense"]}})

    with pytest.raises(CheckError, match="'=nonsense' is no requirement"):
        run(home)

    assert not (home / "train_artifacts").exists()


def test_a_project_that_cannot_have_its_package_lists_runs_and_says_so(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"one": MODEL}, source={"one": {"requirements": ["xxhash"]}})
    (home / ".package_list").write_text("a file")

    run(home)

    assert [event.text for event in heard.of(SettingUp)] == [
        ".package_list/ cannot be written: File exists"
    ]
