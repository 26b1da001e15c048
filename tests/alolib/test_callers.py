"""An error names the place in the asset, not the one in ALO."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from alolib.callers import calling_frame, place_of, place_of_caller, place_of_class, place_of_run


def test_the_caller_is_the_first_frame_outside_of_the_package() -> None:
    line = sys._getframe().f_lineno + 1
    place = place_of_caller()

    assert place == f"tests/alolib/test_callers.py:{line}, in {sys._getframe().f_code.co_name}()"
    assert calling_frame() is sys._getframe()


def test_of_a_path_the_last_three_parts_are_reported() -> None:
    assert place_of("/home/me/assets/train/asset_train.py", 42) == "assets/train/asset_train.py:42"
    assert place_of("asset.py", 1) == "asset.py:1"


class _Runs:
    def run(self) -> None:
        """Here."""


def test_a_class_is_reported_by_where_its_run_is() -> None:
    line = _Runs.run.__code__.co_firstlineno

    assert place_of_run(_Runs()) == f"tests/alolib/test_callers.py:{line}"
    assert place_of_run(_Runs(), "other") == ""
    assert place_of_run(object()) == ""


def test_a_class_without_a_run_is_reported_by_its_own_line(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    file.write_text("x = 1\n\nclass UserAsset:\n    pass\nclass UserAssetToo: pass\n")
    module = ModuleType("a_module_of_this_test")
    module.__file__ = str(file)
    found = type("UserAsset", (), {"__module__": module.__name__})

    assert place_of_class(found) == ""  # its module is not there
    sys.modules[module.__name__] = module
    try:
        assert place_of_class(found).endswith("mod.py:3")
        assert place_of_class(type("Other", (), {"__module__": module.__name__})).endswith(":1")
    finally:
        del sys.modules[module.__name__]
