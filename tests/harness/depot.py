"""A vendor's other half: files, uploads, images, audio. Each request is read as it arrives (counted, hashed, its
beginning kept), at the pace that the test sets, and answered by the test's own function.
SPDX-License-Identifier: MIT
"""

import dataclasses
import hashlib
import http.server
import threading
import time

from .gateway import KEYS

KEPT = 4 * 1024 * 1024
JSON = [("Content-Type", "application/json")]


@dataclasses.dataclass
class Got:
    """One request as it arrived."""

    method: str
    target: str
    headers: list
    body: bytes = b""  # its beginning
    size: int = 0
    sha: str = ""
    whole: bool = False

    def header(self, name, default=None):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    @property
    def path(self):
        return self.target.split("?")[0]

    def text(self):
        """Everything that was sent, for what must not be in it."""
        lines = "\n".join(f"{n}: {v}" for n, v in self.headers)
        return f"{self.method} {self.target}\n{lines}\n" + self.body.decode("latin-1")


class Depot:
    """`answer` is a function of Got that gives (status, headers, body); the body is bytes, or an iterable of bytes, which
    is sent in chunks unless the headers tell a length."""

    def __init__(self):
        self.seen = []
        self.gone = threading.Event()  # a client left in the middle
        self.reset()
        depot = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def serve(self):
                got = Got(self.command, self.path, list(self.headers.items()))
                depot.seen.append(got)
                depot.arrived.set()
                early = depot.early(got) if depot.early else None
                if early is not None:
                    self.close_connection = True
                    return self.send(*early)
                try:
                    self.take(got)
                    self.send(*depot.answer(got))
                except (ConnectionError, TimeoutError, EOFError):
                    self.close_connection = True
                    depot.gone.set()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve

            def take(self, got):
                sha = hashlib.sha256()
                for piece in self.pieces():
                    got.size += len(piece)
                    sha.update(piece)
                    if len(got.body) < KEPT:
                        got.body += piece[: KEPT - len(got.body)]
                got.sha = sha.hexdigest()
                got.whole = True

            def pieces(self):
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    while size := int(self.rfile.readline().strip() or b"!", 16):
                        yield self.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return
                left = int(self.headers.get("Content-Length", 0))
                while left:
                    depot.pace()
                    piece = self.read(min(left, 65536))
                    left -= len(piece)
                    yield piece

            def read(self, size):
                data = self.rfile.read(size)
                if len(data) < size:
                    raise EOFError
                return data

            def send(self, status, headers, body):
                self.send_response_only(status)
                names = {n.lower() for n, _ in headers}
                whole = isinstance(body, bytes)
                for name, value in headers:
                    self.send_header(name, value)
                if whole and "content-length" not in names and status not in (204, 304):
                    self.send_header("Content-Length", str(len(body)))
                chunked = not whole and "content-length" not in names
                if chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                if self.command == "HEAD":
                    return
                for piece in [body] if whole else body:
                    if not piece:
                        continue
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                if chunked:
                    self.wfile.write(b"0\r\n\r\n")

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.seen.clear()
        self.gone.clear()
        self.arrived = threading.Event()
        self.answer = lambda got: (200, [("Content-Type", "application/json")], b"{}")
        self.early = None  # a function of Got: an answer before the body is read, or None
        self.pace = lambda: None  # called before each piece of an upload is read

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def last(self):
        return self.seen[-1]

    def wait_for(self, count=1, seconds=5.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.seen) >= count and self.seen[count - 1].whole:
                return self.seen[count - 1]
            time.sleep(0.002)
        raise AssertionError(f"the depot saw {len(self.seen)} requests, not {count} whole ones")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def backends(depot, **more):
    return {
        "openai": {"base_url": depot.url("/v1"), "api_key": KEYS["openai"], "models": ["*"]},
        "claude": {"base_url": depot.url(), "api_key": KEYS["claude"]},
        "gemini": {"base_url": depot.url(), "api_key": KEYS["gemini"]},
    } | more


def form(fields, boundary="xYzZy"):
    """[(name, value)] or [(name, file name, bytes)] as multipart/form-data."""
    out = b""
    for name, *rest in fields:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if len(rest) == 2:
            out += f'; filename="{rest[0]}"\r\nContent-Type: application/octet-stream'.encode()
        out += b"\r\n\r\n" + (rest[-1] if isinstance(rest[-1], bytes) else rest[-1].encode()) + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), [("Content-Type", f"multipart/form-data; boundary={boundary}")]
