"""What is wrong with an asset's class is reported with its file and line, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import AloError, StepError
from alo.testing import run_asset

MakeSolution = Callable[..., Path]

# The line that is to be named has "# here" at its end. What the check before a run can see of them
# is told by it.
CLASSES = {
    "__init__ without super": (
        """
        class UserAsset(Asset):
            def __init__(self, asset_structure):  # here
                self.x = 1
            @Asset.decorator_run
            def run(self):
                self.asset.save_data({})
        """,
        "has not called super",
    ),
    "__init__ without super, run without the decorator": (
        """
        class UserAsset(Asset):
            def __init__(self, asset_structure):  # here
                self.x = 1
            def run(self):
                pass
        """,
        "has not called super",
    ),
    "__init__ without a structure": (
        """
        def init(self):  # here
            pass
        class UserAsset(Asset):
            def run(self):
                pass
        UserAsset.__init__ = init
        """,
        "def __init__(self, asset_structure)",
    ),
    "__init__ that wants more": (
        """
        def init(self, asset_structure, more):  # here
            Asset.__init__(self, asset_structure)
        class UserAsset(Asset):
            def run(self):
                pass
        UserAsset.__init__ = init
        """,
        "'more'",
    ),
    "an abstract class": (
        """
        from abc import ABC, abstractmethod
        class Base(Asset, ABC):
            @abstractmethod
            def extra(self): ...
        class UserAsset(Base):  # here
            def run(self):
                pass
        """,
        "define in it: extra",
    ),
    "a class made by a function": (
        """
        def make(name):
            return type(name, (Asset,), {})
        UserAsset = make('UserAsset')  # here
        """,
        "has no method run",
    ),
    "run that is a value": (
        """
        class UserAsset(Asset):  # here
            run = 5
        """,
        "of the type int",
    ),
    "run that wants more": (
        """
        class UserAsset(Asset):
            @Asset.decorator_run  # here
            def run(self, more):
                pass
        """,
        "'more'",
    ),
    "run that is static": (
        """
        class UserAsset(Asset):
            @staticmethod  # here
            def run(asset):
                pass
        """,
        "def run(self)",
    ),
    "a class that makes something else": (
        """
        class UserAsset(Asset):  # here
            def __new__(cls, asset_structure):
                return 5
            def run(self):
                pass
        """,
        "int has no method run",
    ),
    "a property that fails": (
        """
        class UserAsset(Asset):
            @property
            def table(self):
                return None.rows  # here
            def run(self):
                self.table
        """,
        "'NoneType' object has no attribute 'rows'",
    ),
    "a decorator that fails": (
        """
        def decorate(function):
            raise ValueError('in the decorator')  # here
        class UserAsset(Asset):
            @decorate
            def run(self):
                pass
        """,
        "in the decorator",
    ),
    "super().__init__ without the structure": (
        """
        class UserAsset(Asset):
            def __init__(self, asset_structure):
                super().__init__()  # here
            def run(self):
                pass
        """,
        "asset_structure",
    ),
}


def write(make_solution: MakeSolution, code: str, isolation: str = "") -> tuple[Path, str]:
    """The project, and the place that is to be named."""
    lines = ["from alolib.asset import Asset", *_dedented(code)]
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("# here"))
    beside = {"train": {"isolation": isolation}} if isolation else {}
    home = make_solution({"train": "# " + "UserAsset\n" + "\n".join(lines)}, beside=beside)
    return home, f"assets/train/asset_train.py:{line + 1}"


def _dedented(code: str) -> list[str]:
    from textwrap import dedent

    return dedent(code).strip().splitlines()


@pytest.mark.parametrize("isolation", ["", "process"])
@pytest.mark.parametrize("what", CLASSES)
def test_a_class_at_fault_is_reported_with_its_file_and_line(
    make_solution: MakeSolution, run: Callable[..., object], what: str, isolation: str
) -> None:
    code, reported = CLASSES[what]
    home, place = write(make_solution, code, isolation)

    with pytest.raises(StepError) as caught:
        run(home, "train")

    assert reported in str(caught.value)
    assert caught.value.where.partition(",")[0] == place
    assert "alo/engine" not in f"{caught.value}\n{caught.value.user_traceback}"


@pytest.mark.parametrize("what", [name for name in CLASSES if "fails" not in name])
def test_a_unit_test_is_reported_the_same(make_solution: MakeSolution, what: str) -> None:
    code, reported = CLASSES[what]
    home, place = write(make_solution, code)

    with pytest.raises((AloError, TypeError)) as caught:
        run_asset(home / "assets/train")

    assert reported in str(caught.value)
    if isinstance(caught.value, AloError):
        assert caught.value.where.partition(",")[0] == place


@pytest.mark.parametrize("value", ["3", "print", "functools.partial(Asset)"])
def test_what_is_no_class_is_reported_with_its_file(
    make_solution: MakeSolution, run: Callable[..., object], value: str
) -> None:
    code = f"# UserAsset\nimport functools\nfrom alolib.asset import Asset\nUserAsset = {value}"

    with pytest.raises(StepError, match="no class UserAsset: UserAsset is of the type") as caught:
        run(make_solution({"train": code}), "train")

    assert caught.value.where == "assets/train/asset_train.py"


def test_an_asset_that_has_the_api_of_another_object_needs_no_super(
    make_solution: MakeSolution, run: Callable[..., object]
) -> None:
    code = """
    from alolib.asset import Asset
    class UserAsset(Asset):
        def __init__(self, asset_structure):
            self.asset = Asset(asset_structure)
        def run(self):
            self.asset.save_data({})
            self.asset.save_config(self.asset.load_config())
    """

    run(make_solution({"train": code}), "train")
