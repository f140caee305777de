"""A pgbouncer in transaction mode before a cluster: no two transactions need share a connection."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_process import until

from postgres_server import Server, as_postgres, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONNECTIONS = 3
SETTINGS = """
[databases]
* = host=127.0.0.1 port={there}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {here}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
server_round_robin = 1
server_login_retry = 0
logfile = {folder}/log
"""


@contextlib.contextmanager
def pooled(server: Server) -> Iterator[int]:
    """Run a pooler before the cluster, and give its port."""
    if PROGRAM is None:
        pytest.skip("needs Debian's pgbouncer: it is not on the path")
    with tempfile.TemporaryDirectory(prefix="ordertrail-pgbouncer-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o777)
        (folder / "users").write_text('"postgres" ""\n"clerk" ""\n')
        told = SETTINGS.format(there=server.port, here=port, folder=folder, connections=CONNECTIONS)
        (folder / "ini").write_text(told)
        process = subprocess.Popen([*as_postgres(), PROGRAM, "-q", str(folder / "ini")])
        try:
            until(lambda: _listens(port))
            yield port
        finally:
            process.terminate()
            process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
