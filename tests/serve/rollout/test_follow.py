"""A new model takes over without a stop, only if it can answer; the one before is a step away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alo.files import alone_with
from alo.history.deployment import CURRENT, read_deployment
from alo.layout import Workspace

from ...support.waiting import PATIENCE_S, wait_until
from ..conftest import Edge, RunningLoop
from ..http_api.test_app import Service
from .conftest import result, status

Alo = Callable[..., Any]
Run = Callable[..., Any]


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


def test_a_model_that_hangs_in_its_check_is_given_up_and_the_one_before_answers_meanwhile(
    home: Path, trained: dict[str, str], run: Run, start: Callable[..., Service], alo: Alo
) -> None:
    (slow,) = run(home, mode="train", overrides=("train.word=hangs",))
    alo("deploy", trained["one"], cwd=home)
    service = start("--request-timeout", "2")
    assert result(service) == "one"

    alo("deploy", slow.run_id, cwd=home)

    wait_until(lambda: result(service) == "one" and "the check failed" in service.log.read_text())
    assert result(service) == "one"
    check = status(home, alo)["checks"][slow.run_id]
    assert check["verdict"] == "failed"
    assert "2 s" in check["reason"]


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


def add_smoke(home: Path) -> None:
    (home / "solution/smoke").mkdir()
    (home / "solution/smoke/x.csv").write_text("a\n1\n")


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


def test_a_process_that_keeps_the_choice_locked_holds_up_no_service(
    home: Path, service: Service
) -> None:
    with alone_with(home / "solution"):  # as `alo deploy` does that was stopped by Ctrl-Z
        assert service.end() == 0

    assert "deployment.json cannot be written: " in service.log.read_text()
