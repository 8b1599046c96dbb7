# SPDX-License-Identifier: BSD-2-Clause
"""How many bytes have arrived at the load's server, and when: its kind C of connection (wire.h)."""
import socket
import struct

from .error import BenchError

HEADER = struct.pack("<c3xI", b"C", 0)
ANSWER = struct.Struct("<QQ")  # bytes so far, and when: ns of CLOCK_MONOTONIC


class Tally:
    """A connection to the server itself, past all proxies."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.sendall(HEADER)

    def take(self):
        """(bytes, ns)"""
        try:
            self._socket.sendall(b"?")
            return ANSWER.unpack(self._socket.recv(ANSWER.size, socket.MSG_WAITALL))
        except (OSError, struct.error) as error:
            raise BenchError(f"the server's count: {error}") from error
