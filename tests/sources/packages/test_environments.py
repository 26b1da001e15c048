"""Environments are made whole, with ALO in them, and what cannot be installed says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alo.errors import InstallError
from alo.layout import Workspace
from alo.sources.packages import environments, installers
from alo.sources.packages.environments import (
    environment_id,
    find_environment,
    install_here,
    make_environment,
    resolve,
)
from alo.sources.packages.installed import Missing
from alo.sources.packages.lockfile import (
    Lock,
    LockedEnvironment,
    asked,
    here,
    lock_differences,
    read_lock,
    write_lock,
)
from alo.sources.packages.requirements import Requirement, Wanted
from alo.sources.packages.trial import NOTE

from ..wheels import make_wheel

Want = Callable[..., Wanted]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "project").mkdir()
    return Workspace(tmp_path / "project")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    make_wheel(folder, "aloleaf", "1.0")
    make_wheel(folder, "aloleaf", "2.0")
    make_wheel(folder, "alotop", "1.0", requires=("aloleaf<2",))
    make_wheel(folder, "aloother", "1.0", requires=("aloleaf>=2",))
    make_wheel(folder, "aloold", "1.0", python=">=4")
    return folder


@pytest.fixture
def want(wheels: Path) -> Want:
    """What steps want: ``want(train="alotop", other="aloleaf==1.0")``."""

    def call(**by_step: str) -> Wanted:
        found = tuple(
            Requirement(
                text, text.split("=")[0].split(">")[0], step, f"step '{step}' (plan.yaml:7)"
            )
            for step, text in by_step.items()
        )
        return Wanted(found, (f"--find-links {wheels}",))

    return call


@pytest.fixture(params=["uv", "pip"])
def each_installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
    elif not installers.find_uv():
        pytest.skip("uv is not installed here")
    return str(request.param)


def versions(python: str, *names: str) -> list[str]:
    code = "; ".join(f"import {name}; print({name}.VERSION)" for name in names)
    done = subprocess.run(
        [python, "-c", f"import alo, alolib, yaml; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_environment_has_what_is_required_and_alo_itself(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    if installer == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
    elif not installers.find_uv():
        pytest.skip("uv is not installed here")
    wanted, told = want(train="alotop"), []

    python = make_environment(workspace, wanted, told.append)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    command = [python, "-c", "import alo; print(alo.__version__, alo.__file__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert os.path.realpath(done.stdout.split()[1]) == os.path.realpath(sys.modules["alo"].__file__)
    assert told[0] == f"installing alotop with {installer}"
    assert find_environment(workspace, environment_id(wanted)) == python
    told.clear()
    assert make_environment(workspace, wanted, told.append) == python
    assert told == []


def test_its_id_is_that_of_all_it_comes_from(want: Want) -> None:
    one = want(x="a")
    below = Requirement("b<1", "b", "x", "step 'x' (limits.txt:1)")
    others = [
        want(x="a==1"),
        one._replace(limits=(below,)),
        one._replace(limits=(below._replace(text="b<2"),)),
        one._replace(remote=("-c https://x/limits.txt",)),
        one._replace(options=("--pre",)),
    ]
    ids = {environment_id(each) for each in (one, *others)}

    assert len(ids) == 6
    assert environment_id(one) == environment_id(want(y="a"))


def test_a_new_token_of_an_index_is_no_other_environment(want: Want) -> None:
    one, other = (
        want(x="a")._replace(options=(f"--index-url https://aws:{token}@host/simple",))
        for token in ("12", "34")
    )

    assert environment_id(one) == environment_id(other)


@pytest.mark.parametrize(
    ("by_step", "reason", "fix"),
    [
        ({"train": "alogone>=3"}, "alogone", "correct the requirement"),
        ({"train": "aloold"}, "(?s)aloold.*Python", "correct the requirement"),
        ({"train": "alotop", "other": "aloother"}, "aloleaf", "environment: isolated"),
    ],
)
def test_what_cannot_be_installed_names_requirement_step_and_reason(
    workspace: Workspace, want: Want, by_step: dict[str, str], reason: str, fix: str
) -> None:
    wanted = want(**by_step)

    with pytest.raises(InstallError, match=reason) as caught:
        make_environment(workspace, wanted, lambda text: None)

    for step, text in by_step.items():
        assert f"{text}, for step '{step}' (plan.yaml:7)" in caught.value.what
    assert fix in caught.value.fix
    assert find_environment(workspace, environment_id(wanted)) == ""
    assert not (workspace.internal / "environments" / environment_id(wanted)).exists()


def test_a_package_that_does_not_build_ends_with_the_installers_own_reason(
    workspace: Workspace, tmp_path: Path
) -> None:
    source = tmp_path / "broken"
    source.mkdir()
    (source / "pyproject.toml").write_text('[project]\nname = "alobroken"\nversion = "1"\n')
    (source / "setup.py").write_text("raise SystemExit('no compiler for this one')")
    wanted = Wanted((Requirement(str(source), "", "train", "step 'train' (plan.yaml:7)"),))

    with pytest.raises(InstallError, match="no compiler for this one") as caught:
        make_environment(workspace, wanted, lambda text: None)

    assert f"{source}, for step 'train'" in caught.value.what


def test_an_index_that_is_down_is_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    found = Requirement("alotop", "alotop", "train", "step 'train' (plan.yaml:7)")
    wanted = Wanted((found,), ("--index-url http://me:secret@127.0.0.1:9/simple",))

    with pytest.raises(InstallError, match=r"127\.0\.0\.1:9/simple") as caught:
        make_environment(workspace, wanted, lambda text: None)

    assert "alotop, for step 'train'" in caught.value.what
    assert "secret" not in str(caught.value)


@pytest.fixture
def index(wheels: Path, tmp_path: Path) -> Iterator[str]:
    """A package index in which aloleaf 2.0 has been taken back by its maker."""
    pages = {}
    for wheel in wheels.iterdir():
        yanked = ' data-yanked="it loses data"' if wheel.name.startswith("aloleaf-2") else ""
        link = f'<a href="/wheels/{wheel.name}"{yanked}>{wheel.name}</a>'
        pages.setdefault(wheel.name.partition("-")[0], []).append(link)
    for name, links in pages.items():
        (tmp_path / "simple" / name).mkdir(parents=True)
        (tmp_path / "simple" / name / "index.html").write_text("<br>".join(links))
    handler = partial(QuietHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Quiet."""


def test_a_version_that_was_taken_back_is_not_chosen_and_told_of_where_it_is_asked_for(
    workspace: Workspace, want: Want, index: str
) -> None:
    options = (f"--extra-index-url {index}",)
    any_version = want(train="aloleaf>=1")._replace(options=options)
    just_this = want(train="aloleaf==2.0")._replace(options=options)
    told: list[str] = []

    assert versions(make_environment(workspace, any_version, told.append), "aloleaf") == ["1.0"]
    assert not any("yanked" in line for line in told)
    assert versions(make_environment(workspace, just_this, told.append), "aloleaf") == ["2.0"]
    assert any("yanked" in line and "it loses data" in line for line in told)


INSTALL = """\
import sys
from pathlib import Path
from alo.layout import Workspace
from alo.sources.packages.environments import make_environment
from alo.sources.packages.requirements import Requirement, Wanted
from alo.sources.packages.trial import NOTE
found = Requirement("alotop", "alotop", "train", "step 'train'")
print("ready", flush=True)
make_environment(
    Workspace(Path(sys.argv[1])), Wanted((found,), (f"--find-links {sys.argv[2]}",)), print
)
"""


def test_a_kill_while_installing_is_repaired_by_the_next_run(
    workspace: Workspace, want: Want, wheels: Path
) -> None:
    for pause in (0.05, 0.15, 0.3, 0.5):
        command = [sys.executable, "-c", INSTALL, str(workspace.home), str(wheels)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)

    python = make_environment(workspace, want(train="alotop"), lambda text: None)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]


def test_two_runs_that_install_the_same_at_once_share_it(
    workspace: Workspace, want: Want, wheels: Path
) -> None:
    command = [sys.executable, "-c", INSTALL, str(workspace.home), str(wheels)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("is ready" in text for text in told) == 1
    python = find_environment(workspace, environment_id(want(train="alotop")))
    assert versions(python, "alotop") == ["1.0"]


def test_an_environment_without_its_mark_does_not_count(workspace: Workspace, want: Want) -> None:
    wanted = want(train="aloleaf==1.0")
    python = make_environment(workspace, wanted, lambda text: None)
    (Path(python).parents[1] / NOTE).unlink()

    assert find_environment(workspace, environment_id(wanted)) == ""
    assert versions(make_environment(workspace, wanted, lambda text: None), "aloleaf") == ["1.0"]


def test_what_no_run_has_used_for_long_goes(workspace: Workspace, want: Want) -> None:
    old = Path(make_environment(workspace, want(train="aloleaf==1.0"), lambda text: None)).parents[
        1
    ]
    os.utime(old / NOTE, (1, 1))

    make_environment(workspace, want(train="aloleaf==2.0"), lambda text: None)

    assert not old.exists()


def test_offline_says_what_the_cache_does_not_have(workspace: Workspace) -> None:
    found = Requirement("alo-never-seen", "alo-never-seen", "train", "step 'train' (plan.yaml:7)")

    with pytest.raises(InstallError, match="alo-never-seen, for step 'train'"):
        make_environment(workspace, Wanted((found,)), lambda text: None, offline=True)


def test_only_what_is_missing_is_installed_here(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_environment(workspace, want(train="aloleaf==1.0"), lambda text: None)
    uv = installers.find_uv()
    if not uv:
        pytest.skip("uv is not installed here")
    monkeypatch.setattr(environments, "find_uv", lambda: uv)
    monkeypatch.setattr(sys, "executable", target)
    site = str(next(Path(target).parents[1].glob("lib/*/site-packages")))
    monkeypatch.setattr(sys, "path", [site])
    wanted = want(train="aloleaf", other="alotop")
    lacking = [Missing(wanted.requirements[1], "not installed")]

    install_here(workspace, wanted, lacking, lambda text: None, offline=False)

    assert versions(target, "aloleaf", "alotop") == ["1.0", "1.0"]
    wanted = want(train="aloleaf", other="aloother")  # which would need another aloleaf
    lacking = [Missing(wanted.requirements[1], "not installed")]
    with pytest.raises(InstallError, match=r"aloleaf==1\.0"):
        install_here(workspace, wanted, lacking, lambda text: None, offline=False)
    assert versions(target, "aloleaf") == ["1.0"]


def test_the_systems_own_python_is_left_alone(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sysconfig

    (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))

    with pytest.raises(InstallError, match="belongs to the system"):
        install_here(workspace, want(train="aloleaf"), [], lambda text: None, offline=False)


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
    told = lock_differences(lock, {"project": want(train="alotop>=1"), "isolated:x": wanted}, [])
    assert told == [
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
    told: list[str] = []

    python = make_environment(workspace, want(train="alotop==1.0"), told.append)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    assert "uv has installed alotop without all files: once more" in told
    told.clear()
    make_environment(workspace, want(train="alotop>=1"), told.append)
    assert not any("once more" in line for line in told)


def test_a_cache_of_the_installer_that_cannot_be_used_is_done_without(
    workspace: Workspace, want: Want, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))

    python = make_environment(workspace, want(train="alotop"), lambda text: None)

    assert versions(python, "alotop") == ["1.0"]


def test_options_that_uv_does_not_know_are_left_to_pip_or_told(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installers.find_uv():
        pytest.skip("uv is not installed here")
    wanted = want(train="alotop")
    wanted = wanted._replace(
        options=(*wanted.options, "--prefer-binary", "--use-feature fast-deps")
    )
    told: list[str] = []
    python = make_environment(workspace, wanted, told.append)
    assert versions(python, "alotop") == ["1.0"]
    assert told[0] == "pip is used, because uv does not know --prefer-binary"
    assert told[1].endswith("with pip")

    told.clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    wanted = wanted._replace(options=(*wanted.options, "--pre"))
    make_environment(workspace, wanted, told.append)
    assert "uv does not know --prefer-binary: it is left out" in told


def test_options_that_this_pip_does_not_know_are_left_out_and_told(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "find_uv", lambda: "")
    wanted = want(train="alotop")
    (one,) = wanted.requirements
    wanted = wanted._replace(
        requirements=(one._replace(options=("--frobnicate=x y",)),),
        options=(*wanted.options, "--use-feature never-heard-of"),
    )
    told: list[str] = []

    python = make_environment(workspace, wanted, told.append)

    assert versions(python, "alotop") == ["1.0"]
    notes = [line for line in told if "does not know" in line]
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


def test_what_a_process_uses_stays_however_long_it_does(workspace: Workspace, want: Want) -> None:
    python = make_environment(workspace, want(train="aloleaf==1.0"), lambda text: None)
    old = Path(python).parents[1]
    code = f"""
import sys
from pathlib import Path
from alo.layout import Workspace
from alo.sources.packages.environments import is_running_in
print(is_running_in(Workspace(Path({str(workspace.home)!r})), {old.name!r}), flush=True)
sys.stdin.read()
"""
    command = [python, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == b"True\n"
        os.utime(old / NOTE, (1, 1))
        make_environment(workspace, want(train="aloleaf==2.0"), lambda text: None)
        assert old.exists()
        service.communicate()

    make_environment(workspace, want(train="aloleaf"), lambda text: None)
    assert not old.exists()


@pytest.mark.parametrize("how", ["an index", "a URL", "an error"])
def test_no_password_is_left_in_the_environment_or_told(
    workspace: Workspace, want: Want, wheels: Path, index: str, each_installer: str, how: str
) -> None:
    secret = index.replace("http://", "http://me:s3cr3t@")
    text = "aloleaf==1.0"
    if how == "a URL":
        text = f"aloleaf @ {secret.removesuffix('/simple')}/wheels/aloleaf-1.0-py3-none-any.whl"
    wanted = want(train=text)._replace(options=(f"--extra-index-url {secret}",))
    named = wanted.requirements[0]._replace(name="aloleaf")
    wanted = wanted._replace(requirements=(named,))
    told: list[str] = []

    if how == "an error":
        wanted = want(train="aloleaf==9")._replace(options=wanted.options)
        with pytest.raises(InstallError) as caught:
            make_environment(workspace, wanted, told.append)
        told.append(str(caught.value))
    else:
        make_environment(workspace, wanted, told.append)

    files = [path for path in workspace.internal.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]
    assert "s3cr3t" not in "".join(told)


def test_a_full_disk_is_told_as_one_and_keeps_no_half_environment(
    want: Want, small_disk: Callable[..., Path], each_installer: str
) -> None:
    workspace = Workspace(small_disk(2))

    with pytest.raises(InstallError) as caught:
        make_environment(workspace, want(train="alotop"), lambda text: None)

    assert "make room" in caught.value.fix
    names = os.listdir(workspace.internal / "environments")
    assert [name for name in names if not name.endswith(".lock")] == []
