"""``from src.alo import ALO``, as programs made for ALO 2.x import it from a project.

The engine itself is the installed package ``alo``; there is nothing to edit here.
"""

from pathlib import Path

import alo

__all__ = ["ALO"]


class ALO(alo.ALO):
    """The engine, set to this project.

    Args:
        config: another plan than solution/experimental_plan.yaml.
        system: solution metadata (a YAML file or a JSON text) that overrides the plan.
        mode: train, inference or all.
        loop: keep on serving inference requests.
        computing: where the steps run.
    """

    def __init__(self, config=None, system=None, mode="all", loop=False, computing="local"):
        super().__init__(config, system, mode, loop, computing, project=_project())


def _project() -> Path:
    """The current folder if it is a project, else the one that this file belongs to.

    A program that drives several projects changes into each, but Python imports this file once.
    """
    here = Path.cwd()
    is_project = (here / "main.py").is_file() and (here / "solution").is_dir()
    return here if is_project else Path(__file__).resolve().parent.parent
