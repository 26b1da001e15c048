"""The code of a run is what it was when the run began: its id, its copies, and what a step uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.engine.steps.code import RunCode
from alo.errors import RunError
from alo.files import checksum


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two steps, of which the first imports a module of the project that has a neighbour."""
    for name, text in {
        "assets/a/asset_a.py": "import shop.kinds\n",
        "assets/b/asset_b.py": "",
        "assets/b/weights": "w",
        "shop/__init__.py": "",
        "shop/kinds.py": "X = 1\n",
        "other.py": "",
    }.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    return tmp_path / "project"


@pytest.fixture
def code(home: Path, tmp_path: Path) -> RunCode:
    return RunCode(home / "assets", tmp_path / "copies", workspace=home)


def test_it_is_the_files_of_the_steps_and_what_they_import(code: RunCode, home: Path) -> None:
    assert code.take(["a", "b"]) == []

    assert {*code.checksums} == {
        "assets/a/asset_a.py",
        "assets/b/asset_b.py",
        "assets/b/weights",
        "shop/__init__.py",
        "shop/kinds.py",
    }
    assert code.description == {"files": code.checksums}
    (home / "shop/kinds.py").write_text("X = 2\n")
    assert code.copies["shop/kinds.py"].read_text() == "X = 1\n"
    assert code.view.content(str(home / "shop/kinds.py")) == b"X = 1\n"


def test_what_counts_for_a_step_is_its_own_and_what_it_uses(code: RunCode) -> None:
    code.take(["a", "b"])

    assert {*code.of_step("a")} == {"assets/a/asset_a.py", "shop/__init__.py", "shop/kinds.py"}
    assert {*code.of_step("b")} == {"assets/b/asset_b.py", "assets/b/weights"}
    assert {*code.of_step("b", ["shop/kinds.py"])} > {"shop/__init__.py", "shop/kinds.py"}


def test_any_change_makes_another_id(code: RunCode, home: Path) -> None:
    code.take(["a", "b"])
    first = code.id
    (home / "assets/b/weights").write_text("W")

    assert code.take(["a", "b"]) == []
    assert code.id != first


def test_a_shared_module_that_has_changed_meanwhile_is_named(code: RunCode, home: Path) -> None:
    code.take(["a"])
    (home / "shop/kinds.py").write_text("X = 2\n")

    assert code.take(["a"]) == ["shop/kinds.py"]


def test_files_that_a_step_has_lost_are_no_code_any_more(code: RunCode, home: Path) -> None:
    code.take(["b"])
    (home / "assets/b/weights").unlink()

    code.take(["b"])

    assert {*code.checksums} == {"assets/b/asset_b.py"}


def test_what_is_imported_beside_that_is_taken_in_once(code: RunCode, home: Path) -> None:
    code.take(["b"])
    code.view.content(str(home / "other.py"))

    code.absorb()

    assert code.checksums["other.py"] == checksum(home / "other.py")
    code.add({"other.py": b"another", "train_artifacts/x.py": b"made by a run"})
    assert code.checksums["other.py"] == checksum(home / "other.py")
    assert "train_artifacts/x.py" not in code.checksums
    code.add_used(["shop/kinds.py", "not there.py", str(home / "other.py")])
    assert "shop/kinds.py" in code.checksums
    assert "not there.py" not in code.checksums


def test_a_file_that_cannot_be_read_is_named_with_its_step(code: RunCode, home: Path) -> None:
    (home / "assets/b/weights").unlink()
    (home / "assets/b/weights").symlink_to("nowhere")
    code.take(["b"])  # a link that leads nowhere is no code
    (home / "assets/b/late").mkdir()

    with pytest.raises(RunError, match="the code of step 'b' cannot be kept") as caught:
        code._keep({"assets/b/late": home / "assets/b/late"}, "b")

    assert str(home / "assets/b/late") in caught.value.where
