"""ALO, the AI Learning Organizer: ``Project`` opens a solution; ``ALO`` does so as ALO 2.x did."""

from typing import TYPE_CHECKING

from alo.version import __version__

if TYPE_CHECKING:
    from alo.notebook import ALO, Pipeline, Project

__all__ = ["ALO", "Pipeline", "Project", "__version__"]


def __getattr__(name: str) -> object:
    # The command line imports this package too, and must not pay for the notebook's modules.
    if name in ("ALO", "Pipeline", "Project"):
        from alo import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'alo' has no attribute '{name}'")
