"""What is in a folder of staged data, links as what they are."""

from __future__ import annotations

from pathlib import Path

from alo.data.found import LINK, folders_of, found_in


def test_files_have_their_states_and_links_are_never_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"123")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "empty").mkdir()

    found = found_in(tmp_path)

    status = (tmp_path / "a/b/file").stat()
    state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    assert found.states == {"a/b/file": state, "up": LINK}
    assert set(found.folders) == {"a", "a/b", "empty"}
    assert found.folders.index("a") < found.folders.index("a/b")


def test_each_folder_that_files_need_is_named_once() -> None:
    assert folders_of(["a/b/c", "a/d", "e"]) == {"a", "a/b"}
    assert folders_of([]) == set()


def test_a_folder_with_nothing_in_it_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    assert not found_in(tmp_path).has_empty

    (tmp_path / "a" / "b").mkdir(parents=True)
    assert found_in(tmp_path).has_empty

    (tmp_path / "a" / "b" / "file").touch()
    assert not found_in(tmp_path).has_empty


def test_columns_are_in_the_order_of_names(tmp_path: Path) -> None:
    assert list(map(list, found_in(tmp_path).columns)) == [[], [], [], []]

    for name, size in (("b", 2), ("a", 1), ("c", 3)):
        (tmp_path / name).write_bytes(b"x" * size)

    names, sizes, _, _ = found_in(tmp_path).columns
    assert list(names) == ["a", "b", "c"]
    assert list(sizes) == [1, 2, 3]
