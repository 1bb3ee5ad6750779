"""An HTTP client that sends exactly what it is told and shows exactly what came: for framing, malformed requests,
timing. SPDX-License-Identifier: MIT
"""

import dataclasses
import json
import socket
import ssl
import struct
import time


@dataclasses.dataclass
class Reply:
    status: int
    headers: list
    body: bytes
    pieces: list  # (time, bytes) of a chunked body as it arrived
    complete: bool  # the framing was fulfilled

    def header(self, name, default=None):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def events(self):
        """The data of each SSE event; [DONE] stays text."""
        out = []
        for block in self.text.replace("\r\n", "\n").split("\n\n"):
            data = "\n".join(line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:"))
            if data:
                out.append(data if data == "[DONE]" else json.loads(data))
        return out

    @property
    def error(self):
        """The error of OpenAI's shape; fails when the body is none."""
        body = self.json
        assert set(body) == {"error"}, body
        assert set(body["error"]) >= {"message", "type", "param", "code"}, body
        assert isinstance(body["error"]["message"], str) and body["error"]["message"]
        assert self.header("content-type").startswith("application/json")
        return body["error"]


class Closed(Exception):
    """The gateway closed the connection before an answer was complete."""


class Connection:
    def __init__(self, host, port, tls=False, timeout=10.0, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = tls if isinstance(tls, ssl.SSLContext) else ssl._create_unverified_context()
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Leaves with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def request(self, method, path, headers=(), body=None):
        """Sends a well-formed request."""
        fields = {"Host": "127.0.0.1"}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        if body is not None:
            fields["Content-Type"] = "application/json"
            fields["Content-Length"] = str(len(body))
        names = {n.lower() for n, _ in headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items() if n.lower() not in names)]
        lines += [f"{n}: {v}" for n, v in headers if v is not None]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def ask(self, method, path, headers=(), body=None):
        self.request(method, path, headers, body)
        return self.read(head_only=method == "HEAD")

    def _fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def read_head(self):
        """Status and headers of the next answer that is no 1xx."""
        while True:
            while b"\r\n\r\n" not in self.buffer:
                if not self._fill():
                    raise Closed(self.buffer)
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            first, *rest = head.decode("latin-1").split("\r\n")
            version, status, _ = first.split(" ", 2)
            assert version == "HTTP/1.1", first
            headers = [(line.split(":", 1)[0], line.split(":", 1)[1].strip()) for line in rest]
            if int(status) >= 200:
                return int(status), headers

    def read(self, head_only=False):
        """The next answer, whole. A body that the framing did not finish: complete is False."""
        status, headers = self.read_head()
        lower = {n.lower(): v for n, v in headers}
        reply = Reply(status, headers, b"", [], True)
        if head_only or status in (204, 304):
            return reply
        try:
            if lower.get("transfer-encoding", "").lower() == "chunked":
                for piece in self.chunks():
                    reply.pieces.append((time.monotonic(), piece))
                reply.body = b"".join(p for _, p in reply.pieces)
            elif "content-length" in lower:
                size = int(lower["content-length"])
                whole, self.buffer = bytearray(self.buffer), b""  # grows in place, however large it gets
                try:
                    while len(whole) < size:
                        if not self._fill():
                            raise Closed
                        whole += self.buffer
                        self.buffer = b""
                finally:
                    reply.body, self.buffer = bytes(whole[:size]), bytes(whole[size:])
            else:
                while self._fill():
                    pass
                reply.body, self.buffer = self.buffer, b""
        except (Closed, ConnectionResetError):
            reply.complete = False
            reply.body = reply.body or b"".join(p for _, p in reply.pieces)
        return reply

    def chunks(self):
        """The payload of each chunk of the current body."""
        while True:
            while b"\r\n" not in self.buffer:
                if not self._fill():
                    raise Closed
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            size = int(line, 16)
            while len(self.buffer) < size + 2:
                if not self._fill():
                    raise Closed
            piece, self.buffer = self.buffer[:size], self.buffer[size + 2 :]
            if size == 0:
                return
            yield piece

    def closed(self, seconds=2.0):
        """True when the gateway closes within that time without saying more."""
        self.sock.settimeout(seconds)
        try:
            return not self.buffer and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
