"""Hand a run's artifacts over to the plan's ``save_*_artifacts_path``, whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from alo.data.location import NO_PROFILE, Access, LocationError, RemoteLocation, locate
from alo.data.models import MODEL_ARCHIVE
from alo.errors import ExportError
from alo.files import CHUNK, claim_temporary, discard, real_path, sweep_leftovers
from alo.layout import OWN_FOLDERS
from alo.mounts import mount_of
from alolib.disk import fix_of

if TYPE_CHECKING:
    from alo.data.archives.pack import Member

LOGS = ("process.log", "pipeline.log")
MODELS = "models/"
FAILED = "-error"  # as history has it

_Open: TypeAlias = Callable[[str], BinaryIO]


class _Contents(NamedTuple):
    """What one export writes."""

    members: Sequence[Member]
    archive: str  # name of the archive of all
    has_models: bool
    logs: Sequence[Path]

    @property
    def names(self) -> list[str]:
        models = [MODEL_ARCHIVE] if self.has_models else []
        return [self.archive, *models, *(log.name for log in self.logs)]


def _refuse_own_folders(home: Path, target: Path, path: str) -> None:
    real, of_home = real_path(target), os.path.join(real_path(home), "")  # through links
    inside = real.removeprefix(of_home).partition("/")[0]
    if real.startswith(of_home) and inside in OWN_FOLDERS:
        raise LocationError(
            f"{path} is in {inside}/, which is the engine's own",
            fix="give a folder of its own, such as ./export/",
        )


def check_export_target(
    home: Path, path: str, access: Access = NO_PROFILE
) -> Path | RemoteLocation:
    """The folder to export to; it is made when the time comes.

    Raises:
        LocationError: it cannot be written to, as far as that is known by now.
    """
    target = locate(home, path, access)
    if isinstance(target, RemoteLocation):
        from alo.data.remote.locations import check_writable

        check_writable(target)
        return target
    _refuse_own_folders(home, target, path)
    existing = next(parent for parent in (target, *target.parents) if os.path.lexists(parent))
    if not existing.is_dir():
        raise LocationError(f"{path}: {existing} is a file, so artifacts cannot be saved below it")
    if not os.access(existing, os.W_OK | os.X_OK, effective_ids=True):
        raise LocationError(f"{path}: no permission to write to {existing}")
    return target


def try_export_target(target: Path | RemoteLocation) -> None:
    """See that artifacts can be saved there, by saving a few bytes that are removed at once.

    Raises:
        LocationError: they cannot.
    """
    if isinstance(target, RemoteLocation):
        from alo.data.remote.blobs import Blobs

        Blobs(target).check(reads=False)
        return
    existing = next(parent for parent in (target, *target.parents) if parent.is_dir())
    try:
        temporary, file = claim_temporary(existing / "alo-check")
        file.close()
        discard(temporary)
    except OSError as error:
        raise LocationError(
            f"{target}: artifacts cannot be saved there: {error.strerror or error}",
            where=str(existing),
            fix=fix_of(error, other="give another folder, or mend it"),
        ) from error


def export_artifacts(
    artifacts: Path,
    kind: str,
    target: Path | RemoteLocation,
    archive_format: str,
    *,
    failed: bool = False,
) -> list[Path] | list[RemoteLocation]:
    """Write the archives and logs of one run into ``target``.

    Args:
        artifacts: ``train_artifacts/`` or ``inference_artifacts/``.
        archive_format: of ``inference_artifacts``: tar.gz or zip.
        failed: the run has: its archive is next to that of a success, and there is no model.
    Returns:
        what was written.
    Raises:
        ExportError: nothing new is to be seen in ``target`` then.
    """
    needed = 0
    try:
        contents = _contents(artifacts, kind, archive_format, failed)
        needed = sum(member.size for member in contents.members)
        if isinstance(target, RemoteLocation):
            return _export_remote(contents, target, artifacts.parent)
        return _export_local(contents, target)
    except OSError as error:
        raise ExportError(
            f"the artifacts cannot be saved to {target}: {error.strerror or error}",
            where=str(error.filename or target),
            fix=fix_of(error, needed=needed, other="mend it and try again"),
        ) from error


def _contents(artifacts: Path, kind: str, archive_format: str, failed: bool) -> _Contents:
    from alo.data.archives.pack import list_members  # only a run that exports pays for it

    members = list_members(artifacts)
    suffix = archive_format if kind == "inference" else "tar.gz"
    has_models = any(each.name.startswith(MODELS) and not each.is_folder for each in members)
    return _Contents(
        members,
        f"{artifacts.name}{FAILED if failed else ''}.{suffix}",
        has_models and not failed,
        [log for name in LOGS if (log := artifacts / "log" / name).is_file()],
    )


def _export_local(contents: _Contents, target: Path) -> list[Path]:
    target.mkdir(parents=True, exist_ok=True)
    finals = {name: target / name for name in contents.names}
    for final in finals.values():
        if os.path.isdir(final):  # else the rename of one file would fail after that of another
            raise IsADirectoryError(
                errno.EISDIR, "a folder has the name of a file to be saved", str(final)
            )
    sweep_leftovers(target, contents.names)
    claimed: dict[Path, Path] = {}  # those that are not in their places yet
    with ExitStack() as stack:
        stack.callback(_discard_all, claimed)

        def open_part(name: str) -> BinaryIO:
            temporary, file = claim_temporary(finals[name])
            claimed[finals[name]] = temporary
            stack.callback(file.close)
            return file

        files = _write(contents, open_part)
        if mount_of(target).is_network:  # which says only then that it has no room, say
            for file in files:
                os.fsync(file.fileno())
        for final, temporary in list(claimed.items()):
            os.replace(temporary, final)
            del claimed[final]
    return list(finals.values())


def _discard_all(claimed: Mapping[Path, Path]) -> None:
    for temporary in claimed.values():
        discard(temporary)


def _export_remote(contents: _Contents, target: RemoteLocation, room: Path) -> list[RemoteLocation]:
    """Pack into files without a name (gone with this process, however it ends), then upload."""
    from tempfile import TemporaryFile

    from alo.data.remote.locations import upload

    with ExitStack() as stack:
        parts: dict[str, BinaryIO] = {}

        def open_part(name: str) -> BinaryIO:
            parts[name] = stack.enter_context(TemporaryFile(dir=room))
            return parts[name]

        _write(contents, open_part)
        return upload(parts, target)


def _write(contents: _Contents, open_part: _Open) -> list[BinaryIO]:
    from alo.data.archives.pack import TarTarget, pack_tars, pack_zip

    files = [open_part(contents.archive)]
    if contents.archive.endswith(".zip"):
        pack_zip(contents.members, files[0])
        if contents.has_models:
            files.append(open_part(MODEL_ARCHIVE))
            pack_tars(contents.members, [TarTarget(files[1], MODELS)])
    else:
        targets = [TarTarget(files[0])]
        if contents.has_models:
            files.append(open_part(MODEL_ARCHIVE))
            targets.append(TarTarget(files[1], MODELS))
        pack_tars(contents.members, targets)
    for log in contents.logs:
        files.append(open_part(log.name))
        _copy(log, files[-1])
    for file in files:
        file.flush()
    return files


def _copy(source: Path, file: BinaryIO) -> None:
    with open(source, "rb", buffering=0) as log:
        while piece := log.read(CHUNK):
            file.write(piece)
