"""A cluster of our own: its token, its folder, and what of it stays."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alo.executors.ray.cluster import PREFIX, cluster_folder, guard_with_token, start_cluster


def test_a_cluster_of_our_own_has_a_token_that_no_one_has_had_before() -> None:
    first = {"RAY_AUTH_TOKEN_PATH": "elsewhere", "RAY_ADDRESS": "local"}
    second: dict[str, str] = {}

    guard_with_token(first)
    guard_with_token(second)

    assert first["RAY_AUTH_MODE"] == "token"
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    assert first["RAY_AUTH_TOKEN"] != second["RAY_AUTH_TOKEN"]
    assert first.keys() == second.keys()


def test_its_folder_is_ours_alone_and_goes_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = tempfile.mkdtemp()
    monkeypatch.setattr(tempfile, "tempdir", short)
    left = Path(short, f"{PREFIX}left")
    left.mkdir()

    with cluster_folder() as folder, cluster_folder() as other:
        (folder / "socket").touch()

        assert folder.stat().st_mode & 0o777 == 0o700
        assert other.is_dir()
        assert not left.exists()

    os.rmdir(short)


def test_its_sockets_have_short_paths_wherever_temporary_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / ("deep" * 10)
    far.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(far))

    with cluster_folder() as folder:
        assert len(str(folder)) <= 40


FAILS = [
    "The current node timed out during startup.",
    "in Datapath if not self.proxy_manager.start_specific_server( psutil.NoSuchProcess",
    "Attempted to reconnect a session that has already been cleaned up",
]


@pytest.mark.parametrize(("failing", "starts"), [(0, 1), (2, 3)])
@pytest.mark.parametrize("said", FAILS)
def test_a_start_that_fails_is_tried_again(
    tmp_path: Path, failing: int, starts: int, said: str
) -> None:
    tried: list[Any] = []

    def init(**options: Any) -> None:
        tried.append(options["num_cpus"])
        if len(tried) <= failing:
            raise Exception(said)

    start_cluster(SimpleNamespace(init=init, shutdown=lambda: None), str(tmp_path), 2)

    assert tried == [2] * starts


@pytest.mark.parametrize(
    ("said", "patience_s", "starts"),
    [("no shared memory", 60, 3), ("no shared memory", 0, 1), ("Authentication failed", 60, 1)],
)
def test_the_tries_have_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, patience_s: float, starts: int
) -> None:
    monkeypatch.setattr("alo.executors.ray.cluster.PATIENCE_S", patience_s)
    tried: list[Any] = []

    def init(**options: Any) -> None:
        tried.append(options)
        raise ValueError(said)

    with pytest.raises(ValueError, match=said):
        start_cluster(SimpleNamespace(init=init, shutdown=lambda: None), str(tmp_path), 0)

    assert len(tried) == starts


def test_a_try_that_cannot_be_cleared_away_hides_no_error_and_is_tried_again(
    tmp_path: Path,
) -> None:
    tried: list[Any] = []

    def init(**options: Any) -> None:
        tried.append(options)
        raise ValueError("no shared memory")

    def shutdown() -> None:
        raise ConnectionError("the session has already been cleaned up")

    with pytest.raises(ValueError, match="no shared memory"):
        start_cluster(SimpleNamespace(init=init, shutdown=shutdown), str(tmp_path), 0)

    assert len(tried) == 3


def test_what_is_for_people_at_a_terminal_is_not_started(tmp_path: Path) -> None:
    def params(*, include_log_monitor: bool = True, no_monitor: bool = False) -> tuple[bool, bool]:
        return include_log_monitor, no_monitor

    started: list[Any] = []
    parameter = SimpleNamespace(RayParams=params)
    services = SimpleNamespace(start_api_server=lambda: "a page")

    def init(**options: Any) -> None:
        started.extend([parameter.RayParams(), services.start_api_server("any", port=1)])

    private = SimpleNamespace(parameter=parameter, services=services)
    ray = SimpleNamespace(init=init, shutdown=lambda: None, _private=private)
    start_cluster(ray, str(tmp_path), 1)

    assert started == [(False, True), ("", None)]
    assert (parameter.RayParams, services.start_api_server()) == (params, "a page")
