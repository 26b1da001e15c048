"""File systems that lack things (CIFS, gcsfuse, drvfs, NFS with all_squash, Lustre): runs go on.

``lacking.c``, which stands for them, is put before the system's own calls.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from alo.history.browse import History
from alo.layout import Workspace

MakeSolution = Callable[..., Path]
Alo = Callable[..., subprocess.CompletedProcess[str]]

EACH = ["chmod", "link", "symlink", "flock", "fsync", "utime", "copy_file_range", "mmap", "mkfifo"]
TRAIN = """\
import os
models = Path(self.asset.get_model_path())
(models / 'model').write_text(f"model {self.args['n']}")
(models / 'model').chmod(0o600) if self.args['n'] == 0 else None
self.data['values'] = bytearray(3_000_000)
"""
USE = """\
self.asset.save_summary(Path(self.asset.get_model_path(), 'model').read_text(), 1)
Path(self.asset.get_output_path(), 'a.csv').write_text('a')
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler here")
    path = tmp_path_factory.mktemp("lacking") / "lacking.so"
    source = Path(__file__).with_name("lacking.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def lacking(library: Path) -> Callable[[str, Path], Mapping[str, str]]:
    """``lacking("chmod,link", folder)``: the environment in which a folder's disk lacks these."""

    def environment(what: str, folder: Path) -> Mapping[str, str]:
        there = {"LACKING": what, "LACKING_BELOW": str(folder), "LD_PRELOAD": str(library)}
        return {**os.environ, **there}

    return environment


@pytest.fixture
def home(make_solution: MakeSolution, tmp_path: Path) -> Path:
    """A project that stages, stores, uses a process, caches and exports."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/large").write_bytes(os.urandom(9_000_000))
    (tmp_path / "data/small").write_text("1")
    home = make_solution(
        {"train": TRAIN},
        {"inference": USE},
        args={"train": {"n": 1}},
        beside={"inference": {"isolation": "process"}},
        control={"interface_mode": "file", "cache": True},
        external={
            "load_train_data_path": str(tmp_path / "data"),
            "load_inference_data_path": str(tmp_path / "data"),
            "save_train_artifacts_path": "./out",
            "save_inference_artifacts_path": "./out",
        },
    )
    (home / "assets/train/weights").write_bytes(os.urandom(9_000_000))
    return home


@pytest.mark.parametrize("what", [*EACH, ",".join(EACH)], ids=[*EACH, "all of these"])
def test_a_project_runs_on_a_disk_that_lacks(
    what: str, home: Path, lacking: Callable[..., Mapping[str, str]], alo: Alo
) -> None:
    env = lacking(what, home)

    done = [
        alo("run", cwd=home, env=env),
        alo("run", "--set", "train.n=2", cwd=home, env=env),
        alo("history", "verify", cwd=home, env=env),
    ]
    oldest = History(Workspace(home)).list()[-1].id
    done.append(alo("history", "rerun", oldest, cwd=home, env=env))
    done.append(alo("init", "new", cwd=home, env=env))

    for each in done:
        assert each.returncode == 0, each.stderr
    assert ("has no locks" in done[0].stdout) == ("flock" in what)
    entries = History(Workspace(home)).list()
    assert [entry.status for entry in entries] == ["success"] * 5
    assert (home / "train_artifacts/models/train/model").read_text() == "model 1"
    assert (home / "input/train/data/large").stat().st_size == 9_000_000
    assert not list(home.rglob("*.alo-tmp"))


SLOW = TRAIN + "\nprint('begun', flush=True)\nimport time\ntime.sleep(600)"


@pytest.fixture
def begun(
    home: Path, make_solution: MakeSolution, lacking: Callable[..., Mapping[str, str]]
) -> Iterator[subprocess.Popen[str]]:
    """A run that goes on, in a project whose disk has no locks."""
    make_solution({"train": SLOW}, {"inference": USE}, home=home, args={"train": {"n": 2}})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", "train"]
    env = lacking("flock", home)
    with subprocess.Popen(
        command, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert any("begun" in line for line in process.stdout)
        yield process
        process.kill()


def test_without_locks_a_second_run_is_held_back_all_the_same(
    begun: subprocess.Popen[str], home: Path, lacking: Callable[..., Mapping[str, str]], alo: Alo
) -> None:
    done = alo("run", "--mode", "train", "--no-wait", cwd=home, env=lacking("flock", home))

    assert done.returncode == 1
    assert "another run has this workspace: train_pipeline" in done.stderr
    assert begun.poll() is None


def test_without_locks_a_killed_run_holds_no_one_back(
    begun: subprocess.Popen[str],
    home: Path,
    make_solution: MakeSolution,
    lacking: Callable[..., Mapping[str, str]],
    alo: Alo,
) -> None:
    begun.kill()
    begun.wait()
    make_solution({"train": TRAIN}, home=home, args={"train": {"n": 3}})

    done = alo("run", "--mode", "train", "--no-wait", cwd=home, env=lacking("flock", home))

    assert done.returncode == 0, done.stderr
    assert "was killed" in done.stdout
    assert (home / "train_artifacts/models/train/model").read_text() == "model 3"


def test_links_are_left_out_of_a_history_whose_disk_has_none(
    make_solution: MakeSolution, lacking: Callable[..., Mapping[str, str]], alo: Alo
) -> None:
    link = "\nos.symlink('model', models / 'latest')"
    home = make_solution({"train": TRAIN + link}, args={"train": {"n": 1}})
    env = lacking("symlink", home / "history")

    done = [alo("run", cwd=home, env=env), alo("history", "verify", cwd=home, env=env)]

    assert [each.returncode for each in done] == [0, 0]
    (entry,) = History(Workspace(home)).list()
    kept = home / "history/train" / entry.id / "models/train"
    assert os.listdir(kept) == ["model"]
    assert (home / "train_artifacts/models/train/latest").is_symlink()


def test_a_durable_write_needs_no_fsync(
    home: Path, lacking: Callable[..., Mapping[str, str]], alo: Alo
) -> None:
    env = lacking("fsync", home)
    alo("run", "--mode", "train", cwd=home, env=env)
    run_id = History(Workspace(home)).list()[0].id

    done = alo("deploy", run_id, cwd=home, env=env)

    assert done.returncode == 0, done.stderr
    assert run_id in (home / "solution/deployment.json").read_text()
