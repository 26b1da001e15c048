"""No password of a URL comes out of a run: not on the console, in a log, in history or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from alo.errors import StepError
from alo.plan.changes import changed_line

MakeSolution = Callable[..., Path]
Alo = Callable[..., "CompletedProcess[str]"]

URL = "https://me:SECRET@127.0.0.1:9/table.csv?X-Amz-Signature=SECRET&token=SECRET"


def texts_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8", "replace")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_arg_is_kept_as_it_is_and_shown_without(make_solution: MakeSolution, alo: Alo) -> None:
    home = make_solution(
        {"train": "assert 'SECRET' in self.args['database']"}, args={"train": {"database": "x"}}
    )
    (home / "input/train").mkdir(parents=True)
    (home / "input/train/x").write_text("1")

    ran = alo("run", "--mode", "train", "--set", f"train.database={URL}", "--json", cwd=home)
    (entry,) = (home / "history/train").iterdir()
    shown = alo("history", "show", "--json", entry.name, cwd=home)
    listed = alo("history", "--json", cwd=home)

    assert (ran.returncode, shown.returncode) == (0, 0), ran.stdout + ran.stderr + shown.stderr
    assert "127.0.0.1:9/table.csv" in shown.stdout
    for process in (ran, shown, listed):
        assert "SECRET" not in process.stdout + process.stderr
    kept = texts_below(home / "history")
    with_it = {name for name, text in kept.items() if "SECRET@" in text}
    assert [name.rpartition("/")[2] for name in with_it] == ["experimental_plan.yaml"]
    again = alo("history", "rerun", entry.name, cwd=home)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "SECRET" not in again.stdout + again.stderr


def test_what_an_asset_raises_is_reported_without(
    make_solution: MakeSolution, run: Callable[..., object]
) -> None:
    home = make_solution({"train": f"x = [[1]]\nraise OSError('no answer from {URL}')"})

    with pytest.raises(StepError) as caught:
        run(home, "train")

    error = caught.value
    assert "no answer from https://127.0.0.1:9/table.csv" in error.what
    assert "no answer from https://127.0.0.1:9/table.csv" in error.user_traceback
    assert "SECRET" not in f"{error} {error.user_traceback.splitlines()[-1]}"
    (entry,) = (home / "history/train").iterdir()
    record = json.loads((entry / "log/experimental_history.json").read_text())
    assert "SECRET" not in str(record)
    for log in ("process.log", "pipeline.log"):
        assert "SECRET" not in (entry / "log" / log).read_text()


def test_a_source_line_in_a_traceback_stays_as_it_is(
    make_solution: MakeSolution, run: Callable[..., object]
) -> None:
    home = make_solution({"train": "x, w, i, j = [], [], 0, 0\nx[i:j]@w"})

    with pytest.raises(StepError) as caught:
        run(home, "train")

    assert "x[i:j]@w" in caught.value.user_traceback


@pytest.mark.parametrize(
    "command", [["check", "--online"], ["check", "--online", "--json"], ["run"]]
)
def test_a_place_that_cannot_be_reached_is_named_without(
    make_solution: MakeSolution, alo: Alo, command: list[str]
) -> None:
    home = make_solution({"train": "pass"}, external={"load_train_data_path": URL})

    done = alo(*command, "--mode", "train", cwd=home)

    assert done.returncode == 2
    assert "https://127.0.0.1:9/table.csv" in done.stdout + done.stderr
    assert "SECRET" not in done.stdout + done.stderr


def test_a_change_is_reported_without_before_it_is_cut() -> None:
    assert "SECRET" not in changed_line("key", f"https://me:{'SECRET' * 60}@host/x", URL)
