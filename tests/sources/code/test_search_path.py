from __future__ import annotations

from pathlib import Path

import pytest

from alo.sources.code.search_path import added_folders
from alo.sources.code.syntax import parse

FILE = Path("/p/assets/train/asset_train.py")
TOLD = {
    "": [],
    "x = 1": [],
    "sys.path.append(os.path.dirname(os.path.abspath(__file__)))": ["/p/assets/train"],
    "A = os.path.dirname(os.path.realpath(__file__)) + '/'\nsys.path.append(A)": [
        "/p/assets/train/"
    ],
    "A = os.path.dirname(__file__) + os.sep\nsys.path.insert(0, A)": ["/p/assets/train/"],
    "sys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))": ["/p/assets/train/lib"],
    "sys.path.append(os.path.dirname(os.path.dirname(__file__)))": ["/p/assets"],
    "sys.path.append(str(Path(__file__).resolve().parent))": ["/p/assets/train"],
    "sys.path.append(str(pathlib.Path(__file__).parent / 'lib'))": ["/p/assets/train/lib"],
    "H = Path(__file__).parent\nsys.path.append(str(H.parent / 'x'))": ["/p/assets/x"],
    "sys.path.append('/lib')\nsys.path.append('/lib2')": ["/lib", "/lib2"],
}
NOT_TOLD = [
    "sys.path.append(find())",
    "sys.path.append(os.environ['LIB'])",
    "sys.path.append(A)",
    "sys.path += ['/x']",
    "sys.path = []",
    "if x:\n    sys.path.append('/x')",
    "def f():\n    sys.path.append('/x')",
    "from sys import path\n# sys.path\npath.append('/x')",
    "sys.path.append(f'{x}/lib')",
    "sys.path.append('a' - 'b')",
    "sys.path.extend(['/x'])",
    "sys.path.append(3)",
]


@pytest.mark.parametrize("text", TOLD)
def test_folders_that_follow_from_the_files_place_are_reported(text: str) -> None:
    source = text.encode()

    assert added_folders(parse(source, FILE, ""), source, FILE) == TOLD[text]


@pytest.mark.parametrize("text", NOT_TOLD)
def test_whatever_else_a_file_does_with_sys_path_cannot_be_reported(text: str) -> None:
    source = text.encode()

    assert added_folders(parse(source, FILE, ""), source, FILE) is None
