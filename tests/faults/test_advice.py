"""A failure of an asset is reported the same in each mode, with advice that makes sense there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import alo
from alo.engine.request import RunRequest
from alo.engine.run import run_solution
from alo.errors import AloError, StepError, StoreError
from alo.serve.service import prepare
from alo.workers.handle import BOOT_S, WorkerDiedError
from alo.workers.protocol import Failure, Request

from ..support.waiting import GROWING_LIMITS_S

MakeSolution = Callable[..., Path]
MODES = ("memory", "file", "process", "isolated", "served", "notebook")
APART = ("process", "isolated")


class Told(NamedTuple):
    """What a person is reported of a failed step."""

    what: str
    where: str
    fix: str
    traceback: str = ""


def silent(event: object) -> None:
    """No one listens."""


def told_by_run(home: Path, kind: type[AloError]) -> Told:
    with pytest.raises(kind) as caught:
        run_solution(RunRequest(home, mode="inference"), silent)
    error = caught.value
    return Told(error.what, error.where, error.fix, getattr(error, "user_traceback", ""))


def told_by_notebook(home: Path, kind: type[AloError]) -> Told:
    with pytest.raises(kind) as caught, alo.Project(home, listener=silent).inference as pipe:
        pipe.run()
    error = caught.value
    return Told(error.what, error.where, error.fix, getattr(error, "user_traceback", ""))


def told_by_service(home: Path, kind: type[AloError]) -> Told:
    service = prepare(RunRequest(home), "serve", silent)
    (worker,) = service.workers(1, BOOT_S, silent)
    worker.start()
    try:
        *_, last = worker.run(Request("r1"), None, lambda: None)
    except WorkerDiedError as error:
        return parsed(str(error))
    finally:
        worker.stop()
        service.folder.remove()
    assert isinstance(last, Failure)
    return parsed(last.comment)._replace(traceback=last.traceback)


def parsed(text: str) -> Told:
    """An error as it is printed, taken apart again."""
    what, where, fix = re.fullmatch(  # type: ignore[union-attr]
        r"(.*?)(?:\n  where: (.*?))?(?:\n  fix: (.*?))?", text, re.DOTALL
    ).groups()
    return Told(what, where or "", fix or "")


TOLD_BY = {"served": told_by_service, "notebook": told_by_notebook}


@pytest.fixture(scope="module")
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all: making an environment takes seconds."""
    return tmp_path_factory.mktemp("isolated") / "project"


@pytest.fixture
def reported(make_solution: MakeSolution, tmp_path: Path, isolated_home: Path) -> Iterator[Any]:
    """Call it with a mode and the code of the inference step; returns what is told."""

    def fail(mode: str, code: str, **options: Any) -> Told:
        home = isolated_home if mode == "isolated" else tmp_path / mode
        beside = {"process": {"isolation": "process"}, "isolated": {"environment": "isolated"}}
        error = options.pop("error", StepError)
        first = options.pop("input_code", "self.data['x'] = 1; self.config['unit'] = 'mm'")
        make_solution(
            {"train": ""},
            {"input": first, "inference": code},
            home=home,
            beside={"inference": {**beside.get(mode, {}), **options}},
            control={"interface_mode": "file"} if mode == "file" else None,
        )
        return TOLD_BY.get(mode, told_by_run)(home, error)

    return fail


FAILURES = {
    "an error of its own": "raise ValueError('no rows')",
    "save_error": "self.asset.save_error('no rows')",
    "save_data twice": "self.asset.save_data(self.data)",
    "save_data of no dict": "self.asset.save_data([1])",
    "a key that is deleted": "del self.data['x']",
    "a key of config that is deleted": "del self.config['unit']",
    "no save_data": "self.asset.save_data = lambda data: None",
    "no model": "self.asset.get_model_path()",
    "a path of train": "self.asset.get_report_path()",
    "an arg that is missing": "self.asset.check_args('depth', is_required=True)",
    "a summary that is wrong": "self.asset.save_summary('x', 7)",
    "no summary to load": "self.asset.load_summary()",
    "sys.exit": "import sys; sys.exit(3)",
    "os._exit": "import os; os._exit(3)",
    "a module that is missing": "import importlib; importlib.import_module('no_such' + '_module')",
    "out of memory": "raise MemoryError",
    "a full disk": "raise OSError(28, 'No space left on device')",
    "recursion": "def f(): f()\nf()",
}
# Where advice differs, and has to.
ADVICE = {
    ("no model", "served"): "alo deploy RUN_ID brings it into the service",
    ("no model", "notebook"): "run the train pipeline first, and save() it",
    ("no model", ""): "run the train pipeline first (alo run --mode train)",
    ("an arg that is missing", "served"): "or give it with the request",
}
# What helps no one there.
ODD = {
    "served": ("alo run --debug", "run again", "save()", "project.", "--no-wait", ".alo/serve"),
    "notebook": ("--", "alo run"),
    "memory": ("save()", "project.", "the request"),
    "file": ("save()", "project.", "the request", "or set interface_mode"),
    "process": ("save()", "project.", "the request"),
    "isolated": ("save()", "project.", "the request"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_reported_the_same_in_each_mode(
    reported: Any, what: str, tmp_path: Path
) -> None:
    by_mode = {mode: reported(mode, FAILURES[what]) for mode in MODES}

    first = by_mode["memory"]
    assert first.where.count("assets/inference/asset_inference.py:")
    for mode, each in by_mode.items():
        assert each.what == first.what
        assert each.where.rpartition("assets/")[2] == first.where.rpartition("assets/")[2]
        assert not [odd for odd in ODD[mode] if odd in f"{each.what} {each.where} {each.fix}"]
        assert "alo/engine" not in each.traceback
        advice = ADVICE.get((what, mode)) or ADVICE.get((what, "")) or first.fix
        assert advice in each.fix


@pytest.mark.parametrize("mode", MODES)
def test_the_first_step_is_reported_that_it_has_no_data(reported: Any, mode: str) -> None:
    each = reported(mode, "", input_code="self.asset.load_data()")

    assert "is the first step, so there is no data to load" in each.what
    assert "begin with an empty dict" in each.fix
    assert "assets/input/asset_input.py:" in each.where


@pytest.mark.parametrize("mode", MODES)
def test_a_value_that_cannot_be_stored_is_reported_with_what_can_be(
    reported: Any, mode: str
) -> None:
    """Values are stored in file mode, and wherever a step has a process of its own."""
    beside = {"isolation": "process"} if mode not in ("file", *APART) else {}
    code = "import threading; self.data['lock'] = threading.Lock()"

    each = reported(mode, code, error=StoreError, **beside)

    assert "data['lock'] of step 'inference' cannot be stored" in each.what
    assert "only in memory mode, without the cache" in each.fix
    assert not [odd for odd in ODD[mode] if odd in each.fix]


@pytest.mark.parametrize("mode", ["process", "isolated", "served"])
@pytest.mark.parametrize(
    ("signal", "meaning", "fix"),
    [
        ("SIGKILL", "as the system does when memory runs out", "work on less data at once"),
        ("SIGSEGV", "a segmentation fault", ""),
    ],
)
def test_a_process_that_is_killed_is_reported_by_step_and_how(
    reported: Any, mode: str, signal: str, meaning: str, fix: str
) -> None:
    each = reported(mode, f"import os, signal; os.kill(os.getpid(), signal.{signal})")

    assert f"step 'inference' failed: its process was ended by {signal} ({meaning}" in each.what
    assert fix in each.fix
    assert not [odd for odd in ODD[mode] if odd in each.fix]


@pytest.mark.parametrize("mode", MODES)
def test_a_step_that_takes_too_long_is_reported_where_its_time_is_set(
    reported: Any, mode: str
) -> None:
    for limit in GROWING_LIMITS_S:
        each = reported(mode, "import time; time.sleep(600)", timeout=limit)
        assert f"it took longer than its timeout of {limit} s" in each.what
        assert "'timeout' next to the step in the plan" in each.fix
        if each.where:  # it has come as far as that
            break

    assert "assets/inference/asset_inference.py:15, in run()" in each.where


@pytest.mark.parametrize("mode", MODES)
def test_an_asset_may_use_asyncio_in_each_mode(reported: Any, mode: str) -> None:
    """And fails only by what it does itself."""
    code = """
    import asyncio
    async def three():
        return 3
    raise ValueError(asyncio.run(three()))
    """

    assert "ValueError: 3" in reported(mode, code).what
