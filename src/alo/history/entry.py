"""Put a finished run into history (spec 8): all of it at once, or nothing.

An entry holds the plan as it ran, the code, the artifacts, the logs and the record. A small run is
copied, with its checksums taken on the way; the files of a large one are shared with the artifacts
folder, and a process of its own takes their checksums afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from alo.copies import clone_or_link, copy_and_hash, link_or_copy
from alo.files import checksum, checksum_of
from alo.history.checksums import CHECKSUMS, Checksum, stamp, write_checksums
from alo.history.folders import RECORD, building, entry_folder, entry_name
from alo.history.last import note_last
from alo.history.record import RunRecord
from alo.history.seal import seal_in_background
from alo.history.tree import Found, found_below, link_tree, put
from alo.layout import PLAN_NAME, Workspace

__all__ = ["entry_folder", "link_tree", "save_entry"]

SMALL_RUN = 16_000_000  # bytes
LOGS = "log"
OURS = (PLAN_NAME, "assets", RECORD, CHECKSUMS)  # names in an entry that no artifact can have


def save_entry(
    workspace: Workspace,
    record: RunRecord,
    *,
    plan: bytes,
    artifacts: Path,
    code: Mapping[str, Path],
    backup_artifacts: bool = True,
    backup_log: bool = True,
) -> Path:
    """Keep a run; returns the entry's folder. The caller has the workspace's lock.

    Args:
        plan: as it ran.
        artifacts: ``train_artifacts/`` or ``inference_artifacts/``.
        code: name in the entry (``assets/train/asset_train.py``) → our copy of the file.
    Raises:
        OSError: nothing of the entry is to be seen then.
    """
    kept = _kept_artifacts(artifacts, backup_artifacts, backup_log)
    name = entry_name(record.id, record.status)
    with building(workspace.history / record.pipeline, name) as build:
        is_sealed = _Builder(build).fill(kept, code, record, plan)
    folder = workspace.history / record.pipeline / name
    if not is_sealed:
        seal_in_background(folder)
    if not record.part:
        note_last(workspace, record.pipeline, record.id)
    return folder


def _protect_if_linked(target: str) -> None:
    """Who writes into a file with two names would spoil both: the one in history is the backup."""
    status = os.stat(target)
    if status.st_nlink > 1:
        os.chmod(target, status.st_mode & 0o555)


def _kept_artifacts(artifacts: Path, backup_artifacts: bool, backup_log: bool) -> list[Found]:
    return [
        found
        for found in found_below(artifacts)
        if (backup_log if _is_log(found.name) else backup_artifacts) and not _is_ours(found.name)
    ]


def _is_log(name: str) -> bool:
    return name == LOGS or name.startswith(f"{LOGS}/")


def _is_ours(name: str) -> bool:
    return name in OURS or name.startswith("assets/")


def _code_file(name: str, path: Path) -> Found:
    return Found(name, os.fspath(path), "file", path.stat().st_size)


class _Builder:
    """Fills the folder of one entry, and notes the checksums."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checksums: dict[str, Checksum] = {}
        self._folders: set[str] = set()

    def fill(
        self, kept: Sequence[Found], code: Mapping[str, Path], record: RunRecord, plan: bytes
    ) -> bool:
        """Returns whether all checksums are known."""
        copies = [_code_file(name, path) for name, path in code.items()]
        is_small = sum(found.size for found in (*kept, *copies)) < SMALL_RUN
        for copy in copies:
            self._keep_code(copy, is_small)
        for found in kept:
            try:
                self._keep(found, is_small)
            except FileNotFoundError:  # a process that the asset left behind has deleted it
                continue
        self._write(PLAN_NAME, plan)
        text = json.dumps(record.to_json(), ensure_ascii=False, indent=1)
        # A lone surrogate, of a name that is no UTF-8, becomes the escape that JSON has for it.
        self._write(RECORD, text.encode(errors="backslashreplace"))
        write_checksums(self._folder, self._checksums)
        return all(each.checksum for each in self._checksums.values())

    def _keep(self, found: Found, is_small: bool) -> None:
        if found.kind == "folder":
            self._make_folder(found.name)
            return
        target, taken = self._place(found.name), ""
        if found.kind == "link":
            put(found, target)
        elif is_small or _is_log(found.name):  # a log may still be appended to
            taken = copy_and_hash(found.path, target)
        else:
            clone_or_link(found.path, target)
            _protect_if_linked(target)
        self._checksums[found.name] = stamp(target, taken)

    def _keep_code(self, copy: Found, is_small: bool) -> None:
        if os.stat(copy.path).st_nlink > 1:  # an entry has it too, or it is a link
            self._keep(copy, is_small)
            return
        target = self._place(copy.name)
        link_or_copy(copy.path, target)
        self._checksums[copy.name] = stamp(target, checksum(Path(target)))

    def _write(self, name: str, content: bytes) -> None:
        target = self._place(name)
        with open(target, "xb") as file:
            file.write(content)
        self._checksums[name] = stamp(target, checksum_of(content))

    def _place(self, name: str) -> str:
        """The path for a file, with the folder it lies in."""
        self._make_folder(os.path.dirname(name))
        return os.path.join(self._folder, name)

    def _make_folder(self, name: str) -> None:
        if name not in self._folders:
            os.makedirs(os.path.join(self._folder, name), exist_ok=True)
            self._folders.add(name)
