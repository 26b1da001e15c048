"""What the file system below a folder is like; Linux tells, and elsewhere the best is assumed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

MOUNTS = "/proc/self/mountinfo"
# Each machine keeps the locks of these to itself, so that no other sees them.
KEPT_TO_ONESELF = ("9p", "afs", "beegfs", "fuse", "prl_fs", "vboxsf", "virtiofs")
SHARED_FUSE = ("fuse.ceph-fuse", "fuse.fuse-overlayfs", "fuse.glusterfs", "fuse.juicefs")
NETWORK = ("ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs")
LOCAL_LOCKS = {"local_lock=flock", "local_lock=all", "localflock", "nobrl", "nolock"}


class Mount(NamedTuple):
    """A file system where it is mounted."""

    kind: str  # ext4, nfs4, fuse.sshfs, and so on
    options: frozenset[str]

    @property
    def is_network(self) -> bool:
        """Whether other machines may have the same files."""
        return self.kind in NETWORK or self.kind.partition(".")[0] in KEPT_TO_ONESELF

    @property
    def shares_locks(self) -> bool:
        """Whether all machines that have the same files see each other's locks."""
        if self.kind in SHARED_FUSE:
            return True
        is_kept = self.kind.partition(".")[0] in KEPT_TO_ONESELF
        return not (is_kept or self.options & LOCAL_LOCKS)


LOCAL = Mount("", frozenset())  # as far as can be told
_known: dict[int, Mount] = {}


def mount_of(folder: str | os.PathLike[str]) -> Mount:
    """The file system of a folder that is there."""
    device = os.stat(folder).st_dev
    if os.major(device):  # a disk of this machine
        return LOCAL
    if device not in _known:
        _known[device] = _find(f"{os.major(device)}:{os.minor(device)}")
    return _known[device]


def _find(device: str) -> Mount:
    try:
        text = Path(MOUNTS).read_text("utf-8", "replace")
    except OSError:
        return LOCAL
    for line in text.splitlines():
        own, _, general = line.partition(" - ")
        fields, more = own.split(" "), general.split(" ")
        if len(fields) > 5 and fields[2] == device and len(more) > 2:
            return Mount(more[0], frozenset(f"{fields[5]},{more[2]}".split(",")))
    return LOCAL
