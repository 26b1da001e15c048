"""Environments of a project: a virtual environment for each set of requirements, below ``.alo/``.

Each has ALO itself, as it runs now, and what is required. It is made in its place, because it
cannot be moved, and is there only once its ``ready.json`` is: what a kill leaves is made again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from alo.errors import InstallError
from alo.files import checksum_of, discard, remove_tree
from alo.layout import Workspace
from alo.masking import masked
from alo.plan.suggest import listed
from alo.sources.packages.identity import identity
from alo.sources.packages.installed import Missing, gaps, installed_version, not_there
from alo.sources.packages.installers import Installer, InstallerError, find_uv, unknown_to_uv
from alo.sources.packages.own_package import engine_requirements, link_engine, package_folder
from alo.sources.packages.requirements import Requirement, Wanted, normal_name
from alo.sources.packages.trial import (
    NOTE,
    fault_of,
    is_in_use,
    keep_in_use,
    packages_of,
    python_of,
    try_out,
    write_note,
)
from alo.version import __version__
from alolib.disk import fix_of, reports_full

DISTRIBUTION = "open-alo"
# Of a process that has come back from an environment: its number, the environment, how often, why
FAILED = "ALO_ENVIRONMENT_FAILED"
RUNTIME_EXTRAS = {"remote": "obstore", "loop": "redis", "serve": "starlette"}  # extra → module
UNUSED_S = 30 * 86_400  # after which an environment is removed when another one is made
Report = Callable[[str], object]


def environment_id(wanted: Wanted) -> str:
    """12 hex digits over all that an environment comes from."""
    here = [sys.version, sys.platform, __version__, os.path.dirname(package_folder())]
    lines = [*identity(wanted), *here]
    return checksum_of("\n".join(lines).encode("utf-8", "surrogateescape"))[:12]


def find_environment(workspace: Workspace, name: str, report: Report = lambda text: None) -> str:
    """The interpreter of an environment; empty where it is not there, or does not work.

    Args:
        report: takes a line where one that is there does not.
    """
    folder = _folder(workspace, name)
    if not (folder / NOTE).exists():
        return ""
    before = failed_before(name)
    if before.times > 1:
        raise InstallError(
            f"the environment {name} does not work, not even made anew: {before.why}",
            where=str(folder),
            fix="see whether a requirement brings modules of the names that ALO uses",
        )
    fault = before.why or fault_of(folder)
    if fault:
        report(f"environment {name} does not work: {fault}")
        return ""
    keep_in_use(folder)
    return str(python_of(folder))


def is_running_in(workspace: Workspace, name: str) -> bool:
    """Whether this process runs in an environment of the project, which then counts as in use."""
    folder = _folder(workspace, name)
    with suppress(OSError):
        if os.path.samefile(sys.prefix, folder):
            keep_in_use(folder)
            return True
    return False


class Failure(NamedTuple):
    """How often this process could not continue in an environment, and why."""

    times: int = 0
    why: str = ""


def failed_before(name: str) -> Failure:
    """What this process, which has come back from there, says of an environment."""
    words = os.environ.get(FAILED, "").split(" ", 3)
    if len(words) < 4 or words[:2] != [str(os.getpid()), name] or not words[2].isdigit():
        return Failure()
    return Failure(int(words[2]), words[3].strip("'\""))


def make_environment(
    workspace: Workspace, wanted: Wanted, report: Report, *, offline: bool = False, name: str = ""
) -> str:
    """Make an environment, or find that it has been made meanwhile; returns its interpreter.

    Args:
        report: takes a line for each thing that takes long.
        offline: only with what the installer has in its cache.
        name: its id; by default ``environment_id(wanted)``.
    Raises:
        InstallError: something cannot be installed, with the installer's own reason.
    """
    name = name or environment_id(wanted)
    try:
        with _held(workspace, name, report) as (lock, drafts):
            if not failed_before(name).times and (
                python := find_environment(workspace, name)  # whose fault has been reported
            ):
                return python
            installer = _installer(wanted, drafts, lock, report, offline=offline)
            return _make(workspace, name, wanted, installer, report)
    except OSError as error:
        raise InstallError(
            f"the environment cannot be made: {error.strerror}",
            where=str(error.filename or workspace.internal),
            fix=fix_of(error),
        ) from error


def install_here(
    workspace: Workspace,
    wanted: Wanted,
    lacking: Sequence[Missing],
    report: Report,
    *,
    offline: bool,
) -> None:
    """Install what is missing into the environment that runs ALO; nothing else is touched.

    Raises:
        InstallError: something cannot be installed, or the environment is the system's own.
    """
    _refuse_managed()
    missing = tuple(each.requirement for each in lacking)
    # The installer is not to replace what is satisfied for the sake of what is missing.
    names = {each.name for each in missing}
    kept = [each for each in wanted.requirements if each.name and each.name not in names]
    versions = {each.name: installed_version(each, sys.path) for each in kept}
    pinned = [
        Requirement(f"{name}=={version}", name, "", "what is satisfied here")
        for name, version in versions.items()
        if version
    ]
    needed = wanted._replace(requirements=(*missing, *pinned))
    with _held(workspace, "current", report) as (lock, drafts):
        installer = _installer(needed, drafts, lock, report, offline=offline)
        _install(installer, Path(sys.executable), needed, report)
        _refuse_missing(needed, sys.path, installer.name)


def resolve(workspace: Workspace, wanted: Wanted, report: Report, *, offline: bool) -> list[str]:
    """The exact versions and hashes of all that an environment for these would have.

    Raises:
        InstallError: as for ``make_environment``.
    """
    with _held(workspace, "resolve", report) as (lock, drafts):
        whole = _with_engine(wanted)
        installer = _installer(whole, drafts, lock, report, offline=offline)
        try:
            return _with_own_hashes(installer.resolve(Path(sys.executable), whole), wanted)
        except InstallerError as error:
            raise _failed(error, whole) from error


def _with_own_hashes(lines: Sequence[str], wanted: Wanted) -> list[str]:
    """Locked packages with the hashes that their requirements have, of those where these have any.

    Raises:
        InstallError: what would be installed has none of them.
    """
    allowed = {each.name: set(each.hashes) for each in wanted.requirements if each.hashes}
    found = []
    for line in lines:
        text, *hashes = line.split(" --hash=")
        own = allowed.get(normal_name(text.partition("==")[0].partition("[")[0].strip()))
        kept = [each for each in hashes if own is None or each in own]
        if own is not None and not kept:
            raise InstallError(
                f"{text} has none of the hashes that its requirement names",
                fix="correct the --hash, or the version",
            )
        found.append(" ".join([text, *(f"--hash={each}" for each in kept)]))
    return found


def _installer(
    wanted: Wanted, drafts: Path, lock: int, report: Report, *, offline: bool
) -> Installer:
    from importlib.util import find_spec

    uv, has_pip = find_uv(), find_spec("pip") is not None
    if not uv and not has_pip:
        raise InstallError(
            "there is neither uv nor pip here to install packages with",
            where=sys.prefix,
            fix="pip install 'open-alo[uv]', or python -m ensurepip",
        )
    if uv and has_pip and (unknown := unknown_to_uv(wanted)):
        report(f"pip is used, because uv does not know {listed(unknown)}")
        uv = ""
    return Installer(uv, offline, drafts, lock)


def _make(
    workspace: Workspace, name: str, wanted: Wanted, installer: Installer, report: Report
) -> str:
    folder = _folder(workspace, name)
    remove_tree(folder)
    began = time.monotonic()
    try:
        installer.make(folder)
        whole = wanted if wanted.is_locked else _with_engine(wanted)
        _install(installer, python_of(folder), whole, report)
        _refuse_incomplete(installer, folder, whole, report)
        link_engine(folder)
        if fault := try_out(folder):
            raise InstallError(
                f"the environment was made, and ALO does not run in it: {fault}",
                where=str(folder),
                fix="see whether a requirement brings modules of the names that ALO uses",
            )
        write_note(folder, [masked(line) for line in wanted.lines])
    except InstallerError as error:
        discard(folder)
        what = f"no virtual environment can be made: {error}"
        raise InstallError(what, where=str(folder), fix=_fix(error, "")) from error
    except BaseException:
        discard(folder)
        raise
    report(f"environment {name} is ready after {time.monotonic() - began:.1f} s")
    _remove_unused(workspace, name)
    return str(python_of(folder))


def _refuse_incomplete(installer: Installer, folder: Path, wanted: Wanted, report: Report) -> None:
    """See that all is there that the installer says it has installed: its cache may be damaged."""
    path = [packages_of(folder)]
    if incomplete := gaps(path):
        shown = f"{installer.name} has installed {listed(incomplete)} without all files"
        if installer.offline:
            raise InstallError(
                f"{shown}: its cache is damaged",
                where=str(folder),
                fix="run once without --offline, or alo install, where there is a network",
            )
        report(f"{shown}: once more")
        try:
            installer.install_again(python_of(folder), wanted, incomplete)
        except InstallerError as error:
            raise _failed(error, wanted) from error
    _refuse_missing(wanted, path, installer.name)


def _refuse_missing(wanted: Wanted, path: Sequence[str], installer: str) -> None:
    if lacking := not_there(wanted.requirements, path):
        shown = "\n".join(f"  {each}" for each in lacking)
        raise InstallError(
            f"{installer} says that it has installed everything, and this is not so:\n{shown}",
            where=path[0],
            fix=f"see whether its settings keep it from that: {installer} config list"
            if installer == "pip"
            else "see whether its settings (UV_...) keep it from that",
        )


def _with_engine(wanted: Wanted) -> Wanted:
    return wanted._replace(requirements=(*wanted.requirements, *engine_requirements()))


def _install(installer: Installer, python: Path, wanted: Wanted, report: Report) -> None:
    names = [each.name or masked(each.text) for each in wanted.requirements if each.step]
    names += [masked(line.partition(" ")[2]) for line in wanted.remote if line.startswith("-r ")]
    shown = ", ".join(dict.fromkeys(names[:8])) + (" ..." if len(names) > 8 else "")
    shown = shown or f"{len(wanted.requirements)} packages"
    report(f"installing {shown} with {installer.name}")
    try:
        notes = installer.install(python, wanted)
    except InstallerError as error:
        raise _failed(error, wanted) from error
    for line in notes:
        report(line)


def _failed(error: InstallerError, wanted: Wanted) -> InstallError:
    """Names the requirements that the installer speaks of, and the steps that have them."""
    text = str(error).lower()
    asked = [each for each in wanted.requirements if each.step]
    blamed = [each for each in asked if (each.name or each.text).lower() in text] or asked
    shown = "\n".join(f"  {each.text}, for {each.origin}" for each in blamed[:8])
    steps = sorted({each.step for each in blamed})
    fix = "correct the requirement"
    if len(steps) > 1:
        fix = (
            f"make the requirements of {' and '.join(steps[:3])} fit, or give one of these steps "
            "packages of its own: environment: isolated, next to the step in user_parameters"
        )
    what = f"the requirements cannot be installed:\n{shown}\n{error}"
    return InstallError(what, fix=_fix(error, fix))


def _fix(error: InstallerError, otherwise: str) -> str:
    if reports_full(str(error)):
        return "make room on the disk, and run again; df -h and df -i report how much is free"
    if error.is_unreachable:
        return (
            "the package index, or the server of a package, cannot be reached: see to the network, "
            "the proxy and the URL of the index, and run again"
        )
    return otherwise


def _folder(workspace: Workspace, name: str) -> Path:
    return workspace.internal / "environments" / name


@contextmanager
def _held(workspace: Workspace, name: str, report: Report) -> Iterator[tuple[int, Path]]:
    """Alone with an environment, in all processes; gives the lock's descriptor, and a folder.

    The folder is for the installer's files, which may hold passwords: only we can read it, and it
    goes in the end; what a kill has left of it goes now.
    """
    import fcntl

    path = _folder(workspace, name).with_suffix(".lock")
    drafts = path.with_name(f".{name}.alo-tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another run, which installs the same")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            report(f"{path.parent} has no locks ({error.strerror}): install in one run at a time")
        remove_tree(drafts)
        drafts.mkdir(mode=0o700)
        try:
            yield file.fileno(), drafts
        finally:
            discard(drafts)


def _remove_unused(workspace: Workspace, name: str) -> None:
    for note in (workspace.internal / "environments").glob(f"*/{NOTE}"):
        folder = note.parent
        with suppress(OSError):
            is_old = time.time() - note.stat().st_mtime > UNUSED_S
            if folder.name != name and is_old and not is_in_use(folder):
                note.unlink()
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
            fix="run ALO from a virtual environment; `alo run` without --env makes one for the "
            "project",
        )
