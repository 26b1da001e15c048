"""Few hops lead from the command line to a user's ``run()``, and all of them go down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alo.cli.main import main

from ..support.stacks import NotedStack

MakeSolution = Callable[..., Path]


def test_at_most_nine_frames_of_ours_lead_to_the_users_code(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    stack = NotedStack(tmp_path / "stack.json")
    home = make_solution({"a": stack.code})

    assert main(["run", "--project", str(home), "--mode", "train", "--quiet"]) == 0

    names = stack.modules()
    ours = [name for name in names[names.index("alo.cli.main") :] if name.startswith("alo.")]
    assert ours[0] == "alo.cli.main"
    assert len(ours) <= 9, ours
    layers = [name.split(".")[1] for name in ours]
    assert layers == sorted(layers, key=("cli", "engine").index), ours
