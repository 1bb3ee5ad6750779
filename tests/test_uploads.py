"""Bodies too large to be held, both ways: they stream through at the slower side's pace, and whoever leaves, refuses or
falls silent ends them. SPDX-License-Identifier: MIT
"""

import hashlib
import threading
import time

import pytest

from harness.depot import JSON, backends, form

MIB = 1024 * 1024


@pytest.fixture
def gateway(start, depot):
    return start({"backends": backends(depot)})


def produce(size, piece=MIB):
    block = hashlib.sha256(b"x").digest() * (piece // 32)
    return block, size // piece


def peak(gateway, stop, out):
    while not stop.is_set():
        out.append(gateway.resident_kib())
        time.sleep(0.01)


@pytest.fixture
def flat(gateway):
    """Fails when the gateway's memory grew by more than 8 MiB."""
    gateway.get("/v1/files")
    before = gateway.resident_kib()
    seen, stop = [], threading.Event()
    watcher = threading.Thread(target=peak, args=(gateway, stop, seen))
    watcher.start()
    yield
    stop.set()
    watcher.join()
    assert max(seen) - before < 8 * 1024, f"from {before} to {max(seen)} KiB"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload_streams_through(gateway, depot, flat, framing):
    block, count = produce(64 * MIB)
    begin, headers = form([("purpose", "x"), ("model", "m")])
    begin = begin[: begin.rindex(b"--xYzZy--")]
    begin += b'--xYzZy\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    end = b"\r\n--xYzZy--\r\n"
    sha = hashlib.sha256(begin)
    paced = [0]

    def pace():
        paced[0] += 1
        if paced[0] % 64 == 0:
            time.sleep(0.005)  # the upstream is the slower one

    depot.pace = pace
    with gateway.connect() as connection:
        connection.sock.settimeout(60)
        size = len(begin) + 64 * MIB + len(end)
        fields = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
        head = f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n{headers[0][0]}: {headers[0][1]}\r\n\r\n"
        connection.send(head.encode())

        def send(data):
            connection.send(data if framing == "length" else b"%x\r\n%s\r\n" % (len(data), data))

        send(begin)
        for _ in range(count):
            send(block)
            sha.update(block)
        send(end)
        sha.update(end)
        if framing == "chunked":
            connection.send(b"0\r\n\r\n")
        reply = connection.read()
        assert reply.status == 200
        assert connection.ask("GET", "/v1/files").status == 200, "the connection serves on"
    assert depot.seen[1].sha == sha.hexdigest() and depot.seen[1].size == size


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_download_waits_for_a_slow_reader(gateway, depot, flat, framing):
    block, count = produce(64 * MIB)
    sent = [0]

    def body():
        for _ in range(count):
            yield block
            sent[0] += len(block)

    length = [("Content-Length", str(64 * MIB))] if framing == "length" else []
    depot.answer = lambda got: (200, [("Content-Type", "application/octet-stream"), *length], body())
    with gateway.connect() as connection:
        connection.sock.settimeout(60)
        connection.request("GET", "/v1/files/f/content")
        time.sleep(0.5)
        assert sent[0] < 32 * MIB, "nobody reads, and still the upstream could send"
        reply = connection.read()
    assert len(reply.body) == 64 * MIB and hashlib.sha256(reply.body).digest() == hashlib.sha256(block * count).digest()


def test_an_upload_over_the_limit_is_refused(start, depot):
    gateway = start({"backends": backends(depot), "server": {"max_upload": "1MiB"}})
    body, headers = form([("file", "f", b"x" * (2 * MIB))])
    reply = gateway.post("/v1/files", body, headers)
    assert reply.status == 413 and "max_upload" in reply.error["message"] and depot.seen == []


def test_an_early_refusal_ends_the_upload(gateway, depot):
    depot.early = lambda got: (413, JSON, b'{"error":{"message":"too much"}}') if got.method == "POST" else None
    with gateway.connect() as connection:
        connection.sock.settimeout(10)
        connection.send(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000)
        status, headers = connection.read_head()
    assert status == 413 and ("connection", "close") in [(n.lower(), v) for n, v in headers]
    assert gateway.get("/v1/files").status == 200


def test_a_form_that_names_its_model_late(start, depot):
    at = backends(depot)
    at["openai"]["models"] = ["whisper-1"]
    gateway = start({"backends": at})
    for model, status in (("whisper-1", 200), ("gpt-secret", 400)):
        body, headers = form([("file", "a.wav", b"x" * (2 * MIB)), ("model", model)])
        reply = gateway.post("/v1/audio/transcriptions", body, headers)
        assert reply.status == status, reply.text
    assert depot.gone.wait(5) and [got.whole for got in depot.seen] == [True, False]
    twice, headers = form([("model", "whisper-1"), ("model", "other")])
    assert gateway.post("/v1/audio/transcriptions", twice, headers).status in (400, 404)


def test_a_client_that_leaves_ends_both_ways(gateway, depot):
    with gateway.connect() as connection:
        connection.send(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000)
        assert depot.arrived.wait(5)
    assert depot.gone.wait(5)
    depot.reset()

    def endless():
        while not depot.gone.is_set():
            yield b"y" * 65536

    depot.answer = lambda got: (200, [("Content-Type", "audio/mpeg")], endless())
    connection = gateway.connect()
    connection.request("GET", "/v1/files/f/content")
    connection.read_head()
    connection.abort()
    assert depot.gone.wait(5)
    row = gateway.wait_for_line(lambda r: r.get("fault") == "client_gone" and r["method"] == "GET")
    assert row["status"] == 200


def test_a_cut_download_is_not_taken_for_whole(gateway, depot):
    depot.answer = lambda got: (200, [("Content-Length", "1000"), ("Connection", "close")], iter([b"half"]))
    reply = gateway.get("/v1/files/f/content")
    assert not reply.complete
    row = gateway.wait_for_line(lambda r: r.get("operation") == "files")
    assert row["fault"] == "upstream_broken"


def test_clocks(start, depot):
    at = backends(depot)
    at["openai"]["timeouts"] = {"first_token": "300ms", "between_tokens": "300ms"}
    gateway = start({"backends": at, "server": {"body_timeout": "300ms"}})
    depot.answer = lambda got: time.sleep(2) or (200, [], b"")
    late = gateway.get("/v1/files/f")
    assert late.status == 504

    def stalls():
        yield b"begin"
        time.sleep(2)

    depot.answer = lambda got: (200, [], stalls())
    silent = gateway.get("/v1/files/f")
    assert silent.status == 200 and not silent.complete
    with gateway.connect() as connection:
        connection.send(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc")
        assert connection.read().status == 408
