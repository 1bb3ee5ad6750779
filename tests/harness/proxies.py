"""Two small outbound proxies, HTTP CONNECT and SOCKS5. They connect to where `route` says, whatever name was asked for,
so that a test can stand in for any host.
SPDX-License-Identifier: MIT
"""

import base64
import socket
import threading


class Proxy:
    """`user`: "name:password" that must be presented. `refuse`: answers every ask with a refusal."""

    def __init__(self, kind, route, user=None, refuse=False):
        self.kind, self.route, self.user, self.refuse = kind, route, user, refuse
        self.asked = []  # "host:port" as the gateway named it
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, user=None):
        return f"{self.kind}://{user + '@' if user else ''}127.0.0.1:{self.port}"

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                if (self._http if self.kind == "http" else self._socks5)(sock):
                    with socket.create_connection(("127.0.0.1", self.route), 5) as other:
                        other.settimeout(None)
                        back = threading.Thread(target=_pump, args=(other, sock), daemon=True)
                        back.start()
                        _pump(sock, other)
                        back.join(5)
        except (OSError, ValueError):
            pass

    def _http(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1) or _broken()
        first, *fields = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        assert method == "CONNECT"
        self.asked.append(target)
        named = {f.split(":", 1)[0].lower(): f.split(":", 1)[1].strip() for f in fields if ":" in f}
        wanted = self.user and "Basic " + base64.b64encode(self.user.encode()).decode()
        if self.refuse or (wanted and named.get("proxy-authorization") != wanted):
            sock.sendall(
                b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
                if wanted
                else b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
            )
            return False
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True

    def _socks5(self, sock):
        version, count = _exactly(sock, 2)
        methods = _exactly(sock, count)
        assert version == 5
        wanted = 2 if self.user else 0
        sock.sendall(bytes([5, wanted if wanted in methods else 255]))
        if self.user:
            _exactly(sock, 1)
            name = _exactly(sock, _exactly(sock, 1)[0]).decode()
            word = _exactly(sock, _exactly(sock, 1)[0]).decode()
            good = f"{name}:{word}" == self.user
            sock.sendall(bytes([1, 0 if good else 1]))
            if not good:
                return False
        _, command, _, kind = _exactly(sock, 4)
        assert command == 1
        if kind == 3:
            host = _exactly(sock, _exactly(sock, 1)[0]).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6, _exactly(sock, 4 if kind == 1 else 16)
            )
        port = int.from_bytes(_exactly(sock, 2), "big")
        self.asked.append(f"{host}:{port}")
        sock.sendall(bytes([5, 2 if self.refuse else 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        return not self.refuse


def _broken():
    raise OSError("closed")


def _exactly(sock, count):
    data = b""
    while len(data) < count:
        data += sock.recv(count - len(data)) or _broken()
    return data


def _pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
