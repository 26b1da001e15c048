"""A new model takes over without a stop, only if it can answer; the one before is a step away."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.errors import HistoryError
from alo.files import alone_with
from alo.history.deployment import CURRENT, FAILED, Deployment, read_deployment
from alo.layout import Workspace

from ...waiting import PATIENCE_S, wait_until
from ..conftest import OUTPUT, Edge, RunningLoop
from ..http_api.test_app import Service

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
    deployment = read_deployment(Workspace(home))
    assert (deployment.run, deployment.before) == (trained["one"], trained["two"])


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


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--shadow"]])
def test_only_the_models_of_a_train_run_that_succeeded_are_deployed(
    home: Path, run: Run, alo: Alo, words: list[str]
) -> None:
    run(home, mode="train", overrides=("train.word=one",))
    (inference,) = run(home, mode="inference")
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace(TRAIN, f"{TRAIN}\n        raise ValueError"))
    assert alo("run", "--mode", "train", cwd=home).returncode == 1
    (failed,) = (home / "history/train").glob("*-error")
    assert (failed / "models").is_dir()

    of_failed = alo(*words, failed.name.removesuffix("-error"), cwd=home)
    of_inference = alo(*words, inference.run_id, cwd=home)

    assert (of_failed.returncode, of_inference.returncode) == (1, 1)
    assert "did not succeed" in of_failed.stderr
    assert "is an inference run" in of_inference.stderr
    assert "alo history --mode train --status success" in of_failed.stderr
    assert read_deployment(Workspace(home)) == Deployment()


def test_a_damaged_choice_says_what_to_do(home: Path, trained: dict[str, str], alo: Alo) -> None:
    (home / "solution/deployment.json").write_text("[")

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))
    assert alo("deploy", trained["one"], cwd=home).returncode == 0
    assert read_deployment(Workspace(home)).run == trained["one"]


def status(home: Path, alo: Alo) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(alo("deploy", "--status", "--json", cwd=home).stdout)
    return found


def add_smoke(home: Path) -> None:
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/x.csv").write_text("a\n1\n")


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Service]]:
    """A service that is ended after the test."""
    started: list[Service] = []

    def start_one(*words: str) -> Service:
        started.append(Service(home, *words))
        return started[-1]

    yield start_one
    for one in started:
        one.client.close()
        one.process.kill()
        one.process.wait()


def test_a_failed_model_is_not_used_by_a_later_start_either_and_the_status_says_why(
    home: Path, trained: dict[str, str], service: Service, start: Callable[..., Service], alo: Alo
) -> None:
    assert result(service) == "one"
    refused = alo("deploy", trained["broken"], "--wait", cwd=home)
    assert refused.returncode == 1
    assert "a model of no use" in refused.stderr
    assert "a model of no use" in alo("deploy", "--status", cwd=home).stdout

    service.process.terminate()
    service.process.wait(PATIENCE_S)
    later = start()

    assert result(later) == "one"
    assert status(home, alo)["in_use"] == trained["one"]
    assert status(home, alo)["checks"][trained["broken"]]["verdict"] == "failed"


def test_a_model_chosen_while_nothing_runs_is_checked_by_the_next_start(
    home: Path, trained: dict[str, str], start: Callable[..., Service], alo: Alo
) -> None:
    add_smoke(home)
    alo("deploy", trained["one"], cwd=home)
    alo("deploy", trained["broken"], cwd=home)

    service = start("--workers", "2")

    assert {result(service) for _ in range(4)} == {"one"}
    assert "is not used" in service.log.read_text()
    assert status(home, alo)["checks"][trained["broken"]]["verdict"] == "failed"


def test_the_last_request_of_an_earlier_service_checks_the_model_of_the_next(
    home: Path, trained: dict[str, str], service: Service, start: Callable[..., Service], alo: Alo
) -> None:
    assert result(service) == "one"
    wait_until(lambda: any((home / ".alo/samples").glob("*/request.json")))
    service.process.kill()
    service.process.wait()
    alo("deploy", trained["broken"], cwd=home)

    assert result(start()) == "one"


def test_a_service_without_any_model_that_answers_says_so_and_ends(
    home: Path, trained: dict[str, str], alo: Alo
) -> None:
    add_smoke(home)
    alo("deploy", trained["broken"], cwd=home)

    first = alo("serve", "--port", "0", cwd=home)
    again = alo("serve", "--port", "0", cwd=home)

    assert (first.returncode, again.returncode) == (1, 1)
    assert "the check failed" in first.stderr
    assert "has failed its check" in again.stderr


def test_a_failed_model_is_tried_again_when_it_is_chosen_again(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    add_smoke(home)
    assert alo("deploy", trained["broken"], "--wait", cwd=home).returncode == 1
    (home / "history/train" / trained["broken"] / "models/train/m").chmod(0o600)
    (home / "history/train" / trained["broken"] / "models/train/m").write_text("mended")

    assert alo("deploy", trained["broken"], "--wait", cwd=home).returncode == 0
    assert result(service) == "mended"


def test_the_first_deployment_can_be_rolled_back_to_what_the_services_used(
    home: Path, trained: dict[str, str], run: Run, start: Callable[..., Service], alo: Alo
) -> None:
    (used,) = run(home, mode="train", overrides=("train.word=first",))
    service = start()
    assert result(service) == "first"
    run(home, mode="train", overrides=("train.word=newer",))

    assert alo("deploy", trained["two"], "--wait", cwd=home).returncode == 0
    assert result(service) == "two"
    back = alo("deploy", "--rollback", "--wait", cwd=home)

    assert back.returncode == 0, back.stderr
    assert result(service) == "first"
    assert status(home, alo)["run"] == used.run_id


def test_a_choice_that_is_taken_back_before_services_switch_leaves_a_way_back() -> None:
    now = Deployment().choose("two", "me", "one")  # and services switch to it
    now = now.choose("one", "me", "two")  # no service has yet, when

    now = now.choose("two", "me", "two")

    assert (now.run, now.before) == ("two", "one")


def test_two_choices_within_a_second_are_two() -> None:
    """Services follow the second one too: the moment is what tells them apart."""
    first = Deployment().choose("two", "me", CURRENT)

    assert first.choose("", "me", "two").when != first.when


def test_a_model_that_failed_its_check_is_no_way_back() -> None:
    now = Deployment().choose("two", "me", "one").choose("broken", "me", "two")

    now = now.checked("broken", FAILED).choose("two", "me", "two")

    assert (now.run, now.before) == ("two", "")


def test_a_first_deployment_over_a_model_of_no_run_is_rolled_back_to_the_workspaces_model(
    home: Path, trained: dict[str, str], start: Callable[..., Service], alo: Alo
) -> None:
    (home / "train_artifacts/models/train/m").write_text("by hand")
    service = start()
    assert result(service) == "by hand"

    assert alo("deploy", trained["two"], "--wait", cwd=home).returncode == 0
    assert read_deployment(Workspace(home)).before == CURRENT
    back = alo("deploy", "--rollback", cwd=home)

    assert back.returncode == 0, back.stderr
    wait_until(lambda: result(service) == "by hand")


def test_a_shadow_never_changes_who_answers(
    home: Path, trained: dict[str, str], run: Run, start: Callable[..., Service], alo: Alo
) -> None:
    run(home, mode="train", overrides=("train.word=used",))
    service = start()
    assert result(service) == "used"
    run(home, mode="train", overrides=("train.word=newer",))

    alo("deploy", "--shadow", trained["two"], cwd=home)
    wait_until(lambda: "runs in the shadow" in service.log.read_text())
    assert result(service) == "used"
    alo("deploy", "--shadow", "off", cwd=home)
    alo("deploy", "--shadow", trained["one"], cwd=home)
    wait_until(lambda: service.log.read_text().count("runs in the shadow") == 2)

    assert result(service) == "used"
    assert "is in use" not in service.log.read_text()


def test_waiting_says_when_no_service_runs(home: Path, trained: dict[str, str], alo: Alo) -> None:
    done = alo("deploy", trained["one"], "--wait", cwd=home)

    assert done.returncode == 3
    assert "no service" in done.stderr
    assert f"deployed  {trained['one']}" in done.stdout


def test_waiting_ends_when_nothing_has_switched_in_time(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    service.process.send_signal(signal.SIGSTOP)

    done = alo("deploy", trained["two"], "--wait", "0.5", cwd=home)

    service.process.send_signal(signal.SIGCONT)
    assert done.returncode == 3
    assert "within 0.5 s" in done.stderr


def test_the_status_shows_who_chose_and_what_each_service_uses(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    shown = status(home, alo)

    assert shown["who"]
    assert shown["when"].endswith("Z")
    assert [use["run"] for use in shown["services"].values()] == [trained["one"]]
    service.process.terminate()
    service.process.wait(PATIENCE_S)
    assert status(home, alo)["services"] == {}


def test_a_file_of_the_first_format_is_read(home: Path) -> None:
    (home / "solution/deployment.json").write_text(
        json.dumps({"run": "a", "previous": "b", "shadow": "c"})
    )

    assert read_deployment(Workspace(home)) == Deployment("a", "b", "c")


@pytest.mark.parametrize(
    "content",
    [
        {"format": 3},
        {"format": 2, "chosen": []},
        {"format": 2, "chosen": {"run": 1}},
        {"format": 2, "checks": {"a": {"verdict": []}}},
        {"format": 2, "services": {"a": 1}},
        [],
        "x",
    ],
)
def test_a_file_of_another_form_is_refused(home: Path, content: object) -> None:
    (home / "solution/deployment.json").write_text(json.dumps(content))

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_never_waited_for(
    home: Path, make: Callable[[Path], None]
) -> None:
    path = home / "solution/deployment.json"
    path.unlink(missing_ok=True)
    make(path)

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))


def test_a_process_that_keeps_the_choice_locked_holds_up_no_service(
    home: Path, service: Service
) -> None:
    with alone_with(home / "solution"):  # as `alo deploy` does that was stopped by Ctrl-Z
        assert service.end() == 0

    assert "deployment.json cannot be written: " in service.log.read_text()
