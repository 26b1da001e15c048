"""The per-user cache of git repositories: one bare, shallow clone for each URL.

A clone may be used by several processes at once, and be killed at any moment: a lock keeps them
apart, and one that turns out to be damaged is removed and made anew.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from alo.errors import SourceError
from alo.files import checksum_of, discard, remove_tree
from alo.layout import Workspace
from alo.masking import masked
from alo.sources.git.command import Git, GitError
from alo.sources.git.exports import Export
from alolib.disk import fix_of, reports_full

HEX = re.compile(r"[0-9a-fA-F]{4,64}")
WHOLE = {40: "sha1", 64: "sha256"}  # digits of a commit's id → the format of its repository
PATIENCE_S = 300.0  # with another process that has a clone
T = TypeVar("T")


def cache_folder() -> Path:
    """``ALO_CACHE_DIR``, or the folder ``alo`` in the user's cache.

    Raises:
        SourceError: the user has no folder, as one whom a container knows by number only.
    """
    if given := os.environ.get("ALO_CACHE_DIR"):
        return Path(os.path.abspath(given))
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(base):
        raise SourceError(
            "there is no folder to keep clones in: this user has no home",
            fix="name one in the environment variable ALO_CACHE_DIR",
        )
    return Path(base) / "alo"


def clones_folder(workspace: Workspace) -> Path:
    """Where clones are kept: in the user's cache, or in the project where there is none to be had.

    A folder that the user has named is used, or it is an error.
    """
    if os.environ.get("ALO_CACHE_DIR"):
        return cache_folder() / "git"
    try:
        folder = cache_folder() / "git"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, SourceError):
        pass
    return workspace.internal / "clones"


class Clone:
    """The clone of one repository.

    Args:
        url: as git takes it; local paths are absolute.
        root: the folder of all clones.
    """

    def __init__(self, url: str, git: Git, root: Path) -> None:
        self.url, self._git, self._root = url, git, root
        name = checksum_of(masked(url).encode("utf-8", "surrogateescape"))[:16]
        self.folder = self._root / f"{name}.git"
        self._lock, self._held_lock = self._root / f"{name}.lock", -1

    def bring(self, branch: str, *, offline: bool = False) -> str:
        """Have a branch, tag or commit in the clone; returns the commit's id.

        Args:
            branch: empty: the repository's default branch.
        Raises:
            SourceError: it cannot be had.
        """
        with self._held():
            return self._repaired(lambda: self._bring(branch, offline), offline)

    def export(self, commit: str, path: str, target: Path, *, offline: bool = False) -> None:
        """Write a folder of a commit to ``target``, which is made, with what Git LFS has of it.

        Raises:
            SourceError: the commit has no such folder, or it holds what cannot be checked out.
        """
        job = Export(self.url, self.folder, commit, path, target, self._ask)

        def write() -> None:
            self._bring(commit, offline)
            job.write()

        try:
            with self._held():
                self._repaired(write, offline)
                job.fill_from_lfs(offline=offline)
        except BaseException:
            discard(target)
            raise

    def _repaired(self, work: Callable[[], T], offline: bool) -> T:
        """Once more on a new clone where the one that is there is damaged."""
        try:
            return work()
        except GitError as error:
            if reports_full(str(error)):
                discard(self.folder)  # of what git leaves then, no one cleans up
            is_hopeless = reports_full(str(error)) or offline or self._git.is_stopped
            if is_hopeless or self._is_sound():
                raise
            remove_tree(self.folder)
            return work()

    def _bring(self, branch: str, offline: bool) -> str:
        self._make("sha1")
        if HEX.fullmatch(branch) and len(branch) in WHOLE and self._has(branch.lower()):
            return branch.lower()
        if offline:
            return self._known(branch)
        commit = self._fetch(branch)
        self._ask("update-ref", _name_of(branch), commit)
        return commit

    def _make(self, format_: str) -> None:
        if self.folder.is_dir():
            return
        draft = self.folder.with_name(f"{self.folder.name}.new.alo-tmp")  # we are alone
        remove_tree(draft)
        init = ("init", "--bare", "--quiet", "--template=")
        more = {"GIT_DEFAULT_HASH": format_}
        self._git(*init, repository=draft, lock=self._held_lock, more=more)
        os.rename(draft, self.folder)

    def _have_format(self, refs: Mapping[str, str]) -> None:
        """Have a clone of the same format of ids as the repository."""
        wanted = next((WHOLE.get(len(commit), "sha1") for commit in refs.values()), "sha1")
        try:
            config = (self.folder / "config").read_text("utf-8", "replace")
        except FileNotFoundError:  # damaged: git would continue without its settings
            config = ""
        is_wide = "objectformat = sha256" in config.lower()
        if not config or wanted != ("sha256" if is_wide else "sha1"):
            remove_tree(self.folder)
            self._make(wanted)

    def _known(self, branch: str) -> str:
        try:
            return self._ask("rev-parse", "--verify", "--quiet", _name_of(branch)).strip()
        except GitError as error:
            raise SourceError(
                f"{masked(self.url)} is not in the cache at '{branch or 'its default branch'}'",
                where=str(self.folder),
                fix="run once without --offline, or alo install, where there is a network",
                key="branch",
            ) from error

    def _fetch(self, branch: str) -> str:
        refs = self._remote_refs()
        self._have_format(refs)
        # A branch first, then a tag, as `git clone --branch` does.
        for name in ("HEAD",) if not branch else (f"refs/heads/{branch}", f"refs/tags/{branch}"):
            if name in refs:
                commit = refs.get(f"{name}^{{}}", refs[name])  # what an annotated tag stands for
                if not self._has(commit):
                    self._fetch_one(f"+{name}:refs/alo/{commit}")
                return commit
        if HEX.fullmatch(branch):
            return self._fetch_commit(branch.lower(), refs)
        raise self._no_such(branch, refs)

    def _fetch_one(self, refspec: str) -> None:
        """Without its history, where the server can give it so."""
        try:
            self._ask(*FETCH, "--depth=1", "--", self.url, refspec)
        except GitError as error:
            if "shallow" not in str(error):  # as servers of plain files say
                raise
            self._ask(*FETCH, "--", self.url, refspec)

    def _fetch_commit(self, commit: str, refs: Mapping[str, str]) -> str:
        """By its id, which not every server gives; then with the whole history."""
        if len(commit) in WHOLE:
            with suppress(GitError):
                self._fetch_one(f"+{commit}:refs/alo/{commit}")
                return commit
        is_shallow = (self.folder / "shallow").exists()
        deepen = ["--unshallow"] if is_shallow else []
        self._ask(*FETCH, *deepen, "--", self.url, "+refs/*:refs/alo/all/*")
        try:
            found = self._ask("rev-parse", "--verify", f"{commit}^{{commit}}").strip()
        except GitError as error:
            if "ambiguous" in str(error):
                what = f"{masked(self.url)} has several commits that begin with {commit}"
                raise SourceError(what, fix="write more of its id", key="branch") from error
            raise self._no_such(commit, refs) from error
        self._ask("update-ref", f"refs/alo/{found}", found)
        return found

    def _remote_refs(self) -> dict[str, str]:
        try:
            output = self._ask("ls-remote", "--", self.url)
        except GitError as error:
            self._ask("rev-parse", "--git-dir")  # fails if it is the clone that is at fault
            raise SourceError(
                f"the repository {masked(self.url)} cannot be read: {error}",
                fix="see that the URL is right, and that `git ls-remote` reads it without asking "
                "for a password (a credential helper, a token, an ssh key)",
            ) from error
        lines = [line.partition("\t") for line in output.splitlines()]
        return {name: commit for commit, _, name in lines if name}

    def _no_such(self, branch: str, refs: Mapping[str, str]) -> SourceError:
        from alo.plan.suggest import did_you_mean

        heads = [name.partition("/")[2].partition("/")[2] for name in refs if name.count("/") > 1]
        names = sorted({name.removesuffix("^{}") for name in heads})
        what = f"branch, tag or commit '{branch}'" if branch else "default branch"
        hint = did_you_mean(branch, names) if names else "it is empty"
        return SourceError(f"{masked(self.url)} has no {what}; {hint}", key="branch")

    def _has(self, commit: str) -> bool:
        """Whether it is here with all that belongs to it: its ref is made last."""
        try:
            return bool(self._ask("rev-parse", "--verify", "--quiet", f"refs/alo/{commit}"))
        except GitError:
            return False

    def _is_sound(self) -> bool:
        try:
            self._ask("fsck", "--no-dangling", "--no-progress")
        except GitError:
            return False
        return True

    def _ask(self, *arguments: str, more: dict[str, str] | None = None) -> str:
        return self._git(*arguments, repository=self.folder, lock=self._held_lock, more=more)

    def _sweep_locks(self) -> None:
        """Those of a git that was killed; one that still ran would hold our own lock."""
        for folder, folders, files in os.walk(self.folder):
            if "objects" in folders:
                folders.remove("objects")
            for name in files:
                if name.endswith(".lock"):
                    os.unlink(os.path.join(folder, name))

    def _wait_for(self, lock: IO[str]) -> None:
        import fcntl

        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._git.is_stopped or time.monotonic() > end:
                    raise SourceError(
                        f"another process has had the clone of {masked(self.url)} for "
                        f"{PATIENCE_S:.0f} s",
                        where=str(self._lock),
                        fix="wait for it, or end it, and try again",
                    ) from error
                time.sleep(0.05)
            except OSError:  # no locks here: git has its own
                return
            else:
                return

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Alone with this clone, and with errors of the cache's disk reported as such."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with open(self._lock, "w") as lock:
                self._wait_for(lock)
                self._held_lock = lock.fileno()
                self._sweep_locks()
                yield
        except OSError as error:
            place = str(error.filename or self._root)
            if not place.startswith(str(self._root)):  # of the folder that is written to
                raise
            raise SourceError(
                f"the cache of git repositories cannot be used: {error.strerror}",
                where=place,
                fix=f"{fix_of(error, other='give the right to write there')}; or {ELSEWHERE}",
            ) from error
        except GitError as error:
            raise SourceError(
                f"the repository {masked(self.url)} cannot be fetched: {error}",
                where=str(self.folder),
                fix=f"make room there, or {ELSEWHERE}"
                if reports_full(str(error))
                else "see that the network and the disk of the cache are well, and try again",
            ) from error


ELSEWHERE = "name another folder in the environment variable ALO_CACHE_DIR"
FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force")


def _name_of(branch: str) -> str:
    """The ref under which a clone keeps what a branch was when it was fetched last."""
    return f"refs/alo-named/{checksum_of(branch.encode('utf-8', 'surrogateescape'))}"
