"""Where a database is: its address, how to show it without the password, what disk it lies on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import DatabaseUnusable
from streams.environment import fill_in

EXPECTED = "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
POSTGRESQL_DRIVER = "postgresql+psycopg"
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": POSTGRESQL_DRIVER,
    "postgresql": POSTGRESQL_DRIVER,
    "postgresql+psycopg": POSTGRESQL_DRIVER,
}
NETWORK_FILESYSTEMS = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs3", "nfs4", "ocfs2", "smb2", "smb3", "smbfs", "fuse.ceph", "fuse.davfs2"),
        *("fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address:
    """A checked database address.

    Attributes:
        url: For the driver; holds the password.
        file: Of a SQLite database, absolute; None on PostgreSQL.
    """

    url: URL
    file: Path | None

    def __str__(self) -> str:
        """Fit for messages and logs: no password, no options."""
        plain = self.url.set(drivername=self.url.get_backend_name(), query={})
        return plain.render_as_string(hide_password=True)

    __repr__ = __str__

    def without_secrets(self, text: str) -> str:
        """Somebody else's error on one line, the password blotted out."""
        given = self.url.query
        for secret in (self.url.password, given.get("password"), given.get("sslpassword")):
            if secret:
                text = text.replace(str(secret), "***")
        return " ".join(text.split())


def expand(template: str) -> str:
    """`template` with each ${NAME} taken from the environment, encoded inside `USER:PASSWORD@`.

    Raises:
        ValueError: A variable is not set; the message names it and never a value.
    """
    user_ends = template.rfind("@") if template.startswith("postgres") else 0
    return fill_in(template, quoted=(0, user_ends))


def read_address(url: str) -> Address:
    """Parse what the configuration says.

    Raises:
        DatabaseUnusable: Not an address we can use; the message does not repeat it.

    >>> read_address("postgresql://op:s3cret@db/noctule")
    postgresql://op:***@db/noctule
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUnusable(
            f"the database address cannot be read: {EXPECTED}; percent-encode special characters"
        ) from None
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise DatabaseUnusable(f"unknown kind of database {parsed.drivername!r}: {EXPECTED}")
    parsed = parsed.set(drivername=driver)
    if driver == POSTGRESQL_DRIVER:
        return Address(url=parsed, file=None)
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseUnusable(f"a database in memory forgets everything: {EXPECTED}")
    file = Path(parsed.database).expanduser().absolute()
    return Address(url=parsed.set(database=str(file)), file=file)


def refuse_network_disk(file: Path, *, mounts: str | None = None) -> None:
    """SQLite's locks are not reliable over a network; databases there get torn.

    Args:
        mounts: Text of /proc/self/mountinfo; read from the system when None.

    Raises:
        DatabaseUnusable: `file` lies (or would lie) on a network file system.
    """
    kind = filesystem_of(file, _read_mounts() if mounts is None else mounts)
    if kind in NETWORK_FILESYSTEMS:
        raise DatabaseUnusable(
            f"{file} lies on a network file system ({kind}), where SQLite loses data; "
            "move it to a local disk, or use a postgresql:// database"
        )


def filesystem_of(file: Path, mounts: str) -> str:
    """Type of the file system that `file` lies on, "" if unknown.

    >>> line = "36 35 0:45 / /mnt/nas rw - nfs4 server:/export rw"
    >>> filesystem_of(Path("/mnt/nas/noctule.db"), line)
    'nfs4'
    >>> filesystem_of(Path("/mnt/nasty.db"), line)
    ''
    """
    path = file.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        head, found, tail = line.partition(" - ")
        fields = head.split()
        if not found or len(fields) < 5:
            continue
        mount_point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4]))
        # Of two mounts on one point the later hides the earlier.
        if path.is_relative_to(mount_point) and len(mount_point.parts) >= best:
            best, kind = len(mount_point.parts), tail.split()[0]
    return kind


def _read_mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: we cannot know
        return ""
