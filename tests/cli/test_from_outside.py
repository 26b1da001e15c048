"""What a run does to files that are someone's, and says of what it is given: seen from outside.

Nothing of the engine is replaced or imported here; sizes and processes are the real ones.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MakeSolution = Callable[..., Path]
Alo = Callable[..., subprocess.CompletedProcess[str]]

LARGE = 20 << 20  # more than what history copies at once
MODEL = f"""\
with open(Path(self.asset.get_model_path(), 'model'), 'wb') as file:
    file.write(b'good')
    file.truncate({LARGE})
"""
SPOIL = """\
with open(Path(self.asset.get_model_path(), 'model'), 'r+b') as file:
    file.write(b'bad!')
"""
ANSWER = """\
self.asset.save_summary('r', 1)
Path(self.asset.get_output_path(), 'a.csv').write_text('a')
"""
APART = {"isolation": "process"}


def first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def models_in_history(home: Path) -> list[Path]:
    return [path for path in home.glob("history/train/*/models/train/model") if path.is_file()]


# Files with one name


@pytest.mark.parametrize("mode", ["memory", "file"])
def test_an_inference_that_writes_into_a_large_model_leaves_that_of_history(
    mode: str, make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution(
        {"train": MODEL}, {"inference": SPOIL + ANSWER}, control={"interface_mode": mode}
    )
    trained = alo("run", "--mode", "train", cwd=home)
    inferred = alo("run", "--mode", "inference", cwd=home)

    assert (trained.returncode, inferred.returncode) == (0, 0), trained.stderr + inferred.stderr
    assert first_bytes(home / "train_artifacts/models/train/model") == b"bad!"
    assert [first_bytes(path) for path in models_in_history(home)] == [b"good"]


def test_a_large_file_beside_the_code_keeps_its_mode_and_its_single_name(
    make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution({"train": MODEL})
    weights = home / "assets/train/weights"
    weights.write_bytes(bytes(LARGE))
    weights.chmod(0o664)
    before = weights.stat()

    done = alo("run", cwd=home)

    after = weights.stat()
    assert done.returncode == 0, done.stderr
    assert (after.st_mode, after.st_ino, after.st_nlink) == (before.st_mode, before.st_ino, 1)


# Paths that are nearly URLs


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("s3:/bucket/out", "s3://bucket/out"), ("s3:bucket/out", "s3://bucket/out")],
)
@pytest.mark.parametrize("key", ["save_train_artifacts_path", "load_train_data_path"])
def test_a_url_with_a_slash_too_few_is_refused_with_the_one_that_is_meant(
    key: str, slip: str, meant: str, make_solution: MakeSolution, alo: Alo
) -> None:
    home = make_solution({"train": ""}, external={key: slip})

    for command in ("check", "run"):
        done = alo(command, cwd=home)
        assert done.returncode == 2, done.stdout + done.stderr
        assert meant in done.stderr + done.stdout
        assert key in done.stderr + done.stdout
    assert not list(home.glob("s3*"))


# What an asset raises

RAISED = {
    "an error with one of ours as its cause": (
        "try:\n    self.asset.check_args('k', is_required=True)\n"
        "except BaseException as error:\n    raise ValueError('mine') from error",
        "ValueError: mine",
    ),
    "an error whose text exits": (
        "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit(4)\nraise Odd",
        "Odd",
    ),
    "an error whose text is interrupted": (
        "class Odd(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\nraise Odd",
        "Odd",
    ),
    "an error of an endless text": ("raise ValueError('x' * 3_000_000)", "3,000,000 characters"),
}


@pytest.mark.parametrize("isolation", [{}, APART], ids=["memory", "process"])
@pytest.mark.parametrize("what", RAISED)
def test_what_an_asset_raises_is_reported_with_its_own_frames_alone(
    what: str, isolation: dict[str, str], make_solution: MakeSolution, alo: Alo
) -> None:
    code, reported = RAISED[what]
    home = make_solution({"bad": code}, beside={"bad": isolation})

    done = alo("run", cwd=home)

    said = done.stdout + done.stderr
    assert done.returncode == 1, said[-2000:]
    assert reported in said
    assert "assets/bad/asset_bad.py" in said
    assert "/alo/" not in said
    assert "/alolib/" not in said
    assert len(said) < 100_000


def test_an_interrupt_of_a_steps_process_shows_no_frames_but_the_steps(
    make_solution: MakeSolution, alo: Alo
) -> None:
    code = "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    home = make_solution({"bad": code}, beside={"bad": APART})

    done = alo("run", "--json", cwd=home)

    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "KeyboardInterrupt" in said
    assert "/alo/" not in said


# Advice that helps where it is given


@pytest.mark.parametrize(
    ("control", "beside"),
    [({"interface_mode": "file"}, {}), ({}, APART)],
    ids=["file", "process"],
)
def test_a_value_that_cannot_be_stored_is_reported_with_what_it_takes_to_hand_it_on(
    control: dict[str, str], beside: dict[str, str], make_solution: MakeSolution, alo: Alo
) -> None:
    code = "import threading; self.data['lock'] = threading.Lock()"
    home = make_solution({"train": code}, control=control, beside={"train": beside})

    done = alo("run", cwd=home)

    assert done.returncode == 1
    assert "data['lock'] of step 'train' cannot be stored" in done.stderr
    assert "or set interface_mode" not in done.stderr  # which alone may change nothing
    assert "only in memory mode, without the cache" in done.stderr


def test_a_notebook_without_a_model_is_not_sent_to_the_command_line(
    make_solution: MakeSolution,
) -> None:
    home = make_solution({"train": ""}, {"inference": "self.asset.get_model_path()"})
    code = "import alo; alo.Project().inference.run()"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "run the train pipeline first, and save() it" in done.stderr
    assert "alo run" not in done.stderr
