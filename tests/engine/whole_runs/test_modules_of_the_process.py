"""A process that runs steps has modules of its own: a notebook's, a test's, another project's."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.errors import StepError
from alo.events.types import LogLine
from alo.testing import run_asset

from .conftest import KINDS, write
from .test_shared_modules import MODES, RIGHT

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]


def in_kernel(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook in the project's folder."""
    monkeypatch.syspath_prepend(home)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shop", "kinds")]:
        monkeypatch.delitem(sys.modules, name)


KERNEL = """\
import sys
sys.path.insert(0, "")
import alo
BEFORE
pipeline = alo.Project(listener=lambda event: None).train
pipeline.run("give")
AFTER
print(pipeline["give"].data["kinds"][0] is Kind.GOOD)
pipeline.run("take")
print(pipeline.save().summary["result"])
AFTER
print(pipeline["give"].data["kinds"][0] is Kind.GOOD)
"""


@pytest.mark.parametrize("mode", ["memory", "file"])
@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_a_notebook_sees_the_objects_of_its_steps_as_its_own(
    when: str, mode: str, shop: Callable[..., Path]
) -> None:
    home = shop(**MODES[mode])
    other = "AFTER" if when == "BEFORE" else "BEFORE"
    edited = (home / "shop/kinds.py").stat().st_ctime
    while time.time() < edited + 0.05:  # the clock of processes ticks in hundredths
        time.sleep(0.01)
    cells = KERNEL.replace(when, "from shop.kinds import Kind").replace(other, "")

    ended = subprocess.run(
        [sys.executable, "-c", cells], cwd=home, capture_output=True, text=True, check=False
    )

    assert ended.stdout.splitlines() == ["True", RIGHT, "True"], ended.stderr


def test_a_notebook_run_sees_new_code_of_a_shared_module_and_says_what_is_old(
    shop: Callable[..., Path], heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shop()
    in_kernel(home, monkeypatch)
    import shop.kinds as before  # type: ignore[import-not-found]

    write(home, {"shop/kinds.py": KINDS.replace("return 1", "return 2")})
    project = alo.Project(home, listener=heard)
    project.train.run()
    outcome = project.train.save()
    assert outcome.summary["result"] == RIGHT.replace(" 1", " 2")  # type: ignore[index]

    pipeline = project.pipeline("train")
    pipeline.run("give")
    write(home, {"shop/kinds.py": KINDS.replace("return 1", "return 3")})
    heard.clear()
    with pytest.raises(StepError, match="KeyError"):
        pipeline.run("take")  # what the step before handed on is of the old code
    reported = "\n".join(line.text for line in heard.of(LogLine) if line.level == "WARNING")
    assert "shop/kinds.py changed after it was used by give" in reported
    pipeline.run()
    assert pipeline.save().summary["result"] == RIGHT.replace(" 1", " 3")  # type: ignore[index]
    assert before.Part(None).price() == 1


def test_two_projects_in_one_process_have_their_own_modules(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    code = {"one": "import kinds\nself.asset.save_summary(kinds.NAME, 1)"}
    results = []
    for name in ("a", "b", "a"):
        home = make_solution(code, home=tmp_path / name)
        write(home, {"kinds.py": f"NAME = '{name}'"})
        pipeline = alo.Project(home, listener=lambda event: None).train
        pipeline.run()
        results.append(pipeline.save().summary["result"])  # type: ignore[index]

    assert results == ["a", "b", "a"]


def test_a_test_and_the_asset_under_test_have_one_module(
    shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shop()
    in_kernel(home, monkeypatch)

    before = run_asset(home / "assets/give").data["kinds"]
    from shop.kinds import Kind

    after = run_asset(home / "assets/give").data
    taken = run_asset(home / "assets/take", data=after)
    assert before[0] is Kind.GOOD
    assert after["kinds"][1] is Kind.BAD
    assert taken.summary is not None
    assert taken.summary["result"] == RIGHT


@pytest.mark.parametrize("mode", MODES)
def test_what_the_process_has_imported_of_old_code_does_not_stand_in_anywhere(
    mode: str, shop: Callable[..., Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shop(**MODES[mode])
    in_kernel(home, monkeypatch)
    import shop.kinds as old  # type: ignore[import-not-found]

    write(home, {"shop/kinds.py": KINDS.replace("return 1", "return 2")})

    (outcome,) = run(home, "train")

    assert outcome.summary["result"] == RIGHT.replace(" 1", " 2")
    assert sys.modules["shop.kinds"] is old
