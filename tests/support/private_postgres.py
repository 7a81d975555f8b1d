"""A PostgreSQL server of the test session's own: started unprivileged, gone with its session."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

OWNER = "sourcenote_owner"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 50
shared_buffers = 64MB
max_wal_size = 2GB
fsync = off
full_page_writes = off
synchronous_commit = off
"""
# The guard holds a pipe from the session: when the session ends, however it ends, the pipe
# closes, the server stops and its folder goes. A killed test run leaves nothing behind.
GUARD = 'cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1; rm -rf "$2"'


@dataclass
class PrivatePostgres:
    """One server on 127.0.0.1; `programs` is the folder that holds initdb and pg_ctl."""

    programs: Path
    port: int = 0
    folder: Path = field(default_factory=Path)
    _guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make a cluster in a temporary folder and start it; RuntimeError with the log if not."""
        user = _unprivileged_user()
        self.folder = Path(tempfile.mkdtemp(prefix="sourcenote-pg-", dir=_open_folder()))
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", self.programs, self.folder],
            stdin=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for pytest, which then closes the pipe
            **self._as(user),
        )
        made = ["initdb", "-D", "data", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        self._run(user, *made, "--no-sync")
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(SETTINGS)
        self._launch(user)

    def stop(self) -> None:
        """Close the guard's pipe and wait until the server and its folder are gone."""
        if self._guard is not None:
            with suppress(BrokenPipeError):
                self._guard.communicate(timeout=60)

    def restart(self, meanwhile: Callable[[], object] | None = None) -> None:
        """Break every connection and come back on the same port, as after a crash.

        A server that has ended of itself is started; `meanwhile` is done while there is none.
        """
        user = _unprivileged_user()
        with suppress(RuntimeError):
            self._run(user, "pg_ctl", "-D", "data", "-m", "immediate", "stop")
        if meanwhile:
            meanwhile()
        self._launch(user, ports=[self.port])

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL of `database` on this server."""
        return f"postgresql+psycopg://{OWNER}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{secrets.token_hex(6)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop `name`, whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=OWNER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def _launch(self, user: pwd.struct_passwd | None, ports: list[int] | None = None) -> None:
        """Start on one of `ports`; without, on a free one, again when another process takes it."""
        error: Exception | None = None
        for port in ports or [_free_port() for _ in range(5)]:
            try:
                started = ["pg_ctl", "-D", "data", "-l", "log", "-w", "-o", f"-p {port}", "start"]
                self._run(user, *started)
            except RuntimeError as failed:
                error = failed
            else:
                self.port = port
                return
        log = self.folder / "log"
        text = log.read_text(errors="replace") if log.exists() else ""
        message = f"PostgreSQL did not start: {error}\n{text[-2000:]}"
        raise RuntimeError(message)

    def _run(self, user: pwd.struct_passwd | None, program: str, *arguments: str) -> None:
        # Output goes to a file: a pipe would be held open by the server that pg_ctl leaves behind.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                **self._as(user),
            )
            output.seek(0)
            if done.returncode:
                message = f"{program}: {output.read().decode(errors='replace')[-2000:]}"
                raise RuntimeError(message)

    def _as(self, user: pwd.struct_passwd | None) -> dict[str, Any]:
        """Return subprocess arguments: in the server's folder, as `user`, in a plain locale."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        whom: dict[str, Any] = {}
        if user:
            whom = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        return {"cwd": self.folder, "env": environment, **whom}


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom root becomes, because PostgreSQL refuses root; None for anyone else."""
    if os.geteuid() != 0:
        return None
    candidates: list[Callable[[], pwd.struct_passwd]] = [
        lambda: pwd.getpwnam("postgres"),
        lambda: pwd.getpwnam("nobody"),
    ]
    for candidate in candidates:
        with suppress(KeyError):
            return candidate()
    message = "root needs a user 'postgres' or 'nobody' to start PostgreSQL as"
    raise RuntimeError(message)


def _open_folder() -> Path:
    """Return a temporary folder that another user can enter."""
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  mkdtemp makes ours
        folder = Path(name).resolve()
        if folder.is_dir() and all(at.stat().st_mode & 0o001 for at in (folder, *folder.parents)):
            return folder
    return Path(tempfile.gettempdir())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
