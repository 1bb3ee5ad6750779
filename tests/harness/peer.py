"""The server's end of one connection: reads requests strictly, waits with an eye on the peer, ends as it is told.
SPDX-License-Identifier: MIT
"""

import select
import socket
import struct
import time


class Gone(Exception):
    """The peer closed the connection."""


class Peer:
    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def _fill(self):
        data = self.sock.recv(262144)
        if not data:
            raise Gone
        self.buffer += data

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            try:
                self._fill()
            except Gone:
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        if version != "HTTP/1.1":
            raise ValueError(version)
        headers = []
        for line in rest:
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))
        return method, target, headers

    def read_body(self, headers):
        lower = {n.lower(): v for n, v in headers}
        if lower.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                while b"\r\n" not in self.buffer:
                    self._fill()
                line, self.buffer = self.buffer.split(b"\r\n", 1)
                size = int(line, 16)
                while len(self.buffer) < size + 2:
                    self._fill()
                body, self.buffer = body + self.buffer[:size], self.buffer[size + 2 :]
                if size == 0:
                    return body
        size = int(lower.get("content-length", 0))
        while len(self.buffer) < size:
            self._fill()
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return body

    def send(self, data):
        self.sock.sendall(data)

    def pause(self, seconds, gate=None):
        """Waits; leaves with Gone as soon as the peer closes."""
        end = time.monotonic() + seconds
        while True:
            if gate is not None and gate.is_open():
                return
            left = end - time.monotonic()
            if left <= 0:
                return
            if self.buffer:
                time.sleep(min(left, 0.002))
                continue
            watch = select.poll()  # which takes any descriptor, also beside a thousand others
            watch.register(self.sock, select.POLLIN)
            if watch.poll(min(left, 0.002) * 1000):
                self._fill()

    def end(self, how):
        if how == "keep":
            return True
        if how == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "stall":
            self.pause(3600)
        return False
