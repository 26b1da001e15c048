"""The rest of the asset API: loading, logging, attributes, custom configs."""

from __future__ import annotations

import pickle
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

from ..support.waiting import uncounted_environment

HEAVY = ("yaml", "logging", "dataclasses", "inspect", "alo", "pandas", "numpy")


def test_importing_the_api_imports_nothing_heavy() -> None:
    code = f"import alolib.asset, sys; print(*(set({HEAVY}) & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=uncounted_environment(),
        capture_output=True,
        text=True,
        check=True,
    )

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


def test_a_log_line_of_a_helper_module_names_that_module(
    make: Callable[..., Any], lines: list[LogLine], tmp_path: Path
) -> None:
    code = "def tell(asset):\n    asset.save_warning('one\\ntwo')\n"
    space: dict[str, Any] = {}
    exec(compile(code, str(tmp_path / "helper.py"), "exec"), space)  # noqa: S102 - written here

    space["tell"](make().asset)

    (line,) = lines
    assert (line.file, line.line, line.function) == ("helper.py", 2, "tell")
    assert line.format().endswith("|USER|WARNING|helper.py(2)|tell()] one\ntwo")


def test_save_error_logs_and_stops(make: Callable[..., Any], lines: list[LogLine]) -> None:
    with pytest.raises(StoppedByAsset, match="no rows"):
        make().asset.save_error("no rows")

    assert [(line.level, line.text) for line in lines] == [("ERROR", "no rows")]


def test_without_an_engine_lines_go_to_the_console_and_the_log_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "pipeline.log"

    asset = Asset(AssetStructure({"log_file_path": str(log)})).asset
    asset.save_info("\udc80.csv")
    asset.save_info("hello")

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
    assert asset.asset_home == f"{tmp_path}/assets/"
    assert asset.input_data_home == f"{tmp_path}/input/"
    assert asset.artifact_dir == "inference_artifacts/"
    for name in ("log_file_path", "save_artifacts_path", "alo_version", "alolib_version"):
        assert isinstance(getattr(asset, name), str)
    assert asset.logger.name
    assert asset.load_envs() == asset.asset_envs
    assert asset.load_envs() is not asset.asset_envs


def test_an_asset_may_use_any_name_for_its_own(lines: list[LogLine]) -> None:
    class UserAsset(Asset):
        def __init__(self, asset_structure: AssetStructure) -> None:
            super().__init__(asset_structure)
            own: Any = self
            own.logger = own._logger = own.step = own._step = own._kind = own._structure = "own"
            own.project_home = own.asset_envs = own.asset_args = own.artifact_dir = "own"

        def log(self, message: str) -> None:
            self.save_info(message)

        _log = log

        @Asset.decorator_run
        def run(self) -> None:
            self._log(f"{self.logger} {self.check_args('n', chng_type='int')}")
            self.save_data({})
            self.save_config({})

    structure = AssetStructure(args={"n": 1})
    structure.handover.emit = lines.append

    assert UserAsset(structure).run() == ({}, {})
    assert [line.text for line in lines] == ["own 1"]


def test_an_asset_can_be_sent_to_another_process(
    make: Callable[..., Any], lines: list[LogLine], capsys: pytest.CaptureFixture[str]
) -> None:
    asset = make(args={"n": 1})
    asset._alo.handover.emit = lambda line: lines.append(line)  # cannot be pickled

    there = pickle.loads(pickle.dumps(asset))  # noqa: S301 - our own
    there.asset.save_info("from there")

    assert there.asset.check_args("n", chng_type="int") == 1
    assert "from there" in capsys.readouterr().out


def test_calls_work_on_the_asset_itself_too(make: Callable[..., Any]) -> None:
    asset = make(data={"d": 1}, args={"a": 2})

    assert (asset.load_data(), asset.load_args()) == ({"d": 1}, {"a": 2})


def test_everything_may_be_left_out_of_a_structure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asset = Asset(AssetStructure()).asset

    assert asset.project_home == f"{tmp_path}/"
    assert asset.get_input_path() == f"{tmp_path}/input/train/"
    assert (asset.load_args(), asset.load_config(), asset.load_envs()) == ({}, {}, {})


def test_each_call_tells_editors_what_it_does() -> None:
    for name, call in vars(alolib.asset.AssetApi).items():
        if not name.startswith("_") and callable(call):
            assert call.__doc__, name
            assert "return" in call.__annotations__, name


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


def test_forgetting_super_init_is_reported() -> None:
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
    assert asset.read_custom_config("/a.ini")["s"]["key"] == "값"
    assert asset.read_custom_config(f"{folder}/a.ini")["s"]["key"] == "값"
    assert asset.read_custom_config("b.yaml") == {"key": [1, 2]}
    with pytest.raises(PathError, match="neither"):
        asset.read_custom_config("c.txt")
    with pytest.raises(PathError, match="no file"):
        asset.read_custom_config("d.yaml")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.ini", b"key = without a section"), ("a.yaml", b"a: [1"), ("a.ini", b"\xff\xfe\x00")],
)
def test_a_custom_config_that_is_none_is_reported(
    make: Callable[..., Any], tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "input/train").mkdir(parents=True)
    (tmp_path / "input/train" / name).write_bytes(content)

    with pytest.raises(PathError, match=f"{name} cannot be read"):
        make().asset.read_custom_config(name)


def test_a_custom_config_of_a_windows_editor_is_read(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "input/train").mkdir(parents=True)
    (tmp_path / "input/train/A.INI").write_bytes(b"\xef\xbb\xbf[s]\r\nkey = 1\r\n")

    assert make().asset.read_custom_config("A.INI")["s"]["key"] == "1"
