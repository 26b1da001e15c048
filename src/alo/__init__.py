"""ALO, the AI Learning Organizer: ``Project`` opens a solution; ``ALO`` does so as ALO 2.x did."""

from typing import TYPE_CHECKING

from alo.version import __version__

if TYPE_CHECKING:
    from alo.api.compat_v2 import ALO
    from alo.api.project import Project
    from alo.api.session_view import Pipeline

__all__ = ["ALO", "Pipeline", "Project", "__version__"]

PLACES = {"ALO": "compat_v2", "Pipeline": "session_view", "Project": "project"}


def __getattr__(name: str) -> object:
    # The command line imports this package too, and must not pay for the notebook's modules.
    if name in PLACES:
        from importlib import import_module

        return getattr(import_module(f"alo.api.{PLACES[name]}"), name)
    raise AttributeError(f"module 'alo' has no attribute '{name}'")
