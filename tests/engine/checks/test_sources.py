"""Problems of sources and requirements are the plan's: at once, with their lines, before all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.conftest import write_asset
from tests.sources.repositories import ASSET, Repository
from tests.sources.wheels import make_wheel

from ...support.waiting import PATIENCE_S, wait_until
from .conftest import MODEL, Make, everything, refused

Alo = Callable[..., "subprocess.CompletedProcess[str]"]


ONE, TWO = "    - {step: one, source: ", "    - {step: two, source: "

BAD = {
    "a bad requirement": (
        "{requirements: [xxhash, '=nonsense']}",
        ":7:51  asset_source.train_pipeline[0].source.requirements[1]  "
        "step 'one': '=nonsense' is no requirement",
    ),
    "a bad requirement after blank ones": (
        "{requirements: ['', xxhash, null, '=nonsense']}",
        ":7:61  asset_source.train_pipeline[0].source.requirements[1]  "
        "step 'one': '=nonsense' is no requirement",
    ),
    "one requirement, not in a list": (
        "{requirements: '=nonsense'}",
        ":7:42  asset_source.train_pipeline[0].source.requirements  step 'one': '=nonsense'",
    ),
    "no requirements.txt": (
        "{requirements: [requirements.txt]}",
        ":7:43  asset_source.train_pipeline[0].source.requirements[0]  "
        "step 'one': there is no file assets/one/requirements.txt",
    ),
    "an unknown option": (
        "{requirements: ['xxhash --frob']}",
        ":7:43  asset_source.train_pipeline[0].source.requirements[0]  "
        "step 'one': unknown option '--frob'",
    ),
    "a wheel that is not there": (
        "{requirements: [./x-1.0-py3-none-any.whl]}",
        ":7:43  asset_source.train_pipeline[0].source.requirements[0]  "
        "step 'one': './x-1.0-py3-none-any.whl': there is no such file",
    ),
    "no URL": (
        "{code: 'htps://host/x.git'}",
        ":7:34  asset_source.train_pipeline[0].source.code  'htps://host/x.git': expected",
    ),
    "a URL without a host": (
        "{code: 'https:///x.git'}",
        ":7:34  asset_source.train_pipeline[0].source.code  'https:///x.git': expected a host",
    ),
    "a URL with an odd port": (
        "{code: 'https://host:x/y.git'}",
        ":7:34  asset_source.train_pipeline[0].source.code  'https://host:x/y.git': ",
    ),
    "a repository that is not there": (
        "{code: ../nowhere}",
        ":7:34  asset_source.train_pipeline[0].source.code  step 'one': there is no repository",
    ),
    "a folder that is no repository": (
        "{code: ./solution}",
        ":7:34  asset_source.train_pipeline[0].source.code  step 'one': /",
    ),
    "a URL of a repository that is not there": (
        "{code: 'file:///no%20where'}",
        ":7:34  asset_source.train_pipeline[0].source.code  "
        "step 'one': there is no repository /no where",
    ),
    "a path out of the repository": (
        "{code: ../origin, path: a/../../b}",
        ":7:51  asset_source.train_pipeline[0].source.path  'a/../../b': expected a folder",
    ),
    "what is no branch": (
        "{code: ../origin, branch: 'a..b'}",
        ":7:53  asset_source.train_pipeline[0].source.branch  'a..b': not the name",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_reported_with_its_line_and_key_and_nothing_changes(
    make: Make, alo: Alo, tmp_path: Path, case: str
) -> None:
    source, expected = BAD[case]
    Repository(tmp_path / "origin").commit({"asset_one.py": ASSET})
    home = make(source)
    shutil.rmtree(home / "assets/one") if "code:" in source else None

    said = refused(alo, home)

    assert f"solution/experimental_plan.yaml{expected}" in said
    assert "problems" not in said


def test_a_bad_line_of_a_file_names_the_file_and_the_plan(make: Make, alo: Alo) -> None:
    home = make("{requirements: [xxhash, requirements.txt]}")
    (home / "assets/one/requirements.txt").write_text("xxhash\n-r more.txt\n")
    (home / "assets/one/more.txt").write_text("\n\nnot a requirement\n--frob\n")

    said = refused(alo, home)

    place = "experimental_plan.yaml:7:51  asset_source.train_pipeline[0].source.requirements[1]"
    assert f"{place}  step 'one': assets/one/more.txt:3: 'not a requirement' is no" in said
    assert f"{place}  step 'one': assets/one/more.txt:4: unknown option '--frob'" in said


def test_odd_things_are_warnings_of_the_check(make: Make, alo: Alo) -> None:
    home = make("{requirements: ['xxhash ; python_version > \"${NEVER_SET_HERE}\"']}")
    (home / "assets/one/requirements.txt").write_text("xxhash\n")
    home = make("{requirements: ['-r https://127.0.0.1:9/requirements.txt']}")

    done = alo("check", cwd=home)

    assert done.returncode == 0, done.stderr
    assert "requirements.txt requires is not known before it is installed" in done.stdout
    assert "experimental_plan.yaml:7:43" in done.stdout


BROKEN: Mapping[str, Mapping[str, str]] = {
    "an asset that is none": {"asset_one.py": "class UserAsset(Asset:\n"},
    "a bad line": {"asset_one.py": ASSET, "requirements.txt": "six\nnot a requirement\n"},
    "a contradiction": {"asset_one.py": ASSET, "requirements.txt": "alo-x==2.0\n"},
}


@pytest.mark.parametrize("what", BROKEN)
def test_bad_code_that_was_fetched_never_replaces_what_is_there(
    make: Make, alo: Alo, tmp_path: Path, what: str
) -> None:
    repository = Repository(tmp_path / "origin")
    good = write_asset(tmp_path / "draft", "one", MODEL).read_text()
    repository.commit({"asset_one.py": good, "requirements.txt": "xxhash\n"})
    control = "control:\n  - get_asset_source: every\n"
    source = "{code: ../origin, requirements: [requirements.txt]}"
    home = make(source, "{requirements: ['alo-x==1.0']}", control)
    shutil.rmtree(home / "assets/one")
    plan = home / "solution/experimental_plan.yaml"
    wheels = make_wheel(tmp_path / "wheels", "alo_x", "1.0").parent
    plan.write_text(plan.read_text().replace("alo-x==1.0", f"alo-x==1.0 -f {wheels}"))
    assert alo("run", cwd=home).returncode == 0
    before = everything(home / "assets")
    repository.commit({"asset_one.py": good, **BROKEN[what]})

    done = alo("run", cwd=home)

    assert done.returncode == 2
    assert "assets/one/" in done.stderr
    assert ".alo-tmp" not in done.stderr
    assert everything(home / "assets") == before


@pytest.mark.parametrize(
    ("source", "key", "what"),
    [
        ("{code: 'https://me:s3cr3t@127.0.0.1:9/x.git'}", ":7:34  {at}.code", "cannot be read"),
        ("{code: ../origin, branch: mian}", ":7:53  {at}.branch", "did you mean 'main'?"),
        ("{code: ../origin, path: step}", ":7:51  {at}.path", "did you mean 'steps'?"),
        ("{code: ../origin}", ":7:34  {at}.code", "has no asset_one.py; it has steps/asset_one.py"),
    ],
)
def test_errors_of_git_name_the_step_and_the_line(
    make: Make, alo: Alo, tmp_path: Path, source: str, key: str, what: str
) -> None:
    Repository(tmp_path / "origin").commit({"steps/asset_one.py": ASSET})
    home = make(source)
    shutil.rmtree(home / "assets/one")

    done = alo("run", cwd=home)

    place = key.replace("{at}", "asset_source.train_pipeline[0].source")
    assert done.returncode == 1
    assert "error: step 'one': " in done.stderr
    assert what in done.stderr
    assert f"where: solution/experimental_plan.yaml{place}" in done.stderr
    assert "s3cr3t" not in done.stderr
    assert not (home / "assets/one").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_code_is_checked_out_is_reported_as_one(
    make: Make, tmp_path: Path, number: int
) -> None:
    files = {f"data/{n // 100}/{n}.txt": "x" for n in range(20_000)}
    Repository(tmp_path / "origin").commit({"asset_one.py": ASSET, **files})
    home = make("{code: ../origin}")
    shutil.rmtree(home / "assets/one")
    command = [sys.executable, "-m", "alo.cli.main", "run"]
    with subprocess.Popen(
        command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: list((home / "assets").glob(".one.*/data/*/*")))
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 128 + number, errors
    assert "interrupted" in errors
    assert os.listdir(home / "assets") == ["two"]
