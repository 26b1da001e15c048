"""When a process does nothing but run steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.isolation.only_steps import only_steps_run, while_only_steps_run


def test_each_time_is_another_and_ends() -> None:
    assert while_only_steps_run() is None

    with only_steps_run():
        first = while_only_steps_run()
        assert first is while_only_steps_run() is not None
        with only_steps_run():
            assert while_only_steps_run() not in (None, first)
        assert while_only_steps_run() is first

    assert while_only_steps_run() is None


MODEL = """\
import atexit, gc
from weakref import ref

class Model:
    def __init__(self):
        self.itself, self.file = self, open("model.bin", "wb")
        self.file.write(b"whole")

"""

# What makes a model when an asset is imported, in whichever order with libraries.
IMPORTS = {
    "in the asset": f"{MODEL}MODEL = Model()\n",
    "before a library": f"{MODEL}MODEL = Model()\nimport numpy\n",
    "after a library": f"import numpy\n{MODEL}MODEL = Model()\n",
    "in a module of its own": "import numpy\nfrom made import *\nimport pandas\n",
    "with what is done at the end": f"{MODEL}MODEL = Model()\natexit.register(lambda: Model)\n",
}


@pytest.mark.parametrize("case", IMPORTS)
def test_what_an_asset_makes_when_imported_goes_when_it_is_dropped_or_at_the_end(
    make_solution: Callable[..., Path], alo: Callable[..., Any], case: str
) -> None:
    drops = """
        gc.collect()
        global MODEL
        import sys
        model = ref(MODEL)
        assert any(each is MODEL for each in gc.get_objects())
        MODEL = None
        vars(sys.modules.get("made", sys))["MODEL"] = None
        gc.collect()
        assert model() is None
        MODEL = Model()
    """
    home = make_solution({"one": drops})
    asset = home / "assets" / "one" / "asset_one.py"
    asset.write_text(IMPORTS[case] + asset.read_text())
    (asset.parent / "made.py").write_text(f"{MODEL}MODEL = Model()\n")

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    assert (home / "model.bin").read_bytes() == b"whole"
