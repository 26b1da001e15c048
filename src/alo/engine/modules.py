"""Which files of the project, beside its own folder, a step's code has come to use."""

from __future__ import annotations

import os
from pathlib import Path

from alo.files import checksum
from alo.sources.loader import AssetCode, imported_from


def project_modules(home: Path, folder: Path, code: AssetCode) -> dict[str, str]:
    """Files that a step has imported from the project: name → checksum.

    Call it before what the step has imported is forgotten.

    Args:
        folder: the step's own; what is in it does not count.
    """
    own = os.path.join(str(folder), "")
    files = {*code.files(), *imported_from(home)}
    return {
        os.path.relpath(file, home): checksum(Path(file))
        for file in sorted(files)
        if not file.startswith(own) and os.path.isfile(file)
    }
