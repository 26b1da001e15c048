"""What the file system below a folder is like, and what is mounted in it.

Linux reports it; on other systems the best is assumed.
"""

import os
from pathlib import Path

from alo.named_tuples import NamedTuple

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


LOCAL = Mount("", frozenset())  # as far as is known
_known: dict[int, Mount] = {}


def mount_of(folder: str | os.PathLike[str]) -> Mount:
    """The file system of a folder that is there."""
    device = os.stat(folder).st_dev
    if os.major(device):  # a disk of this machine
        return LOCAL
    if device not in _known:
        _known[device] = _find(f"{os.major(device)}:{os.minor(device)}")
    return _known[device]


def mounted_in(folder: str | os.PathLike[str]) -> list[str]:
    """Where something is mounted at or below a folder, which is there.

    Also a folder of the same disk under a second name (a bind mount): no device number shows that.
    """
    real = os.path.realpath(folder)
    try:
        with open(MOUNTS, "rb") as file:
            text = file.read()
    except OSError:
        return _other_devices_in(real)
    wanted = _escaped(real)
    if wanted not in text:  # spares reading the lines of a host with hundreds of containers
        return []
    points = [line.split(b" ")[4] for line in text.splitlines()]
    found = [point for point in points if point == wanted or point.startswith(wanted + b"/")]
    return [_unescaped(point) for point in found]


def mount_point(path: str | os.PathLike[str]) -> str:
    """Where the file system of a path is mounted: renames stay inside of it."""
    real = os.path.realpath(path)
    try:
        with open(MOUNTS, "rb") as file:
            points = {line.split(b" ")[4] for line in file.read().splitlines()}
    except OSError:
        points = set()
    while real != "/" and _escaped(real) not in points and not os.path.ismount(real):
        real = os.path.dirname(real)
    return real


def _other_devices_in(folder: str) -> list[str]:
    inside = (path for path, _, _ in os.walk(folder))
    return [path for path in inside if os.path.ismount(path)]


def _escaped(path: str) -> bytes:
    """As the kernel writes it."""
    text = os.fsencode(path)
    for char in b"\\ \t\n":
        text = text.replace(bytes([char]), b"\\%03o" % char)
    return text


def _unescaped(text: bytes) -> str:
    parts = text.split(b"\\")
    return os.fsdecode(
        parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:])
    )


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
