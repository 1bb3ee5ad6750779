"""Starting and stopping what a benchmark needs: the mock, nginx, the gateway, all on loopback and each on its core.

Everything that is started here is stopped here, by its own process id.
SPDX-License-Identifier: MIT
"""

import json
import os
import pathlib
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "build" / "bench"
UPSTREAM_KEY = "sk-upstream-0123456789abcdef0123456789abcdef"
LOAD_CORE, PROXY_CORE = 0, 1


class Broken(Exception):
    """The benchmark cannot go on; the text says why and what helps."""


def need(program, package):
    if not shutil.which(program):
        raise Broken(f"{program} is missing: apt-get install {package}")


def build():
    """Compiles mock and load when they are older than their sources."""
    OUT.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CXX", "clang++-19")
    need(compiler, "clang-19")
    newest = max(f.stat().st_mtime for pattern in ("*.cc", "*.h") for f in HERE.glob(pattern))
    for name in ("mock", "load"):
        target = OUT / name
        if target.exists() and target.stat().st_mtime > newest:
            continue
        command = [compiler, "-std=c++23", "-O2", "-Wall", "-Wextra", "-o", str(target), str(HERE / f"{name}.cc")]
        if subprocess.run(command).returncode != 0:
            raise Broken(f"bench/{name}.cc does not compile")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill(template, **words):
    text = (HERE / template).read_text()
    for name, value in words.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def file_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def _prepare(core):
    def in_child():
        hard = file_limit()
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if core in os.sched_getaffinity(0):
            os.sched_setaffinity(0, {core})

    return in_child


class Server:
    """One process (with its children) that listens on a port."""

    def __init__(self, name, command, port, core, folder, env=None):
        self.name, self.port = name, port
        self.log = open(folder / f"{name}.out", "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, preexec_fn=_prepare(core), env=env
        )

    def wait(self, seconds=10.0):
        """Until it accepts connections."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.0005)
        self.log.flush()
        said = pathlib.Path(self.log.name).read_text(errors="replace").strip()[-800:]
        raise Broken(f"{self.name} does not serve on port {self.port}: {said or 'it said nothing'}")

    def pids(self):
        """The processes that do the work: the children of a master, else itself."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        children = pathlib.Path(path).read_text().split()
        return children or [str(self.process.pid)]

    def rss_kib(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    def stop(self, seconds=40.0):
        """SIGTERM, and SIGKILL when that does not help in time. The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        return self.process.returncode


def start_mock():
    port = free_port()
    return Server("mock", [str(OUT / "mock"), str(port)], port, LOAD_CORE, OUT).wait()


def nginx_command(name, mock, port, master=True):
    """Writes the configuration; the command that serves it in the foreground."""
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "nginx.conf"
    files = min(file_limit(), 65000) - 100
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(fill("nginx.conf", DIR=folder, PORT=port, MOCK=mock.port, KEY=UPSTREAM_KEY, FILES=files, USER=user))
    return ["nginx", "-c", str(conf), "-g", "daemon off;" + ("" if master else " master_process off;")], folder


def gateway_command(mock, port, name="sluice", stand_in=None, master=True):
    """The same for the gateway. `stand_in` replaces it: a command in which {port}, {mock} and {config} are filled in,
    or the word nginx for a second nginx."""
    if stand_in == "nginx":
        return nginx_command(name, mock, port, master)
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "gateway.yaml"
    config.write_text(fill("gateway.yaml", DIR=folder, PORT=port, MOCK=mock.port, KEY=UPSTREAM_KEY))
    if stand_in:
        return shlex.split(stand_in.format(port=port, mock=mock.port, config=config)), folder
    binary = ROOT / "build" / "release" / "sluice"
    if not binary.exists():
        raise Broken(f"{binary.relative_to(ROOT)} does not exist: run `make build` first")
    return [str(binary), "serve", "--config", str(config)], folder


def clean_env():
    """No key, proxy or PORT of the caller's reaches a server."""
    return {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}


class Proxies:
    """Knows how to start either proxy, as often as wanted."""

    names = ("nginx", "sluice")

    def __init__(self, mock, stand_in=None):
        self.mock, self.stand_in = mock, stand_in

    def command(self, name, port, master=True):
        if name == "nginx":
            return nginx_command("nginx", self.mock, port, master)
        return gateway_command(self.mock, port, "sluice", self.stand_in, master)

    def start(self, name, wrap=(), master=True):
        port = free_port()
        command, folder = self.command(name, port, master)
        return Server(name, [*wrap, *command], port, PROXY_CORE, folder, clean_env())

    def request_log(self):
        return OUT / "sluice" / "requests.log"


def load(port, *options, pids=()):
    """Runs the load client to its end; its JSON."""
    command = [str(OUT / "load"), str(port), *map(str, options)]
    if pids:
        command += ["--pid", ",".join(pids)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=_prepare(LOAD_CORE))
    if done.returncode not in (0, 3):
        raise Broken(f"load failed ({done.returncode}): {' '.join(command)}")
    return json.loads(done.stdout)
