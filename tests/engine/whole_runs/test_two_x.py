"""Assets, plans and clients written for ALO 2.x run here unchanged (spec 4 and 10)."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alo.errors import CheckError, StagingError

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

# Assets like these leave files open and change warning filters.
pytestmark = pytest.mark.filterwarnings("ignore")

HEADER = """\
# -*- coding: utf-8 -*-
import os
import sys
from alolib.asset import Asset

ASSET_PATH = os.path.dirname(os.path.abspath(__file__)) + os.sep
sys.path.append(ASSET_PATH)
"""

INPUT = (
    HEADER
    + """
import logging
import warnings
from utils import read
warnings.filterwarnings("ignore")

class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.args = self.asset.load_args()
        self.config = self.asset.load_config()
        self.data = {}
        self.asset.save_info("init of input")

    @Asset.decorator_run
    def run(self):
        logging.disable(logging.CRITICAL)
        path = self.asset.get_input_path()
        columns = self.asset.check_args(arg_key="x_columns", is_required=True, chng_type="list")
        drop = self.asset.check_args("drop", False, False, "bool")
        self.data["dataframe0"] = read(path + "data/table.csv", columns, drop)
        self.data["args"] = self.args
        self.config["x_columns"] = columns
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
        logging.disable(logging.NOTSET)

def __main__():
    pass

if __name__ == "__main__":
    envs, argv, data, config = {}, {}, {}, {}
    ua = UserAsset(envs, argv, data, config)
    ua.run()
"""
)

TRAIN = (
    HEADER
    + """
from utils import Trainer

class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()
        self.trainer = Trainer(self.asset)

    @Asset.decorator_run
    def run(self):
        envs = self.asset.load_envs()
        assert envs["pipeline"] == self.asset.asset_envs["pipeline"] == "train_pipeline"
        assert self.asset.input_data_home.startswith(self.asset.project_home)
        self.trainer.train(self.asset.load_data(partial_load="dataframe"))
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
        self.asset.save_summary(result="ok", score=0.987, note="after save_data")
"""
)

TRAINER = """\
class Trainer:
    def __init__(self, asset):
        self.asset = asset

    def train(self, data):
        with open(self.asset.get_model_path() + "model.txt", "w") as file:
            file.write(str(len(data["dataframe0"])))
        self.asset.save_info("trained", show=True)
"""

INFERENCE = (
    HEADER
    + """
class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()

    @Asset.decorator_run
    def run(self):
        model = open(self.asset.get_model_path() + "model.txt").read()
        self.asset.save_summary("first", 0.1)
        summary = self.asset.load_summary()
        summary["result"] = "model " + model
        self.asset.save_summary(**summary)
        with open(self.asset.get_output_path() + "output.csv", "w") as file:
            file.write("prediction\\n" + model + "\\n")
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
"""
)

READ = """\
import csv


def read(path, columns, drop):
    with open(path) as file:
        return [[row[name] for name in columns] for row in csv.DictReader(file)]
"""


@pytest.fixture
def solution(make_solution: MakeSolution, tmp_path: Path) -> Path:
    """A solution in the style of ALO 2.x, its plan in lists of one-key mappings."""
    home = make_solution(
        {"input": INPUT, "train": TRAIN},
        {"inference": INFERENCE},
    )
    (home / "assets/input/utils.py").write_text(READ)
    (home / "assets/train/utils.py").write_text(TRAINER)
    for kind, rows in (("train", "1,2\n3,4\n5,6\n"), ("inference", "7,8\n")):
        data = tmp_path / kind / "data"
        data.mkdir(parents=True)
        (data / "table.csv").write_text("a,b\n" + rows)
    args = [{"x_columns": ["a", "b"]}, {"drop": False}]
    plan = {
        "name": "two-x",
        "version": 1.0,
        "external_path": [
            {"load_train_data_path": f"{tmp_path}/train/data/"},
            {"load_inference_data_path": f"{tmp_path}/inference/data/"},
            {"save_train_artifacts_path": None},
            {"save_inference_artifacts_path": None},
            {"load_model_path": None},
        ],
        "external_path_permission": [{"aws_key_profile": None}],
        "user_parameters": [
            {
                "train_pipeline": [
                    {"step": "input", "args": args, "ui_args": ["x_columns"]},
                    {"step": "train", "args": None},
                ]
            },
            {
                "inference_pipeline": [
                    {"step": "input", "args": args},
                    {"step": "inference", "args": None},
                ]
            },
        ],
        "asset_source": [
            {
                f"{kind}_pipeline": [
                    {"step": step, "source": {"code": "local", "branch": None, "requirements": []}}
                    for step in ("input", kind)
                ]
            }
            for kind in ("train", "inference")
        ],
        "control": [
            {"get_asset_source": "once"},
            {"backup_artifacts": True},
            {"backup_log": True},
            {"backup_size": 1000},
            {"interface_mode": "memory"},
            {"save_inference_format": "tar.gz"},
            {"check_resource": False},
        ],
    }
    with open(home / "solution/experimental_plan.yaml", "w") as file:
        yaml.safe_dump(plan, file, sort_keys=False)
    return home


def summary(home: Path) -> dict[str, object]:
    path = home / "inference_artifacts/score/inference_summary.yaml"
    loaded = yaml.safe_load(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_assets_of_2x_run_unchanged(solution: Path, run: Run) -> None:
    run(solution)

    assert summary(solution)["result"] == "model 3"
    assert (solution / "inference_artifacts/output/output.csv").read_text() == "prediction\n3\n"
    log = (solution / "train_artifacts/log/pipeline.log").read_text()
    assert "init of input" in log
    assert "utils.py(8)|train()] trained" in log


def test_a_client_may_rewrite_the_plan_in_flow_style_with_args_as_a_mapping(
    solution: Path, run: Run, tmp_path: Path
) -> None:
    path = solution / "solution/experimental_plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["external_path"][1]["load_inference_data_path"] = [f"{tmp_path}/train/data"]
    plan["user_parameters"][1]["inference_pipeline"][0]["args"] = {"x_columns": ["a"]}
    path.write_text(yaml.dump(plan, default_flow_style=True))

    run(solution)

    assert (solution / "input/inference/data/table.csv").read_text().count("\n") == 4


def test_a_client_may_delete_train_artifacts_and_unpack_a_model_there(
    solution: Path, run: Run
) -> None:
    run(solution)
    assert not (solution / "train_artifacts").is_symlink()
    shutil.rmtree(solution / "train_artifacts")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("train/model.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"foreig"))
    (solution / "train_artifacts/models").mkdir(parents=True)
    content.seek(0)
    with tarfile.open(fileobj=content) as archive:
        archive.extractall(solution / "train_artifacts/models", filter="data")

    (outcome,) = run(solution, "inference")

    assert summary(solution)["result"] == "model foreig"
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["train_id"] == "none"


def test_a_platform_may_name_the_exports_of_the_train_run_as_the_model(
    solution: Path, run: Run, tmp_path: Path
) -> None:
    path = solution / "solution/experimental_plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["external_path"][2]["save_train_artifacts_path"] = f"{tmp_path}/out/"
    plan["external_path"][4]["load_model_path"] = f"{tmp_path}/new/../out"
    path.write_text(yaml.safe_dump(plan))

    with pytest.raises(CheckError, match="does not exist"):
        run(solution, "inference")
    run(solution)
    assert summary(solution)["result"] == "model 3"

    with open(tmp_path / "train/data/table.csv", "a") as file:
        file.write("7,8\n")
    _, inference = run(solution)
    assert summary(solution)["result"] == "model 4"
    record = json.loads((inference.history / "log/experimental_history.json").read_text())
    assert record["train_id"] == "load-external-model"


CHAIN = """\
for name in self.asset.load_args()["names"]:
    open(self.asset.get_output_path() + name, "w").close()
"""


def test_an_inference_may_read_what_the_train_run_of_the_same_command_makes(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"train": CHAIN + "open(self.asset.get_model_path() + 'm', 'w').close()"},
        {"inference": CHAIN + "self.asset.save_summary(result='OK', score=0.5)"},
        external={"load_inference_data_path": "./train_artifacts/output/"},
        args={"train": {"names": ["a.csv"]}, "inference": {"names": ["output.csv"]}},
    )
    staged = home / "input/inference/output"

    run(home)
    assert [path.name for path in staged.iterdir()] == ["a.csv"]

    path = home / "solution/experimental_plan.yaml"
    path.write_text(path.read_text().replace("a.csv", "b.csv"))
    run(home)
    assert [path.name for path in staged.iterdir()] == ["b.csv"]

    path.write_text(path.read_text().replace("./train_artifacts/output/", "train_artifacts/x"))
    with pytest.raises(StagingError, match="also after the run that was to make it"):
        run(home)
    with pytest.raises(CheckError, match="does not exist"):
        run(home, "inference")


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_a_platform_lists_both_pipelines_whichever_the_plan_has(
    make_solution: Callable[..., Path], run: Run, kind: str, tmp_path: Path
) -> None:
    """What it says of the other one is left alone, unless the mode asks for that one by name."""
    code = """
        self.asset.save_summary(result=str(self.args["n"]), score=1.0)
        Path(self.asset.get_output_path(), "out.csv").write_text("a")
    """
    home = make_solution(**{kind: {"only": code}}, args={"only": {"n": 1}})
    selected = [{"step": "only", "args": {"n": 2}}]
    other = [{"step": "elsewhere", "args": {"n": 3}}]
    pipelines = [
        {
            "type": each,
            "dataset_uri": [f"{tmp_path}/data/" if each == kind else "/none/such/"],
            "artifact_uri": "",
            "model_uri": "" if each == kind else "/none/model/",
            "parameters": {"selected_user_parameters": selected if each == kind else other},
        }
        for each in ("train", "inference")
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_text("a")
    system = json.dumps({"metadata_version": 1, "pipeline": pipelines})
    missing = "inference" if kind == "train" else "train"

    (outcome,) = run(home, system=system)

    assert outcome.history is not None
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["result"] == "2"
    assert not [change for change in record["overrides"] if "none" in change]
    with pytest.raises(CheckError, match=f"the plan has no {missing}_pipeline"):
        run(home, missing, system=system)


def test_metadata_of_a_platform_overrides_the_plan_in_memory_only(
    solution: Path, run: Run, tmp_path: Path
) -> None:
    path = solution / "solution/experimental_plan.yaml"
    before = path.read_bytes()
    metadata = {
        "metadata_version": 1.2,
        "name": "platform",
        "pipeline": [
            {
                "type": "inference",
                "dataset_uri": [f"{tmp_path}/train/data/"],
                "artifact_uri": f"{tmp_path}/out/",
                "model_uri": "",
                "parameters": {
                    "selected_user_parameters": [
                        {"step": "input", "args": {"x_columns": "a, b"}},
                        {"step": "inference", "args": {}},
                    ]
                },
            }
        ],
    }
    run(solution, "train")

    run(solution, "inference", system=json.dumps(metadata))

    assert path.read_bytes() == before
    assert (tmp_path / "out/inference_artifacts.tar.gz").is_file()
    assert summary(solution)["version"] == "v1.2"
    assert summary(solution)["file_path"] == f"{tmp_path}/out/"
