"""A scripted upstream on plain sockets: one thread per connection, HTTP/1.1 read strictly, answers byte for byte as the
test wrote them, faults included. Every request is judged as the vendor would judge it (vendor_rules, vendor_schema): a
request that the vendor would refuse gets the vendor's 400 and fails the test.
SPDX-License-Identifier: MIT
"""

import collections
import dataclasses
import json
import socket
import ssl
import threading
import time

from . import replies, vendor_rules
from .gemini_spelling import camel
from .peer import Gone, Peer


@dataclasses.dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: list
    body: bytes
    connection: int
    at: float

    def header(self, name, default=None):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    @property
    def path(self):
        return self.target.split("?")[0]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def counts(self):
        """Asks for a number of tokens, not for an answer."""
        return self.path.endswith(("/count_tokens", ":countTokens", "/input_tokens", "/count-tokens"))

    @property
    def said(self):
        """The body with every field under the name that the vendor's documents use."""
        return camel(self.json) if self.dialect == "gemini" else self.json

    @property
    def dialect(self):
        if self.counts:
            own = {"/count_tokens": "anthropic", ":countTokens": "gemini", "/input_tokens": "openai_responses"}
            own["/count-tokens"] = "bedrock_converse"
            return next(dialect for end, dialect in own.items() if self.path.endswith(end))
        if self.path.endswith("/messages"):
            return "anthropic"
        if self.path.endswith(("/converse", "/converse-stream")):
            return "bedrock_converse"
        if self.path.endswith(("/invoke", "/invoke-with-response-stream")):
            return "claude_on_bedrock"
        if self.path.endswith("/completions") and not self.path.endswith("/chat/completions"):
            return "openai_completions"
        if self.path.endswith("/responses"):
            return "openai_responses"
        if self.path.endswith("/v2/chat"):
            return "cohere"
        if ":generateContent" in self.path or ":streamGenerateContent" in self.path:
            return "gemini"
        return "openai_chat"

    @property
    def streams(self):
        if self.dialect == "gemini":
            return "streamGenerateContent" in self.path
        if "bedrock" in self.dialect:
            return self.path.endswith("-stream")
        try:
            return bool(self.json.get("stream"))
        except ValueError:
            return False


class Gate:
    """Holds an answer before one of its pieces until the test opens it."""

    def __init__(self):
        self.reached, self._open = threading.Event(), threading.Event()

    def open(self):
        self._open.set()

    def is_open(self):
        return self._open.is_set()


@dataclasses.dataclass
class Answer:
    """What is sent for one request. `pieces` is a list of bytes and Gates, or of (seconds to wait first, bytes)."""

    status: int = 200
    headers: list = dataclasses.field(default_factory=lambda: [("Content-Type", "application/json")])
    pieces: list = dataclasses.field(default_factory=list)
    framing: str = "length"  # length, chunked, close, none (headers tell it all)
    end: str = "keep"  # keep, fin, cut (end without what the framing promised), reset, stall
    wait: float = 0.0  # before the head
    before: str = ""  # instead of an answer: reset, fin, stall
    early: bool = False  # answer before the body is read, then close
    interim: bytes = b""  # sent before the head (1xx)
    raw: bytes | None = None  # instead of head and body
    extra: bytes = b""  # sent right after the body, on top of what was framed

    def payload(self):
        return b"".join(p[1] if isinstance(p, tuple) else p for p in self.pieces if not isinstance(p, Gate))

    def with_(self, **changes):
        return dataclasses.replace(self, **changes)


class Upstream:
    def __init__(self, tls=None, host="127.0.0.1"):
        self.tls = tls
        self.lock = threading.Lock()
        self.listener = socket.create_server((host, 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.closing = False
        self.open_sockets = set()
        self.connections = 0
        self.names = []  # server names that TLS clients asked for
        self.reset()
        if tls:
            tls.sni_callback = lambda sock, name, context: self.names.append(name)
        threading.Thread(target=self._accept, daemon=True).start()

    # -- for the test

    def reset(self):
        """Forgets the script and what was seen; connections stay."""
        with self.lock:
            self.script = collections.deque()
            self.seen = []
            self.violations = []
            self.gone = []  # (time, request) whose client left before the answer was over
            self.keys = {}  # dialect -> the key that must be presented
            self.strict = True
            self.default = None
            self.stale = False  # close instead of answering any request but a connection's first
            self.arrived = threading.Event()
            self.left = threading.Event()
            self.issued = vendor_rules.Issued()

    def answer(self, *answers):
        """The next answers, in order: an Answer, or a function of the request that makes one."""
        with self.lock:
            self.script.extend(answers)

    def say(self, say=None, **words):
        """The next answer says this, in the dialect and mode that the request asks for."""
        say = say or replies.Say(**words)
        self.issued.learn(say)
        self.answer(lambda request: replies.answer(request, say))

    def url(self, path="", host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def last(self):
        return self.seen[-1]

    def wait_for_request(self, count=1, seconds=5.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.seen) >= count:
                return self.seen[count - 1]
            time.sleep(0.002)
        raise AssertionError(f"the upstream saw {len(self.seen)} requests, not {count}")

    def close_idle(self):
        """Closes every connection, as a server does that lost patience."""
        with self.lock:
            sockets = list(self.open_sockets)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.closing = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.close_idle()

    # -- the server

    def _accept(self):
        while not self.closing:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        with self.lock:
            self.open_sockets.add(sock)
        try:
            if self.tls:
                plain = sock
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self.lock:
                    self.open_sockets.discard(plain)
                    self.open_sockets.add(sock)
            connection = Peer(sock)
            first = True
            while True:
                head = connection.read_head()
                if head is None or not self._exchange(connection, head, number, first):
                    return
                first = False
        except (OSError, Gone, ssl.SSLError, ValueError):
            pass
        finally:
            with self.lock:
                self.open_sockets.discard(sock)
            sock.close()

    def _exchange(self, connection, head, number, first):
        method, target, headers = head
        request = Seen(method, target, headers, b"", number, time.monotonic())
        with self.lock:
            chosen = self.script[0] if self.script else None
        if isinstance(chosen, Answer) and chosen.early:
            with self.lock:
                self.script.popleft()
                self.seen.append(request)
            connection.send(_head_bytes(chosen) + chosen.payload())
            time.sleep(0.2)
            return False
        if request.header("expect", "").lower() == "100-continue":
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = connection.read_body(headers)
        if self.stale and not first:
            return False
        with self.lock:
            self.seen.append(request)
            refusal = vendor_rules.judge(self, request) if request.method == "POST" and not request.path.endswith("/cancel") else None
            if refusal is not None:
                chosen = None
            else:
                chosen = self.script.popleft() if self.script else self.default
            self.arrived.set()
        if refusal is not None:
            answer = refusal
        elif chosen is None:
            answer = replies.answer(request, replies.Say(text="pong"))
        else:
            answer = chosen if isinstance(chosen, Answer) else chosen(request)
        try:
            return self._send(connection, answer)
        except (Gone, OSError):
            with self.lock:
                self.gone.append((time.monotonic(), request))
                self.left.set()
            raise

    def _send(self, connection, answer):
        connection.pause(answer.wait)
        if answer.before:
            return connection.end(answer.before)
        if answer.raw is not None:
            connection.send(answer.raw)
            return connection.end(answer.end)
        connection.send(answer.interim + _head_bytes(answer))
        for piece in answer.pieces:
            if isinstance(piece, Gate):
                piece.reached.set()
                connection.pause(3600, piece)
                continue
            if isinstance(piece, tuple):
                connection.pause(piece[0])
                piece = piece[1]
            if not piece:
                continue
            if answer.framing == "chunked":
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            connection.send(piece)
        if answer.framing == "chunked" and answer.end in ("keep", "fin"):
            connection.send(b"0\r\n\r\n")
        if answer.extra:
            connection.send(answer.extra)
        if answer.framing == "close" and answer.end == "keep":
            return connection.end("fin")
        return connection.end(answer.end)


def _head_bytes(answer):
    lines = [f"HTTP/1.1 {answer.status} Scripted"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.framing == "length" and answer.status != 204:
        lines.append(f"Content-Length: {len(answer.payload())}")
    elif answer.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif answer.framing == "close" or answer.early:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
