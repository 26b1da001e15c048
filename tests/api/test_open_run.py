"""Runs that are left open: by cells run again, threads, deleted variables, the end of Python."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import alo
from alo.engine.workspace.lock import hold_workspace
from alo.errors import WorkspaceBusy
from alo.events.types import Event, LogLine
from alo.history.entries.names import RECORD
from alo.layout import Workspace

from ..support.waiting import PATIENCE_S

MakeSolution = Callable[..., Path]
Model = Callable[[], str]


def is_free(home: Path) -> bool:
    try:
        with hold_workspace(Workspace(home), wait=False, listener=lambda event: None, what="test"):
            return not (home / ".unfinished_run").exists()
    except WorkspaceBusy:
        return False


def warnings_of(heard: Any) -> list[str]:
    return [line.text for line in heard.of(LogLine) if line.level == "WARNING"]


def in_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", dedent(code)]
    return subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_cells_that_are_run_again_from_the_top_take_the_place_of_what_they_began(
    home: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    left_by_notebook = []

    for _ in range(2):
        project = alo.Project(".", listener=heard)
        pipeline = project.pipeline("train_pipeline")
        left_by_notebook.append(pipeline)
        pipeline.setup()
        pipeline.load()
        pipeline.run(steps="All")
    pipeline.save()

    assert "the run of the train_pipeline that was open here is given up" in warnings_of(heard)
    assert [row["status"] for row in project.history().to_dict("records")] == [
        "success",
        "interrupted",
    ]
    assert not left_by_notebook[0]["train"].has_run


def test_a_run_of_another_kind_does_not_take_the_place_of_one_that_is_open(
    project: alo.Project, home: Path, model: Model
) -> None:
    project.run("train")
    project.train["train"].args["factor"] = 2
    project.train.run()

    for begin in (project.inference.run, lambda: project.run("train"), project.install):
        with pytest.raises(WorkspaceBusy, match=r"(?s)train_pipeline is open.*close\(\)"):
            begin()

    assert model() == "12"
    project.close()
    assert model() == "6"
    assert is_free(home)


def test_a_pipeline_that_is_deleted_holds_nothing(home: Path, model: Model) -> None:
    project = alo.Project(home, listener=lambda event: None)
    project.run("train")
    project.train["train"].args["factor"] = 2
    project.train.run()

    del project
    gc.collect()

    assert is_free(home)
    assert model() == "6"


def test_what_is_open_when_python_ends_is_given_up(project: alo.Project, home: Path) -> None:
    project.run("train")

    done = in_python(
        """
        import alo
        train = alo.Project().train
        train["train"].args["factor"] = 5
        train.run()
        """,
        home,
    )

    assert done.returncode == 0, done.stderr
    assert is_free(home)
    assert (home / "train_artifacts/models/train/model").read_text() == "6"
    assert project.history().iloc[0]["status"] == "interrupted"


def test_a_fork_that_ends_leaves_its_parents_run_alone(home: Path) -> None:
    done = in_python(
        """
        import os, sys, alo
        train = alo.Project().train.run()
        if (child := os.fork()) == 0:
            sys.exit(0)
        os.waitpid(child, 0)
        print(train.save().status)
        """,
        home,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "success"


def test_a_signal_that_ends_python_ends_it_and_the_next_run_puts_all_in_order(
    make_solution: MakeSolution, project: alo.Project, home: Path
) -> None:
    (first,) = project.run("train")
    asset = home / "assets/train/asset_train.py"
    stop = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    asset.write_text(asset.read_text().replace("self.data['sum'] =", f"{stop}; self.data['sum'] ="))

    done = in_python("import alo; alo.Project().train.run()", home)

    assert done.returncode == -signal.SIGTERM
    (second, *_) = project.run("inference")
    assert second.summary == {**(second.summary or {}), "result": "6"}
    assert json.loads((second.history / RECORD).read_text())["train_id"] == first.run_id


def test_an_interrupt_while_a_run_begins_leaves_nothing_behind(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    home = make_solution({"train": ""}, external={"load_train_data_path": str(tmp_path / "data")})

    def interrupt(event: Event) -> None:
        if isinstance(event, LogLine) and event.text.startswith("input data"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alo.Project(home, listener=interrupt).train.run()

    assert is_free(home)


# Threads


def test_two_threads_with_one_pipeline_take_turns(project: alo.Project, home: Path) -> None:
    def work(_: int) -> str:
        return project.train.run().save().status

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, range(4), timeout=PATIENCE_S))

    assert results == ["success"] * 4
    assert is_free(home)


def test_steps_of_one_pipeline_in_two_threads_are_never_inside_together(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    code = """
    import time, uuid
    place = Path(self.args['place'])
    mine = place / f'inside-{uuid.uuid4()}'
    mine.touch()
    for _ in range(10_000):
        if len(list(place.glob('inside-*'))) > 1 or (place / 'waits').exists():
            break
        time.sleep(0.01)
    with open(place / 'seen', 'a') as file:
        print(len(list(place.glob('inside-*'))), file=file)
    mine.unlink()
    """
    place = tmp_path / "place"
    place.mkdir()

    def listener(event: Event) -> None:
        if isinstance(event, LogLine) and "waiting for another thread" in event.text:
            (place / "waits").touch()

    home = make_solution({"train": code}, args={"train": {"place": str(place)}})
    pipeline = alo.Project(home, listener=listener).train.load()

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(pipeline.run, "train") for _ in range(2)]
        wait(results, PATIENCE_S)

    assert (place / "seen").read_text().split() == ["1", "1"]
    assert pipeline.save().status == "success"


def test_two_threads_with_one_project_wait_for_each_other(project: alo.Project, home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(project.run, ["train"] * 4, timeout=PATIENCE_S))

    assert [outcome.status for (outcome,) in results] == ["success"] * 4
    assert len({outcome.run_id for (outcome,) in results}) == 4


def test_a_thread_waits_for_the_pipeline_of_another_and_says_so(
    home: Path, heard: Any, project: alo.Project
) -> None:
    pipeline = project.train.run()
    other = alo.Project(home, listener=heard)
    waits = threading.Event()

    def listener(event: Event) -> None:
        heard(event)
        if isinstance(event, LogLine) and "waiting for another run" in event.text:
            waits.set()

    other = alo.Project(home, listener=listener)
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(other.run, "train")
        assert waits.wait(PATIENCE_S)
        pipeline.save()
        (outcome,) = result.result(PATIENCE_S)

    assert outcome.status == "success"


def test_what_a_thread_left_open_that_has_ended_is_not_waited_for(
    project: alo.Project, home: Path
) -> None:
    thread = threading.Thread(target=project.train.run)
    thread.start()
    thread.join()

    with pytest.raises(WorkspaceBusy, match="train_pipeline is open"):
        project.run("train")

    project.train.save()
    assert is_free(home)


@pytest.mark.parametrize("isolation", ["", "process"])
def test_steps_of_two_projects_in_two_threads_do_not_mix(
    make_solution: MakeSolution, tmp_path: Path, isolation: str
) -> None:
    """Their prints, modules and working folders are the process'."""
    code = """
    import os
    from helper import NAME
    os.chdir(self.asset.get_output_path())
    for _ in range(50):
        print(NAME)
        assert os.getcwd() == self.asset.get_output_path().rstrip('/')
    Path('name.csv').write_text(NAME)
    """
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        beside = {"train": {"isolation": isolation}} if isolation else {}
        make_solution({"train": code}, home=home, beside=beside)
        (home / "assets/train/helper.py").write_text(f"NAME = '{home.name}'")
    here = os.getcwd()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_many, homes, timeout=PATIENCE_S))

    for home in homes:
        assert (home / "train_artifacts/output/name.csv").read_text() == home.name
        printed = (home / "train_artifacts/log/pipeline.log").read_text().split()
        assert ("one" in printed, "two" in printed) == (home.name == "one", home.name == "two")
    assert os.getcwd() == here


def run_many(home: Path) -> None:
    for _ in range(3):
        alo.Project(home, listener=lambda event: None).run("train")
