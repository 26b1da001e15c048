"""Whatever is typed, and whatever stands in files, is an error of whose it is: no fault of ALO."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.commands.init import make_project
from alo.cli.main import main

TEXTS = {
    "lone surrogate": "a\ud800b",
    "bytes that are not UTF-8": "a\udcffb",
    "two escapes": "\ud83d\ude00",
    "NUL": "a\0b",
    "escape sequence": "a\x1b[31mb",
    "line separator": "a\u2028b",
    "lines": "a\nb",
    "long": "x" * 5000,
    "deep list": "[" * 3000,
    "deep object": '{"a":' * 900 + "1" + "}" * 900,
    "digits": "9" * 5000,
    "nothing": "",
    "a space": " ",
    "outwards": "../..",
    "formats": "%s{0}",
}
TYPED = [
    "run --set train.x=@",
    "run --set @",
    "run --set @.x=1",
    "run --set train.@=1 --mode train",
    "run --config @",
    "run --system @",
    "run --only @",
    "run --from @",
    "run --until @",
    "run --mode @",
    "run --computing @",
    "run --loop --redis @",
    "check --system @ --json",
    "check --config @",
    "lock --config @",
    "install --config @",
    "history @",
    "history show @",
    "history diff @ @",
    "history rerun @",
    "history verify @",
    "history remove @",
    "history prune --keep @",
    "history --param train.x=@",
    "history --param @",
    "history --since @",
    "history --pipeline @",
    "deploy @",
    "deploy --shadow @",
    "loop @",
    "loop dead --redis @",
    "serve --token @ --port x",
    "serve --host @ --port x",
    "schema @",
    "@",
]
Told = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run twice."""
    home = tmp_path_factory.mktemp("hostile") / "project"
    make_project(home, "minimal")
    for _ in range(2):
        assert main(["run", "--quiet", "--project", str(home)]) == 0
    return home


@pytest.fixture
def reported(home: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command in the project; what it prints, which is no fault of ALO."""

    def call(*words: str) -> str:
        status = main([*words, "--project", str(home)])
        captured = capsys.readouterr()
        text = captured.out + captured.err
        assert "fault in ALO" not in text
        assert "Traceback" not in text
        assert status in (0, 1, 2)
        return text

    return call


@pytest.mark.parametrize("command", TYPED)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_whatever_is_typed_is_an_error_of_who_typed_it(
    command: str, text: str, reported: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    reported(*(word.replace("@", text) for word in command.split()))


ESCAPES = [r"\ud800", r"\0", r"\x07", r"\U00110000", r"\u2028"]
PLACES = {
    "name": ("name: project", "name: {}"),
    "version": ("version: 1.0.0", "version: {}"),
    "data": ("load_train_data_path: ./sample_data/train/", "load_train_data_path: {}"),
    "step": ("- step: train", "- step: {}"),
    "arg": ("tolerance: 3", "tolerance: 3\n          x: [{}, {{a: {}}}]"),
    "name of an arg": ("tolerance: 3", "tolerance: 3\n          {}: 1"),
    "key": ("version: 1.0.0", "version: 1.0.0\n{}: 1"),
    "source": (
        "version: 1.0.0",
        "asset_source:\n  train_pipeline:\n    - step: train\n"
        "      source: {{code: {}, branch: {}, path: {}, requirements: [{}]}}",
    ),
    "ui": (
        "version: 1.0.0",
        "ui_args_detail:\n  train_pipeline:\n    - step: {}\n"
        "      args: [{{name: {}, type: int, default: {}, description: {}}}]",
    ),
    "profile": ("version: 1.0.0", "external_path_permission: {{aws_key_profile: {}}}"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("escape", ESCAPES)
def test_a_text_in_a_plan_is_fine_or_a_problem_of_the_plan(
    escape: str, place: str, home: Path, reported: Told
) -> None:
    plan = home / "solution/experimental_plan.yaml"
    before = plan.read_text()
    old, new = PLACES[place]
    text = before.replace('name: "project"', "name: project")
    assert old in text
    quoted = f'"a{escape}b"'
    try:
        plan.write_text(text.replace(old, new.format(*[quoted] * 4), 1))
        printed = reported("run", "--quiet", "--mode", "train")
    finally:
        plan.write_text(before)

    if r"\ud800" in escape or "110000" in escape:
        assert "solution/experimental_plan.yaml:" in printed


CONTENTS = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 3000 + b"1" + b"}" * 3000,
    "deep args": b'{"args":' + b'{"a":' * 400 + b"1" + b"}" * 401,
    "cut off": b'{"id": "2',
    "not UTF-8": b"\xff\xfe\xff",
    "NULs": b"\0" * 30,
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "nothing": b"",
    "other types": b'{"run": 5, "id": [], "status": {}, "args": 3, "steps": "x", "files": 1}',
    "surrogates": b'{"run": "\\ud800", "id": "\\ud800", "chosen": {"run": "\\ud800"}}',
    "digits": b'{"run": ' + b"9" * 5000 + b"}",
}
COMMANDS = [
    ["history"],
    ["history", "--json"],
    ["history", "show", "@"],
    ["history", "verify"],
    ["deploy"],
    ["deploy", "--rollback"],
    ["check"],
    ["loop", "status"],
    ["run", "--quiet", "--mode", "inference"],
    ["run", "--quiet", "--locked", "--mode", "inference"],
]
OWN_FILES = [
    "solution/deployment.json",
    "solution/alo.lock",
    "history/train/@/log/experimental_history.json",
    "history/train/@/checksums.json",
    "train_artifacts/log/model_origin.json",
    ".alo/staged-inference.json",
    ".alo/history-sizes.json",
    ".alo/history-total.json",
    ".alo/lock",
    ".alo/last-runs",
    ".alo/new-runs.jsonl",
    ".alo/satisfied",
    ".unfinished_run/run.json",
]


@pytest.mark.parametrize("name", OWN_FILES)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_file_of_ours_that_is_damaged_is_reported_or_made_anew(
    name: str, content: bytes, home: Path, reported: Told
) -> None:
    run = next((home / "history/train").iterdir()).name
    file = home / name.replace("@", run)
    before = file.read_bytes() if file.exists() else None
    try:
        for command in COMMANDS:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            reported(*(word.replace("@", run) for word in command))
    finally:
        if before is not None:
            file.write_bytes(before)
        elif ".unfinished_run" in name:
            shutil.rmtree(file.parent, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)
