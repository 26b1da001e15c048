"""The screen of a picture, and thumbnails."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
from PIL import Image


def test_pictures_have_thumbnails_and_broken_ones_say_why(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    folder = home / "history/inference" / runs["inference"] / "output"
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (600, 300), "blue").save(folder / name)
    (folder / "d.png").write_text("no picture <script>alert(1)</script>")
    run = f"/runs/{runs['inference']}"

    thumb = client.get(f"{run}/raw/output/a.png?thumb=64")
    assert thumb.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(thumb.content)) as image:
        assert image.size == (64, 32)
    page = client.get(f"{run}/files/output/b.png").text
    assert 'data-screen="image"' in page
    assert 'a.png" rel="prev"' in page
    assert 'c.png" rel="next"' in page
    facts = client.get(f"{run}/files/output/b.png?format=json").json()
    assert (facts["width"], facts["height"], facts["format"], facts["notes"]) == (
        600,
        300,
        "PNG",
        [],
    )
    broken = client.get(f"{run}/files/output/d.png").text
    assert "no picture of a kind known here" in broken
    assert "<img" not in broken
    for query in ("thumb=64", "thumb=1", "thumb=x"):
        assert client.get(f"{run}/raw/output/d.png?{query}").status_code == 422
    gallery = client.get(f"{run}/files?folder=output").text
    assert gallery.count("?thumb=256") == 4


def test_a_thumbnail_that_the_browser_has_is_not_sent_again(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    path = home / "history/inference" / runs["inference"] / "output/a.png"
    Image.new("RGB", (300, 200), "red").save(path)
    url = f"/runs/{runs['inference']}/raw/output/a.png?thumb=64"
    first = client.get(url)
    assert first.headers["cache-control"] == "private, no-cache"

    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(url, headers=known)
    Image.new("RGB", (300, 200), "blue").save(path)
    changed = client.get(url, headers=known)

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
