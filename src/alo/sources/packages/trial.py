"""Whether an environment of the project works: it is tried, and a note says until when that holds.

The note, ``ready.json``, is there once an environment is whole. It holds all that can be seen of it
at no cost (where it is, its interpreter, its packages): where that is as it was, the environment is
taken to work as it did. Whatever else has happened to it shows when it is used (cli/reexec.py).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alo.files import write_whole
from alo.json_text import json_file
from alo.sources.packages.installed import FOLDERS

NOTE = "ready.json"
# What runs there first, and what ALO imports only where it needs it.
TRIAL = (
    "import sys; sys.path[:1] = []; import alo.cli.main, alo.engine.run, alo.engine.setup, "
    "alo.engine.steps.process_main, cloudpickle, isal, packaging.requirements, yaml, xxhash"
)


def python_of(folder: Path) -> Path:
    """The Python of the environment in ``folder``."""
    return folder / "bin" / "python"


def packages_of(folder: Path) -> str:
    """Where an environment of the Python that runs now has its packages."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.path.join(folder, "lib", version, FOLDERS[0])


def fault_of(folder: Path) -> str:
    """Why an environment does not work; empty if it does.

    It is tried only where it is not as it was when it was tried last.
    """
    try:
        note = json_file(folder / NOTE)
    except FileNotFoundError:
        return "it is not whole"
    except (OSError, ValueError):
        note = None
    if isinstance(note, dict) and note.get("seen") == _seen(folder):
        return ""
    if fault := try_out(folder):
        return fault
    with suppress(OSError):  # it is tried again then
        write_note(folder, note.get("requirements", []) if isinstance(note, dict) else [])
    return ""


def try_out(folder: Path) -> str:
    """Run the environment's Python as a run would; what is wrong with it, or nothing."""
    from alo.sources.commands import Commands

    try:
        ended = Commands().run([str(python_of(folder)), "-c", TRIAL], os.environ)
    except OSError as error:
        return f"its Python does not start: {error.strerror}"
    said = [line.strip() for line in ended.errors.splitlines() if line.strip()]
    return (said[-1:] or [ended.fault])[0] if ended.fault else ""


def write_note(folder: Path, requirements: Sequence[str]) -> None:
    """Note that an environment works as it is now.

    Args:
        requirements: for people.
    """
    from alo.version import __version__

    note = {"requirements": list(requirements), "alo": __version__, "python": sys.version}
    content = json.dumps({**note, "seen": _seen(folder)}, indent=1)
    write_whole(folder / NOTE, content.encode())


def forget(folder: Path) -> None:
    """Have an environment count as not there."""
    with suppress(OSError):
        os.unlink(folder / NOTE)


def keep_in_use(folder: Path) -> None:
    """Have others see, as long as this process lives, that the environment is in use."""
    import fcntl

    with suppress(OSError):
        note = os.open(folder / NOTE, os.O_RDONLY)  # until we end
        fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_in_use(folder: Path) -> bool:
    """Whether a process that uses the environment is alive."""
    import fcntl

    try:
        with open(folder / NOTE, "rb") as note:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # or there are no locks here: then it is not known
        return True
    return False


def _seen(folder: Path) -> Mapping[str, object] | None:
    """What an environment hangs on, as far as it is seen at no cost; None: it is not all there."""
    python, packages = python_of(folder), packages_of(folder)
    try:
        real = os.path.realpath(python)
        interpreter = os.stat(real)
        return {
            "folder": os.path.realpath(folder),
            "python": [real, interpreter.st_size, interpreter.st_mtime_ns],
            "settings": os.stat(folder / "pyvenv.cfg").st_mtime_ns,
            "packages": os.stat(packages).st_mtime_ns,
            "engine": sorted(os.path.realpath(entry) for entry in os.scandir(folder / "engine")),
        }
    except OSError:
        return None
