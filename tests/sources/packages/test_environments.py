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
)
from alo.sources.packages.installed import Missing
from alo.sources.packages.requirements import Requirement, Wanted
from alo.sources.packages.trial import NOTE

from .conftest import Want, versions


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_environment_has_what_is_required_and_alo_itself(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    if installer == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
    elif not installers.find_uv():
        pytest.skip("uv is not installed here")
    wanted, reported = want(train="alotop"), []

    python = make_environment(workspace, wanted, reported.append)

    assert versions(python, "alotop", "aloleaf") == ["1.0", "1.0"]
    command = [python, "-c", "import alo; print(alo.__version__, alo.__file__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert os.path.realpath(done.stdout.split()[1]) == os.path.realpath(sys.modules["alo"].__file__)
    assert reported[0] == f"installing alotop with {installer}"
    assert find_environment(workspace, environment_id(wanted)) == python
    reported.clear()
    assert make_environment(workspace, wanted, reported.append) == python
    assert reported == []


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


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_does_not_answer_is_no_fault_of_the_requirement(
    workspace: Workspace, want: Want, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    if installer == "pip":
        monkeypatch.setattr(environments, "find_uv", lambda: "")
        monkeypatch.setenv("PIP_RETRIES", "1")
    elif not installers.find_uv():
        pytest.skip("uv is not installed here")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    wanted = want(train="alogone")._replace(options=("--index-url http://127.0.0.1:9/simple",))

    with pytest.raises(InstallError) as caught:
        make_environment(workspace, wanted, lambda text: None)

    assert "network" in caught.value.fix
    assert "correct the requirement" not in caught.value.fix


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


def test_a_version_that_was_taken_back_is_not_chosen_and_reported_of_where_it_is_asked_for(
    workspace: Workspace, want: Want, index: str
) -> None:
    options = (f"--extra-index-url {index}",)
    any_version = want(train="aloleaf>=1")._replace(options=options)
    just_this = want(train="aloleaf==2.0")._replace(options=options)
    reported: list[str] = []

    assert versions(make_environment(workspace, any_version, reported.append), "aloleaf") == ["1.0"]
    assert not any("yanked" in line for line in reported)
    assert versions(make_environment(workspace, just_this, reported.append), "aloleaf") == ["2.0"]
    assert any("yanked" in line and "it loses data" in line for line in reported)


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
    reported = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("is ready" in text for text in reported) == 1
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
def test_no_password_is_left_in_the_environment_or_reported(
    workspace: Workspace, want: Want, wheels: Path, index: str, each_installer: str, how: str
) -> None:
    secret = index.replace("http://", "http://me:s3cr3t@")
    text = "aloleaf==1.0"
    if how == "a URL":
        text = f"aloleaf @ {secret.removesuffix('/simple')}/wheels/aloleaf-1.0-py3-none-any.whl"
    wanted = want(train=text)._replace(options=(f"--extra-index-url {secret}",))
    named = wanted.requirements[0]._replace(name="aloleaf")
    wanted = wanted._replace(requirements=(named,))
    reported: list[str] = []

    if how == "an error":
        wanted = want(train="aloleaf==9")._replace(options=wanted.options)
        with pytest.raises(InstallError) as caught:
            make_environment(workspace, wanted, reported.append)
        reported.append(str(caught.value))
    else:
        make_environment(workspace, wanted, reported.append)

    files = [path for path in workspace.internal.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]
    assert "s3cr3t" not in "".join(reported)


def test_a_full_disk_is_reported_as_one_and_keeps_no_half_environment(
    want: Want, small_disk: Callable[..., Path], each_installer: str
) -> None:
    workspace = Workspace(small_disk(2))

    with pytest.raises(InstallError) as caught:
        make_environment(workspace, want(train="alotop"), lambda text: None)

    assert "make room" in caught.value.fix
    names = os.listdir(workspace.internal / "environments")
    assert [name for name in names if not name.endswith(".lock")] == []
