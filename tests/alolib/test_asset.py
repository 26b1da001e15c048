"""The rest of the asset API: loading, logging, attributes, custom configs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alolib.asset
from alolib.asset import Asset, AssetStructure
from alolib.errors import ContractError, PathError, StoppedByAsset
from alolib.messages import LogLine

HEAVY = ("yaml", "logging", "dataclasses", "inspect", "alo", "pandas", "numpy")


def test_importing_the_api_imports_nothing_heavy() -> None:
    code = f"import alolib.asset, sys; print(*(set({HEAVY}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_the_module_offers_what_is_documented() -> None:
    assert alolib.asset.__all__ == ["Asset", "AssetStructure"]


def test_data_of_the_step_before_is_loaded(make: Callable[..., Any]) -> None:
    asset = make(data={"df_a": 1, "df_b": 2, "other": 3}).asset

    assert asset.load_data() == {"df_a": 1, "df_b": 2, "other": 3}
    assert asset.load_data(partial_load="df") == {"df_a": 1, "df_b": 2}
    assert make(data={}).asset.load_data() == {}


def test_loading_what_is_not_there_is_a_clear_error(make: Callable[..., Any]) -> None:
    with pytest.raises(ContractError, match=r"(?s)first step.*self\.data = \{\}"):
        make().asset.load_data()
    with pytest.raises(ContractError, match=r"(?s)'x'.*the keys are: a, b"):
        make(data={"a": 1, "b": 2}).asset.load_data(partial_load="x")


def test_a_log_line_names_file_line_and_function_of_its_caller(
    make: Callable[..., Any], lines: list[LogLine]
) -> None:
    class Helper:
        def __init__(self, asset: Any) -> None:
            self.asset = asset

        def tell(self) -> None:
            self.asset.save_info("from a helper", show=True)

    asset = make().asset
    asset.save_warning("careful")
    Helper(asset).tell()

    first, second = lines
    assert (first.level, first.file, first.text) == ("WARNING", "test_asset.py", "careful")
    assert (second.level, second.function, second.show) == ("INFO", "tell", True)
    assert second.line > 0
    assert first.format().endswith(
        f"|USER|WARNING|test_asset.py({first.line})|{first.function}()] careful"
    )


def test_save_error_logs_and_stops(make: Callable[..., Any], lines: list[LogLine]) -> None:
    with pytest.raises(StoppedByAsset, match="no rows"):
        make().asset.save_error("no rows")

    assert [(line.level, line.text) for line in lines] == [("ERROR", "no rows")]


def test_without_an_engine_lines_go_to_the_console_and_the_log_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "pipeline.log"

    Asset(AssetStructure({"log_file_path": str(log)})).asset.save_info("hello")

    assert "] hello\n" in capsys.readouterr().out
    assert log.read_text().endswith("] hello\n")


def test_attributes_of_2x_are_there(make: Callable[..., Any], tmp_path: Path) -> None:
    asset = make("inference", "use", args={"a": 1}, data={"d": 2}, config={"c": 3}).asset

    assert asset.asset_envs["step"] == "use"
    assert (asset.asset_args, asset.asset_data, asset.asset_config) == (
        {"a": 1},
        {"d": 2},
        {"c": 3},
    )
    assert asset.project_home == f"{tmp_path}/"
    assert asset.asset_home == f"{tmp_path}/assets/use/"
    assert asset.input_data_home == f"{tmp_path}/input/"
    assert asset.artifact_dir == "inference_artifacts/"
    for name in ("log_file_path", "save_artifacts_path", "alo_version", "alolib_version"):
        assert isinstance(getattr(asset, name), str)
    assert asset.logger.name
    assert asset.load_envs() == asset.asset_envs
    assert asset.load_envs() is not asset.asset_envs


def test_an_asset_does_not_keep_its_data_alive() -> None:
    import gc
    import weakref

    class Big:
        pass

    gc.disable()
    try:
        structure = AssetStructure(data={"big": Big()})
        gone = weakref.ref(structure.data["big"])
        asset = Asset(structure)
        del structure
        del asset

        assert gone() is None
    finally:
        gc.enable()


def test_forgetting_super_init_is_told() -> None:
    class UserAsset(Asset):
        def __init__(self, asset_structure: AssetStructure) -> None:
            self.x = 1

        @Asset.decorator_run
        def run(self) -> None:
            self.asset.save_data({})

    with pytest.raises(ContractError, match="super"):
        UserAsset(AssetStructure()).run()


def test_a_custom_config_below_the_input_path_is_read(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "input/train"
    folder.mkdir(parents=True)
    (folder / "a.ini").write_text("[s]\nkey = 값\n", encoding="utf-8")
    (folder / "b.yaml").write_text("key: [1, 2]\n")
    (folder / "c.txt").write_text("")
    asset = make().asset

    assert asset.read_custom_config("a.ini")["s"]["key"] == "값"
    assert asset.read_custom_config("b.yaml") == {"key": [1, 2]}
    with pytest.raises(PathError, match="neither"):
        asset.read_custom_config("c.txt")
    with pytest.raises(PathError, match="no file"):
        asset.read_custom_config("d.yaml")
