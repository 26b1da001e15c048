"""Folders and archives for the tests of data in and artifacts out."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from alo.data.locations import list_sources
from alo.data.staging import Staged, stage
from alo.layout import Workspace

from .object_store import bucket, moto, proxy

__all__ = ["bucket", "moto", "proxy"]  # fixtures

Tree = Mapping[str, "str | bytes"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    home = tmp_path / "project"
    home.mkdir()
    return Workspace(home)


@pytest.fixture
def write_tree(tmp_path: Path) -> Callable[[str, Tree], Path]:
    """Call it with a folder below tmp_path and its files; a name that ends with / is a folder."""

    def write(folder: str, tree: Tree) -> Path:
        root = tmp_path / folder
        root.mkdir(parents=True, exist_ok=True)
        for name, content in tree.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def stage_paths(workspace: Workspace) -> Callable[..., Staged]:
    """Call it with data paths; stages them for the train pipeline."""

    def run(*paths: str | Path) -> Staged:
        target = workspace.input("train")
        sources = list_sources(workspace.home, [str(path) for path in paths], target)
        return stage(workspace, "train", sources, lambda done, total: None)

    return run


class TarMaker:
    """A tar.gz with members of any kind, honest or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = tarfile.open(path, "w:gz")  # noqa: SIM115 - done() closes it

    def file(self, name: str, content: bytes = b"content", **fields: object) -> TarMaker:
        return self.member(name, tarfile.REGTYPE, content, **fields)

    def link(self, name: str, to: str, *, hard: bool = False) -> TarMaker:
        return self.member(name, tarfile.LNKTYPE if hard else tarfile.SYMTYPE, linkname=to)

    def member(self, name: str, kind: bytes, content: bytes = b"", **fields: object) -> TarMaker:
        info = tarfile.TarInfo(name)
        info.type, info.size = kind, len(content)
        for field, value in fields.items():
            setattr(info, field, value)
        self._archive.addfile(info, io.BytesIO(content))
        return self

    def done(self) -> Path:
        self._archive.close()
        return self.path


@pytest.fixture
def make_tar(tmp_path: Path) -> Iterator[Callable[..., TarMaker]]:
    makers: list[TarMaker] = []

    def make(name: str = "model.tar.gz") -> TarMaker:
        path = tmp_path / "outside" / name
        path.parent.mkdir(exist_ok=True)
        makers.append(TarMaker(path))
        return makers[-1]

    yield make
    for maker in makers:
        maker.done()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user whom permissions stop; the test is that user."""
    nobody = 65534
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(nobody)
    try:
        folder = Path(tempfile.mkdtemp(prefix="alo-test-", dir=_open_folder(tempfile.gettempdir())))
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


def _open_folder(usual: str) -> str:
    """A folder for temporary files that whoever we are now can reach: root's may be private."""
    for folder in (usual, "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108
        if os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            return folder
    pytest.skip("there is no folder for the temporary files of ordinary users")
