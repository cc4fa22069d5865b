"""Which folder a `spool://` URL means, and whether it may be one: locks over a network are not to be trusted."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

MOUNTS = Path("/proc/self/mounts")
REMOTE = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ceph|lustre|beegfs|gpfs|glusterfs|fuse\.(sshfs|glusterfs|s3fs|rclone|gcsfuse)"
)


def spool_folder(host: str | None, path: str | None, mounts: Path = MOUNTS) -> Path:
    """The folder of a broker URL, in kombu's parts: its host, and its path without the first `/`.

    Raises ImproperlyConfigured when it names no absolute folder, or one that is not on a disk of this machine.
    """
    if host or not (path or "").strip("/"):
        raise ImproperlyConfigured("BROKER_URL: a spool needs an absolute folder: spool:///var/lib/rowferry/spool.")
    folder = Path(f"/{path}").resolve()
    system_type = file_system(folder, mounts)
    if REMOTE.fullmatch(system_type):
        raise ImproperlyConfigured(
            f"BROKER_URL: {folder} is on {system_type}; a spool needs a local disk (or use redis://)."
        )
    return folder


def file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that `folder` lies on (`ext4`, `nfs4`…); empty where the kernel does not tell."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    mount_types = [
        (_unescape_mount(mount_point), system_type) for _, mount_point, system_type, *_ in map(str.split, lines)
    ]
    containing = [
        (len(mount_point.parts), system_type)
        for mount_point, system_type in reversed(mount_types)
        if folder.is_relative_to(mount_point)
    ]
    return max(containing, key=lambda mount: mount[0], default=(0, ""))[1]


def _unescape_mount(mount_point: str) -> Path:
    return Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), mount_point))
