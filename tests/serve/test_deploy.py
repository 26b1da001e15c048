"""A new model takes over without a stop, only if it can answer; the one before is a step away."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.errors import HistoryError
from alo.history.deployment import Deployment, read_deployment
from alo.layout import Workspace

from .conftest import OUTPUT, Edge, RunningLoop
from .test_http import Service

MakeSolution = Callable[..., Path]
Alo = Callable[..., Any]
Run = Callable[..., Any]

TRAIN = "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['word']))"
USE = (
    "word = Path(self.asset.get_model_path(), 'm').read_text()\n"
    "if word == 'broken':\n    raise ValueError('a model of no use')\n"
    "self.data['result'] = word\n"
    f"{OUTPUT}"
)


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution(
        {"train": TRAIN},
        {"inference": USE},
        args={"train": {"word": "none"}},
        control={"backup_artifacts": True},
    )


@pytest.fixture
def trained(home: Path, run: Run) -> dict[str, str]:
    """Train runs by the word that their model answers."""
    found = {}
    for word in ("one", "two", "broken"):
        (outcome,) = run(home, mode="train", overrides=(f"train.word={word}",))
        found[word] = outcome.run_id
    return found


@pytest.fixture
def service(home: Path, trained: dict[str, str], alo: Alo) -> Iterator[Service]:
    """With the model ``one`` deployed."""
    assert alo("deploy", trained["one"], cwd=home).returncode == 0
    started = Service(home, "--workers", "2")
    yield started
    started.client.close()
    started.process.kill()
    started.process.wait()


def result(service: Service) -> str:
    answer = service.infer()
    assert answer.status_code == 200, answer.text
    return str(answer.json()["summary"]["result"])


def wait_until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not check():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_deployed_model_takes_over_while_the_service_answers(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    assert result(service) == "one"

    shown = alo("deploy", trained["two"], cwd=home)

    assert f"deployed  {trained['two']}" in shown.stdout
    answers: list[str] = []
    wait_until(lambda: answers.append(result(service)) or answers[-1] == "two")
    assert set(answers) <= {"one", "two"}
    wait_until(lambda: {result(service) for _ in range(4)} == {"two"})
    assert f'model_id="{trained["two"]}"' in service.client.get("/metrics").text

    assert alo("deploy", "--rollback", cwd=home).returncode == 0

    wait_until(lambda: {result(service) for _ in range(4)} == {"one"})
    assert read_deployment(Workspace(home)) == Deployment(trained["one"], trained["two"])


def test_a_model_that_fails_the_check_is_never_switched_to(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    assert result(service) == "one"

    alo("deploy", trained["broken"], cwd=home)

    wait_until(lambda: "the model stays as it is" in service.log.read_text())
    assert "a model of no use" in service.log.read_text()
    assert {result(service) for _ in range(4)} == {"one"}


def test_the_sample_of_the_project_is_what_a_model_has_to_answer(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/x.csv").write_text("a\n1\n")

    alo("deploy", trained["broken"], cwd=home)

    wait_until(lambda: "the check failed" in service.log.read_text())
    assert result(service) == "one"


def test_a_shadow_sees_the_requests_and_is_compared(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    alo("deploy", "--shadow", trained["two"], cwd=home)
    wait_until(lambda: "runs in the shadow" in service.log.read_text())

    for _ in range(3):
        assert result(service) == "one"

    def compared() -> dict[str, Any] | None:
        found = json.loads(alo("deploy", "--status", "--json", cwd=home).stdout)["compared"]
        return found if found and found["requests"] == 3 else None

    wait_until(lambda: compared() is not None)
    assert compared() == {
        "requests": 3,
        "same_results": 0,
        "mean_score": 0.5,
        "mean_shadow_score": 0.5,
    }
    assert "3 requests, 0 with the same result" in alo("deploy", "--status", cwd=home).stdout
    alo("deploy", "--shadow", "off", cwd=home)
    assert read_deployment(Workspace(home)).shadow == ""
    assert result(service) == "one"


def test_a_loop_follows_too_and_starts_with_what_is_deployed(
    home: Path,
    trained: dict[str, str],
    loop: Callable[..., RunningLoop],
    edge: Edge,
    alo: Alo,
) -> None:
    alo("deploy", trained["two"], cwd=home)
    running = loop(home)
    assert edge.ask()[0]["message"]["result"] == "two"

    (edge.data / "x.csv").unlink()  # as edge applications do; there is nothing to check with
    edge.data.rmdir()
    alo("deploy", trained["one"], cwd=home)

    running.wait_until(f"the model of run {trained['one']} is in use")
    edge.data.mkdir()
    (edge.data / "x.csv").write_text("a\n1\n")
    assert edge.ask()[0]["message"]["result"] == "one"


def test_without_a_choice_the_current_model_is_taken_and_can_be_deployed(
    home: Path, trained: dict[str, str], alo: Alo
) -> None:
    shown = alo("deploy", "--status", cwd=home)
    assert "the current model of the workspace" in shown.stdout

    alo("deploy", cwd=home)

    assert read_deployment(Workspace(home)).run == trained["broken"]
    again = alo("deploy", "--rollback", cwd=home)
    assert again.returncode == 2
    assert "there is nothing to go back to" in again.stderr


def test_what_is_deployed_stays_in_history(
    home: Path, trained: dict[str, str], run: Run, alo: Alo
) -> None:
    alo("deploy", trained["one"], cwd=home)
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"backup_artifacts": true', '"backup_size": 0'))

    run(home, mode="train")

    left = {path.name for path in (home / "history/train").iterdir()}
    assert trained["one"] in left
    assert trained["two"] not in left


@pytest.mark.parametrize("words", [["nonsense"], ["--shadow", "nonsense"]])
def test_a_run_that_is_not_there_is_not_deployed(
    home: Path, trained: dict[str, str], alo: Alo, words: list[str]
) -> None:
    done = alo("deploy", *words, cwd=home)

    assert done.returncode == 1
    assert re.search("no run begins with 'nonsense'", done.stderr)
    assert read_deployment(Workspace(home)) == Deployment()


def test_a_damaged_choice_says_what_to_do(home: Path, trained: dict[str, str], alo: Alo) -> None:
    (home / "solution/deployment.json").write_text("[")

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))
    assert alo("deploy", trained["one"], cwd=home).returncode == 0
    assert read_deployment(Workspace(home)).run == trained["one"]
