"""Where a service says that it listens, for who asks it in person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.serve.address import FILE, AddressNote, ServiceAddress, services_of
from alo.serve.folders import make_folder


def test_a_service_is_found_while_it_runs(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = make_folder(workspace, "serve")
    note = AddressNote(folder.path, "http://127.0.0.1:81", wants_token=True)
    assert list(services_of(workspace)) == []

    note.keep()

    (found,) = services_of(workspace)
    assert found.name == folder.name
    assert found.pid == os.getpid()
    assert found.wants_token
    assert found.is_here
    assert found.reached_at == ("127.0.0.1", 81)
    folder.remove()
    assert list(services_of(workspace)) == []


def test_a_note_that_was_deleted_comes_again(tmp_path: Path) -> None:
    folder = make_folder(Workspace(tmp_path), "serve")
    note = AddressNote(folder.path, "http://127.0.0.1:81", wants_token=False)
    note.keep()
    (folder.path / FILE).unlink()

    note.keep()

    assert (folder.path / FILE).exists()
    folder.remove()


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        json.dumps({"name": "x"}),
        {"url": "javascript:alert(1)"},
        {"url": "http://127.0.0.1:no"},
        {"name": "another"},
    ],
)
def test_a_note_that_cannot_be_is_passed_over(tmp_path: Path, content: object) -> None:
    workspace = Workspace(tmp_path)
    folder = make_folder(workspace, "serve")
    if isinstance(content, dict):
        good = ServiceAddress(folder.name, "http://127.0.0.1:81", "h", 1, False)
        content = json.dumps({**good._asdict(), **content})
    (folder.path / FILE).write_text(str(content))

    assert list(services_of(workspace)) == []
    folder.remove()


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("http://0.0.0.0:80", ("127.0.0.1", 80)),
        ("http://[::]:80", ("::1", 80)),
        ("http://[::1]:80", ("::1", 80)),
        ("http://name:80", ("name", 80)),
    ],
)
def test_an_address_of_all_is_reached_here(url: str, reached: tuple[str, int]) -> None:
    assert ServiceAddress("a", url, "h", 1, False).reached_at == reached
