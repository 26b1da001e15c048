"""What a run fetches or reads from elsewhere: code, data, and what the check says of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sources.repositories import Repository

from alo.engine.request import Setup
from alo.errors import CheckError, SourceError

from .test_setup import MODEL

pytestmark = pytest.mark.usefixtures("own_cache")

Alo = Callable[..., "subprocess.CompletedProcess[str]"]
MakeSolution = Callable[..., Path]
Run = Callable[..., tuple]


def test_what_was_fetched_is_checked_before_any_step(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "origin")
    repository.commit({"asset_two.py": "class UserAsset(Asset:\n"})
    home = make_solution(
        {"one": MODEL, "two": None}, source={"two": {"code": str(repository.folder)}}
    )

    with pytest.raises(CheckError, match=r"assets/two/asset_two.py:1"):
        run(home)

    assert not (home / "train_artifacts").exists()


def test_an_edited_asset_is_not_replaced_without_force(
    make_solution: MakeSolution, run: Run, heard: Any, tmp_path: Path
) -> None:
    home = make_solution({"one": MODEL})
    asset = (home / "assets/one/asset_one.py").read_text()
    repository = Repository(tmp_path / "origin")
    repository.commit({"asset_one.py": asset})
    repository.git("tag", "v1")
    subprocess.run(["rm", "-r", home / "assets/one"], check=True)
    source = {"code": "../origin", "branch": "v1"}
    make_solution({"one": None}, source={"one": source})
    run(home)
    (home / "assets/one/asset_one.py").write_text(f"{asset}# mine\n")
    make_solution({"one": None}, source={"one": {**source, "branch": "main"}})

    with pytest.raises(SourceError, match=r"have been edited: asset_one\.py"):
        run(home)

    assert (home / "assets/one/asset_one.py").read_text().endswith("# mine\n")


def test_a_lock_holds_the_commits_too(
    make_solution: MakeSolution, alo: Alo, tmp_path: Path
) -> None:
    home = make_solution({"one": MODEL})
    asset = (home / "assets/one/asset_one.py").read_text()
    repository = Repository(tmp_path / "origin")
    first = repository.commit({"asset_one.py": asset})
    subprocess.run(["rm", "-r", home / "assets/one"], check=True)
    make_solution(
        {"one": None}, source={"one": {"code": "../origin"}}, control={"get_asset_source": "every"}
    )
    assert first in alo("lock", cwd=home).stdout
    repository.commit({"asset_one.py": f"{asset}# later\n"})

    assert alo("run", "--locked", cwd=home).returncode == 0
    assert "# later" not in (home / "assets/one/asset_one.py").read_text()
    assert alo("run", cwd=home).returncode == 0
    assert "# later" in (home / "assets/one/asset_one.py").read_text()


def test_offline_says_what_a_plan_needs_of_the_network(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"one": MODEL},
        external={
            "load_train_data_path": ["s3://bucket/data"],
            "save_train_artifacts_path": "s3://bucket/to",
        },
    )
    with pytest.raises(CheckError) as caught:
        run(home, setup=Setup(offline=True))

    reported = [problem.what for problem in caught.value.problems]
    assert reported == [
        "s3://bucket/data needs the network, and --offline forbids it",
        "s3://bucket/to needs the network, and --offline forbids it",
    ]


def test_a_check_stays_off_the_network_unless_it_is_asked(
    make_solution: MakeSolution, alo: Alo, tmp_path: Path
) -> None:
    home = make_solution(
        {"one": None},
        source={"one": {"code": "http://127.0.0.1:9/x.git", "branch": "v1"}},
        external={"load_train_data_path": ["http://127.0.0.1:9/data.csv"]},
    )

    quiet = alo("check", cwd=home)
    asked = alo("check", "--online", cwd=home)

    assert quiet.returncode == 0, quiet.stderr
    assert "not looked at, because it is remote: --online does" in quiet.stdout
    assert asked.returncode == 2
    assert "http://127.0.0.1:9/data.csv" in asked.stderr


def test_a_check_online_asks_the_repositories(
    make_solution: MakeSolution, alo: Alo, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "origin")
    repository.commit({"asset_one.py": ""})
    home = make_solution({"one": None}, source={"one": {"code": "../origin", "branch": "mian"}})

    done = alo("check", "--online", cwd=home)

    assert done.returncode == 2
    assert "has no branch, tag or commit 'mian'; did you mean 'main'?" in done.stderr


def test_a_past_run_does_not_fetch_what_its_entry_has(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    home = make_solution({"one": MODEL})
    asset = (home / "assets/one/asset_one.py").read_text()
    repository = Repository(tmp_path / "origin")
    repository.commit({"asset_one.py": asset})
    subprocess.run(["rm", "-r", home / "assets/one"], check=True)
    make_solution({"one": None}, source={"one": {"code": "../origin"}})
    (outcome,) = run(home)
    subprocess.run(["rm", "-r", home / "assets/one", repository.folder], check=True)

    from alo.engine.rerun import rerun

    assert rerun(home, outcome.run_id, lambda event: None).status == "success"
