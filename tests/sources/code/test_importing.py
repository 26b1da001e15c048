"""Where a module comes from, and what is taken back of it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from alo.sources.code.finder import Roots
from alo.sources.code.importing import Imports, import_root, is_below, place_of, top
from alo.sources.code.view import CodeView


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a", "/p/a.py"),
        ("a", "/p/a/__init__.py"),
        ("a.b", "/p/a/b.py"),
        ("a.b", "/p/a/b/__init__.py"),
    ],
)
def test_the_folder_in_which_a_module_was_found(name: str, place: str) -> None:
    assert import_root(name, place) == "/p"
    assert top(name) == "a"


def test_a_module_without_a_file_has_the_place_of_its_folder_or_none() -> None:
    package = ModuleType("a")
    package.__path__ = ["/p/a"]

    assert place_of(package) == "/p/a"
    assert place_of(ModuleType("b")) == place_of(None) == ""
    assert place_of("no module") == ""  # type: ignore[arg-type]
    odd = ModuleType("c")
    odd.__file__ = 1  # type: ignore[assignment]
    assert place_of(odd) == ""
    assert is_below(package, Roots("/p"))
    assert not is_below(package, Roots("/q"))


def test_modules_of_the_project_are_taken_back_and_others_stay(home: Path, tmp_path: Path) -> None:
    (home / "ours_here.py").write_text("X = 1")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/theirs_here.py").write_text("X = 2")
    path = list(sys.path)
    imports = Imports(CodeView(str(home)), Roots(home), {}, last=[str(tmp_path / "lib")])

    with imports:
        import ours_here  # type: ignore[import-not-found]
        import theirs_here  # type: ignore[import-not-found]

    assert sys.path == path
    assert imports.left == {"ours_here": ours_here}
    assert "ours_here" not in sys.modules
    assert sys.modules["theirs_here"] is theirs_here


def test_what_was_put_there_is_there_again_the_next_time(home: Path) -> None:
    put = {"made_here": ModuleType("made_here")}
    put["made_here"].__file__ = str(home / "made_here.py")
    imports = Imports(CodeView(str(home)), Roots(home), put)

    with imports:
        import made_here  # type: ignore[import-not-found]

    assert made_here is put["made_here"]
    assert imports.left is put
    assert "made_here" not in sys.modules
