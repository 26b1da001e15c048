"""A command that goes on in an environment of the project's, as if it had been started there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from alo.engine.setup import ENVIRONMENT, ContinueIn

# What stands first on the path, the working folder, may hold modules of any name.
BOOT = "import sys; sys.path[:1] = []; from alo.cli.main import main; sys.exit(main())"


def go_on(found: ContinueIn, words: Sequence[str]) -> NoReturn:
    """Start the command in the environment that was found for it, in this process' place.

    Args:
        words: of the command, after ``alo``.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {**os.environ, ENVIRONMENT: found.environment}
    arguments = [found.python, "-c", BOOT, *words]
    os.execve(found.python, arguments, environment)  # noqa: S606 - no shell is wanted
