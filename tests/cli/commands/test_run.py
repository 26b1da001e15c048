from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alo.cli.main import main
from alo.history.entries import save as entry
from alo.history.entries.folders import unsealed_entries
from alo.layout import Workspace

from ...support.waiting import PATIENCE_S, wait_until

if TYPE_CHECKING:
    from tests.conftest import MakeSolution

INFERENCE = """\
open(self.asset.get_output_path() + "output.csv", "w").write("a,b\\n1,2\\n")
self.asset.save_summary("fine", 0.5, note="a note")
"""
Alo = Callable[..., "subprocess.CompletedProcess[str]"]


def test_both_pipelines_run_and_are_reported_in_a_page(
    make_solution: MakeSolution, alo: Alo
) -> None:
    train = "self.data['x'] = 1; self.asset.save_info('a line to show', show=True); print('hello')"
    home = make_solution({"train": train}, {"inference": INFERENCE})

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "step 1 of 1  train" in lines
    assert "hello" in lines
    assert any(line.split() == ["train", "a", "line", "to", "show"] for line in lines)
    assert "result       fine  (score 0.5)" in lines
    assert "artifacts    inference_artifacts" in lines
    assert "\x1b" not in done.stdout
    assert len(lines) < 20


def test_a_failing_asset_ends_with_its_traceback_what_where_and_fix(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution({"train": "{}['nix']"})

    done = alo("run", cwd=home)

    assert done.returncode == 1
    assert "Traceback (most recent call last):" in done.stderr
    assert "/alo/engine/" not in done.stderr
    last = done.stderr.splitlines()[-2:]
    assert last[0] == "error: step 'train' failed: KeyError: 'nix'"
    assert last[1].startswith("  where: assets/train/asset_train.py:")
    assert "train failed after" in done.stdout


def test_json_is_all_that_is_on_stdout(make_solution: MakeSolution, alo: Alo) -> None:
    home = make_solution({"train": "print('hello'); self.asset.save_error('no good')"})

    done = alo("run", "--json", cwd=home)

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert {"run_started", "output", "log", "step_finished"} <= {each["event"] for each in events}
    assert [each["event"] for each in events[-2:]] == ["run_finished", "error"]
    assert "no good" in events[-1]["payload"]["what"]


def test_quiet_says_nothing_of_a_success(
    make_solution: MakeSolution, capfd: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": "print('hello'); self.asset.save_info('x', show=True)"})

    assert main(["run", "--project", str(home), "--quiet"]) == 0

    assert capfd.readouterr() == ("", "")


def test_args_may_be_set_for_one_run(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution(
        {"train": "print(self.asset.load_args())"}, args={"train": {"a": 1, "b": 2}}
    )

    status = main(
        ["run", "--project", str(home), "--set", "train.a=[1, x]", "--set", "train.b=yes"]
    )

    assert status == 0
    assert "{'a': [1, 'x'], 'b': True}" in capsys.readouterr().out


def test_another_plan_and_solution_metadata_may_be_named(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": "print(self.asset.load_args())"}, args={"train": {"a": 1}})
    (home / "solution" / "experimental_plan.yaml").rename(home / "other.yaml")
    step = {"step": "train", "args": {"a": 7}}
    metadata = {
        "metadata_version": "1.2",
        "name": "x",
        "pipeline": [{"type": "train", "parameters": {"selected_user_parameters": [step]}}],
    }
    words = ["--config", "other.yaml", "--system", json.dumps(metadata)]

    assert main(["run", "--project", str(home), *words]) == 0

    assert "{'a': 7}" in capsys.readouterr().out


def test_another_place_to_compute_is_refused(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": ""})

    assert main(["run", "--project", str(home), "--computing", "sagemaker"]) == 2

    assert "there is no such executor" in capsys.readouterr().err
    assert not (home / "train_artifacts").exists()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_ends_it_with_the_status_that_says_so(
    number: int, status: int, make_solution: MakeSolution
) -> None:
    home = make_solution({"train": "import time; print('ready', flush=True); time.sleep(60)"})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home)]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == status
    assert "train was interrupted" in out
    assert "Traceback" not in err
    assert "interrupted" in err.splitlines()[-1]


def test_the_run_continues_when_no_one_reads_any_more(make_solution: MakeSolution) -> None:
    body = "\n".join(f"print('line {number}', flush=True)" for number in range(50))
    home = make_solution({"train": f"{body}\nopen('done', 'w').close()"})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home)]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (0, b"")
    assert (home / "done").exists()


MODEL = "Path(self.asset.get_model_path(), 'model').write_text('good')"
LARGE = """
import atexit, os, subprocess, sys
from alo.history.entries import save as entry
from alo.cli.main import main

entry.COPIED_AT_ONCE = 0  # every file is a large one

def look():
    for _ in range(3):  # time enough for who does not wait
        subprocess.run([sys.executable, "-c", "import alo.history.entries.seal"], check=True)
    print("left to do:", len(os.listdir("history/.unsealed")), flush=True)

atexit.register(look)
sys.exit(main())
"""


def sealed(home: Path) -> bool:
    return wait_until(lambda: not unsealed_entries(Workspace(home)))


def test_large_files_are_copied_into_history_once_the_process_has_ended(
    make_solution: MakeSolution,
) -> None:
    home = make_solution({"train": MODEL})

    command = [sys.executable, "-c", LARGE, "run"]
    done = subprocess.run(command, cwd=home, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S)

    assert done.stdout.endswith("left to do: 1\n")
    assert sealed(home)


def test_a_caller_who_lives_on_does_not_keep_them_from_being_copied(
    make_solution: MakeSolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "COPIED_AT_ONCE", 0)
    home = make_solution({"train": MODEL})

    assert main(["run", "--project", str(home), "--quiet"]) == 0

    assert sealed(home)
