"""Environments of a project: a virtual environment for each set of requirements, below ``.alo/``.

Each has ALO itself, as it runs now, and what is required. It is made in its place, because it
cannot be moved, and is there only once its ``ready.json`` is: what a kill leaves is made again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alo.errors import InstallError
from alo.files import checksum, checksum_of, remove_tree, write_whole
from alo.layout import Workspace
from alo.sources.installed import Missing, installed_version
from alo.sources.installers import Installer, InstallFailed, find_uv
from alo.sources.requirements import Requirement, Wanted
from alo.version import __version__
from alolib.disk import fix_of

DISTRIBUTION = "open-alo"
READY = "ready.json"
RUNTIME_EXTRAS = {"remote": "obstore", "loop": "redis", "serve": "starlette"}  # extra → module
UNUSED_S = 30 * 86_400  # after which an environment is removed when another one is made
Tell = Callable[[str], object]


def environment_id(wanted: Wanted) -> str:
    """12 hex digits over all that an environment comes from."""
    files = [checksum(Path(file)) for file in wanted.constraints]
    here = [sys.version, sys.platform, __version__, os.path.dirname(_package_folder())]
    return checksum_of("\n".join([*wanted.lines, *files, *here]).encode())[:12]


def find_environment(workspace: Workspace, name: str) -> str:
    """The interpreter of an environment; empty where it is not there, or not whole."""
    folder = _folder(workspace, name)
    python = folder / "bin" / "python"
    if not (folder / READY).is_file() or not python.exists():
        return ""
    with suppress(OSError):
        os.utime(folder / READY)
    return str(python)


def make_environment(
    workspace: Workspace, wanted: Wanted, tell: Tell, *, offline: bool = False, name: str = ""
) -> str:
    """Make an environment, or find that it has been made meanwhile; returns its interpreter.

    Args:
        tell: takes a line for each thing that takes long.
        offline: only with what the installer has in its cache.
        name: its id; by default ``environment_id(wanted)``.
    Raises:
        InstallError: something cannot be installed, with the installer's own reason.
    """
    name = name or environment_id(wanted)
    try:
        with _held(workspace, name, tell) as lock:
            if python := find_environment(workspace, name):
                return python
            return _make(workspace, name, wanted, _installer(offline, lock), tell)
    except OSError as error:
        raise InstallError(
            f"the environment cannot be made: {error.strerror}",
            where=str(error.filename or workspace.internal),
            fix=fix_of(error),
        ) from error


def install_here(
    workspace: Workspace, wanted: Wanted, lacking: Sequence[Missing], tell: Tell, *, offline: bool
) -> None:
    """Install what is missing into the environment that runs ALO; nothing else is touched.

    Raises:
        InstallError: something cannot be installed, or the environment is the system's own.
    """
    _refuse_managed()
    missing = tuple(each.requirement for each in lacking)
    # The installer is not to replace what is satisfied for the sake of what is missing.
    kept = [each for each in wanted.requirements if each not in missing and each.name]
    versions = {each.name: installed_version(each, sys.path) for each in kept}
    pinned = [
        Requirement(f"{name}=={version}", name, "", "what is satisfied here")
        for name, version in versions.items()
        if version
    ]
    needed = wanted._replace(requirements=(*missing, *pinned))
    with _held(workspace, "current", tell) as lock:
        file = workspace.internal / "environments" / "current.txt"
        _install(_installer(offline, lock), Path(sys.executable), needed, file, tell)


def resolve(workspace: Workspace, wanted: Wanted, tell: Tell, *, offline: bool) -> list[str]:
    """The exact versions and hashes of all that an environment for these would have.

    Raises:
        InstallError: as for ``make_environment``.
    """
    with _held(workspace, "resolve", tell) as lock:
        file = workspace.internal / "environments" / "resolve.txt"
        whole = _with_engine(wanted)
        write_whole(file, _text(whole.lines), durable=False)
        try:
            return _installer(offline, lock).resolve(Path(sys.executable), file)
        except InstallFailed as error:
            raise _failed(error, whole) from error


def engine_requirements() -> list[Requirement]:
    """What ALO itself needs, and the extras of its that are in use here."""
    from importlib.metadata import PackageNotFoundError, requires
    from importlib.util import find_spec

    from packaging.requirements import Requirement as Parsed

    try:
        texts = requires(DISTRIBUTION) or []
    except PackageNotFoundError as error:
        raise InstallError(
            "ALO is not installed as a package here, so no environment can be made with it",
            fix=f"pip install {DISTRIBUTION}, or pip install -e in its source folder",
        ) from error
    extras = [extra for extra, module in RUNTIME_EXTRAS.items() if find_spec(module)]
    found = []
    for text in texts:
        parsed = Parsed(text)
        marker, parsed.marker = parsed.marker, None
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.append(Requirement(str(parsed), parsed.name.lower(), "", "ALO itself"))
    return found


def _installer(offline: bool, lock: int) -> Installer:
    from importlib.util import find_spec

    uv = find_uv()
    if not uv and find_spec("pip") is None:
        raise InstallError(
            "there is neither uv nor pip here to install packages with",
            where=sys.prefix,
            fix="pip install 'open-alo[uv]', or python -m ensurepip",
        )
    return Installer(uv, offline, lock)


def _make(workspace: Workspace, name: str, wanted: Wanted, installer: Installer, tell: Tell) -> str:
    folder = _folder(workspace, name)
    remove_tree(folder)
    began = time.monotonic()
    try:
        installer.make(folder)
    except InstallFailed as error:
        raise InstallError(
            f"no virtual environment can be made: {error}", where=str(folder)
        ) from error
    python = folder / "bin" / "python"
    try:
        whole = wanted if _is_exact(wanted) else _with_engine(wanted)
        _install(installer, python, whole, folder / "requirements.txt", tell)
        _link_engine(folder)
    except BaseException:
        with suppress(OSError):
            remove_tree(folder)
        raise
    ready = {"requirements": wanted.lines, "alo": __version__, "python": sys.version}
    write_whole(folder / READY, json.dumps(ready, indent=1).encode())
    tell(f"environment {name} is ready after {time.monotonic() - began:.1f} s")
    _remove_unused(workspace, name)
    return str(python)


def _is_exact(wanted: Wanted) -> bool:
    """Whether it comes from a lock file, with ALO's own needs in it."""
    return bool(wanted.requirements) and all(each.hashes for each in wanted.requirements)


def _with_engine(wanted: Wanted) -> Wanted:
    return wanted._replace(requirements=(*wanted.requirements, *engine_requirements()))


def _install(installer: Installer, python: Path, wanted: Wanted, file: Path, tell: Tell) -> None:
    names = [each.name or each.text for each in wanted.requirements if each.step]
    shown = ", ".join(dict.fromkeys(names[:8])) + (" ..." if len(names) > 8 else "")
    tell(f"installing {shown} with {installer.name}")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, _text(wanted.lines), durable=False)
    try:
        warnings = installer.install(python, file, exactly=_is_exact(wanted))
    except InstallFailed as error:
        raise _failed(error, wanted) from error
    for line in warnings:
        tell(line)


def _failed(error: InstallFailed, wanted: Wanted) -> InstallError:
    """Names the requirements that the installer speaks of, and the steps that have them."""
    text = str(error).lower()
    asked = [each for each in wanted.requirements if each.step]
    blamed = [each for each in asked if (each.name or each.text).lower() in text] or asked
    told = "\n".join(f"  {each.text}, for {each.origin}" for each in blamed[:8])
    steps = sorted({each.step for each in blamed})
    fix = "correct the requirement"
    if len(steps) > 1:
        fix = (
            f"make the requirements of {' and '.join(steps[:3])} fit, or give one of these steps "
            "packages of its own: environment: isolated, beside the step in user_parameters"
        )
    return InstallError(f"the requirements cannot be installed:\n{told}\n{error}", fix=fix)


def _text(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _link_engine(folder: Path) -> None:
    """Have the environment import ALO from where it is now, and see it as installed."""
    import alolib

    engine = folder / "engine"
    engine.mkdir()
    for package in (_package_folder(), str(alolib.__path__[0])):
        os.symlink(package, engine / os.path.basename(package))
    if info := _dist_info():
        os.symlink(info, engine / os.path.basename(info))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    path_file = folder / "lib" / version / "site-packages" / "alo-engine.pth"
    path_file.write_text(f"{engine}\n")


def _package_folder() -> str:
    import alo

    return os.path.realpath(alo.__path__[0])


def _dist_info() -> str:
    from importlib.metadata import distribution

    found: Any = distribution(DISTRIBUTION)
    place = getattr(found, "_path", None)  # there is no public name for it
    return os.path.realpath(place) if place else ""


def _folder(workspace: Workspace, name: str) -> Path:
    return workspace.internal / "environments" / name


@contextmanager
def _held(workspace: Workspace, name: str, tell: Tell) -> Iterator[int]:
    """Alone with an environment, in all processes; gives the lock's descriptor."""
    import fcntl

    path = _folder(workspace, name).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another run, which installs the same")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _remove_unused(workspace: Workspace, name: str) -> None:
    for ready in (workspace.internal / "environments").glob(f"*/{READY}"):
        folder = ready.parent
        with suppress(OSError):
            if folder.name != name and time.time() - ready.stat().st_mtime > UNUSED_S:
                ready.unlink()
                remove_tree(folder)


def _refuse_managed() -> None:
    """The system's own Python belongs to its package manager (PEP 668)."""
    import sysconfig

    is_virtual = sys.prefix != sys.base_prefix
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    if not is_virtual and marker.exists():
        raise InstallError(
            "this Python belongs to the system, which wants nothing installed into it",
            where=sys.prefix,
            fix="run ALO from a virtual environment, or leave --env out: "
            "the project then gets an environment of its own",
        )
