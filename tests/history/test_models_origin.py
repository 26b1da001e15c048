"""The run whose models are in place, as long as they are the ones it left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.models_origin import EXTERNAL_MODEL, current_train_id, write_origin
from alo.layout import Workspace


@pytest.fixture
def model(workspace: Workspace) -> Path:
    path = workspace.models / "train/model"
    path.parent.mkdir(parents=True)
    path.write_text("one")
    return path


@pytest.mark.parametrize("train_id", ["20260101T000000Z-00000000-demo", EXTERNAL_MODEL])
def test_the_origin_is_reported_while_the_models_are_those(
    workspace: Workspace, model: Path, train_id: str
) -> None:
    write_origin(workspace, train_id)

    assert current_train_id(workspace) == train_id


def touch_later(model: Path) -> None:
    os.utime(model, ns=(1, model.stat().st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change",
    [
        Path.unlink,
        touch_later,
        lambda model: model.write_text("another"),
        lambda model: model.with_name("second").touch(),
        lambda model: model.rename(model.with_name("renamed")),
    ],
)
def test_other_models_have_no_known_origin(
    workspace: Workspace, model: Path, change: Callable[[Path], object]
) -> None:
    write_origin(workspace, "a")

    change(model)

    assert current_train_id(workspace) == "none"


@pytest.mark.parametrize("note", [None, b"", b"[]", b"{}", b'{"train_id": 1}'])
def test_a_missing_or_damaged_note_is_no_origin(
    workspace: Workspace, model: Path, note: bytes | None
) -> None:
    if note is not None:
        write_origin(workspace, "a")
        (workspace.artifacts("train") / "log/model_origin.json").write_bytes(note)

    assert current_train_id(workspace) == "none"
