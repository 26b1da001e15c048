"""KServe's own client works with ``alo serve`` as it is, or is told in words what would.

It cannot be installed next to ALO's other tools (it wants an older pandas), so it has an
environment of its own, which is kept in ``build/`` for the next time.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alo.sources.packages.installers import find_uv

from ..bodies.test_binary_tensors import service
from ..test_app import Service

__all__ = ["service"]

WANTED = "kserve>=0.15,<1"
ENVIRONMENTS = Path(__file__).parents[4] / "build" / "kserve"
CALLS = Path(__file__).with_name("kserve_calls.py")
MODEL = "my model"
# What uv and pip say where an index has no version of it for this Python, or there is no index.
NOT_THERE = (
    "was not found in the package registry",
    "requirements are unsatisfiable",
    "No matching distribution found",
    "Failed to fetch",
    "Network connectivity is disabled",
)


@pytest.fixture(scope="session")
def python_with_kserve() -> Path:
    """The interpreter of an environment that has the client."""
    folder = ENVIRONMENTS / f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest's workers want it at the same time
        mark = folder / "made for"
        if not mark.exists() or mark.read_text() != WANTED:
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            mark.write_text(WANTED)
    return folder / "bin" / "python"


def _make(folder: Path) -> None:
    python, uv = str(folder / "bin" / "python"), find_uv()
    if uv:
        made = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        install = [uv, "pip", "install", "--quiet", "--python", python, WANTED]
    else:
        made = [sys.executable, "-m", "venv", str(folder)]
        install = [python, "-m", "pip", "install", "--quiet", WANTED]
    subprocess.run(made, check=True)
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode and any(each in done.stderr for each in NOT_THERE):
        pytest.skip(f"no package index here has {WANTED}: {done.stderr.strip()[-300:]}")
    assert not done.returncode, done.stderr


@pytest.fixture(scope="module")
def calls(python_with_kserve: Path, service: Service) -> dict[str, Any]:
    """What came of each call of the client; it takes seconds to import, so all at once."""
    command = [python_with_kserve, CALLS, service.url, MODEL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_state_of_server_and_model_is_known(calls: dict[str, Any]) -> None:
    names = ("live", "ready", "model ready", "other model ready")

    assert [calls[name].get("value") for name in names] == [True, True, True, False]


@pytest.mark.parametrize("name", ["bytes", "all in bytes"])
def test_arrays_go_and_come_as_bytes(calls: dict[str, Any], name: str) -> None:
    outputs = calls[name]["value"]["outputs"]

    numbers = outputs.pop("a")
    assert numbers[:2] == ["FP64", [2]]
    assert str(numbers[2]) == "[0.5, nan]"
    assert outputs == {
        "b": ["INT64", [2], [2**62, -1]],
        "c": ["BYTES", [2], ["x", "가, 00501"]],
        "d": ["BOOL", [2], [True, False]],
        "e_0": ["FP64", [2], [0.5, 2]],
        "e_1": ["FP64", [2], [1, 3]],
    }


@pytest.mark.parametrize("name", ["json", "with parameters"])
def test_arrays_go_as_json_where_that_is_asked_for(calls: dict[str, Any], name: str) -> None:
    assert calls[name]["value"]["outputs"] == {
        "a": ["FP64", [2], [0.5, 2]],
        "b": ["INT64", [2], [2**62, -1]],
        "c": ["BYTES", [2], ["x", "가, 00501"]],
    }


@pytest.mark.parametrize("name", ["an array", "a list"])
def test_data_may_be_an_array_or_a_list(calls: dict[str, Any], name: str) -> None:
    assert calls[name]["value"]["outputs"] == {"a": ["INT64", [2], [1, 2]]}


def test_a_request_may_be_a_dict(calls: dict[str, Any]) -> None:
    assert calls["a dict"]["value"]["outputs"] == {"a": ["INT64", [1], [1]]}


def test_an_answer_has_the_id_of_its_request_the_model_and_the_summary(
    calls: dict[str, Any],
) -> None:
    answer = calls["bytes"]["value"]

    assert (answer["id"], answer["model"]) == ("mine", MODEL)
    assert (answer["parameters"]["result"], answer["parameters"]["score"]) == ("fine", 0.5)
    assert calls["without an id"]["value"]["id"]  # the client makes one up


def test_outputs_that_are_asked_for_come_as_they_are_wanted(calls: dict[str, Any]) -> None:
    assert calls["two outputs"]["value"]["outputs"] == {
        "c": ["BYTES", [2], ["x", "가, 00501"]],
        "b": ["INT64", [2], [2**62, -1]],
    }


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("no rows", "422", "tensor 'a': the shape has to be [rows] or [rows, columns]"),
        ("too few", "422", "tensor 'a': 2 values do not have its shape"),
        ("two lengths", "422", "the tensors differ in their number of rows"),
        ("no such output", "400", "there is no output 'z'; the result has a, b, c"),
        ("no such model", "404", "there is no such model; it is 'my model'"),
        ("v1 live", "404", "RESTConfig(protocol='v2')"),
        ("v1 model ready", "404", "RESTConfig(protocol='v2')"),
        ("v1 infer", "404", "RESTConfig(protocol='v2')"),
        ("v1 explain", "404", "RESTConfig(protocol='v2')"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    calls: dict[str, Any], name: str, status: str, said: str
) -> None:
    assert calls[name]["error"] == "HTTPStatusError"
    assert said in calls[name]["said"].replace("\\'", "'")
    assert f"'{status} " in calls[name]["said"]
