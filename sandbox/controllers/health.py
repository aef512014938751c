"""Whether a program of the sandbox says that it does its work."""

import http.client
import socket
from contextlib import closing


def answers(port: int, path: str) -> bool:
    """Whether a port of this machine answers a GET with 200, without TLS."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody listens on a port: of this machine, unless another address is named."""
    try:
        with socket.create_connection((address, port), timeout=5):
            return True
    except OSError:
        return False
