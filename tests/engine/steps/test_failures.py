"""What a step raised is reported to its author: the place in their own files."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.steps.failures import (
    name_and_text,
    name_in_project,
    step_error,
    user_traceback,
)
from alo.errors import StepError, StoreError

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


def test_a_module_outside_of_the_project_is_reported_by_who_imports_it(
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


HOME = Path("/p")


@pytest.mark.parametrize(
    ("error", "what", "fix"),
    [
        (ValueError("no such column"), "ValueError: no such column", ""),
        (ValueError(), "ValueError", ""),
        (MemoryError(), "out of memory", "less data"),
        (SystemExit(3), "it called exit(3)", "return from run()"),
        (OSError(errno.ENOSPC, "No space left"), "the disk is full", "make room"),
        (ModuleNotFoundError("x", name="cv2"), "the module 'cv2' is not installed here", "opencv"),
        (StepError("its own", fix="do this"), "its own", "do this"),
        (ValueError("x" * 100_000), "characters)", ""),
    ],
)
def test_what_was_raised_is_reported_in_words_with_what_helps(
    error: BaseException, what: str, fix: str
) -> None:
    failed = step_error("train", error, HOME, HOME)

    assert what in failed.what
    assert fix in failed.fix
    assert failed.step == "train"
    assert len(failed.what) < 10_000


def test_a_value_that_cannot_be_stored_is_named_and_not_the_line_that_saves_it() -> None:
    named = step_error("train", StoreError("no", where="config['a'] of step 'train'"), HOME, HOME)
    plain = step_error("train", StoreError("no"), HOME, HOME)

    assert named.where == "config['a'] of step 'train'"
    assert plain.where == ""


def test_an_error_that_cannot_say_what_it_is_has_its_name() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert name_and_text(OddError()) == "OddError"


def test_a_file_is_the_projects_by_any_of_its_folders_unless_it_is_installed() -> None:
    roots = [Path("/p"), Path("/q")]

    assert name_in_project("/q/assets/a.py", roots) == "assets/a.py"
    assert name_in_project("/p2/a.py", roots) == ""
    assert name_in_project("/p/.venv/lib/site-packages/a.py", roots) == ""


def test_of_a_traceback_the_long_middle_and_long_texts_are_left_out() -> None:
    def raise_it() -> None:
        try:
            raise KeyError("y" * 100_000)
        except KeyError as error:
            raise ValueError("\n".join(["https://me:secret@host/"] * 10_000)) from error

    with pytest.raises(ValueError, match="https") as caught:
        raise_it()
    shown = user_traceback(caught.value)

    assert "secret" not in shown
    assert "direct cause" in shown
    assert "raise_it" in shown
    assert len(shown) < 60_000
