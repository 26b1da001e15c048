"""Imports are told apart: what a library does when it is imported stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

MakeSolution = Callable[..., Path]


LIBRARY = """\
import logging, os, sys, warnings
os.environ["OF_THE_LIBRARY"] = "1"
sys.path.append("/of/the/library")
warnings.filterwarnings("ignore", message="of the library")
log = logging.getLogger("a_library")
log.propagate = False
log.setLevel("INFO")
log.addHandler(logging.StreamHandler(sys.stdout))
"""


USES_IT = """\
import logging, os, sys, warnings
os.environ["OF_THE_STEP"] = "1"
sys.path.insert(0, "/of/the/step")
warnings.filterwarnings("ignore", message="of the step")
logging.getLogger("a_library").addHandler(logging.StreamHandler(sys.stdout))
import a_library
"""


LOOKS = """\
import os, sys, warnings, a_library
assert os.environ["OF_THE_LIBRARY"] and "OF_THE_STEP" not in os.environ
assert "/of/the/library" in sys.path and "/of/the/step" not in sys.path
warnings.warn("of the library")
warnings.warn("of the step")
a_library.log.info("told once")
"""


def test_what_a_library_does_when_it_is_imported_stays(
    make_solution: MakeSolution, alo: Callable[..., Any], tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "a_library.py").write_text(LIBRARY)
    home = make_solution({"one": USES_IT, "two": LOOKS, "three": LOOKS})

    done = alo("run", cwd=home, env={**os.environ, "PYTHONPATH": str(installed)})

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("told once\n") == 2
    assert "UserWarning: of the library" not in done.stdout + done.stderr
    assert "UserWarning: of the step" in done.stdout + done.stderr


def test_a_library_that_cannot_be_imported_leaves_nothing(
    make_solution: MakeSolution, alo: Callable[..., Any], tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "a_library.py").write_text("import os; os.environ['LEFT'] = '1'; 1 / 0")
    one = """
        try:
            import a_library
        except ZeroDivisionError:
            self.data["seen"] = __import__("os").environ["LEFT"]
    """
    home = make_solution({"one": one, "two": "import os; assert 'LEFT' not in os.environ"})

    done = alo("run", cwd=home, env={**os.environ, "PYTHONPATH": str(installed)})

    assert done.returncode == 0, done.stderr


def test_a_warning_of_an_import_names_the_line_that_imports(
    make_solution: MakeSolution, alo: Callable[..., Any], tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    warn = "import warnings; warnings.warn('old', stacklevel=2)"
    (installed / "a_library.py").write_text(warn)
    home = make_solution({"one": "import a_library"})

    done = alo("run", cwd=home, env={**os.environ, "PYTHONPATH": str(installed)})

    assert "assets/one/asset_one.py:15: UserWarning: old" in done.stdout + done.stderr


def test_what_an_asset_used_once_does_when_imported_is_not_looked_at_and_ends_with_it(
    make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    one = """
        import os, sys
        from alo.engine.isolation.process_state import CHANGES
        assert os.environ["OF_THE_ASSET"] and os.environ["OF_ALL"]
        assert CHANGES not in vars(sys.modules["asset_one"])
        assert CHANGES in vars(sys.modules["for_all"])
    """
    two = """
        import os, for_all
        assert "OF_THE_ASSET" not in os.environ and os.environ["OF_ALL"]
    """
    home = make_solution({"one": one, "two": two})
    (home / "for_all.py").write_text("import os\nos.environ['OF_ALL'] = '1'\n")
    asset = home / "assets" / "one" / "asset_one.py"
    asset.write_text(f"import os, for_all\nos.environ['OF_THE_ASSET'] = '1'\n{asset.read_text()}")

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
