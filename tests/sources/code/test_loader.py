"""An asset's file is found and imported, and its helpers are its own."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alo.sources.code.loader import (
    AssetCode,
    AssetNotFoundError,
    asset_file_names,
    asset_module,
    find_asset_file,
)
from alo.sources.code.shared import SharedModules
from alo.sources.code.view import CodeView

Write = Callable[..., Path]
Load = Callable[..., Any]

ON_PATH = "import os, sys\nsys.path.append(os.path.dirname(os.path.abspath(__file__)))\n"


def value_of(user_asset: Any, name: str) -> Any:
    """A variable of the asset's file."""
    return user_asset.run.__globals__[name]


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("train", ("asset_train.py",)),
        ("train2", ("asset_train2.py", "asset_train.py")),
        ("2nd_try3", ("asset_2nd_try3.py", "asset_nd_try.py")),
        ("학습1", ("asset_학습1.py", "asset_학습.py")),
        ("a-b", ("asset_a-b.py",)),
    ],
)
def test_a_steps_file_has_its_name_or_the_name_without_digits(
    step: str, names: tuple[str, ...]
) -> None:
    assert asset_file_names(step) == names


def test_the_name_with_digits_comes_first(write: Write) -> None:
    folder = write("train2", {"asset_train.py": ""})

    assert find_asset_file(folder, "train2").name == "asset_train2.py"


def test_without_it_the_name_without_digits_is_found(write: Write, load: Load) -> None:
    folder = write("train2", {"asset_train.py": "class UserAsset:\n    def run(self): pass"})
    (folder / "asset_train2.py").unlink()

    assert load("train2").__module__ == "asset_train"


def test_a_folder_that_is_missing_is_named(home: Path) -> None:
    with pytest.raises(AssetNotFoundError) as caught:
        find_asset_file(home / "assets/train", "train")

    assert str(home / "assets/train") in caught.value.what
    assert "asset_train.py" in caught.value.fix


def test_a_file_of_another_name_is_reported(home: Path) -> None:
    folder = home / "assets/train2"
    folder.mkdir(parents=True)
    (folder / "my_train.py").touch()

    with pytest.raises(AssetNotFoundError) as caught:
        find_asset_file(folder, "train2")

    for part in ("asset_train2.py", "asset_train.py", "my_train.py"):
        assert part in caught.value.what
    assert "asset_train2.py" in caught.value.fix


@pytest.mark.parametrize("step", ["학습", "a-b", "_x", "train2"])
def test_step_names_of_any_script_are_imported(step: str, write: Write, load: Load) -> None:
    write(step)

    assert load(step).__name__ == "UserAsset"


@pytest.mark.parametrize("header", ["", ON_PATH], ids=["as it is", "on sys.path"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_helpers_of_one_name_are_each_assets_own(
    header: str, where: str, write: Write, load: Load
) -> None:
    lines = [header, "from utils import NAME\n"]
    asset = "".join(lines if where == "after" else reversed(lines))
    for step in ("input", "train"):
        write(step, {"utils.py": f"NAME = '{step}'"}, asset=asset)

    names = [value_of(load(step), "NAME") for step in ("input", "train", "input")]

    assert names == ["input", "train", "input"]


def test_helpers_are_imported_inside_functions_while_the_step_runs(
    write: Write, home: Path
) -> None:
    for step in ("a", "b"):
        write(
            step,
            {"late.py": f"X = '{step}'"},
            asset="def use():\n    import late\n    return late.X",
        )
    found = []

    for step in ("a", "b"):
        code = AssetCode(home / "assets" / step, step)
        with code.active():
            found.append(value_of(code.load_class(), "use")())

    assert found == ["a", "b"]


def test_packages_with_relative_imports_are_each_assets_own(write: Write, load: Load) -> None:
    for step in ("a", "b"):
        files = {
            "net/__init__.py": "from .layers.dense import SIZE",
            "net/layers/__init__.py": "",
            "net/layers/dense.py": "from ..sizes import SIZE",
            "net/sizes.py": f"SIZE = '{step}'",
        }
        write(step, files, asset="from net import SIZE\nimport net.layers.dense as dense")

    assert value_of(load("a"), "SIZE") == "a"
    assert value_of(load("b"), "dense").SIZE == "b"


def test_a_folder_without_init_is_a_package_before_an_installed_one(
    write: Write, load: Load, tmp_path: Path
) -> None:
    installed = tmp_path / "lib/tools"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path / "lib"))
    __import__("tools")
    write(
        "a", {"tools/deep/x.py": "X = 'own'", "tools/y.py": ""}, asset="from tools.deep.x import X"
    )

    assert value_of(load("a"), "X") == "own"
    assert sys.modules["tools"].__file__ == str(installed / "__init__.py")


def test_a_folder_of_data_does_not_stand_in_for_an_installed_package(
    write: Write, load: Load
) -> None:
    import yaml

    write("a", {"yaml/settings.yaml": "x: 1"}, asset="import yaml")

    assert value_of(load("a"), "yaml") is yaml


@pytest.mark.parametrize("name", ["utils", "config", "train"])
def test_a_helper_comes_before_a_module_of_its_name_that_is_installed_or_loaded(
    name: str, write: Write, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, theirs)
    monkeypatch.setitem(sys.modules, f"{name}.part", ModuleType(f"{name}.part"))
    write("a", {f"{name}.py": "X = 'own'"}, asset=f"from {name} import X")

    assert value_of(load("a"), "X") == "own"
    assert sys.modules[name] is theirs
    assert f"{name}.part" in sys.modules


@pytest.mark.parametrize("name", ["queue", "statistics", "json", "not_of_python"])
def test_python_keeps_its_own_modules_whatever_lies_in_the_folder(
    name: str, write: Write, load: Load
) -> None:
    sys.modules.pop(name, None)
    write("a", {f"{name}.py": "OWN = 1"}, asset=f"import {name} as found")

    found = value_of(load("a"), "found")

    assert hasattr(found, "OWN") == (name not in sys.stdlib_module_names)


def test_the_asset_sees_its_own_file(write: Write, load: Load) -> None:
    folder = write("a", {"helper.py": "HERE = __file__"}, asset="import helper\nHERE = __file__")

    user_asset = load("a")

    assert value_of(user_asset, "HERE") == str(folder / "asset_a.py")
    assert value_of(user_asset, "helper").HERE.endswith("/assets/a/helper.py")
    assert value_of(user_asset, "__name__") == "asset_a"


def test_a_helper_may_import_the_assets_file(write: Write, load: Load) -> None:
    write(
        "a",
        {"helper.py": "def size():\n    import asset_a\n    return asset_a.SIZE"},
        asset="SIZE = 3\nimport helper\nGOT = helper.size()",
    )

    assert value_of(load("a"), "GOT") == 3


@pytest.mark.parametrize("link", ["folder", "file"])
def test_code_behind_a_link_is_kept_apart_too(
    link: str, write: Write, load: Load, tmp_path: Path, home: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "utils.py").write_text("X = 'shared'")
    if link == "folder":
        real = write("a", asset="from utils import X")
        real.rename(shared / "a")
        (home / "assets/a").symlink_to(shared / "a")
        (shared / "utils.py").rename(shared / "a/utils.py")
    else:
        (write("a", asset="from utils import X") / "utils.py").symlink_to(shared / "utils.py")
    write("b", {"utils.py": "X = 'b'"}, asset="from utils import X")

    found = [value_of(load(step), "X") for step in ("a", "b")]

    assert found == ["shared", "b"]
    assert "utils" not in sys.modules


def test_a_linked_asset_may_name_its_real_place(
    write: Write, load: Load, tmp_path: Path, home: Path
) -> None:
    lib = "import os, sys\nsys.path.append(os.path.dirname(os.path.realpath(__file__)) + '/lib')\n"
    write("a", {"lib/deep.py": ""}, asset=f"{lib}import deep").rename(tmp_path / "elsewhere")
    (home / "assets/a").symlink_to(tmp_path / "elsewhere")

    load("a")

    assert "deep" not in sys.modules


def test_the_projects_own_modules_are_at_hand_after_all_others(
    write: Write, load: Load, home: Path
) -> None:
    (home / "src").mkdir()
    (home / "src/__init__.py").touch()
    (home / "src/alo.py").write_text("NAME = 'of the project'")
    (home / "yaml.py").write_text("raise AssertionError")
    sys.modules.pop("yaml", None)
    write("a", asset="from src.alo import NAME\nimport yaml")

    found = value_of(load("a"), "NAME")

    assert found == "of the project"
    assert "src" not in sys.modules


def test_a_namespace_of_the_asset_named_src_is_not_the_projects(
    write: Write, load: Load, home: Path
) -> None:
    (home / "src").mkdir()
    (home / "src/__init__.py").touch()
    sys.path.insert(0, str(home))
    __import__("src")
    write("a", {"src/model.py": "X = 'own'"}, asset="from src.model import X")

    assert value_of(load("a"), "X") == "own"


def test_modules_of_the_project_are_forgotten_and_installed_ones_stay(home: Path) -> None:
    packages = home / ".venv/lib/python3/site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_here.py").touch()
    (home / "common.py").touch()
    sys.path[:0] = [str(home), str(packages)]

    shared = SharedModules(CodeView(str(home)))
    with shared.importable():
        __import__("common")
        __import__("installed_here")

    assert shared.files() == {str(home / "common.py")}
    assert "common" not in sys.modules
    assert "installed_here" in sys.modules


def test_what_an_asset_uses_are_the_modules_that_it_has_imported(write: Write, load: Load) -> None:
    folder = write("a", {"one.py": "", "two.py": "", "not_used.py": ""}, asset="import one, two")
    code = AssetCode(folder, "a")

    load("a", code)

    assert code.used() == {f"assets/a/{name}.py" for name in ("asset_a", "one", "two")}


def test_objects_of_the_assets_classes_are_pickled_while_it_is_active(write: Write) -> None:
    folder = write("a", {"model.py": "class Model:\n    size = 3"}, asset="from model import Model")
    code = AssetCode(folder, "a")

    with code.active():
        model = value_of(code.load_class(), "Model")
        again = pickle.loads(pickle.dumps(model()))  # noqa: S301

    assert type(again) is model


def test_a_model_pickled_in_one_step_is_read_with_the_helper_of_another(
    write: Write, home: Path
) -> None:
    for step in ("train", "inference"):
        write(
            step,
            {"model.py": f"class Model:\n    step = '{step}'"},
            asset="from model import Model",
        )
    train, inference = (AssetCode(home / "assets" / step, step) for step in ("train", "inference"))
    with train.active():
        content = pickle.dumps(value_of(train.load_class(), "Model")())

    with inference.active():
        model = pickle.loads(content)  # noqa: S301

    assert model.step == "inference"


@pytest.mark.parametrize("text", ["X = 1", "UserAsset = 3"])
def test_a_class_that_is_not_there_is_reported_when_only_an_import_can_tell(
    text: str, home: Path, load: Load
) -> None:
    path = home / "assets/a/asset_a.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    with pytest.raises(AssetNotFoundError, match="no class UserAsset") as caught:
        load("a")

    assert caught.value.where == "assets/a/asset_a.py"


def test_one_asset_can_be_used_by_itself(write: Write) -> None:
    folder = write("a", {"helper.py": "X = 1"}, asset="import helper")

    with asset_module(folder, "a") as user_asset:
        assert "helper" in sys.modules
        assert user_asset.__name__ == "UserAsset"

    assert "helper" not in sys.modules
