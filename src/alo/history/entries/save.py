"""Put a finished run into history (spec 8): all of it at once, or nothing.

An entry holds the plan as it ran, the code, the artifacts, the logs and the record. What is small
is copied, with its checksum taken on the way. A large file shares its blocks with the artifacts'
where the file system can do that; else it is the artifacts' own file under a second name, until a
process in the background has put a copy in its place (``seal.py``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alo.copies import clone, copy_and_hash, link, link_or_copy
from alo.files import checksum, checksum_of
from alo.history.entries.checksums import (
    CHECKSUMS,
    Checksum,
    read_checksums,
    stamp,
    write_checksums,
)
from alo.history.entries.folders import building, mark_unsealed
from alo.history.entries.names import RECORD, entry_folder, entry_name, entry_names
from alo.history.entries.seal import seal_in_background
from alo.history.entries.tally import add_to_total, stamps
from alo.history.entries.tree import FILE, FOLDER, LINK, Found, copy_tree, found_below, put
from alo.history.new_runs import changed_ns, columns_of, note_run
from alo.history.recent_runs import recent_runs, record_recent_run
from alo.history.record import RunRecord
from alo.json_text import json_bytes_by_line
from alo.layout import ASSETS, KINDS, PLAN_NAME, PROJECT_CODE, Workspace, in_entry

__all__ = ["copy_tree", "entry_folder", "kept_code", "link_artifacts", "save_entry"]

INPUT = "input"  # folder in an entry: the data of an inference, which a review needs
MOST_INPUTS = 1000  # files; more would cost a run more time than it should
INPUT_SHARE = 0.1  # of what history may take: the input of one run
COPIED_AT_ONCE = 64_000_000  # bytes of a run: some hundredths of a second
NEWEST = 3  # entries of a pipeline, where it is not known which run ended last
LOGS = "log"
NOTHING: Mapping[str, bytes] = {}
OURS = (PLAN_NAME, RECORD, CHECKSUMS)  # names in an entry that no artifact can have
FOLDERS = (ASSETS, PROJECT_CODE, INPUT)  # likewise


def save_entry(
    workspace: Workspace,
    record: RunRecord,
    *,
    plan: bytes,
    artifacts: Path,
    code: Mapping[str, Path],
    ends: Mapping[str, bytes] = NOTHING,
    backup_artifacts: bool = True,
    backup_log: bool = True,
    made_at: Path | None = None,
    given: Sequence[Found] = (),
) -> Path:
    """Keep a run; returns the entry's folder. The caller has the workspace's lock.

    Args:
        plan: as it ran.
        artifacts: ``train_artifacts/`` or ``inference_artifacts/``.
        code: name in the project (``assets/train/asset_train.py``) → our copy of the file.
        ends: name in the artifacts → what the entry's copy of the file ends with.
        made_at: where the artifacts were during the run, if that was another place.
        given: files of the input that are kept, as `kept_input` finds them.
    Raises:
        OSError: nothing of the entry is to be seen then.
    """
    kept = [*_kept_artifacts(artifacts, backup_artifacts, backup_log), *given]
    name = entry_name(record.id, record.status)
    before, before_ns = stamps(workspace), changed_ns(workspace, record.pipeline)
    with building(workspace.history / record.pipeline, name) as build:
        is_sealed = _Builder(build, made_at, ends).fill(kept, code, record, plan)
        folder = workspace.history / record.pipeline / name
        if not is_sealed:
            mark_unsealed(folder)
    with suppress(OSError):  # the run is in history, whatever happens to it by now
        status = os.stat(folder / RECORD)
        stamped = (status.st_mtime_ns, status.st_size)
        note_run(workspace, before_ns, columns_of(record.pipeline, name, stamped, record))
    add_to_total(workspace, before, folder)
    if not is_sealed:
        seal_in_background(folder)
    if not record.part:
        record_recent_run(workspace, record.pipeline, record.id)
    return folder


def link_artifacts(entry: Path, folder: Path) -> None:
    """Have a new folder like that of the artifacts, with links to what an entry has of them.

    Raises:
        OSError: it cannot be made.
    """
    (folder / LOGS).mkdir(parents=True)
    for each in (*entry.iterdir(), *(entry / LOGS).iterdir()):
        name = each.relative_to(entry).as_posix()
        if name != LOGS and not _is_ours(name):
            (folder / name).symlink_to(each.resolve())


def kept_input(folder: Path, backup_size_mb: float) -> tuple[Sequence[Found], str]:
    """The files of a run's input that history keeps, or why it keeps none of them.

    Args:
        folder: ``input/inference/`` of the workspace.
        backup_size_mb: how much history may take, in 10^6 bytes.
    """
    found: list[Found] = []
    size, room = 0, INPUT_SHARE * backup_size_mb * 1e6
    for each in found_below(folder):
        if each.kind != FILE:
            continue
        size += each.size
        if len(found) == MOST_INPUTS:
            return (), f"its input has more than {MOST_INPUTS:,} files"
        if size > room:
            return (), f"its input takes more than a tenth of backup_size, {room / 1e6:g} MB"
        found.append(each._replace(name=f"{INPUT}/{each.name}"))
    return found, ""


def kept_code(workspace: Workspace) -> dict[str, Path]:
    """Checksum → file, of the code in the newest entries: files that no one writes into."""
    newest = [entry_folder(workspace, kind, run_id) for kind, run_id in recent_runs(workspace)]
    return dict(file for entry in newest or _newest(workspace) for file in _code_in(entry))


def _newest(workspace: Workspace) -> list[Path]:
    """The entries that began last, if the clock was never set back."""
    folders = [workspace.history / kind for kind in KINDS]
    return [each / name for each in folders for name in sorted(entry_names(each))[-NEWEST:]]


def _code_in(entry: Path) -> Iterator[tuple[str, Path]]:
    with suppress(OSError, ValueError):
        for name, recorded in read_checksums(entry).items():
            file = entry / name
            if name.startswith("assets/") and stamp(str(file), recorded.checksum) == recorded:
                yield recorded.checksum, file


def _kept_artifacts(artifacts: Path, backup_artifacts: bool, backup_log: bool) -> list[Found]:
    return [
        found
        for found in found_below(artifacts)
        if (backup_log if _is_log(found.name) else backup_artifacts) and not _is_ours(found.name)
    ]


def _is_log(name: str) -> bool:
    return name == LOGS or name.startswith(f"{LOGS}/")


def _is_ours(name: str) -> bool:
    return name in OURS or name.partition("/")[0] in FOLDERS


class _Builder:
    """Fills the folder of one entry, and notes the checksums."""

    def __init__(self, folder: Path, made_at: Path | None, ends: Mapping[str, bytes]) -> None:
        self._folder, self._made_at, self._ends = folder, made_at, ends
        self._checksums: dict[str, Checksum] = {}
        self._folders: set[str] = set()
        self._room = COPIED_AT_ONCE

    def fill(
        self, kept: Sequence[Found], code: Mapping[str, Path], record: RunRecord, plan: bytes
    ) -> bool:
        """Returns whether all checksums are known."""
        known = record.code_id_description.get("files")
        for name, path in code.items():
            self._keep_code(name, path, known if isinstance(known, Mapping) else {})
        for found in kept:
            try:
                self._keep(found)
            except FileNotFoundError:  # a process that the asset left behind has deleted it
                continue
        self._write(PLAN_NAME, plan)
        self._write(RECORD, json_bytes_by_line(record.to_json()))
        write_checksums(self._folder, self._checksums)
        return all(each.checksum for each in self._checksums.values())

    def _keep(self, found: Found) -> None:
        if found.kind == FOLDER:
            self._make_folder(found.name)
            return
        if found.kind == FILE and found.name in self._ends:
            self._write(found.name, Path(found.path).read_bytes() + self._ends[found.name])
            return
        target, taken = self._place(found.name), ""
        if found.kind == LINK:
            put(found, target, self._made_at)
        else:
            taken = self._keep_file(found, target)
        self._checksums[found.name] = stamp(target, taken)

    def _keep_file(self, found: Found, target: str) -> str:
        """Returns the checksum, where it was taken on the way."""
        if found.size <= self._room:
            self._room -= found.size
        elif not _is_log(found.name) and (clone(found.path, target) or link(found.path, target)):
            return ""  # a log may still be appended to
        return copy_and_hash(found.path, target)

    def _keep_code(self, name: str, copy: Path, known: Mapping[str, object]) -> None:
        """Our own copy of a file, which no one writes into."""
        place = in_entry(name)
        target = self._place(place)
        link_or_copy(copy, target)
        taken = known.get(name)
        taken = taken if isinstance(taken, str) else checksum(Path(target))
        self._checksums[place] = stamp(target, taken)

    def _write(self, name: str, content: bytes) -> None:
        target = self._place(name)
        with open(target, "xb") as file:
            file.write(content)
        self._checksums[name] = stamp(target, checksum_of(content))

    def _place(self, name: str) -> str:
        """The path for a file, with the folder it is in."""
        self._make_folder(os.path.dirname(name))
        return os.path.join(self._folder, name)

    def _make_folder(self, name: str) -> None:
        if name not in self._folders:
            path = os.path.join(self._folder, name)
            try:
                os.mkdir(path)  # most are in one that is there, or are there themselves
            except OSError:
                os.makedirs(path, exist_ok=True)
            self._folders.add(name)
