"""The last request that was answered checks the next model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.layout import Workspace
from alo.serve.rollout import samples as kept_samples
from alo.serve.rollout.samples import Samples
from alo.workers.protocol import Request

from ...support.waiting import wait_until
from ..http_api.test_app import Service
from .conftest import result

Alo = Callable[..., Any]


def test_the_last_request_of_an_earlier_service_checks_the_model_of_the_next(
    home: Path, trained: dict[str, str], service: Service, start: Callable[..., Service], alo: Alo
) -> None:
    assert result(service) == "one"
    wait_until(lambda: any((home / ".alo/samples").glob("*/request.json")))
    service.process.kill()
    service.process.wait()
    alo("deploy", trained["broken"], cwd=home)

    assert result(start()) == "one"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def folders(workspace: Workspace) -> list[str]:
    return sorted(
        path.name.partition("-")[0] for path in (workspace.internal / "samples").iterdir()
    )


def test_files_in_memory_are_kept_as_data_that_no_one_else_can_read(workspace: Workspace) -> None:
    samples = Samples(workspace)

    kept = samples.keep(Request("a", files={"request/x.csv": b"1"}), takes_data=False)

    (data,) = kept.data
    assert Path(data, "x.csv").read_bytes() == b"1"
    assert (kept.files, kept.exports) == ({}, False)
    assert os.stat(Path(data).parent).st_mode & 0o077 == 0
    assert samples.newest == kept
    assert not samples.is_due


@pytest.mark.parametrize("takes_data", [True, False])
def test_data_that_is_needed_no_more_is_moved_and_the_data_of_others_stays(
    workspace: Workspace, tmp_path: Path, takes_data: bool
) -> None:
    (tmp_path / "request").mkdir()

    kept = Samples(workspace).keep(
        Request("a", data=(f"{tmp_path}/request",)), takes_data=takes_data
    )

    assert (tmp_path / "request").exists() != takes_data
    assert Path(kept.data[0]).is_dir()


def test_the_oldest_samples_give_way(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_samples, "MOST", 2)
    samples = Samples(workspace)

    for name in ("a", "b", "c"):
        samples.keep(Request(name), takes_data=False)

    assert folders(workspace) == ["b", "c"]


def test_the_newest_sample_of_other_services_counts_and_old_ones_of_theirs_go(
    workspace: Workspace,
) -> None:
    for number, name in enumerate(("old", "late", "newest")):
        kept = Samples(workspace).keep(Request(name), takes_data=False)
        (file,) = (workspace.internal / "samples").glob(f"{kept.id}-*/request.json")
        when = 0 if name == "old" else file.stat().st_mtime + number
        os.utime(file, (when, when))

    found = Samples(workspace)

    assert found.newest is not None
    assert found.newest.id == "newest"
    assert folders(workspace) == ["late", "newest"]
    assert found.is_due  # an own one is wanted


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"id": "a"}), json.dumps({"data": 1})])
def test_a_sample_that_cannot_be_read_is_none(workspace: Workspace, text: str) -> None:
    folder = workspace.internal / "samples" / "a-000000"
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(text)

    assert Samples(workspace).newest is None
