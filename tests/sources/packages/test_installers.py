"""uv and pip do what was asked for, or it is told what they said."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import InstallError
from alo.layout import Workspace
from alo.sources.packages import environments, installers
from alo.sources.packages.environments import (
    make_environment,
)
from alo.sources.packages.requirements import Requirement
from alo.sources.packages.trial import NOTE

from .conftest import Want, versions


def test_an_installer_that_only_says_so_has_installed_nothing(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = installers.find_uv()
    if not uv:
        pytest.skip("uv is not installed here")
    liar = tmp_path / "uv"
    liar.write_text(f'#!/bin/sh\n[ "$1" = pip ] || exec {uv} "$@"\n')
    liar.chmod(0o755)
    monkeypatch.setattr(environments, "find_uv", lambda: str(liar))

    with pytest.raises(InstallError, match="and this is not so") as caught:
        make_environment(workspace, want(train="alotop"), lambda text: None)

    assert "alotop (not installed), for step 'train'" in caught.value.what
    assert not list((workspace.internal / "environments").glob(f"*/{NOTE}"))


def test_a_damaged_cache_of_the_installer_is_noticed_and_repaired(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installers.find_uv():
        pytest.skip("uv is not installed here")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    make_environment(workspace, want(train="alotop"), lambda text: None)
    (module,) = (tmp_path / "cache").rglob("alotop/__init__.py")
    module.unlink()
    reported: list[str] = []

    python = make_environment(workspace, want(train="alotop==1.0"), reported.append)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    assert "uv has installed alotop without all files: once more" in reported
    reported.clear()
    make_environment(workspace, want(train="alotop>=1"), reported.append)
    assert not any("once more" in line for line in reported)


def test_a_cache_of_the_installer_that_cannot_be_used_is_done_without(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))

    python = make_environment(workspace, want(train="alotop"), lambda text: None)

    assert versions(python, "alotop") == ["1.0"]


def test_options_that_uv_does_not_know_are_left_to_pip_or_reported(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installers.find_uv():
        pytest.skip("uv is not installed here")
    wanted = want(train="alotop")
    wanted = wanted._replace(
        options=(*wanted.options, "--prefer-binary", "--use-feature fast-deps")
    )
    reported: list[str] = []
    python = make_environment(workspace, wanted, reported.append)
    assert versions(python, "alotop") == ["1.0"]
    assert reported[0] == "pip is used, because uv does not know --prefer-binary"
    assert reported[1].endswith("with pip")

    reported.clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    wanted = wanted._replace(options=(*wanted.options, "--pre"))
    make_environment(workspace, wanted, reported.append)
    assert "uv does not know --prefer-binary: it is left out" in reported


def test_options_that_this_pip_does_not_know_are_left_out_and_reported(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "find_uv", lambda: "")
    wanted = want(train="alotop")
    (one,) = wanted.requirements
    wanted = wanted._replace(
        requirements=(one._replace(options=("--frobnicate=x y",)),),
        options=(*wanted.options, "--use-feature never-heard-of"),
    )
    reported: list[str] = []

    python = make_environment(workspace, wanted, reported.append)

    assert versions(python, "alotop") == ["1.0"]
    notes = [line for line in reported if "does not know" in line]
    assert len(notes) == 2
    assert "--frobnicate" in " ".join(notes)
    assert "--use-feature" in " ".join(notes)


def test_constraints_hold_for_what_is_installed(
    workspace: Workspace, want: Want, each_installer: str
) -> None:
    limit = Requirement("aloleaf<2", "aloleaf", "train", "step 'train' (limits.txt:1)")
    wanted = want(train="aloleaf")._replace(limits=(limit,))

    python = make_environment(workspace, wanted, lambda text: None)

    assert versions(python, "aloleaf") == ["1.0"]
