"""A command that goes on in an environment of the project's, as if it had been started there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What stands first on the path, the working folder, may hold modules of any name.
BOOT = "import sys; sys.path[:1] = []; from alo.cli.main import main; sys.exit(main())"


@contextmanager
def going_on() -> Iterator[None]:
    """Where the block finds that its environment is another one, start the command in that one.

    It takes the place of this process: same options, console and exit status.
    """
    try:
        yield
    except Exception as error:
        setup = sys.modules.get("alo.engine.setup")  # not imported where nothing is to be set up
        if setup is None or not isinstance(error, setup.ContinueIn):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        arguments = [error.python, "-c", BOOT, *sys.argv[1:]]
        environment = {**os.environ, setup.ENVIRONMENT: error.environment}
        os.execve(error.python, arguments, environment)  # noqa: S606 - no shell is wanted
