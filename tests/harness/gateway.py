"""The gateway's release binary as a process: started with a configuration on a free port, waited for, its output kept,
stopped with SIGTERM; a bad exit code or a sanitizer's report fails the test that stops it.
SPDX-License-Identifier: MIT
"""

import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

from . import raw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY") or ROOT / "build/release/sluice").resolve()
KEYS = {
    "openai": "sk-canary-openai-upstream",
    "claude": "sk-ant-canary-upstream",
    "gemini": "AIza-canary-upstream",
    "cohere": "co-canary-upstream",
    "bedrock": "ABSK-canary-upstream",
}
CLIENT_KEY = "sk-canary-of-the-client"
CANARY = "zanzibar-marmalade"  # in prompts: must never be logged
SANITIZER = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


def free_port():
    """One that the system gives to nobody who asks for any, so that it is still free when the gateway takes it."""
    for _ in range(1000):
        port = random.randrange(10_240, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no port is free")


def backends(upstream, **changes):
    """The three vendors, all at the scripted upstream."""
    openai = {"base_url": upstream.url("/v1"), "api_key": KEYS["openai"]}
    claude = {"base_url": upstream.url(), "api_key": KEYS["claude"]}
    gemini = {"base_url": upstream.url(), "api_key": KEYS["gemini"]}
    return {name: out | changes for name, out in (("openai", openai), ("claude", claude), ("gemini", gemini))}


def expect_keys(upstream):
    upstream.keys = {
        "openai_chat": KEYS["openai"],
        "openai_responses": KEYS["openai"],
        "anthropic": KEYS["claude"],
        "gemini": KEYS["gemini"],
        "cohere": KEYS["cohere"],
        "bedrock_converse": KEYS["bedrock"],
        "claude_on_bedrock": KEYS["bedrock"],
    }


def clean_environment(**more):
    """No key, proxy or PORT of the caller's reaches the gateway."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE")
    return {k: v for k, v in os.environ.items() if k in kept} | more


def command(*arguments, folder=None, **env):
    """Runs the binary to its end."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=folder,
        env=clean_environment(**env),
    )


class Gateway:
    """`config` is a dict (a free port is put in), or text in which {port} stands for the port; None is no file."""

    def __init__(self, folder, config=None, env=None, port=None, arguments=None, wait=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.tls = isinstance(config, dict) and "tls" in config.get("server", {})
        self.file = self.folder / "config.yaml"
        if config is not None:
            self.write(config)
        words = (
            arguments
            if arguments is not None
            else ["serve", *(["--config", str(self.file)] if config is not None else [])]
        )
        self.output = self.folder / "output.log"
        self.process = subprocess.Popen(
            [str(BINARY), *words],
            stdin=subprocess.DEVNULL,
            stdout=self.output.open("ab"),
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=clean_environment(**(env or {})),
        )
        self.stopped = None
        if wait:
            try:
                self.wait()
            except BaseException:
                self.process.kill()
                raise

    def write(self, config):
        """Puts a configuration into the file at once, as editors do: write beside, rename over."""
        if isinstance(config, dict):
            config = json.loads(json.dumps(config))
            config.setdefault("server", {}).setdefault("port", self.port)
            # A fault that a test scripts is told as it is, and leaves nothing behind for the next test.
            config.setdefault("failover", {"attempts": 1, "breaker": {"enabled": False}})
            text = json.dumps(config, indent=1)
        else:
            text = config.replace("{port}", str(self.port))
        beside = self.file.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.file)

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def wait(self, seconds=10.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.get("/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.005)
        raise AssertionError(f"the gateway does not serve (exit code {self.process.poll()}):\n{self.said()[-3000:]}")

    def connect(self):
        return raw.Connection("127.0.0.1", self.port, tls=self.tls)

    def get(self, path, headers=(), method="GET"):
        with self.connect() as connection:
            return connection.ask(method, path, headers)

    def post(self, path, body, headers=()):
        with self.connect() as connection:
            return connection.ask("POST", path, headers, body)

    def chat(self, model="gpt-4", text="ping", headers=(), **more):
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | more
        return self.post("/v1/chat/completions", body, headers)

    def said(self):
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def lines(self):
        """The request log: its JSON lines that tell of an exchange."""
        out = []
        for line in self.said().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):  # the last one may be half written
                row = json.loads(line)
                if row["kind"] == "exchange":
                    out.append(row)
        return out

    def wait_for_line(self, wanted, seconds=5.0):
        """The first log row for which `wanted` is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for row in self.lines():
                if wanted(row):
                    return row
            time.sleep(0.01)
        raise AssertionError(f"no such line in the request log:\n{self.said()[-3000:]}")

    def wait_for_words(self, words, seconds=5.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if words in self.said():
                return
            time.sleep(0.01)
        raise AssertionError(f"the gateway never said {words!r}:\n{self.said()[-3000:]}")

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, seconds=15.0):
        """SIGTERM; the exit code must be 0 and nothing ugly may have been said."""
        if self.stopped is None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            try:
                self.stopped = self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(
                    f"the gateway did not stop within {seconds} s of SIGTERM:\n{self.said()[-2000:]}"
                ) from None
        said = self.said()
        assert self.stopped == 0, f"exit code {self.stopped}:\n{said[-3000:]}"
        assert not SANITIZER.search(said), said[-8000:]
        for key in (*KEYS.values(), CLIENT_KEY, CANARY):
            assert key not in said, f"{key} was logged"
        return self.stopped
