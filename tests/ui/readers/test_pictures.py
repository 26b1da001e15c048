"""Pictures are decoded by processes with limits; what cannot be decoded says why."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from alo.ui.readers import pictures as decoding
from alo.ui.readers.cache import FileCache
from alo.ui.readers.pictures import Pictures


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(FileCache(tmp_path / "cache"))


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def huge_png(width: int, height: int) -> bytes:
    """A small file that says it has so many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_thumbnail_is_made_once(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (800, 400), "red").save(path)

    made = pictures.thumbnail(path, 256)

    assert made is not None
    with Image.open(made) as image:
        assert image.size == (256, 128)
    before = made.stat().st_mtime_ns
    assert pictures.thumbnail(path, 256) == made
    assert made.stat().st_mtime_ns == before
    facts = pictures.facts(path)
    assert (facts.width, facts.height, facts.kind, facts.problem) == (800, 400, "JPEG", "")


def test_what_cannot_be_decoded_says_why_and_the_next_one_is(
    tmp_path: Path, pictures: Pictures
) -> None:
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((500, 500), 50).save(whole)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:20_000])
    (tmp_path / "text.png").write_text("this is no picture")
    (tmp_path / "huge.png").write_bytes(huge_png(100_000, 100_000))
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("RGB", (9, 9)).save(tmp_path / "other.png", "JPEG")

    said = {
        name: pictures.facts(tmp_path / name).problem
        for name in ("cut.jpg", "text.png", "huge.png", "empty.png")
    }

    assert "truncated" in said["cut.jpg"]
    assert "no picture" in said["text.png"]
    assert "100,000 x 100,000 pixels" in said["huge.png"]
    assert "no picture" in said["empty.png"]
    assert pictures.thumbnail(tmp_path / "huge.png", 256) is None
    other = pictures.facts(tmp_path / "other.png")
    assert other.problem == ""
    assert "the picture is JPEG" in other.notes[0]
    assert pictures.thumbnail(whole, 64) is not None


def test_a_picture_that_unpacks_to_far_more_than_it_is_says_why_and_the_next_one_is(
    tmp_path: Path, pictures: Pictures
) -> None:
    whole = tmp_path / "whole.png"
    Image.new("RGB", (9, 9)).save(whole)
    packed = zlib.compress(bytes(100_000_000), 1)
    head, rest = whole.read_bytes()[:33], whole.read_bytes()[33:]
    for kind, name in ((b"zTXt", "text.png"), (b"iCCP", "colours.png")):
        (tmp_path / name).write_bytes(head + chunk(kind, b"a\0\0" + packed) + rest)

    for name in ("text.png", "colours.png"):
        assert "Decompressed data too large" in pictures.facts(tmp_path / name).problem
    assert pictures.facts(whole).problem == ""


def test_a_decoder_that_takes_too_long_is_ended(
    tmp_path: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (9, 9)).save(path)
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "LIMIT_S", 0.0)
        assert "within" in pictures.facts(path).problem

    assert pictures.facts(path).problem == ""  # that is not remembered


def test_decoders_that_have_ended_while_nobody_asked_cost_no_picture(
    tmp_path: Path, pictures: Pictures
) -> None:
    ended = []
    for _ in range(3):
        ended.append(decoding._start())
        ended[-1].kill()
        ended[-1].wait()
    pictures._idle.extend(ended)
    path = tmp_path / "a.png"
    Image.new("RGB", (9, 9), "red").save(path)

    assert pictures.thumbnail(path, 64) is not None
