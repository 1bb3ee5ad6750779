"""One gateway takes another's place, or leaves: nobody who is served notices.
SPDX-License-Identifier: MIT"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from harness import raw, replies
from harness.gateway import BINARY, backends, clean_environment, free_port
from harness.load import QUESTION, Background, Load, goes_on, held, slow_enough
from harness.replies import Say
from harness.upstream import Gate


def config(upstream, **server):
    return {"backends": backends(upstream), "server": {"grace": "10s"} | server}


def took_over(old, new, seconds=15):
    new.wait_for_words(f"took over from process {old.process.pid}", seconds)


# -- takeover


def test_takeovers_under_load_lose_nothing(start, succeed, upstream):
    """Five in a row: no refusal, no reset, no answer cut, and a stream begun before the first ends whole."""
    upstream.default = slow_enough
    gate = Gate()
    gateway = start(config(upstream))
    upstream.answer(held(gate))
    long = Background(lambda: gateway.chat("gpt-4", stream=True))
    assert gate.reached.wait(5)
    running = gateway
    with Load(gateway.port) as load:
        for _ in range(5):
            new = succeed(running, config(upstream))
            took_over(running, new)
            if running is not gateway:
                assert running.process.wait(10) == 0
            running = new
            goes_on(load)
    assert load.faults == [] and load.whole > 150
    assert gateway.process.poll() is None, "its stream is still open"
    gate.open()
    reply = long.result()
    assert reply.complete and reply.events[-1] == "[DONE]"
    assert gateway.process.wait(5) == 0


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 3)])
def test_takeover_with_another_number_of_workers(start, succeed, upstream, before, after):
    upstream.default = slow_enough
    gateway = start(config(upstream, workers=before))
    with Load(gateway.port) as load:
        new = succeed(gateway, config(upstream, workers=after))
        took_over(gateway, new)
        assert gateway.process.wait(10) == 0
        goes_on(load)
    assert load.faults == []


def test_a_broken_configuration_leaves_the_old_one_serving(start, succeed, upstream):
    gateway = start(config(upstream))
    new = succeed(gateway, {"server": {"grcae": "1s"}})
    assert new.process.wait(10) == 1 and "grcae" in new.said()
    upstream.say(text="still here")
    assert "still here" in gateway.chat("gpt-4").text
    again = succeed(gateway, config(upstream))
    took_over(gateway, again)
    assert gateway.process.wait(10) == 0


def test_a_successor_that_dies_leaves_the_old_one_serving(start, succeed, upstream, tmp_path):
    """Also after it has the sockets: these certificates are looked at after the configuration."""
    gateway = start(config(upstream))
    (tmp_path / "bad.pem").write_text("no certificate")
    tls = {"cert": str(tmp_path / "bad.pem"), "key": str(tmp_path / "bad.pem")}
    new = succeed(gateway, config(upstream, tls=tls))
    assert new.process.wait(10) == 2
    gateway.wait_for_words("did not come to serve")
    upstream.say(text="still here")
    assert "still here" in gateway.chat("gpt-4").text


def test_a_takeover_keeps_the_address(start, succeed, upstream, tmp_path):
    door = str(tmp_path / "door")
    gateway = start(config(upstream, handover=door))
    new = succeed(gateway, config(upstream, handover=door, port=free_port()))
    assert new.process.wait(10) == 2 and f"127.0.0.1:{gateway.port}" in new.said()
    assert gateway.get("/health/ready").status == 200
    again = succeed(gateway, config(upstream, handover=door))
    took_over(gateway, again)
    assert gateway.process.wait(10) == 0 and os.path.exists(door)
    assert again.stop() == 0 and not os.path.exists(door)


def test_takeover_of_nobody_is_a_start(start, upstream):
    port = free_port()
    gateway = start(config(upstream), port=port, arguments=["serve", "--takeover", "--config", "config.yaml"])
    gateway.wait_for_words("nothing to take over")


def test_no_takeover_where_it_is_switched_off(start, succeed, upstream):
    gateway = start(config(upstream, handover="none"))
    new = succeed(gateway, config(upstream, handover="none"))
    assert new.process.wait(10) == 2 and "server.handover" in new.said()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_other_users_get_no_socket(start, upstream):
    gateway = start(config(upstream))
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
        f"s.connect('\\0sluice-{gateway.port}'); s.settimeout(5)\n"
        "try:\n s.send(b'sluice handover 1'); print(len(s.recv(64)))\nexcept OSError: print(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "0", done.stderr
    gateway.wait_for_words("another user")


def test_detached_starts_and_upgrades(upstream, tmp_path):
    port = free_port()
    file = tmp_path / "config.yaml"
    log = tmp_path / "log"
    good = json.dumps(config(upstream) | {"monitoring": {"log_file": str(log)}})

    def run(text):
        file.write_text(text)
        with (tmp_path / "said").open("w") as said:  # which the process that stays behind holds, too
            words = [str(BINARY), "serve", "--takeover", "--detach", "--config", str(file)]
            return subprocess.run(words, stderr=said, timeout=20, env=clean_environment(PORT=str(port))).returncode

    assert run(good) == 0
    with raw.Connection("127.0.0.1", port) as connection:
        assert connection.ask("GET", "/health/ready").status == 200
    assert run(good) == 0
    assert run("server: {grcae: 1s}") == 1 and "grcae" in (tmp_path / "said").read_text()
    end = time.monotonic() + 5
    while log.read_text().count("took over from process") < 1 and time.monotonic() < end:
        time.sleep(0.02)
    pid = next(int(p) for p in os.listdir("/proc") if p.isdigit() and listens(p, port))
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 5
    while listens(pid, port) and time.monotonic() < end:
        time.sleep(0.02)
    with pytest.raises(OSError):
        raw.Connection("127.0.0.1", port)


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""


def listens(pid, port):
    """Whether that process is a gateway with this PORT."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            return f"PORT={port}".encode() in f.read().split(b"\0") and str(BINARY).encode() in cmdline(pid)
    except OSError:
        return False


def test_held_responses_are_found_on_both_sides(start, succeed, upstream, tmp_path):
    """Both write into one file for a while."""
    settings = config(upstream) | {"storage": f"sqlite:{tmp_path / 'held.db'}"}
    gateway = start(settings)

    def ask(at, text, **more):
        return at.post("/v1/responses", {"model": "claude-sonnet-4-5", "input": text} | more)

    upstream.say(text="first")
    first = ask(gateway, "one").json["id"]
    gate = Gate()
    upstream.answer(held(gate))
    long = Background(lambda: ask(gateway, "two", stream=True))
    assert gate.reached.wait(5)
    new = succeed(gateway, settings)
    took_over(gateway, new)
    upstream.say(text="second")
    second = ask(new, "three", previous_response_id=first)
    assert second.status == 200, second.text
    gate.open()
    late = long.result()
    assert late.complete
    made = late.events[-1]["response"]["id"]
    assert gateway.process.wait(5) == 0
    for one in (first, second.json["id"], made):
        assert new.get(f"/v1/responses/{one}").status == 200


# -- the end


def test_leaving_under_load_resets_nobody(start, upstream):
    """Whoever was let in is served; the others are refused, and can tell the difference."""
    upstream.default = slow_enough
    for _ in range(3):
        gateway = start(config(upstream))
        with Load(gateway.port, may_be_refused=True) as load:
            assert gateway.stop() == 0
            time.sleep(0.1)
        assert load.faults == []
        assert load.refused > 0


def test_draining_is_told_on_open_connections(start, upstream):
    gateway = start(config(upstream))
    gate = Gate()
    upstream.answer(held(gate))
    stream = Background(lambda: gateway.chat("gpt-4", stream=True))  # so that it does not end at once
    assert gate.reached.wait(5)
    with gateway.connect() as used, gateway.connect() as fresh, gateway.connect() as idle:
        for one in (used, idle):
            assert one.ask("GET", "/health/ready").header("connection") is None
        gateway.process.terminate()
        gateway.wait_for_words("stopping: no new connections")
        for one in (used, fresh):
            reply = one.ask("GET", "/health/ready")
            assert reply.status == 503 and "shutting down" in reply.text
            assert reply.header("connection") == "close" and one.closed()
        assert idle.closed(2)
    gate.open()
    assert stream.result().events[-1] == "[DONE]"


def test_an_answer_that_begins_while_draining_says_close(start, upstream):
    gateway = start(config(upstream))
    gate = Gate()

    def late(request):
        whole = replies.answer(request, Say(text="late"))
        return whole.with_(pieces=[gate, *whole.pieces])

    upstream.answer(late)
    waiting = Background(lambda: gateway.chat("gpt-4"))
    assert gate.reached.wait(5)
    gateway.process.terminate()
    gateway.wait_for_words("stopping: no new connections")
    gate.open()
    reply = waiting.result()
    assert reply.status == 200 and reply.header("connection") == "close"


STREAMS = {
    "openai_chat": ("/v1/chat/completions", QUESTION | {"stream": True}),
    "openai_responses": ("/v1/responses", {"model": "gpt-4", "input": "ping", "stream": True}),
    "anthropic": ("/v1/messages", QUESTION | {"max_tokens": 9, "stream": True}),
    "gemini": (
        "/v1beta/models/gpt-4:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "ping"}]}]},
    ),
}


@pytest.mark.parametrize("dialect", STREAMS)
def test_whoever_still_waits_after_the_grace_is_told_in_stream(start, upstream, dialect):
    gateway = start(config(upstream, grace="300ms"))
    gate = Gate()
    upstream.answer(held(gate, keep=5))
    path, body = STREAMS[dialect]
    stream = Background(lambda: gateway.post(path, body))
    assert gate.reached.wait(5)
    assert gateway.stop() == 0
    reply = stream.result()
    assert reply.status == 200 and not reply.complete, "half an answer looks whole"
    last = reply.events[-1]
    said = json.dumps(last)
    assert "being stopped" in said, reply.text
    assert "error" in said
    row = gateway.wait_for_line(lambda r: r.get("fault") == "overloaded")
    assert row["status"] == 200 and row["attempts"][0]["fault"] == "client_gone"


@pytest.mark.parametrize("place", ["head", "body"])
def test_whoever_has_no_answer_after_the_grace_gets_a_status(start, upstream, place):
    gateway = start(config(upstream, grace="300ms"))
    gate = Gate()

    def late(request):
        whole = replies.answer(request, Say(text="late"))
        return whole.with_(pieces=[gate, *whole.pieces]) if place == "body" else whole.with_(wait=3)

    upstream.answer(late)
    waiting = Background(lambda: gateway.post("/v1/messages", QUESTION | {"max_tokens": 9}))
    upstream.wait_for_request()
    assert gateway.stop() == 0
    reply = waiting.result()
    assert reply.status == 503 and reply.json["type"] == "error" and reply.header("connection") == "close"
    assert "being stopped" in reply.json["error"]["message"]
