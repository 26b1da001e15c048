"""``alo.testing``: one asset in a unit test, without a project."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ContractError, UsageError
from alo.testing import run_asset
from alolib.asset import Asset

SOURCE = """\
from pathlib import Path

import helper
from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        text = Path(self.asset.get_input_path(), "a/b.txt").read_text()
        Path(self.asset.get_model_path(), "model").write_text(helper.shout(text))
        self.asset.save_summary(text, 0.5)
        self.asset.save_info("done")
        self.asset.save_data({"text": text, "n": self.asset.check_args("n", chng_type="int")})
        self.asset.save_config({**self.config, "seen": True})
"""


class Doubler(Asset):
    @Asset.decorator_run
    def run(self) -> None:
        data: Any = self.asset.load_data()
        self.asset.save_data({"x": data["x"] * 2})
        self.asset.save_config(self.asset.load_config())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "assets/train"
    folder.mkdir(parents=True)
    (folder / "asset_train.py").write_text(SOURCE)
    (folder / "helper.py").write_text("def shout(text):\n    return text.upper()\n")
    return folder


@pytest.mark.parametrize("name", ["", "asset_train.py"])
def test_an_asset_of_a_folder_gives_back_all_that_it_made(folder: Path, name: str) -> None:
    result = run_asset(folder / name, args={"n": "3"}, input_files={"a/b.txt": "hello"})

    assert result.data == {"text": "hello", "n": 3}
    assert result.config["seen"] is True
    assert result.config["meta"]["step_name"] == "train"
    assert result.summary is not None
    assert result.summary["result"] == "hello"
    assert result.messages == ["done"]
    assert result.files["train_artifacts/models/train/model"].read_text() == "HELLO"
    assert "text, n" in repr(result)


def test_a_class_is_run_on_the_data_that_is_given() -> None:
    assert run_asset(Doubler, data={"x": 2}).data == {"x": 4}


def test_an_inference_finds_the_models_that_are_given() -> None:
    class User(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            model = Path(self.asset.get_model_path(), "m").read_bytes()
            self.asset.save_data({"model": model})
            self.asset.save_config({**self.asset.load_config()})

    result = run_asset(
        User, pipeline="inference", step="inference", model_files={"train/m": b"bytes"}
    )

    assert result.data == {"model": b"bytes"}


def test_errors_come_out_as_they_are() -> None:
    with pytest.raises(ContractError, match="first step"):
        run_asset(Doubler)
    with pytest.raises(KeyError):
        run_asset(Doubler, data={})
    with pytest.raises(UsageError, match="train or inference"):
        run_asset(Doubler, pipeline="test")


def test_a_temporary_workspace_goes_with_the_result(tmp_path: Path) -> None:
    result = run_asset(Doubler, data={"x": 1})
    workspace = result.workspace
    assert workspace.is_dir()
    del result
    gc.collect()

    assert not workspace.exists()
    assert run_asset(Doubler, data={"x": 1}, workspace=tmp_path).workspace == tmp_path
