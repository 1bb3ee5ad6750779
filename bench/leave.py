"""How long after its client left does the upstream see its own connection close?

Each try asks for a slow reply, waits until the mock has the request (and, for a stream, until some of it has come
back), closes the client's socket, and asks the mock when it noticed.
SPDX-License-Identifier: MIT
"""

import json
import socket
import time

PATIENCE = 2.0  # seconds; a departure not seen by then counts as this long


class Control:
    """The mock's own questions, on one kept connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)

    def ask(self, path):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: mock\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < size:
            body += self.socket.recv(65536)
        return json.loads(body)

    def until(self, path):
        """The first answer other than 0, or 0 when patience ends."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if at := self.ask(path):
                return at
            time.sleep(0.001)
        return 0


def chat_request(port, model, stream, tag="00000000"):
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": f"Tell me a long story. tag={tag} END-OF-PROMPT"}],
            "model": model,
            "max_tokens": 256,
            "stream": stream,
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer sk-client\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def leave(port, mock_port, stream, tries=15):
    """The delays in ms, one per try."""
    control = Control(mock_port)
    model = "mock-c1000-d20" if stream else "mock-d3000"
    delays = []
    for n in range(tries):
        tag = f"{time.monotonic_ns() & 0xFFFFFFF:07x}{n % 16:x}"
        client = socket.create_connection(("127.0.0.1", port), 5)
        client.sendall(chat_request(port, model, stream, tag))
        if not control.until(f"/seen?tag={tag}"):
            client.close()
            delays.append(PATIENCE * 1000)
            continue
        if stream:
            client.settimeout(2)
            got = b""
            while got.count(b"data:") < 3:
                some = client.recv(65536)
                if not some:
                    break
                got += some
        time.sleep(0.005 * (n % 4))
        left = time.monotonic_ns()
        client.close()
        noticed = control.until(f"/departed?tag={tag}")
        delays.append(max(0, noticed - left) / 1e6 if noticed else PATIENCE * 1000)
    return delays
