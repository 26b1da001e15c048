"""What ``--json`` prints is JSON in every locale: for other programs, which read UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakeSolution = Callable[..., Path]

NAME = os.fsdecode(b"\xb0\xa1.csv")  # as a Korean Windows writes 가.csv
LOCALES = {
    "C": {"LC_ALL": "C"},
    "C, and nothing else": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "C.UTF-8": {"LC_ALL": "C.UTF-8"},
    "not there": {"LC_ALL": "xx_YY"},
    "EUC-KR": {"LC_ALL": "ko_KR.EUC-KR"},
}
STEP = """
    import logging, os
    for _, _, names in os.walk(self.asset.get_input_path()):
        for name in names:
            print("한글", name, end="\\r")
            self.asset.save_info(name)
            logging.getLogger("x").warning("%s", name)
            Path(self.asset.get_model_path(), name).touch()
"""


@pytest.fixture(params=LOCALES)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "EUC-KR":
        made = ["localedef", "-i", "ko_KR", "-f", "EUC-KR", str(tmp_path / "ko_KR.EUC-KR")]
        try:
            subprocess.run(made, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("this locale cannot be made here")
    return {**os.environ, "LOCPATH": str(tmp_path), **LOCALES[request.param]}


def test_json_is_utf8_whatever_the_locale(
    environment: dict[str, str], make_solution: MakeSolution, tmp_path: Path
) -> None:
    home = make_solution({"train": STEP}, external={"load_train_data_path": "data/"})
    (home / "data").mkdir()
    (home / "data" / NAME).write_text("")

    def asked(*words: str) -> Any:
        command = [sys.executable, "-m", "alo.cli.main", *words, "--project", str(home)]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        text = done.stdout.decode("utf-8")
        assert text, done.stderr
        return [json.loads(line) for line in text.splitlines()] if "run" in words else text

    events = asked("run", "--json")

    names = {NAME, "가.csv"}  # the second where the locale knows these bytes
    texts = [event["payload"]["text"] for event in events if event["event"] in ("output", "log")]
    assert names & set(texts)
    (entry,) = os.listdir(home / "history/train")
    shown = json.loads(asked("history", "show", entry, "--json"))
    assert names & {name.removeprefix("data/") for name in shown["data_id_description"]["files"]}
    for words in (
        ["history", "--json"],
        ["history", "verify", "--json"],
        ["history", "diff", entry, entry, "--json"],
        ["history", "prune", "--keep", "9", "--json"],
        ["check", "--json"],
        ["deploy", "--json"],
        ["loop", "status", "--json"],
        ["schema"],
    ):
        assert json.loads(asked(*words)) is not None, words
    for path in home.rglob("*.json"):
        json.loads(path.read_bytes().decode("utf-8"))
    log = (home / "train_artifacts/log/pipeline.log").read_text("utf-8")
    assert "가" in log or "\\udcb0\\udca1" in log


def test_what_is_wrong_is_json_in_every_locale(
    environment: dict[str, str], make_solution: MakeSolution, tmp_path: Path
) -> None:
    external = {"load_train_data_path": "없음"}
    home = make_solution({"train": ""}, home=tmp_path / NAME, external=external)

    command = [sys.executable, "-m", "alo.cli.main", "check", "--json", "--project", str(home)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)

    problems = json.loads(done.stdout.decode("utf-8"))
    assert "없음" in problems[0]["what"] + problems[0]["key"]
