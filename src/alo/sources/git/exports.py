"""A folder of a commit as files: with its attributes, with what Git LFS keeps of it, and whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from alo.errors import SourceError
from alo.files import discard, remove_tree, write_whole
from alo.masking import masked
from alo.plan.suggest import did_you_mean
from alo.sources.git.command import GitError
from alo.sources.git.lfs import Pointer, are_whole, fill, pointers, without_lfs

KEPT_IN = "LocalMediaDir="  # of git-lfs, before the folder of its contents


class Export(NamedTuple):
    """What is to be written where.

    ``ask`` runs git on the clone in ``repository``, and gives what it prints.
    """

    url: str
    repository: Path
    commit: str
    path: str  # of a folder in the repository; empty: its root
    target: Path
    ask: Callable[..., str]

    def write(self) -> None:
        """Write it to ``target``, which is made.

        Raises:
            SourceError: the commit has no such folder, or it holds what cannot be checked out.
            GitError: git does not give what the clone should have.
        """
        remove_tree(self.target)
        if self.path:
            self._refuse_no_folder()
        listing = self.ask("ls-tree", "-r", "-z", f"{self.commit}:{self.path}").split("\0")
        names = [entry.partition("\t")[2] for entry in listing if entry]
        for entry, name in zip(listing, names, strict=False):
            if entry.startswith("160000"):
                raise SourceError(
                    f"{masked(self.url)} has a submodule, {name}, which is not fetched",
                    fix="put what the asset needs of it into the repository itself",
                )
        self._write_files()
        self._refuse_clashes(names)

    def fill_from_lfs(self, *, offline: bool) -> None:
        """Have the contents of files in the place of the pointers of Git LFS.

        Raises:
            SourceError: there is no git-lfs here, or it does not bring them.
            GitError: it ends with an error.
        """
        found = pointers(self.target)
        objects = self.repository / "lfs" / "objects"  # where git-lfs keeps them, as a rule
        if not are_whole(found, objects):
            objects = self._bring_from_lfs(found, offline=offline)
        fill(self.target, found, objects)

    def _bring_from_lfs(self, found: Mapping[str, Pointer], *, offline: bool) -> Path:
        """Have git-lfs bring contents; gives the folder that it keeps them in."""
        try:
            settings = self.ask("lfs", "env").splitlines()
        except GitError as error:
            raise without_lfs(masked(self.url), found) from error
        kept_in = [each.removeprefix(KEPT_IN) for each in settings if each.startswith(KEPT_IN)]
        objects = Path(kept_in[0]) if kept_in else self.repository / "lfs" / "objects"
        if are_whole(found, objects):
            return objects
        if offline:
            raise SourceError(
                f"what {masked(self.url)} keeps in Git LFS is not in the cache",
                where=str(self.repository),
                fix="run once without --offline, or alo install, where there is a network",
            )
        try:
            self.ask(*self._lfs_settings(), "lfs", "fetch", "origin", self.commit)
        finally:
            self._without_passwords(self.repository / "config")
        return objects

    def _without_passwords(self, config: Path) -> None:
        """git-lfs notes how it has got into a server, by the whole URL."""
        with suppress(OSError):
            text = config.read_text("utf-8", "surrogateescape")
            if masked(text) != text:
                write_whole(config, masked(text).encode("utf-8", "surrogateescape"))

    def _lfs_settings(self) -> list[str]:
        """The repository has no remote of its own, so git-lfs is given where it comes from."""
        settings = [f"remote.origin.url={self.url}"]
        if self.path:
            settings.append(f"lfs.fetchinclude={self.path}/**")
        try:
            blob = f"{self.commit}:.lfsconfig"
            server = self.ask("config", "--blob", blob, "--get", "lfs.url").strip()
            settings.append(f"lfs.url={server}")
        except GitError:
            pass  # its server is where the repository is, as usual
        return [word for each in settings for word in ("-c", each)]

    def _write_files(self) -> None:
        # All of the commit is looked at: the .gitattributes above the folder hold in it too.
        whole = self.target.with_name(f"{self.target.name}.whole") if self.path else self.target
        whole.mkdir()
        more = {"GIT_INDEX_FILE": str(self.repository / "index"), "GIT_WORK_TREE": str(whole)}
        try:
            self.ask("read-tree", self.commit, more=more)
            if self.path:
                self.ask("checkout", "--quiet", self.commit, "--", self.path, more=more)
                os.rename(whole / self.path, self.target)
            else:
                self.ask("checkout-index", "--all", more=more)
        except GitError as error:
            self._refuse_full_disk(error)
            raise
        finally:
            if self.path:
                discard(whole)

    def _refuse_full_disk(self, error: GitError) -> None:
        """git says only that it could not write a file."""
        entries = self.ask("ls-tree", "-r", "-l", "-z", f"{self.commit}:{self.path}").split("\0")
        sizes = [entry.partition("\t")[0].split()[-1] for entry in entries if entry]
        disk = os.statvfs(self.target.parent)
        if disk.f_bavail * disk.f_frsize < sum(int(size) for size in sizes if size.isdigit()):
            place = str(self.target.parent)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place) from error

    def _refuse_no_folder(self) -> None:
        found = self.ask("ls-tree", self.commit, "--", self.path)
        if " tree " in found:
            return
        what = f"{masked(self.url)} has no folder '{self.path}' at {self.commit[:12]}"
        if found:
            what += ": that is a link" if found.startswith("120000") else ": that is a file"
        else:
            folders = self.ask("ls-tree", "-r", "-d", "-z", "--name-only", self.commit)
            what += f"; {did_you_mean(self.path, [each for each in folders.split(chr(0)) if each])}"
        fix = "correct 'path' next to 'code'; empty: the root of the repository"
        raise SourceError(what, fix=fix, key="path")

    def _refuse_clashes(self, names: Sequence[str]) -> None:
        """Two names of the repository may be one where a file system ignores case."""
        alike: dict[str, list[str]] = {}
        for name in names:
            alike.setdefault(normalize("NFC", name.casefold()), []).append(name)
        for same in alike.values():
            files = [_file_id(self.target / name) for name in same]
            if len(set(files)) < len(files) or None in files:
                listed = " and ".join(f"'{name}'" for name in same)
                what = "are one file" if len(same) > 1 else "is no name of a file"
                raise SourceError(
                    f"{masked(self.url)} has {listed}, which {what} on this file system",
                    where=str(self.target.parent),
                    fix="give one of them another name in the repository",
                )


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
