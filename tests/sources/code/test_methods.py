"""Methods of an asset that the engine cannot call are reported with their line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.errors import Problem

Inspect = Callable[..., list[Problem]]


CALLS = {
    "async": ("async def run(self): pass", 1, "run is 'async def'"),
    "async, decorated": ("@Asset.decorator_run\n    async def run(self): pass", 2, "run is 'async"),
    "generator": (
        "def run(self):\n        for x in []:\n            y = yield x",
        3,
        "run has a 'yield'",
    ),
    "delegates": ("def run(self):\n        yield from self.rows()", 2, "run has a 'yield'"),
    "init of ALO 1": (
        "def __init__(self, envs, argv, data, config): pass\n    def run(self): pass",
        1,
        "an asset of ALO 1, whose __init__ takes envs, argv, data, config; here it is "
        "'def __init__(self, asset_structure)'",
    ),
    "init with two": (
        "def __init__(self, structure, model): pass\n    def run(self): pass",
        1,
        "__init__ needs structure, model, and is given the asset structure alone",
    ),
    "init with none": (
        "def __init__(self): pass\n    def run(self): pass",
        1,
        "__init__ takes no argument, and is given the asset structure",
    ),
}


@pytest.mark.parametrize(("body", "line", "reported"), CALLS.values(), ids=CALLS.keys())
def test_what_cannot_be_called_as_the_engine_does_is_reported_with_its_line(
    body: str, line: int, reported: str, inspect: Inspect
) -> None:
    (problem,) = inspect(f"from alolib.asset import Asset\nclass UserAsset(Asset):\n    {body}\n")

    assert problem.what.startswith(reported)
    assert problem.line == 2 + line
