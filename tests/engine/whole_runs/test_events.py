"""What real runs leave in ``log/events.jsonl``, and print with ``--json``."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alo.cli.main import main
from alo.errors import RunError, StepError
from alo.events.journal import MOST_BYTES
from alo.history.browse import History
from alo.layout import Workspace

MakeSolution = Callable[..., Path]
Run = Callable[..., Any]
Alo = Callable[..., "subprocess.CompletedProcess[str]"]

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/events.schema.json").read_text("utf-8")
)
USE = """
    self.asset.save_summary("ok", 0.5, probability={"a": 0.5, "b": 0.5})
    Path(self.asset.get_output_path(), "a.csv").write_text("1")
"""


def read(path: Path) -> list[dict[str, Any]]:
    """The events of a file: each as the schema says, numbered without gaps, of one run."""
    events = [json.loads(line) for line in path.read_bytes().decode().splitlines()]
    for event in events:
        Draft202012Validator(SCHEMA).validate(event)
    assert [event["sequence"] for event in events] == list(range(len(events)))
    assert len({(event["run_id"], event["pipeline"]) for event in events}) == 1
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert events[0]["event"] == "run_started"
    return events


def entry_of(home: Path, kind: str = "train") -> Path:
    """The entry of the only run."""
    (entry,) = (home / "history" / kind).iterdir()
    return entry


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_json_prints_what_is_in_the_files_and_what_belongs_to_no_run(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution(
        {"input": "print('한글')", "train": "self.asset.save_info('x', show=True)"},
        {"use": USE},
        beside={"train": {"cache": True}},
        external={"load_train_data_path": ""},  # which the check warns of
    )

    done = alo("run", "--json", cwd=home)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines(keepends=True)
    for kind in ("train", "inference"):
        live = home / f"{kind}_artifacts/log/events.jsonl"
        events = read(live)
        run_id = events[0]["run_id"]
        assert run_id == entry_of(home, kind).name
        printed = [line for line in lines if json.loads(line)["run_id"] == run_id]
        assert "".join(printed) == live.read_text()
        assert (entry_of(home, kind) / "log/events.jsonl").read_text() == live.read_text()
        assert events[-1]["event"] == "run_finished"
        assert events[-1]["payload"]["history"] == str(entry_of(home, kind))
    apart = [each for each in map(json.loads, lines) if not each["run_id"]]
    assert {each["event"] for each in apart} == {"log"}
    assert [each["sequence"] for each in apart] == list(range(len(apart)))
    for each in apart:
        Draft202012Validator(SCHEMA).validate(each)
    assert not any(History(Workspace(home)).verify().values())


def test_a_run_that_fails_has_its_end_and_leaves_its_events_where_its_logs_are(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": "if 'boom' in self.args: raise ValueError('boom')"})
    run(home)
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"args": {}', '"args": {"boom": 1}'))

    with pytest.raises(StepError):
        run(home)

    events = read(home / "train_artifacts/log/events.jsonl")
    (entry,) = (home / "history/train").glob("*-error")
    assert read(entry / "log/events.jsonl") == events
    assert events[-1]["payload"]["status"] == "error"
    assert events[-1]["payload"]["history"] == str(entry)
    errors = [each for each in events if each["payload"].get("level") == "ERROR"]
    assert "ValueError: boom" in errors[0]["payload"]["text"]
    assert not any(History(Workspace(home)).verify().values())


def test_a_run_whose_entry_cannot_be_made_ends_once_and_as_it_did(
    make_solution: MakeSolution, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_solution({"train": ""})

    def fail(*given: object, **options: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("alo.engine.pipeline_run.save_entry", fail)

    with pytest.raises(RunError, match="cannot be kept in history"):
        run(home)

    events = read(home / "train_artifacts/log/events.jsonl")
    ends = [each["payload"] for each in events if each["event"] == "run_finished"]
    assert [(each["status"], each["history"]) for each in ends] == [("error", "")]
    assert events[-1]["event"] == "run_finished"


def test_a_killed_runs_events_are_in_its_entry_with_an_end(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": "import os, signal; print('x'); os.kill(os.getpid(), 9)"})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home), "--quiet"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    live = home / "train_artifacts/log/events.jsonl"
    before = read(live)
    assert before[-1]["payload"] == {"stream": "stdout", "text": "x\n"}
    with live.open("ab") as file:
        file.write(b'{"run_id": "cut off in the mid')
    (home / "assets/train/asset_train.py").write_text(
        (home / "assets/train/asset_train.py").read_text().replace("os.kill", "(lambda *_: 0)")
    )

    run(home)

    (entry,) = (home / "history/train").glob("*-error")
    events = read(entry / "log/events.jsonl")
    assert events[:-1] == before
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["payload"]["status"] == "interrupted"
    assert events[-1]["payload"]["history"] == str(entry)
    assert not any(History(Workspace(home)).verify().values())


def test_processes_that_an_asset_forks_print_into_the_same_stream(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution(
        {
            "train": """
    import multiprocessing
    context = multiprocessing.get_context("fork")
    def speak(name):
        for number in range(50):
            print(name, number)
    children = [context.Process(target=speak, args=(name,)) for name in range(3)]
    for child in children: child.start()
    speak("parent")
    for child in children: child.join()
    """
        }
    )

    done = alo("run", "--json", cwd=home)

    assert done.returncode == 0, done.stderr
    live = home / "train_artifacts/log/events.jsonl"
    texts = [each["payload"]["text"] for each in read(live) if each["event"] == "output"]
    wanted = "".join(f"{name} {number}\n" for name in ("parent", 0, 1, 2) for number in range(50))
    assert sorted("".join(texts)) == sorted(wanted)  # on a busy machine a line may come in pieces
    run_id = read(live)[0]["run_id"]
    printed = [line for line in done.stdout.splitlines() if json.loads(line)["run_id"] == run_id]
    assert sorted(printed) == sorted(live.read_text().splitlines())


def test_an_asset_that_prints_100_mb_leaves_4_and_the_end(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"train": "for _ in range(1000): print('x' * 100_000)", "last": "print('more')"}
    )

    run(home)

    path = entry_of(home) / "log/events.jsonl"
    events = read(path)
    assert path.stat().st_size <= MOST_BYTES
    kept = sum(len(each["payload"]["text"]) for each in events if each["event"] == "output")
    left = sum(each["payload"]["characters"] for each in events if each["event"] == "left_out")
    assert kept + left == 1000 * 100_001 + len("more\n")
    names = [each["event"] for each in events]
    assert names.count("step_finished") == 2
    assert names[-1] == "run_finished"


def test_a_disk_that_fills_while_events_are_written_fails_the_run_and_not_the_asset(
    make_solution: MakeSolution, small_disk: Callable[..., Path], run: Run
) -> None:
    disk = small_disk(24)
    home = make_solution(
        {
            "train": """
    filler = Path(self.asset.get_model_path(), "filler")
    with filler.open("wb", buffering=0) as file:
        try:
            while True: file.write(bytes(1 << 20))
        except OSError: pass
        try:
            while True: file.write(bytes(100))
        except OSError: pass
    for number in range(1000): print("x" * 100)
    filler.unlink()
    """
        },
        home=disk / "project",
    )

    with pytest.raises(Exception, match="the log cannot be written: No space left"):
        run(home)

    events = read(entry_of(home) / "log/events.jsonl")
    assert events[-1]["payload"]["status"] == "error"


def test_without_logs_in_history_there_are_no_events_in_it(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": ""}, control={"backup_log": False})

    run(home)

    assert read(home / "train_artifacts/log/events.jsonl")[-1]["event"] == "run_finished"
    assert not (entry_of(home) / "log/events.jsonl").exists()


def test_another_process_reads_along(make_solution: MakeSolution, tmp_path: Path) -> None:
    go = tmp_path / "go"
    home = make_solution(
        {
            "train": f"""
    import time
    print("waiting")
    while not Path({str(go)!r}).exists(): time.sleep(0.01)
    """
        }
    )
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home), "--quiet"]
    running = subprocess.Popen(command)
    live = home / "train_artifacts/log/events.jsonl"
    try:
        wait_until(lambda: live.exists() and b"waiting" in live.read_bytes())
        assert [each["event"] for each in read(live)][-1] == "output"
    finally:
        go.touch()
        assert running.wait(60) == 0
    assert read(live)[-1]["event"] == "run_finished"


def test_a_rerun_prints_the_same_objects_as_its_file_has(
    make_solution: MakeSolution, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": "print('x')"})
    (first,) = run(home)

    assert main(["history", "rerun", first.run_id, "--json", "--project", str(home)]) == 0

    live = (home / "train_artifacts/log/events.jsonl").read_text()
    assert json.loads(live.splitlines()[0])["run_id"] != first.run_id
    assert live in capfd.readouterr().out


def test_a_run_that_is_ended_by_a_signal_has_its_end(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution({"train": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home), "--quiet"]

    assert subprocess.run(command, check=False, capture_output=True).returncode == 143

    events = read(entry_of(home) / "log/events.jsonl")
    assert events[-1]["payload"]["status"] == "interrupted"
    assert os.path.samefile(events[-1]["payload"]["history"], entry_of(home))
