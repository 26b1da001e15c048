"""Several machines on one sweep: each configuration once, also when one of them is gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.postgres_server import PostgresServer
from tests.support.swept_project import write_swept_project
from tests.support.waiting import wait_until

from alo.batch.sweep.definition import Definition, Metric
from alo.batch.sweep.proposals import shared, shared_database
from alo.batch.sweep.proposals.shared import SharedProposals
from alo.batch.sweep.space import Choices, Param, parse_spec
from alo.batch.sweep.trials import COMPLETE, LOST, RUNNING, Trial
from alo.errors import SweepError, UsageError
from alo.history.browse import History
from alo.layout import Workspace

PARAM = Param("train", "s", "x", parse_spec("1..4"))
GRID = Definition(
    name="s",
    params=(PARAM,),
    metrics=(Metric("score"),),
    sampler="grid",
    seed=0,
    storage="postgresql://there",
    ids={"data_id": "d", "code_id": "c", "args": "a"},
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    made = PostgresServer()
    yield made
    made.remove()


@pytest.fixture
def join(server: PostgresServer) -> Iterator[Callable[..., SharedProposals]]:
    url, made = server.new_database(), []

    def call(
        definition: Definition = GRID,
        trials: Mapping[int, Trial] | None = None,
        anyway: bool = False,
    ) -> SharedProposals:
        made.append(SharedProposals(url, definition, trials or {}, anyway=anyway))
        return made[-1]

    yield call
    for each in made:
        each.close()


Join = Callable[..., SharedProposals]


def complete(number: int, x: object, score: float = 0.5) -> Trial:
    return Trial(number=number, values={"s.x": x}, state=COMPLETE, results={"score": score})


def all_of(machine: SharedProposals) -> list[tuple[int, object]]:
    found = []
    while (each := machine.next()) is not None:
        found.append((each.number, each.values["s.x"]))
    return found


def test_two_machines_share_a_grid_point_by_point(join: Join) -> None:
    one, other = join(), join()
    asked = [each.next() for each in (one, other, one, other)]
    assert [each.values["s.x"] for each in asked if each] == [1, 2, 3, 4]
    assert (one.next(), other.next()) == (None, None)


def test_what_one_has_done_the_other_has_on_record(join: Join) -> None:
    one, other = join(), join()
    proposal = one.next()
    assert proposal is not None
    one.ended(complete(proposal.number, 1, 0.25))
    (reported,) = other.others()
    assert (reported.number, reported.results, reported.node) == (
        0,
        {"score": 0.25},
        os.uname().nodename,
    )
    assert [*other.others()] == []
    assert [*one.others()] == []


@pytest.mark.parametrize("sampler", ["random", "tpe", "gp", "cmaes", "qmc"])
def test_machines_with_one_seed_do_not_all_try_the_same(join: Join, sampler: str) -> None:
    wide = Param("train", "s", "x", parse_spec("0.0..1.0"))
    definition = replace(GRID, params=(wide,), sampler=sampler, trials=8)
    one, other = join(definition), join(definition)
    values = [each.values["s.x"] for _ in range(4) for m in (one, other) if (each := m.next())]
    assert len(set(values)) == 8
    assert (one.next(), other.next()) == (None, None)


def test_a_configuration_of_another_machine_is_not_run_again(join: Join) -> None:
    few = Param("train", "s", "x", Choices((1,)))
    definition = replace(GRID, params=(few,), sampler="random", trials=2)
    one, other = join(definition), join(definition)
    first = one.next()
    assert first is not None
    assert first.known is None
    one.ended(complete(first.number, 1, 0.25))
    second = other.next()
    assert second is not None
    assert second.known is not None
    assert (second.known.number, second.known.results) == (0, {"score": 0.25})


def test_the_trial_of_a_machine_that_is_gone_is_run_by_another_and_counts_once(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_database, "GRACE_S", 2)
    monkeypatch.setattr(shared, "HEARTBEAT_S", 0.2)
    gone, other = join(), join()
    lost = gone.next()
    assert lost is not None
    gone._closing.set()  # as a kill would: its heart beats no more
    found: list[object] = []
    wait_until(lambda: bool(found.extend(x for _, x in all_of(other)) or 1 in found))
    assert sorted(map(str, found)) == ["1", "2", "3", "4"]
    taken = gone.ended(complete(lost.number, 1))
    assert (taken.state, taken.results) == (LOST, {})
    assert "others run it again" in taken.error


def test_after_a_kill_a_machine_goes_on_with_its_own_trials(join: Join) -> None:
    before = join()
    asked = [before.next() for _ in range(2)]
    assert all(asked)
    before.close()
    record = {0: complete(0, 1, 0.75), 1: Trial(number=1, values={"s.x": 2}, state=RUNNING)}
    again = join(trials=record)  # 0 had not been told, 1 is to be run again
    assert [*again.changed] == [record[0]]
    assert again.ended(complete(1, 2)) == complete(1, 2)
    assert {each.number for each in join().others()} == {0, 1}
    assert [x for _, x in all_of(again)] == [3, 4]


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (replace(GRID, seed=5), "of another kind: seed: 0 → 5"),
        (replace(GRID, ids={**GRID.ids, "data_id": "e"}), "the data of sweep 's' is not"),
        (replace(GRID, ids={**GRID.ids, "code_id": "e", "args": "b"}), "the code and args of"),
    ],
)
def test_a_machine_that_does_something_else_is_refused(
    join: Join, other: Definition, word: str
) -> None:
    join()
    with pytest.raises(UsageError, match=word):
        join(other)
    join(replace(GRID, config="/of/this/machine", ids={**GRID.ids, "data_id": "e"}), anyway=True)


def test_a_database_that_has_lost_the_sweep_is_refused(join: Join) -> None:
    with pytest.raises(UsageError, match="does not know trial 3") as caught:
        join(trials={3: complete(3, 1)})
    assert f"--storage {GRID.storage}:" in caught.value.fix


def test_a_database_that_goes_away_is_told_with_what_to_do(server: PostgresServer) -> None:
    machine = SharedProposals(server.new_database(), GRID, {}, anyway=False)
    server.stop()
    try:
        with pytest.raises(SweepError, match="the database of the sweep fails") as caught:
            machine.next()
    finally:
        server.start()
    assert "alo sweep resume s" in caught.value.fix
    assert machine.next() is not None  # it is there again
    machine.close()


def test_args_that_are_not_swept_have_to_be_the_same(
    make_solution: Callable[..., Path], tmp_path: Path
) -> None:
    from alo.engine.request import RunRequest
    from alo.engine.run import ready

    home = write_swept_project(make_solution, tmp_path)

    def args_id(*words: str) -> str:
        request = RunRequest(home=home, mode="train", overrides=words)
        jobs = {job.pipeline.kind: job for job in ready(request, lambda event: None)}
        param = Param("train", "train", "x", parse_spec("1..4"))
        return shared.shared_ids(replace(GRID, params=(param,)), jobs)["args"]

    assert args_id() == args_id("train.x=3") != args_id("train.seed=1")


@pytest.fixture
def homes(make_solution: Callable[..., Path], tmp_path: Path) -> list[Path]:
    first = write_swept_project(make_solution, tmp_path)
    plan = first / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace("how: ''", "how: slow"))
    shutil.copytree(first, tmp_path / "second")
    return [first, tmp_path / "second"]


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "alo.cli.main", "sweep", *words, "--project", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trials_of(home: Path) -> list[dict[str, Any]]:
    path = home / "history/sweeps/s/trials.jsonl"
    newest = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        each = json.loads(line)
        newest[each["trial"]] = each
    return list(newest.values())


def test_two_machines_run_a_sweep_through_a_kill(homes: list[Path], server: PostgresServer) -> None:
    url = server.new_database()
    words = ("s", "--param", "train.x=1..10", "--storage", url, "--jobs", "1")
    killed, other = (start(home, *words) for home in homes)
    wait_until(lambda: any(each["state"] == RUNNING for each in trials_of(homes[0])))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    _, err = other.communicate(timeout=120)
    assert (other.returncode, err) == (0, "")
    again = start(homes[0], "resume", "s")
    _, err = again.communicate(timeout=120)
    assert (again.returncode, err) == (0, "")
    anew = start(homes[0], *words[:3], "--jobs", "1")  # the database is on record
    _, err = anew.communicate(timeout=120)
    assert (anew.returncode, err) == (0, "")

    done = Counter(
        each["args"]["train.x"]
        for home in homes
        for each in trials_of(home)
        if each["state"] == COMPLETE and not each["node"]
    )
    assert done == dict.fromkeys(range(1, 11), 1)
    here = trials_of(homes[0])  # knows all, also those of the other machine
    assert {each["args"]["train.x"] for each in here if each["state"] == COMPLETE} == {
        *range(1, 11)
    }
    runs = [each for home in homes for each in History(Workspace(home)).list()]
    assert len([each for each in runs if each.status == "success"]) == 10
    assert "storage" in (homes[0] / "history/sweeps/s/sweep.json").read_text()


def test_a_shared_sweep_has_a_name_and_one_of_this_machine_alone_stays_so(
    homes: list[Path], server: PostgresServer
) -> None:
    url = server.new_database()
    nameless = start(homes[0], "--param", "train.x=1..2", "--storage", url)
    assert "needs the sweep's name" in nameless.communicate(timeout=60)[1]
    assert nameless.returncode == 2
    alone = start(homes[0], "s", "--param", "train.x=1..2")
    alone.communicate(timeout=60)
    assert alone.returncode == 0
    for words in (("resume", "s"), ("s", "--param", "train.x=1..2")):
        shared_now = start(homes[0], *words, "--storage", url)
        assert "begun by this machine alone" in shared_now.communicate(timeout=60)[1]
        assert shared_now.returncode == 2
