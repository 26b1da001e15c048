"""``read_custom_config``: settings that come with the data; what is none is reported, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from alolib.custom_config import read_custom_config
from alolib.errors import PathError


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return f"{tmp_path}/"


@pytest.mark.parametrize("name", ["a.yaml", "sub/a.yml", "a.YAML"])
def test_yaml_is_what_it_says(folder: str, name: str) -> None:
    path = Path(folder, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("a: [1, 2]\n", encoding="utf-8-sig")

    assert read_custom_config(folder, name) == {"a": [1, 2]}


def test_ini_is_a_config_parser(folder: str) -> None:
    Path(folder, "a.ini").write_text("[part]\nkey = value\n")

    assert read_custom_config(folder, "a.ini")["part"]["key"] == "value"


@pytest.mark.parametrize("form", ["/a.yaml", "{folder}a.yaml"])
def test_a_name_may_begin_with_a_slash_or_with_the_folder(folder: str, form: str) -> None:
    Path(folder, "a.yaml").write_text("1")

    assert read_custom_config(folder, form.format(folder=folder)) == 1


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.yaml", b"a: [", "a.yaml cannot be read"),
        ("a.yaml", b"[" * 5000, "a.yaml cannot be read"),
        ("a.yaml", b"\xff\xfe\xff", "a.yaml cannot be read"),
        ("a.ini", b"key = value\n", "a.ini cannot be read"),
        ("a.json", b"{}", "neither .ini nor .yaml"),
    ],
)
def test_what_is_none_is_reported_with_its_place(
    folder: str, name: str, content: bytes, what: str
) -> None:
    Path(folder, name).write_bytes(content)

    with pytest.raises(PathError, match=what) as caught:
        read_custom_config(folder, name)

    assert folder + name in str(caught.value)


def test_a_file_that_is_not_there_is_reported(folder: str) -> None:
    with pytest.raises(PathError, match=r"no file b\.yaml in the input data"):
        read_custom_config(folder, "b.yaml")
