from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.files import checksum
from alo.sources.code.fingerprint import code_files, code_id

CHECKSUMS = st.text("0123456789abcdef", min_size=32, max_size=32)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """``assets/`` with a step ``train`` of a few files."""
    folder = tmp_path / "project/assets"
    for name in ("asset_train.py", "requirements.txt", "net/layers.py", "net/data/한글.bin"):
        path = folder / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def id_of(assets: Path, step: str = "train") -> str:
    return code_id({name: checksum(Path(path)) for name, path in code_files(assets, step).items()})


def test_the_files_are_all_of_the_folder_in_the_order_of_their_names(assets: Path) -> None:
    files = code_files(assets, "train")

    assert list(files) == [
        "assets/train/asset_train.py",
        "assets/train/net/data/한글.bin",
        "assets/train/net/layers.py",
        "assets/train/requirements.txt",
    ]
    assert files["assets/train/net/layers.py"] == str(assets / "train/net/layers.py")


@pytest.mark.parametrize(
    "name",
    [
        "__pycache__/asset_train.cpython-311.pyc",
        "net/__pycache__/x",
        "old.pyc",
        "old.pyo",
        ".ipynb_checkpoints/asset_train-checkpoint.py",
        ".git/config",
        ".mypy_cache/x",
        ".pytest_cache/x",
        ".ruff_cache/x",
    ],
)
def test_caches_are_no_code(name: str, assets: Path) -> None:
    before = id_of(assets)
    path = assets / "train" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")

    assert id_of(assets) == before


def test_gits_file_of_a_submodule_is_no_code(assets: Path) -> None:
    before = id_of(assets)
    (assets / "train/.git").write_text("gitdir: ../../.git/modules/train")

    assert id_of(assets) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda train: (train / "asset_train.py").write_text("x"),
        lambda train: (train / "requirements.txt").unlink(),
        lambda train: (train / "new.json").touch(),
        lambda train: (train / "net/layers.py").rename(train / "net/layer.py"),
    ],
    ids=["content", "removed", "added", "renamed"],
)
def test_every_change_is_another_id(change, assets: Path) -> None:  # type: ignore[no-untyped-def]
    before = id_of(assets)

    change(assets / "train")

    assert id_of(assets) != before


def test_a_touch_is_no_change(assets: Path) -> None:
    before = id_of(assets)
    os.utime(assets / "train/asset_train.py", (1, 1))

    assert id_of(assets) == before


def test_a_step_without_a_folder_has_no_files(assets: Path) -> None:
    (assets / "file").touch()

    assert code_files(assets, "none") == {}
    assert code_files(assets, "file") == {}


def test_links_to_files_and_to_folders_of_the_project_stand_for_them(assets: Path) -> None:
    common = assets.parent / "common"
    common.mkdir()
    (common / "loss.py").write_text("x = 1")
    (assets / "train/common").symlink_to(common)
    (assets / "train/loss.py").symlink_to("../../common/loss.py")

    files = code_files(assets, "train")

    assert {"assets/train/common/loss.py", "assets/train/loss.py"} <= files.keys()


def test_a_step_that_is_a_link_has_the_files_behind_it(assets: Path, tmp_path: Path) -> None:
    expected = list(code_files(assets, "train"))
    (assets / "train").rename(tmp_path / "elsewhere")
    (assets / "train").symlink_to(tmp_path / "elsewhere")

    assert list(code_files(assets, "train")) == expected


def test_links_that_lead_out_round_or_nowhere_are_left_alone(assets: Path, tmp_path: Path) -> None:
    expected = code_files(assets, "train")
    data = tmp_path / "data"
    data.mkdir()
    (data / "big.csv").touch()
    train = assets / "train"
    (train / "data").symlink_to(data)
    (train / "self").symlink_to(".")
    (train / "net/up").symlink_to("..")
    (train / "gone").symlink_to("nowhere")
    (train / "loop").symlink_to("loop")

    assert code_files(assets, "train") == expected


def test_what_is_no_file_is_not_waited_for(assets: Path) -> None:
    expected = code_files(assets, "train")
    os.mkfifo(assets / "train/pipe")

    assert code_files(assets, "train") == expected


def test_a_name_that_is_not_text_is_taken_too(assets: Path) -> None:
    with open(os.fsencode(assets) + b"/train/\xff.py", "wb"):
        pass

    assert len(id_of(assets)) == 12


@given(st.dictionaries(NAMES, CHECKSUMS, max_size=8), st.randoms())
def test_the_id_is_12_hex_digits_whatever_the_order(checksums, random) -> None:  # type: ignore[no-untyped-def]
    items = list(checksums.items())
    random.shuffle(items)

    found = code_id(dict(items))

    assert found == code_id(checksums)
    assert len(found) == 12
    assert set(found) <= set("0123456789abcdef")


@given(st.dictionaries(NAMES, CHECKSUMS, min_size=1, max_size=8), st.data())
def test_names_and_contents_both_count(checksums, data) -> None:  # type: ignore[no-untyped-def]
    name = data.draw(st.sampled_from(sorted(checksums)))
    other_content = {**checksums, name: checksums[name][::-1] + "0"}
    other_name = {**checksums, f"{name}x{len(checksums)}": checksums[name]}
    other_name.pop(name)

    assert code_id(other_content) != code_id(checksums)
    assert code_id(other_name) != code_id(checksums)
