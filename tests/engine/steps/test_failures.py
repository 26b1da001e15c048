"""What a step raised is told to its author: the place in their own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import StepError

MakeSolution = Callable[..., Path]

LOADS_HELPER = "import importlib\nimportlib.import_module('hel' + 'per')"


@pytest.mark.parametrize(
    ("helper", "line"),
    [
        (b"x = 1\ndef f(:\n", 2),
        ("x = '\uac00'".encode("cp949"), 1),
        (b"def f():\n    x\n  y\n", 3),
    ],
)
def test_a_module_that_cannot_be_read_is_named_not_who_imports_it(
    make_solution: MakeSolution, run: Callable[..., object], helper: bytes, line: int
) -> None:
    home = make_solution({"train": LOADS_HELPER})
    (home / "assets/train/helper.py").write_bytes(helper)

    with pytest.raises(StepError) as caught:
        run(home, "train")

    assert caught.value.where == f"assets/train/helper.py:{line}"


def test_a_module_outside_of_the_project_is_told_by_who_imports_it(
    make_solution: MakeSolution, run: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "bad_module.py").write_text("def f(:")
    code = f"import sys; sys.path.append({str(tmp_path)!r})\nimport bad_module"

    with pytest.raises(StepError) as caught:
        run(make_solution({"train": code}), "train")

    assert caught.value.where.startswith("assets/train/asset_train.py:")


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('x').with_traceback(None)",
        "raise KeyError",
        "raise BaseException('x')",
        "raise GeneratorExit",
        "exec('1/0')",
        "import concurrent.futures as c; c.ThreadPoolExecutor(1).submit(lambda: 1/0).result()",
        "def f(): f()\nf()",
    ],
)
def test_whatever_is_raised_has_a_place_in_the_asset(
    make_solution: MakeSolution, run: Callable[..., object], code: str
) -> None:
    with pytest.raises(StepError) as caught:
        run(make_solution({"train": code}), "train")

    assert caught.value.where.startswith("assets/train/asset_train.py:")
    assert "alo/engine" not in caught.value.user_traceback
    assert "alo/sources" not in caught.value.user_traceback
