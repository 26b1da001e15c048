"""What an asset does wrong ends the run with an error: what, where, and how to mend it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import CheckError, ResultError, StepError

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

BARE = """\
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        {code}
"""

# What run() does → what the error has to say
FAULTS = {
    "raises": ("raise ValueError('no such column')", "ValueError: no such column"),
    "exits": ("import sys; sys.exit(3)", "exit(3)"),
    "exits well": ("import sys; sys.exit()", "exit(None)"),
    "ends the process": ("import os; os._exit(0)", "exit(0)"),
    "has no message": ("raise type('Bad', (Exception,), {'__str__': lambda s: 1 / 0})", "Bad"),
    "stops itself": ("self.asset.save_error('the table is empty')", "the table is empty"),
    "lacks a package": ("import not_there_at_all", "name its package in the step's requirements"),
    "saves no data": ("self.asset.save_config(self.asset.load_config())", "save_data"),
    "saves no config": ("self.asset.save_data({})", "save_config"),
    "saves data twice": ("self.asset.save_data({}); self.asset.save_data({})", "save_data"),
    "saves a list": ("self.asset.save_data([])", "dict"),
    "loads at the first step": ("self.asset.load_data()", "first step"),
    "drops config": (
        "c = self.asset.load_config(); del c['meta']; self.asset.save_config(c)",
        "meta",
    ),
    "asks for a wrong type": ("self.asset.check_args('a', chng_type='set')", "set"),
    "runs out of stack": ("(f := lambda: f())()", "RecursionError"),
    "imports what ALO 1 had": ("import alolib.common", "an asset of ALO 1"),
    "raises nothing known": ("raise BaseException('odd')", "odd"),
    "raises in a generator": ("raise GeneratorExit('odd')", "odd"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_run_is_reported_with_its_place(
    fault: str, make_solution: MakeSolution, run: Run
) -> None:
    code, reported = FAULTS[fault]
    home = make_solution({"bad": BARE.format(code=code)})

    with pytest.raises(StepError) as caught:
        run(home)

    assert reported in str(caught.value)
    assert caught.value.step == "bad"
    assert "assets/bad/asset_bad.py" in str(caught.value)


def test_the_traceback_is_the_users_own(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution({"bad": "import helper; helper.fail()"})
    (home / "assets/bad/helper.py").write_text(
        "def fail():\n    raise KeyError('x') from OSError()\n"
    )

    with pytest.raises(StepError) as caught:
        run(home)

    traceback = caught.value.user_traceback
    assert "helper.py" in traceback
    assert "asset_bad.py" in traceback
    assert "OSError" in traceback
    assert f"alo{os.sep}engine" not in traceback
    assert "alolib" not in traceback
    assert caught.value.where.startswith("assets/bad/helper.py:2")


def test_keys_deleted_in_place_are_named(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(
        {
            "one": "self.data.update(kept=1, lost=2, gone=3)",
            "two": "self.data.pop('lost'); self.data.pop('gone')",
        }
    )

    with pytest.raises(StepError, match=r"(?s)lost.*gone|gone.*lost"):
        run(home)


def test_an_init_that_raises_fails_the_step(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(
        {
            "bad": """\
            from alolib.asset import Asset


            class UserAsset(Asset):
                def __init__(self, asset_structure):
                    super().__init__(asset_structure)
                    raise OSError("no model here")

                def run(self):
                    pass
            """
        }
    )

    with pytest.raises(StepError, match="no model here"):
        run(home)


def test_an_asset_that_forgets_to_call_super_is_reported_so(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {
            "bad": """\
            from alolib.asset import Asset


            class UserAsset(Asset):
                def __init__(self, asset_structure):
                    self.rows = 3

                @Asset.decorator_run
                def run(self):
                    self.asset.save_data({})
            """
        }
    )

    with pytest.raises(StepError, match="super"):
        run(home)


def test_a_failed_run_is_in_history_with_its_reason_and_its_log(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {
            "bad": "self.asset.save_info('so far')\n"
            "Path(self.asset.get_output_path(), 'half').write_text('')\n1 / 0"
        }
    )

    with pytest.raises(StepError):
        run(home)

    (entry,) = (home / "history/train").iterdir()
    assert entry.name.endswith("-error")
    record = json.loads((entry / "log/experimental_history.json").read_text())
    assert record["status"] == "error"
    assert record["failed_step"] == "bad"
    assert "ZeroDivisionError" in record["reason"]
    assert (entry / "output/half").exists()
    assert "so far" in (entry / "log/pipeline.log").read_text()
    assert "ZeroDivisionError" in (entry / "log/process.log").read_text()
    assert "so far" in (home / "train_artifacts/log/pipeline.log").read_text()


# A module → what the check has to say about it, before anything runs
BAD_FILES = {
    "syntax error": ("#\ndef f(:\n", "asset_bad.py:2:"),
    "no class": ("#\nx = 1\n", "UserAsset"),
    "two classes": (BARE.format(code="pass") + "\n\nclass UserAsset(Asset):\n    pass\n", "second"),
    "no run": ("#\nfrom alolib.asset import Asset\nclass UserAsset(Asset):\n    pass\n", "run"),
    "missing import": ("import not_there_at_all\n" + BARE.format(code="pass"), "not installed"),
    "async run": (BARE.format(code="pass").replace("def run", "async def run"), "'async def'"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_what_is_wrong_with_a_file_is_reported_before_anything_runs(
    fault: str, make_solution: MakeSolution, run: Run
) -> None:
    code, reported = BAD_FILES[fault]
    home = make_solution({"good": "print('ran')", "bad": code})

    with pytest.raises(CheckError) as caught:
        run(home)

    assert reported in str(caught.value)
    assert not (home / "train_artifacts").exists()
    assert not (home / "history").exists()


def test_a_missing_asset_is_reported_with_the_file_to_make(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"bad": ""})
    (home / "assets/bad/asset_bad.py").unlink()

    with pytest.raises(CheckError, match=r"asset_bad\.py"):
        run(home)


@pytest.mark.parametrize("decorator", ["", "    @Asset.decorator_run\n"])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("coroutine", "    async def run(self): print('ran')"),
        ("generator", "    def run(self): yield print('ran')"),
        ("async generator", "    async def run(self): yield print('ran')"),
    ],
)
def test_a_run_of_a_base_that_only_makes_something_to_run_fails(
    decorator: str, kind: str, code: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"bad": "from helper import Base\nclass UserAsset(Base):\n    pass\n"})
    base = f"from alolib.asset import Asset\nclass Base(Asset):\n{decorator}{code}\n"
    (home / "assets/bad/helper.py").write_text(base)

    with pytest.raises(StepError, match=f"made a {kind} and did nothing else") as caught:
        run(home)

    assert "assets/bad/helper.py:3" in str(caught.value)


SIDE_EFFECTS = {
    "changes the folder": "import os; os.chdir('/')",
    "changes sys.path": "import sys; sys.path[:] = ['/nowhere']",
    "closes stdout": "import sys; sys.stdout.close(); sys.stderr.close()",
    "closes descriptors": "import os; os.close(1); os.close(2)",
    "replaces stdout": "import sys, io; sys.stdout = io.StringIO()",
    "disables logging": "import logging; logging.disable(logging.CRITICAL)",
    "leaves handlers": "import logging; logging.basicConfig(level='ERROR', force=True)",
    "ignores warnings": "import warnings; warnings.simplefilter('ignore')",
    "leaves a thread": "import threading, time; "
    "threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()",
    "prints much": "print('x' * 3_000_000)",
    "prints oddly": "print('\\ud800 \\x00 한글')",
    "forks": "import os; pid = os.fork() or os._exit(0); os.waitpid(pid, 0)",
    "starts a process": "import subprocess; subprocess.run(['true'], check=True)",
}


@pytest.mark.parametrize("effect", SIDE_EFFECTS)
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_what_an_asset_does_to_the_process_does_not_reach_the_next_step(
    effect: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {
            "bad": SIDE_EFFECTS[effect],
            "next": "import logging, json; print('still here'); logging.warning('logged too')",
        }
    )
    folder = os.getcwd()

    run(home)

    log = (home / "train_artifacts/log/pipeline.log").read_text()
    assert "still here\n" in log
    assert "logged too" in log
    assert os.getcwd() == folder


# Files in output/ → is it a valid result?
OUTPUTS = {
    ("output.csv",): True,
    ("a.CSV",): True,
    ("a.jpeg", "b.csv"): True,
    ("a.svg",): True,
    ("a.png", "b.JPG"): False,
    ("a.csv", "b.csv"): False,
    ("a.txt",): False,
    ("a.csv", "b.json"): False,
    (): False,
}


@pytest.mark.parametrize("names", OUTPUTS, ids=" ".join)
def test_an_inference_must_leave_a_table_an_image_or_both(
    names: tuple[str, ...], make_solution: MakeSolution, run: Run
) -> None:
    write = (
        "self.asset.save_summary('r', 1)\n"
        "folder = Path(self.asset.get_output_path())\n"
        f"for name in {names}: (folder / name).write_text('')\n"
        "(folder / 'sub').mkdir()"
    )
    home = make_solution(None, {"output": write})

    if OUTPUTS[names]:
        run(home, "inference")
    else:
        with pytest.raises(ResultError) as caught:
            run(home, "inference")
        assert all(name in str(caught.value) for name in names)


def test_an_inference_without_a_summary_fails(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(
        None, {"output": "Path(self.asset.get_output_path(), 'a.csv').write_text('')"}
    )

    with pytest.raises(ResultError, match="save_summary"):
        run(home, "inference")


def test_inference_without_a_model_says_to_train_first(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(None, {"inference": "self.asset.get_model_path()"})

    with pytest.raises(
        StepError, match=r"(?s)train_artifacts/models/train/.*run the train pipeline first"
    ):
        run(home, "inference")


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "", "."])
def test_a_step_name_that_is_no_plain_name_is_refused(
    name: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"ok": ""})
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"ok"', json.dumps(name)))

    with pytest.raises(CheckError):
        run(home)


def test_korean_step_names_and_folders_work(
    make_solution: MakeSolution, run: Run, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    home = make_solution(
        {"학습": "Path(self.asset.get_model_path(), '모델').write_text('가')"},
        home=tmp_path / "내 프로젝트 folder",
        name="유방암 예측",
    )

    (outcome,) = run(home)

    assert (home / "train_artifacts/models/학습/모델").read_text() == "가"
    assert outcome.run_id.endswith("-유방암-예측")


def test_a_helper_class_may_call_the_api_that_it_was_given(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"a": BARE.format(code="import helper; helper.Saver(self.asset).save()")})
    (home / "assets/a/helper.py").write_text(
        "class Saver:\n"
        "    def __init__(self, asset):\n        self.asset = asset\n"
        "    def save(self):\n"
        "        self.asset.save_data({'x': 1})\n"
        "        self.asset.save_config(self.asset.load_config())\n"
    )

    run(home)
