"""A command that continues in an environment of the project's, as if it had been started there.

Should the environment not work, which shows only there, the command comes back to where it was
started, and gets the reason: the environment is then made anew.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import alo
from alo.cli.withheld import whole_environment
from alo.engine.setup import ContinueIn
from alo.errors import InstallError
from alo.sources.packages.environments import FAILED, failed_before

ENVIRONMENT = "ALO_ENVIRONMENT"  # the one that a run continues in
# What ALO needs only here and there, and so would not be missed at once
NEEDED = ("cloudpickle", "isal", "packaging", "xxhash", "yaml")
# What is first on the path, the working folder, may hold modules of any name.
BACK = "import sys; sys.path[:1] = [{folder!r}]; from alo.cli.main import main; sys.exit(main())"
BOOT = """\
import os, sys
sys.path[:1] = []
try:
    if os.path.realpath(sys.prefix) != {prefix!r}:
        raise ImportError("its Python takes " + sys.prefix + " for its own folder")
    from importlib.util import find_spec
    for name in {needed!r}:
        if find_spec(name) is None:
            raise ImportError("No module named " + repr(name))
    import alo.engine.run
    from alo.cli.main import main
except Exception as error:
    os.environ[{failed!r}] = " ".join([str(os.getpid()), {name!r}, {times!r}, ascii(str(error))])
    os.execv({python!r}, [{python!r}, "-c", {back!r}, *sys.argv[1:]])
os.environ.pop({failed!r}, None)
sys.exit(main())
"""


def reexec(found: ContinueIn, words: Sequence[str]) -> NoReturn:
    """Start the command in the environment that was found for it, in this process' place.

    Args:
        words: of the command, after ``alo``.
    Raises:
        InstallError: it cannot be started there.
    """
    boot = BOOT.format(
        prefix=os.path.realpath(os.path.dirname(os.path.dirname(found.python))),
        needed=NEEDED,
        failed=FAILED,
        name=found.environment,
        times=str(failed_before(found.environment).times + 1),
        python=sys.executable,
        back=BACK.format(folder=os.path.dirname(alo.__path__[0])),
    )
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {**whole_environment(), ENVIRONMENT: found.environment}
    try:
        os.execve(found.python, [found.python, "-c", boot, *words], environment)  # noqa: S606
    except OSError as error:
        raise InstallError(
            f"the environment {found.environment} cannot be gone on in: {error.strerror}",
            where=found.python,
            fix="remove its folder, and run again: it is then made anew",
        ) from error
