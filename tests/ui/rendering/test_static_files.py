"""Scripts and styles: named by what they hold; those of others are as they were released."""

from __future__ import annotations

import hashlib
import json
import re

import httpx

from alo.ui.rendering.static_files import FOLDER, versioned


def test_a_file_is_served_packed_and_for_ever(client: httpx.Client) -> None:
    answer = client.get(f"/static/{versioned('studio.css')}")

    assert answer.text == (FOLDER / "studio.css").read_text()
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/studio.css").status_code == 404


def test_pages_load_nothing_from_outside(client: httpx.Client) -> None:
    for path in ("/", "/runs", "/sign-in"):
        sources = re.findall(r'(?:src|href)="([^"]*)"', client.get(path).text)
        assert sources
        assert [each for each in sources if "://" in each or each.startswith("//")] == []


def test_vendored_scripts_are_those_of_their_note() -> None:
    for note in (FOLDER / "vendor").glob("*.json"):
        for name, digest in json.loads(note.read_text())["sha256"].items():
            content = (note.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest, name
