"""A store in a folder of its own, and what a store has on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.store import StepStore, StoredStep

Save = Callable[..., StoredStep]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".asset_interface"


@pytest.fixture
def store(root: Path) -> StepStore:
    return StepStore(root)


@pytest.fixture
def save(store: StepStore) -> Save:
    """``save("input", {...})``: what a step of the train run ``r1`` saved; config is empty."""

    def save_it(step: str, data: dict[str, object], **options: object) -> StoredStep:
        run_id = str(options.pop("run_id", "r1"))
        return store.save(run_id, "train", step, data, {}, **options)  # type: ignore[arg-type]

    return save_it


@pytest.fixture
def blobs(root: Path) -> Callable[[], set[str]]:
    """The names of all blobs that there are now, in runs and in the pool."""

    def names() -> set[str]:
        return {path.name for path in root.rglob("*") if path.is_file() and not path.suffix}

    return names
