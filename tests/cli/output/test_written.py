"""What a command was asked to write is a file afterwards, and nothing else has become one."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from alo.cli.output.written import is_stdout, write_output
from alo.errors import UsageError


def test_a_file_is_written_and_another_takes_its_place(tmp_path: Path) -> None:
    write_output(tmp_path / "a.csv", b"one")
    write_output(tmp_path / "a.csv", b"two")

    assert (tmp_path / "a.csv").read_bytes() == b"two"


def test_no_file_and_a_dash_are_standard_output(tmp_path: Path) -> None:
    assert [is_stdout(each) for each in (None, Path("-"), tmp_path / "-")] == [True, True, False]


def test_a_device_stays_one(tmp_path: Path) -> None:
    null = tmp_path / "null"
    if os.getuid():
        pytest.skip("only root makes devices")
    try:
        os.mknod(null, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        null.write_bytes(b"")
    except OSError:
        pytest.skip("no devices here")

    write_output(null, b"one")

    assert stat.S_ISCHR(null.stat().st_mode)
    assert [each.name for each in tmp_path.iterdir()] == ["null"]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))
    reader.start()

    write_output(tmp_path / "pipe", b"one")

    reader.join(30)
    assert found == [b"one"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("leads_to", ["file", "nowhere"])
def test_a_link_is_neither_replaced_nor_followed(tmp_path: Path, leads_to: str) -> None:
    (tmp_path / "file").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to(tmp_path / leads_to)

    with pytest.raises(UsageError, match="is a link"):
        write_output(tmp_path / "link", b"one")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"theirs"
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        write_output(tmp_path, b"one")
