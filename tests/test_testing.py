"""``alo.testing``: one asset in a unit test, without a project."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ContractError, StoppedByAsset, UsageError
from alo.sources.code.loader import AssetNotFoundError
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
    assert (result.lines[0].file, result.lines[0].function) == ("asset_train.py", "run")
    assert result.files["train_artifacts/models/train/model"].read_text() == "HELLO"
    assert list(result.files) == [
        "train_artifacts/models/train/model",
        "train_artifacts/score/train_summary.yaml",
    ]
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


def test_a_temporary_workspace_goes_with_the_result() -> None:
    result = run_asset(Doubler, data={"x": 1})
    workspace = result.workspace
    assert workspace.is_dir()
    del result
    gc.collect()

    assert not workspace.exists()


def test_a_workspace_that_is_given_stays(tmp_path: Path) -> None:
    result = run_asset(Doubler, data={"x": 1}, workspace=tmp_path)

    assert result.workspace == tmp_path
    assert tmp_path.is_dir()


def test_the_data_of_the_test_stays_as_it_is() -> None:
    class Dropper(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            data = self.asset.load_data()
            data["x"] = 2
            self.asset.save_data(data)
            self.asset.save_config(self.asset.load_config())

    given = {"x": 1}

    assert run_asset(Dropper, data=given).data == {"x": 2}
    assert given == {"x": 1}


def test_files_and_folders_are_copied_in(tmp_path: Path) -> None:
    class Lister(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            root = Path(self.asset.get_input_path())
            names = [path.relative_to(root).as_posix() for path in root.rglob("*.*")]
            self.asset.save_data({"names": sorted(names)})
            self.asset.save_config(self.asset.load_config())

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.png").write_bytes(b"1")
    given = {"p": tmp_path / "photos", "one.png": tmp_path / "photos/1.png"}

    result = run_asset(Lister, input_files=given, workspace=tmp_path / "w")

    assert result.data["names"] == ["one.png", "p/1.png"]


def test_the_step_number_tells_whether_there_is_data_to_load() -> None:
    class Reporter(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            self.asset.save_data({"meta": self.asset.load_config()["meta"]})
            self.asset.save_config(self.asset.load_config())

    first, later = run_asset(Reporter), run_asset(Reporter, data={}, pipeline="inference")

    assert (first.data["meta"]["step_number"], first.data["meta"]["pipeline"]) == (
        0,
        "train_pipeline",
    )
    assert (later.data["meta"]["step_number"], later.data["meta"]["pipeline"]) == (
        1,
        "inference_pipeline",
    )


def test_log_lines_are_kept_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Talker(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            self.asset.save_info("\udc80.csv")
            self.asset.save_info("hello", show=True)
            self.asset.save_error("no rows")

    with pytest.raises(StoppedByAsset, match="no rows"):
        run_asset(Talker)

    assert "] hello\n" in capsys.readouterr().out


def test_all_envs_that_the_engine_gives_are_there(make_solution: Any, run: Any) -> None:
    code = """
        self.data["envs"] = " ".join(sorted(self.asset.load_envs()))
        Path(self.asset.get_output_path(), "envs.txt").write_text(self.data["envs"])
    """
    home = make_solution({"a": code})
    run(home, "train")

    result = run_asset(home / "assets/a")

    assert result.data["envs"] == (home / "train_artifacts/output/envs.txt").read_text()


def test_an_asset_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AssetNotFoundError, match="no folder"):
        run_asset(tmp_path / "assets/nowhere")


def test_a_failed_asset_leaves_no_temporary_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(KeyError):
        run_asset(Doubler, data={})

    assert list(tmp_path.iterdir()) == []


def test_a_run_without_the_decorator_is_checked_too() -> None:
    class Forgetful(Asset):
        def run(self) -> None:
            self.asset.save_data({})

    with pytest.raises(ContractError, match=r"(?s)did not call save_config.*test_testing\.py:"):
        run_asset(Forgetful)


def test_two_assets_each_have_their_own_helper(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "asset_other.py").write_text(SOURCE)
    (other / "helper.py").write_text("def shout(text):\n    return text + '!'\n")
    files = {"a/b.txt": "hey"}
    options: Any = {"args": {"n": 1}, "input_files": files}

    first, second = run_asset(folder, **options), run_asset(str(other), **options)

    assert first.files["train_artifacts/models/train/model"].read_text() == "HEY"
    assert second.files["train_artifacts/models/other/model"].read_text() == "hey!"


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"asset": 3}, "a class, a folder or a file"),
        ({"data": [1]}, "data is of the type list"),
        ({"args": "depth"}, "args is of the type str"),
        ({"config": 1}, "config is of the type int"),
        ({"input_files": ["a.csv"]}, "input_files is of the type list"),
    ],
)
def test_what_an_option_cannot_be_is_refused(options: dict[str, Any], reported: str) -> None:
    with pytest.raises(UsageError, match=reported):
        run_asset(**{"asset": "assets/train", **options})
