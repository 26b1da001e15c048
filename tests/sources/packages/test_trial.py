"""An environment counts as ready because it works; whatever happens to one, the next run runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sources.wheels import make_wheel

from alo.sources.packages.trial import NOTE

from ...support.waiting import PATIENCE_S

Alo = Callable[..., "subprocess.CompletedProcess[str]"]

CODE = """
    import aloleaf
    print("leaf", aloleaf.VERSION)
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "wheels", "aloleaf", "1.0")


@pytest.fixture
def home(make_solution: Callable[..., Path], wheel: Path) -> Path:
    source = {"one": {"requirements": [f"aloleaf --find-links {wheel.parent}"]}}
    return make_solution({"one": CODE}, source=source)


def environment(home: Path) -> Path:
    (note,) = (home / ".alo/environments").glob(f"*/{NOTE}")
    return note.parent


def packages(home: Path) -> Path:
    (folder,) = environment(home).glob("lib/*/site-packages")
    return folder


def succeeded(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.returncode == 0, done.stderr
    return "leaf 1.0" in done.stdout


def test_hashed_requirements_are_no_lock_file(
    home: Path, make_solution: Callable[..., Path], wheel: Path, alo: Alo
) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    asset = home / "assets/one"
    (asset / "requirements.txt").write_text(
        f"--find-links {wheel.parent}\naloleaf==1.0 --hash=sha256:{digest}\n"
    )
    make_solution({"one": CODE}, source={"one": {"requirements": ["requirements.txt"]}})

    assert succeeded(alo("run", cwd=home))

    (asset / "requirements.txt").write_text(
        f"--find-links {wheel.parent}\naloleaf==1.0 --hash=sha256:{'0' * 64}\n"
    )
    refused = alo("run", cwd=home)
    assert refused.returncode == 1
    assert "hash" in refused.stderr.lower()


@pytest.mark.parametrize("wheels", ["outside", "inside"])
@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_project_that_was_moved_continues_in_its_environment(
    home: Path,
    alo: Alo,
    make_solution: Callable[..., Path],
    tmp_path: Path,
    wheel: Path,
    how: str,
    wheels: str,
) -> None:
    if wheels == "inside":
        wheel.parent.rename(home / "assets/one/wheels")
        requirements = ["aloleaf -f wheels", f"wheels/{wheel.name}"]
        make_solution({"one": CODE}, source={"one": {"requirements": requirements}})
    assert succeeded(alo("run", cwd=home))
    if how == "moved":
        home.rename(tmp_path / "moved")
    else:
        shutil.copytree(home, tmp_path / "moved", symlinks=True)
        shutil.rmtree(home)

    done = alo("run", "--offline", cwd=tmp_path / "moved", env={**os.environ, "UV_NO_CACHE": "1"})

    assert succeeded(done)
    assert "setup" not in done.stdout


def remove_site_packages(home: Path) -> None:
    shutil.rmtree(packages(home))


def remove_a_need(home: Path) -> None:
    shutil.rmtree(packages(home) / "xxhash")


def spoil_a_need(home: Path) -> None:
    """Where no stat of what is on top shows it."""
    for path in (packages(home) / "xxhash").iterdir():
        if path.is_file():
            path.unlink()
    (packages(home) / "xxhash/__init__.py").write_text("raise ImportError('spoilt')")


def remove_a_late_need(home: Path) -> None:
    for name in ("isal", "cloudpickle"):
        for path in packages(home).glob(f"{name}*"):
            shutil.rmtree(path)


def remove_the_interpreter(home: Path) -> None:
    for path in (environment(home) / "bin").glob("python*"):
        path.unlink()


def break_the_interpreter(home: Path) -> None:
    python = environment(home) / "bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 7\n")
    python.chmod(0o755)


def remove_the_settings(home: Path) -> None:
    (environment(home) / "pyvenv.cfg").unlink()


def remove_the_engine(home: Path) -> None:
    shutil.rmtree(environment(home) / "engine")


DAMAGES = [
    remove_site_packages,
    remove_a_need,
    spoil_a_need,
    remove_a_late_need,
    remove_the_interpreter,
    break_the_interpreter,
    remove_the_settings,
    remove_the_engine,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_an_environment_that_does_not_work_is_made_anew_and_that_is_said(
    home: Path, alo: Alo, damage: Callable[[Path], None]
) -> None:
    assert succeeded(alo("run", cwd=home))
    damage(home)

    done = alo("run", cwd=home)

    assert succeeded(done)
    assert done.stdout.count(f"environment {environment(home).name} does not work: ") == 1
    assert "installing aloleaf" in done.stdout
    assert "setup" not in alo("run", cwd=home).stdout


def test_one_that_cannot_be_made_to_work_ends_with_an_error(
    home: Path, make_solution: Callable[..., Path], alo: Alo, wheel: Path
) -> None:
    make_wheel(wheel.parent, "isal", "99.0", code="raise ImportError('not the one')")
    source = {"one": {"requirements": [f"isal==99.0 --find-links {wheel.parent}"]}}
    make_solution({"one": "pass"}, source=source)

    done = alo("run", cwd=home)

    assert done.returncode == 1
    assert "ALO does not run in it: ImportError: not the one" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((home / ".alo/environments").glob(f"*/{NOTE}"))


def test_a_step_says_that_its_own_environment_does_not_work_and_the_next_run_has_another(
    home: Path, make_solution: Callable[..., Path], alo: Alo, wheel: Path
) -> None:
    source = {"one": {"requirements": [f"aloleaf --find-links {wheel.parent}"]}}
    make_solution({"one": CODE}, source=source, beside={"one": {"environment": "isolated"}})
    assert succeeded(alo("run", cwd=home))
    spoil_a_need(home)

    broken = alo("run", cwd=home)

    assert broken.returncode == 1
    assert "step 'one': the environment of its own does not work: ImportError" in broken.stderr
    assert "made anew" in broken.stderr
    assert succeeded(alo("run", cwd=home))


def test_a_run_that_another_one_has_started_is_not_taken_to_be_in_its_environment(
    home: Path, alo: Alo, make_solution: Callable[..., Path], tmp_path: Path, wheel: Path
) -> None:
    """As where an asset runs `alo` of another environment for another project."""
    assert succeeded(alo("run", cwd=home))
    other = tmp_path / "other"
    source = {"one": {"requirements": [f"aloleaf --find-links {wheel.parent}"]}}
    make_solution({"one": CODE}, home=other, source=source)
    inherited = {**os.environ, "ALO_ENVIRONMENT": environment(home).name}

    done = alo("run", cwd=other, env=inherited)

    assert succeeded(done)
    assert environment(other).is_dir()


def test_what_has_gone_from_an_image_is_not_believed_to_be_there(
    make_solution: Callable[..., Path],
    run: Callable[..., Any],
    heard: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All folders of some images have the same time."""
    from tests.sources.wheels import install_by_hand

    site = tmp_path / "here/site-packages"
    install_by_hand(make_wheel(tmp_path / "wheels", "aloleaf", "1.0"), site)
    os.utime(site, (1, 1))
    monkeypatch.syspath_prepend(str(site))
    source = {"one": {"requirements": ["aloleaf"]}}
    home = make_solution({"one": CODE}, source=source)
    from alo.engine.request import Setup
    from alo.errors import InstallError

    run(home, setup=Setup("here"))
    shutil.rmtree(site)
    install_by_hand(make_wheel(tmp_path / "wheels", "alotop", "1.0"), site)
    os.utime(site, (1, 1))

    with pytest.raises(InstallError, match=r"aloleaf \(not installed\)"):
        run(home, setup=Setup("here"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_packages_are_installed_is_reported_as_one_and_leaves_nothing(
    home: Path, make_solution: Callable[..., Path], number: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as index:  # takes connections and says nothing
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        source = {"one": {"requirements": [f"aloleaf --index-url {url}"]}}
        make_solution({"one": CODE}, source=source)
        command = [sys.executable, "-m", "alo.cli.main", "run"]
        with subprocess.Popen(
            command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            index.accept()[0].close()
            waiting, _ = index.accept()  # tried again
            process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE_S)
            waiting.close()

    assert process.returncode == 128 + number, errors
    assert "interrupted" in errors
    names = os.listdir(home / ".alo/environments")
    assert [name for name in names if not name.endswith(".lock")] == []
