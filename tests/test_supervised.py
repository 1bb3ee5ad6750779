"""A gateway that somebody else starts and restarts, who holds its sockets and hears how it is (systemd's protocols).
SPDX-License-Identifier: MIT"""

import json
import signal
import socket
import subprocess
import sys

import pytest

from harness import raw
from harness.gateway import BINARY, backends, clean_environment, free_port
from harness.load import Load, goes_on, slow_enough


def config(upstream, **server):
    return {"backends": backends(upstream), "server": {"grace": "10s"} | server}


class Supervisor:
    """What systemd does: holds sockets, hands them over, listens for news."""

    def __init__(self, tmp_path, settings, sockets):
        self.sockets = sockets
        self.port = sockets[0].getsockname()[1]
        self.folder = tmp_path
        self.news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.news.bind(str(tmp_path / "notify"))
        self.news.settimeout(10)
        (tmp_path / "config.yaml").write_text(json.dumps(settings))
        self.output = tmp_path / "output.log"
        self.process = None

    def start(self):
        code = (
            "import os, sys\n"
            "fds = [os.dup(int(f)) for f in sys.argv[1].split(',')]\n"  # away from where they go
            "fds = [os.dup2(f, 100 + i) for i, f in enumerate(fds)]\n"
            "for i, f in enumerate(fds): os.dup2(f, 3 + i)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))\n"
            "os.closerange(3 + len(fds), 200)\n"
            "os.execv(sys.argv[2], sys.argv[2:])\n"
        )
        fds = [s.fileno() for s in self.sockets]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, ",".join(map(str, fds)), str(BINARY), "serve", "--config", "config.yaml"],
            pass_fds=fds,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.output.open("ab"),
            stderr=subprocess.STDOUT,
            env=clean_environment(NOTIFY_SOCKET=str(self.folder / "notify")),
        )
        return self.hear("READY")

    def hear(self, name):
        while True:
            told = dict(line.split("=", 1) for line in self.news.recv(4096).decode().splitlines())
            if name in told:
                return told

    def stop(self):
        self.process.terminate()
        assert self.process.wait(15) == 0, self.output.read_text()[-3000:]

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        for one in (self.news, *self.sockets):
            one.close()


def listening(count=1, host="127.0.0.1", port=0):
    out = []
    for _ in range(count):
        one = socket.socket()
        if count > 1:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind((host, out[0].getsockname()[1] if out else port))
        one.listen(256)
        out.append(one)
    return out


@pytest.fixture
def supervise(tmp_path):
    made = []

    def begin(settings, sockets):
        folder = tmp_path / f"service{len(made)}"
        folder.mkdir()
        made.append(Supervisor(folder, settings, sockets))
        return made[-1]

    yield begin
    for one in made:
        one.close()


@pytest.mark.parametrize(("sockets", "workers"), [(1, 1), (1, 4), (3, 2), (2, 3)])
def test_activated_restarts_under_load_lose_nothing(supervise, upstream, sockets, workers):
    """While nobody runs, connections wait in the queues that the supervisor holds."""
    upstream.default = slow_enough
    service = supervise(config(upstream, workers=workers), listening(sockets))
    service.start()
    with Load(service.port) as load:
        for _ in range(3):
            service.stop()
            service.start()
            goes_on(load)
    assert load.faults == []


def test_activated_at_several_places(supervise, upstream):
    service = supervise(config(upstream), listening() + listening(host="127.0.0.2"))
    service.start()
    for one in service.sockets:
        with raw.Connection(*one.getsockname()) as connection:
            assert connection.ask("GET", "/health/ready").status == 200


def test_two_activated_services_share_a_socket(supervise, upstream):
    """Blue and green of one socket unit: one starts beside the other, which then stops."""
    upstream.default = slow_enough
    shared = listening()
    blue = supervise(config(upstream, handover="none"), shared)
    green = supervise(config(upstream, handover="none"), shared)
    blue.start()
    with Load(blue.port) as load:
        green.start()
        blue.stop()
        goes_on(load)
    assert load.faults == []


def test_takeover_of_an_activated_one(supervise, succeed, upstream):
    upstream.default = slow_enough
    port = free_port()
    service = supervise(config(upstream, port=port), listening(port=port))
    service.start()
    service.port = port
    old = service.process
    with Load(port) as load:
        new = succeed(service, config(upstream), env={"NOTIFY_SOCKET": str(service.folder / "notify")})
        told = service.hear("MAINPID")
        assert told["MAINPID"] == str(new.process.pid) and told["READY"] == "1"
        assert old.wait(10) == 0
        new.stop()
        service.start()
    assert load.faults == []
    service.news.settimeout(0.1)
    with pytest.raises(TimeoutError):
        service.hear("nothing more")


def test_the_supervisor_is_told(supervise, upstream):
    service = supervise(config(upstream), listening())
    told = service.start()
    assert told["MAINPID"] == str(service.process.pid) and str(service.port) in told["STATUS"]
    service.process.send_signal(signal.SIGHUP)
    assert int(service.hear("RELOADING")["MONOTONIC_USEC"]) > 0
    assert service.hear("READY")["READY"] == "1"
    service.process.terminate()
    assert int(service.hear("STOPPING")["EXTEND_TIMEOUT_USEC"]) >= 10_000_000
    assert service.process.wait(10) == 0


def test_what_is_no_listening_socket_is_refused(supervise, upstream):
    plain = socket.socket()
    plain.bind(("127.0.0.1", 0))
    service = supervise(config(upstream), [plain])
    service.news.settimeout(3)
    with pytest.raises(TimeoutError):
        service.start()
    assert service.process.wait(5) == 2 and "no listening TCP socket" in service.output.read_text()
