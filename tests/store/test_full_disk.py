"""A store on a disk of 2 MB: a small file system of our own, mounted where no one else sees it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEW_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]

SCRIPT = """
import pathlib, sys
import numpy as np
from alo.errors import StoreError
from alo.store import StepStore

root = pathlib.Path(sys.argv[1])
store = StepStore(root)
small = store.save("run", "train", "input", {"small": np.zeros(100_000)}, {})
try:
    store.save("run", "train", "train", {"frame": np.ones(1_000_000)}, {}, incoming=small)
except StoreError as error:
    print(error)
print("left over:", list((root / "unfinished").iterdir()))
data, _ = store.load(small)
store.save("run", "train", "train", {**data, "frame": np.ones(100_000)}, {}, incoming=small)
print("went on")
"""


def _cannot_mount(place: Path) -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return True
    tried = subprocess.run([*NEW_MOUNTS, f"mount -t tmpfs none {place}"], capture_output=True)
    return tried.returncode != 0


def test_a_full_disk_is_a_clear_error_and_what_is_stored_stays(tmp_path: Path) -> None:
    if _cannot_mount(tmp_path):
        pytest.skip("this user cannot mount a file system")
    script = tmp_path.with_name("script.py")
    script.write_text(SCRIPT)

    command = f"mount -t tmpfs -o size=2m none {tmp_path} && {sys.executable} {script} {tmp_path}/s"
    done = subprocess.run([*NEW_MOUNTS, command], capture_output=True, text=True, check=True)

    what, where, fix, left, end = done.stdout.splitlines()
    assert what.startswith("no room left on the disk: storing data['frame'] of step 'train' needs")
    assert "needs 8.0 MB, 1." in what
    assert where == f"  where: {tmp_path}/s"
    assert fix.startswith("  fix: make room on the disk, and try again")
    assert (left, end) == ("left over: []", "went on")
