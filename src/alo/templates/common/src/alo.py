"""``ALO`` for programs that import it from a project, as those for ALO 2.x do: ``from src.alo import ALO``.

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

    def __init__(self, config=None, system=None, mode="all", loop=False, computing="local", **more):
        more.setdefault("project", _project())
        super().__init__(config, system, mode, loop, computing, **more)


def _project() -> Path:
    """The current folder if it is a project, else the one that this file belongs to.

    A program that drives several projects changes into each, but Python imports ``src.alo`` only once.
    """
    here = Path.cwd()
    is_project = (here / "main.py").is_file() and (here / "solution").is_dir()
    return here if is_project else Path(__file__).resolve().parent.parent
