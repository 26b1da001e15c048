"""A lock file has exact versions and hashes, and says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import InstallError
from alo.layout import Workspace
from alo.sources.packages import environments
from alo.sources.packages.environments import (
    make_environment,
    resolve,
)
from alo.sources.packages.lockfile import (
    Lock,
    LockedEnvironment,
    asked,
    here,
    lock_differences,
    read_lock,
    write_lock,
)
from alo.sources.packages.requirements import Wanted

from .conftest import Want, versions


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_lock_has_exact_versions_and_hashes_and_leads_to_just_these(
    workspace: Workspace,
    want: Want,
    wheels: Path,
    monkeypatch: pytest.MonkeyPatch,
    installer: str,
) -> None:
    if installer == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
    packages = resolve(workspace, want(train="alotop"), lambda text: None, offline=False)

    lines = [line for line in packages if line.startswith("alo")]
    assert [line.partition(" ")[0] for line in lines] == ["aloleaf==1.0", "alotop==1.0"]
    assert all("--hash=sha256:" in line for line in packages)
    locked = LockedEnvironment(("train: alotop",), tuple(packages))
    wanted = Lock(*here(), {"project": locked}, {}).exact("project", want(train="alotop"))
    assert wanted.options == (f"--find-links {wheels}",)
    python = make_environment(workspace, wanted, lambda text: None)
    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    others = [each._replace(hashes=(f"sha256:{'0' * 64}",)) for each in wanted.requirements]
    wanted = wanted._replace(requirements=tuple(others))
    with pytest.raises(InstallError, match=r"(?i)hash"):
        make_environment(workspace, wanted, lambda text: None)


def test_a_lock_file_is_read_as_it_was_written_and_names_what_differs(
    tmp_path: Path, want: Want
) -> None:
    wanted = want(train="alotop")
    locked = LockedEnvironment(asked(wanted), ("alotop==1.0 --hash=sha256:aa",))
    lock = Lock(*here(), {"project": locked}, {})
    write_lock(tmp_path / "alo.lock", lock)

    assert read_lock(tmp_path / "alo.lock") == lock
    assert lock_differences(lock, {"project": wanted}, []) == []
    reported = lock_differences(
        lock, {"project": want(train="alotop>=1"), "isolated:x": wanted}, []
    )
    assert reported == [
        "the plan has 'train: alotop', the lock file not",
        "the plan has 'train: alotop>=1', the lock file not",
        "the lock file has 'train: alotop', the plan not",
    ]
    assert "Python 2.7" in lock_differences(lock._replace(python="2.7"), {"project": wanted}, [])[0]


@pytest.mark.parametrize("text", ["", "{}", '{"format": 9}', "[1]", '{"format": 1, "python": "3"}'])
def test_a_file_that_is_no_lock_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "alo.lock").write_text(text)

    with pytest.raises(InstallError, match="cannot be read") as caught:
        read_lock(tmp_path / "alo.lock")

    assert "alo lock" in caught.value.fix
    with pytest.raises(InstallError, match="there is no lock file"):
        read_lock(tmp_path / "none.lock")


def test_hashed_requirements_are_checked_and_the_others_come_too(
    workspace: Workspace, want: Want, wheels: Path, each_installer: str
) -> None:
    from hashlib import sha256

    digest = sha256((wheels / "alotop-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    wanted = want(train="alotop==1.0", other="aloleaf")
    hashed, other = wanted.requirements

    def with_hash(text: str) -> Wanted:
        return wanted._replace(requirements=(hashed._replace(hashes=(f"sha256:{text}",)), other))

    python = make_environment(workspace, with_hash(digest), lambda text: None)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    with pytest.raises(InstallError, match=r"(?i)hash"):
        make_environment(workspace, with_hash("0" * 64), lambda text: None)
