"""The standard solution that is measured: so many steps, each doing as little as an asset can."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

EMPTY_ASSET = """\
from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        self.asset.save_data({})
        self.asset.save_config(self.config)
"""

PLAIN_MODULE = """\
def run():
    return {}
"""


def write_solution(
    home: Path, assets: Mapping[str, str], *, control: Mapping[str, object] | None = None
) -> Path:
    """Write a project with one train pipeline; ``assets`` maps steps to their source."""
    for step, source in assets.items():
        folder = home / "assets" / step
        folder.mkdir(parents=True)
        (folder / f"asset_{step}.py").write_text(source)
    (home / "input" / "train").mkdir(parents=True)
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(_plan(list(assets), control or {}))
    return home


def write_empty_solution(home: Path, steps: int, **control: object) -> Path:
    """A solution of ``steps`` empty steps."""
    assets = {_step_name(number): EMPTY_ASSET for number in range(steps)}
    return write_solution(home, assets, control=control)


def write_plain_script(folder: Path, modules: int, *, prelude: str = "") -> Path:
    """A script that imports so many modules and calls a function of each: the baseline of a run."""
    folder.mkdir(parents=True)
    names = [_step_name(number) for number in range(modules)]
    for name in names:
        (folder / f"{name}.py").write_text(PLAIN_MODULE)
    script = folder / "main.py"
    imports = "\n".join(f"import {name}" for name in names)
    calls = "\n".join(f"{name}.run()" for name in names)
    script.write_text(f"{prelude}{imports}\n\n{calls}\n")
    return script


def _step_name(number: int) -> str:
    # Letters, because digits in a step's name have a meaning of their own.
    letters = ""
    while number or len(letters) < 2:
        number, letter = divmod(number, 26)
        letters = f"{chr(ord('a') + letter)}{letters}"
    return f"step_{letters}"


def _plan(steps: list[str], control: Mapping[str, object]) -> str:
    lines = ["name: benchmark", "user_parameters:", "  - train_pipeline:"]
    lines += [f"    - step: {step}\n      args:" for step in steps]
    if control:
        lines += ["control:", *(f"  - {key}: {value}" for key, value in control.items())]
    return "\n".join(lines) + "\n"
