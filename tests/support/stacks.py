"""The frames that have led to a user's code: noted by the asset itself, and read back."""

from __future__ import annotations

import json
from pathlib import Path

_ASSET = """
import json, sys
frame, names = sys._getframe(), []
while frame is not None:
    names.append(frame.f_globals.get("__name__", ""))
    frame = frame.f_back
with open({!r}, "w") as file:
    json.dump(names, file)
"""


class NotedStack:
    """``code`` is the body of an asset's ``run()``; once it has run, ``modules()`` led to it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.code = _ASSET.format(str(file))

    def modules(self) -> list[str]:
        """The module of each frame, the outermost first."""
        return list(reversed(json.loads(self._file.read_text())))
