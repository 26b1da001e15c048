"""Programs that drive ALO 2.x, in projects made by ``alo init`` (spec 10)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest
import yaml

from alo.cli.commands.init import TEMPLATE_HOME, TEMPLATES, make_project

# Changes into each folder, puts it on sys.path, and calls the engine in its own process.
CLIENT = """\
import json, os, sys

for project, mode in json.loads(sys.argv[1]):
    os.chdir(project)
    sys.path.insert(0, project)
    from src.alo import ALO
    try:
        ALO(config=None, system=None, mode=mode, loop=False, computing="local").main()
        print("client:", "ok")
    except Exception as error:
        print("client:", type(error).__name__)
"""


# The same from inside an event loop, as web applications and notebooks are.
ASYNC_CLIENT = f"import asyncio\nasync def main():\n{indent(CLIENT, '    ')}\nasyncio.run(main())"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "solution"
    make_project(home, "minimal")
    return home


@pytest.fixture
def main_py(home: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``python main.py ...``, started from another folder."""

    def start(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(home / "main.py"), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return start


def drive(*runs: tuple[Path, str], client: str = CLIENT) -> list[str]:
    """What a client in its own process sees of each run."""
    reported = json.dumps([(str(project), mode) for project, mode in runs])
    command = [sys.executable, "-c", client, reported]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("client:")]


def summary_of(home: Path) -> dict[str, object]:
    path = home / "inference_artifacts" / "score" / "inference_summary.yaml"
    summary: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return summary


def test_main_py_runs_the_pipelines_of_its_folder(
    home: Path, main_py: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = main_py("--mode", "all", "--computing", "local")

    assert done.returncode == 0, done.stderr
    assert summary_of(home)["result"] == "2 of 20 odd"


def test_main_py_tells_errors_as_the_command_does(
    main_py: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = main_py("--mode", "inference")

    assert done.returncode != 0
    assert "error: " in done.stderr
    assert "train" in done.stderr  # is to run first
    assert "/alo/cli/" not in done.stderr


def test_a_client_calls_the_engine_in_several_projects(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    make_project(other, "tabular")

    seen = drive((home, "train"), (other, "all"), (home, "inference"), (other, "inference"))

    assert seen == ["ok"] * 4
    assert summary_of(home)["result"] == "2 of 20 odd"
    assert str(summary_of(other)["result"]).startswith("30 rows")


def test_a_failure_is_an_exception_and_the_next_call_works(home: Path) -> None:
    seen = drive((home, "inference"), (home, "train"), (home, "inference"))

    assert seen == ["StepError", "ok", "ok"]


def test_a_client_rewrites_the_plan_and_brings_a_model(home: Path, tmp_path: Path) -> None:
    drive((home, "train"))
    model = tmp_path / "model.tar.gz"
    with tarfile.open(model, "w:gz") as archive:
        archive.add(home / "train_artifacts" / "models" / "train", "train")
    plan_path = home / "solution" / "experimental_plan.yaml"
    plan = yaml.safe_load(plan_path.read_text(encoding="utf-8"))
    data = tmp_path / "from outside"
    data.mkdir()
    (data / "numbers.txt").write_text("20\n21\n99\n")

    paths = {key: value for each in plan["external_path"] for key, value in each.items()}
    paths["load_inference_data_path"] = str(data)
    plan["external_path"] = [{key: value} for key, value in paths.items()]
    plan["user_parameters"][1]["inference_pipeline"][0]["args"].update({"tolerance": 4})
    plan_path.write_text(yaml.safe_dump(plan))
    shutil.rmtree(home / "train_artifacts")
    with tarfile.open(model) as archive:
        archive.extractall(home / "train_artifacts" / "models", filter="data")
    seen = drive((home, "inference"))

    assert seen == ["ok"]
    assert summary_of(home)["result"] == "1 of 3 odd"


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_client_merges_args_into_every_step_by_its_position(
    tmp_path: Path, template: str
) -> None:
    home = tmp_path / "made"
    make_project(home, template)
    plan_path = home / "solution" / "experimental_plan.yaml"
    plan = yaml.safe_load(plan_path.read_text(encoding="utf-8"))

    for position, kind in enumerate(("train", "inference")):
        for step in plan["user_parameters"][position][f"{kind}_pipeline"]:
            step["args"].update({"of_the_client": 1})
    plan_path.write_text(yaml.safe_dump(plan))

    assert drive((home, "train"), (home, "inference")) == ["ok", "ok"]


@pytest.mark.parametrize(
    "path",
    [
        *Path(__file__).parents[2].glob("examples/*/solution/experimental_plan.yaml"),
        *TEMPLATE_HOME.glob("*/solution/experimental_plan.yaml"),
    ],
    ids=lambda path: path.parents[1].name,
)
def test_what_a_client_may_meet_has_args_that_can_be_updated(path: Path) -> None:
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))

    for pipeline in plan["user_parameters"]:
        for step in next(iter(pipeline.values())):
            assert isinstance(step["args"], dict), step


def test_a_client_may_sit_in_an_event_loop_and_so_may_what_assets_use(home: Path) -> None:
    asset = home / "assets/train/asset_train.py"
    text = asset.read_text(encoding="utf-8")
    uses = "import asyncio\nasyncio.run(asyncio.sleep(0))\n"
    asset.write_text(
        uses + text.replace("def run(self):", f"def run(self):\n{indent(uses, ' ' * 8)}")
    )

    assert drive((home, "train"), (home, "inference"), client=ASYNC_CLIENT) == ["ok", "ok"]
