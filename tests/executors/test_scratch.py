from __future__ import annotations

from pathlib import Path

import pytest

from alo.claims import left_behind
from alo.executors.scratch import scratch_folder
from alo.layout import Workspace


def test_a_scratch_folder_is_nobody_elses_and_goes_with_the_block(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)

    with scratch_folder(workspace) as one, scratch_folder(workspace) as other:
        (one / "file").write_bytes(b"kept while it is used")
        with left_behind(one) as is_left:
            assert not is_left

        assert one != other
        assert one.parent == other.parent == workspace.internal

    assert list(workspace.internal.iterdir()) == []


def test_a_scratch_folder_goes_also_when_something_fails_in_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)

    with pytest.raises(IsADirectoryError), scratch_folder(workspace) as folder:
        folder.read_bytes()

    assert list(workspace.internal.iterdir()) == []
