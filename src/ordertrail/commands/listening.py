"""Sockets that a server listens on, of its own or shared by several processes."""

import socket

from ordertrail.domain.errors import Invalid

BACKLOG = 2048
PORT_MAX = 65_535


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise Invalid saying why there can be none."""
    listening = _bound(host, port, is_shared=False)
    listening.listen(BACKLOG)
    return listening


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that keeps an address for processes that `join` it, and hears nothing.

    Raises Invalid when somebody else listens there.
    """
    _bound(host, port, is_shared=False).close()
    return _bound(host, port, is_shared=True)


def join(reserved: socket.socket) -> socket.socket:
    """Return a listening socket of this process's own at a reserved address.

    The system spreads new connections over all that listen there, and leaves out one that ended.
    """
    host, port = reserved.getsockname()[:2]
    listening = _bound(host, port, is_shared=True)
    listening.listen(BACKLOG)
    return listening


def url_of(bound: socket.socket) -> str:
    """Return the address that a person types to reach a socket."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{port}"


def _bound(host: str, port: int, *, is_shared: bool) -> socket.socket:
    if not 0 <= port <= PORT_MAX:
        raise Invalid({"port": f"must be from 0 to {PORT_MAX}"})
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise Invalid({"port": f"cannot listen on {host}:{port}: {error.strerror}"}) from None
    return bound
