"""Whatever stands in a file of ours, and whatever is typed: it is never told as a fault in ALO."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.cli.main import main

STEP = """\
from pathlib import Path
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        args = self.asset.load_args()
        if args.get("kill"):
            import os
            os.kill(os.getpid(), 9)
        assert not args.get("fail")
        self.asset.save_summary("x", 0.5)
        Path(self.asset.get_output_path(), "a.csv").write_text("1")
        if self.asset.load_config()["meta"]["pipeline"] == "train_pipeline":
            Path(self.asset.get_model_path(), "m").write_text("1")
        self.asset.save_data({"n": 1})
        self.asset.save_config(self.asset.load_config())
"""
PLAN = {
    "name": "faults",
    "user_parameters": {
        "train_pipeline": [{"step": "train", "args": {"k": 1}}, {"step": "after", "args": {}}],
        "inference_pipeline": [{"step": "inference", "args": {}}],
    },
    "control": {"interface_mode": "file", "cache": True},
    "external_path": {"load_train_data_path": "data/t", "load_inference_data_path": "data/i"},
}
ODD_VALUES = [
    None,
    [],
    {},
    "",
    "x",
    -1,
    10**400,
    True,
    "a\0b",
    "\ud800",
    "../../x",
    [None],
    {"a": 1},
    "2026-13-45T99:99:99.000000Z",
    float("inf"),
    float("nan"),
    "x" * 300,
    [[1]],
    {"": None},
]
ODD_CONTENTS = [
    b"",
    b"{",
    b"\0" * 10,
    b"\xff\xfe\0x",
    b"null",
    b"[]",
    b"3",
    b'"x"',
    b"NaN",
    b"\xb0\xa1",
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b"\xef\xbb\xbf{}",
    b"1" * 5_000,
    b"a: &x [*x]",
]
LOOKING = [
    ("history",),
    ("history", "--json"),
    ("history", "show", "{id}"),
    ("history", "show", "{id}", "--json"),
    ("history", "diff", "{id}", "{id}"),
    ("history", "verify"),
    ("deploy", "--status"),
    ("check",),
]
ACTING = [
    ("run",),
    ("run", "--resume"),
    ("run", "--mode", "train", "--from", "after"),
    ("history", "rerun", "{id}"),
    ("deploy", "{id}"),
    ("deploy", "--rollback"),
    ("history", "prune", "--keep", "1"),
    ("history", "remove", "{id}"),
]
ODD_WORDS = [
    "",
    "\udc80",
    "../..",
    "*",
    "x" * 5_000,
    "a/b",
    "/",
    "-",
    "0",
    "\n",
    "가",
    "nan",
    "1e999",
    "{",
    "a=b",
    "=",
    "train.k",
    "train.k=",
    "train.k=[",
    "train.k=" + "[" * 2_000,
    "train.k=\udc80",
    "s3:/x",
    "http://",
    "file:///",
    "\x1b[31m",
    "9" * 20 + "d",
    "-1h",
    "∞",
    "train.k.x=1",
]
COMMANDS = [
    ("history", "show", "{}"),
    ("history", "diff", "{}", "{}"),
    ("history", "rerun", "{}"),
    ("history", "verify", "{}"),
    ("history", "remove", "{}"),
    ("history", "prune", "--keep", "{}"),
    ("history", "--param", "{}"),
    ("history", "--since", "{}"),
    ("history", "--limit", "{}"),
    ("history", "{}"),
    ("deploy", "{}"),
    ("deploy", "--shadow", "{}"),
    ("check", "--set", "{}"),
    ("check", "--config", "{}"),
    ("check", "--system", "{}"),
    ("check", "--mode", "{}"),
    ("run", "--from", "{}"),
    ("run", "--only", "{}"),
    ("run", "--computing", "{}"),
    ("loop", "dead", "list", "--redis", "{}"),
    ("{}",),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with runs that succeeded and failed, deployments, and a run that was killed."""
    home = tmp_path_factory.mktemp("faults") / "base"
    for step in ("train", "after", "inference"):
        path = home / "assets" / step / f"asset_{step}.py"
        path.parent.mkdir(parents=True)
        path.write_text(STEP)
    for data in ("t", "i"):
        (home / "data" / data).mkdir(parents=True)
        (home / "data" / data / "a.csv").write_text("1")
    (home / "solution").mkdir()
    (home / "solution/experimental_plan.yaml").write_text(json.dumps(PLAN))
    for words in ("run", "run --set train.k=2", "lock", "deploy"):
        assert main([*words.split(), "--project", str(home)]) == 0
    killed = ["run", "--mode", "train", "--set", "after.kill=true", "--project", str(home)]
    subprocess.run([sys.executable, "-m", "alo.cli.main", *killed], check=False)
    assert (home / ".unfinished_run").is_dir()
    return home


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Callable[[], Path]:
    """Call it for a fresh copy."""
    home = tmp_path / "project"

    def fresh() -> Path:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(base, home, symlinks=True)
        return home

    return fresh


def files_of(home: Path) -> list[str]:
    """What ALO has written, and reads."""
    ours = [home / ".alo", home / ".asset_interface", home / ".unfinished_run", home / "history"]
    ours += [home / "solution", home / "train_artifacts/log", home / "inference_artifacts/score"]
    found = (path for folder in ours for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(home)) for path in found if path.suffix != ".py")


def damaged(path: Path, chance: random.Random) -> str:
    """Damage a file; returns how."""
    content = path.read_bytes()
    path.unlink()
    way = chance.choice(["value", "value", "value", "content", "content", "cut", "folder", "loop"])
    if way == "value" and path.suffix == ".json":
        try:
            path.write_text(json.dumps(with_odd_value(json.loads(content), chance)))
        except ValueError:  # it has a checksum before it
            path.write_bytes(content[1:])
        return way
    if way == "folder":
        path.mkdir()
    elif way == "loop":
        path.symlink_to(path.name)
    elif way == "cut":
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
    else:
        path.write_bytes(chance.choice(ODD_CONTENTS))
    return way


def with_odd_value(document: Any, chance: random.Random) -> Any:
    places = list(places_in(document))
    *inner, last = chance.choice(places) if places else [None]
    if last is None:
        return chance.choice(ODD_VALUES)
    outer = document
    for key in inner:
        outer = outer[key]
    outer[last] = chance.choice(ODD_VALUES)
    return document


def places_in(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in pairs:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from places_in(value, (*at, key))


def refuse_faults(words: list[str], home: Path, reported: str, capsys: Any) -> None:
    status = main([*words, "--project", str(home)])

    captured = capsys.readouterr()
    assert "fault in ALO" not in captured.err, f"{reported}: {words}: {captured.err}"
    assert "Traceback" not in captured.err
    assert status in (0, 1, 2)


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_is_reported_or_mended(
    seed: int, project: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    home = project()
    if seed % 2:
        shutil.rmtree(home / ".unfinished_run")
    ids = [path.name for path in (home / "history/train").iterdir() if path.name[0] != "."]
    name = chance.choice(files_of(home))
    way = damaged(home / name, chance)

    for command in (*chance.sample(LOOKING, 3), *chance.sample(ACTING, 3)):
        words = [word.replace("{id}", chance.choice(ids)) for word in command]
        refuse_faults(words, home, f"seed {seed}, {name}, {way}", capsys)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_odd_words_are_reported(
    command: tuple[str, ...], project: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    home = project()
    shutil.rmtree(home / ".unfinished_run")

    for odd in ODD_WORDS:
        refuse_faults([word.replace("{}", odd) for word in command], home, odd[:40], capsys)
