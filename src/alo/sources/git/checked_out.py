"""What has been checked out into an asset's folder: the note of it, and what differs by now."""

from collections.abc import Mapping
from pathlib import Path

from alo.files import checksum, write_whole
from alo.json_text import json_bytes, json_file
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.sources.code.fingerprint import code_files


class Checkout(NamedTuple):
    """What is in an asset's folder. ``url`` has no password in it."""

    step: str
    url: str
    branch: str
    path: str
    commit: str


class FileState(NamedTuple):
    """A file as it was checked out."""

    size: int
    mtime_ns: int
    ctime_ns: int
    checksum: str


class Record(NamedTuple):
    """The note of a checkout."""

    checkout: Checkout
    files: Mapping[str, FileState]  # by name in the asset's folder


def file_states(folder: Path) -> dict[str, FileState]:
    """The files of an asset's folder as they are now; caches and git's own do not count."""
    return {name: _state(path) for name, path in _files(folder).items()}


def differences(workspace: Workspace, step: str, before: Mapping[str, FileState]) -> list[str]:
    """The names of files in a step's folder that were changed, added or removed."""
    now = _files(workspace.asset(step))
    return sorted(
        name
        for name in {*before, *now}
        if name not in before or name not in now or not _is_same(now[name], before[name])
    )


def write_record(workspace: Workspace, step: str, record: Record) -> None:
    """Note what has been checked out into a step's asset folder."""
    path = _place(workspace, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"checkout": record.checkout._asdict(), "files": record.files}
    write_whole(path, json_bytes(content), durable=False)


def read_record(workspace: Workspace, step: str) -> Record | None:
    """What was noted; None where there is no note, or a damaged one."""
    try:
        content = json_file(_place(workspace, step))
        files = {str(name): FileState(*state) for name, state in content["files"].items()}
        return Record(Checkout(**content["checkout"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(folder: Path) -> dict[str, Path]:
    files = code_files(folder.parent, folder.name)
    own = f"assets/{folder.name}/"
    return {name.removeprefix(own): Path(path) for name, path in files.items()}


def _state(path: Path) -> FileState:
    status = path.stat()
    return FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns, checksum(path))


def _is_same(path: Path, before: FileState) -> bool:
    status = path.stat()
    if (status.st_size, status.st_mtime_ns, status.st_ctime_ns) == before[:3]:
        return True
    return status.st_size == before.size and checksum(path) == before.checksum


def _place(workspace: Workspace, step: str) -> Path:
    return workspace.internal / "sources" / f"{step}.json"
