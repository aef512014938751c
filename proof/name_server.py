"""Names of Services as a cluster's DNS has them: here each leads to the pods behind it.

There are no cluster addresses on a machine of the proof, so every Service is as a headless one.
"""

import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

DOMAIN: Final = "cluster.local"
SECONDS: Final = 1
"""How long an answer may be kept."""
_ADDRESS, _INTERNET, _POINTER = 1, 1, 0xC00C
_ANSWER, _UNKNOWN = 0x8580, 0x8583


class NameServer:
    """Answers for the addresses of Services until the process ends.

    Args:
        address: Where it listens.
    """

    def __init__(self, address: str) -> None:
        self._addresses: Mapping[str, Sequence[str]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        threading.Thread(target=self._work, daemon=True).start()

    def know(self, services: Mapping[tuple[str, str], Sequence[str]]) -> None:
        """Takes the addresses behind Services, by name and namespace."""
        self._addresses = {
            f"{name}.{namespace}.svc.{DOMAIN}": addresses
            for (name, namespace), addresses in services.items()
        }

    def _work(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(512)
            with suppress(struct.error, IndexError, UnicodeDecodeError):
                self._socket.sendto(answer(question, self._addresses), peer)


def configuration(server: str, namespace: str) -> str:
    """The resolv.conf of a pod."""
    search = f"{namespace}.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}"
    return f"nameserver {server}\nsearch {search}\noptions ndots:5\n"


def answer(question: bytes, addresses: Mapping[str, Sequence[str]]) -> bytes:
    """The answer to a question for the addresses of one name (RFC 1035, 4.1)."""
    labels, position = [], 12
    while length := question[position]:
        labels.append(question[position + 1 : position + 1 + length].decode())
        position += 1 + length
    end = position + 5
    kind, _ = struct.unpack("!HH", question[position + 1 : end])
    pods = addresses.get(".".join(labels).lower())
    records = [
        struct.pack("!HHHIH4s", _POINTER, _ADDRESS, _INTERNET, SECONDS, 4, socket.inet_aton(text))
        for text in (pods or ())
        if kind == _ADDRESS
    ]
    head = question[:2] + struct.pack(
        "!HHHHH", _UNKNOWN if pods is None else _ANSWER, 1, len(records), 0, 0
    )
    return head + question[12:end] + b"".join(records)
