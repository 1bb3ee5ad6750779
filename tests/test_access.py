"""Limits, browsers, callers from elsewhere, TLS on the listener. SPDX-License-Identifier: MIT"""

import ssl
import threading
import time

import pytest

from harness import certs, raw, replies
from harness.gateway import backends
from harness.replies import Say
from harness.upstream import Gate
from harness.vendors import VENDORS

# -- limits


def test_requests_per_minute(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"requests_per_minute": 3}})
    for left in (2, 1, 0):
        upstream.say(text="ok")
        reply = gateway.chat("gpt-4")
        assert reply.status == 200
        assert (reply.header("x-ratelimit-limit-requests"), reply.header("x-ratelimit-remaining-requests")) == (
            "3",
            str(left),
        )
        assert reply.header("x-ratelimit-reset-requests")
    refused = gateway.chat("gpt-4")
    assert refused.status == 429 and refused.error["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.header("retry-after")) <= 60
    assert len(upstream.seen) == 3
    assert gateway.get("/health").status == 200 and gateway.get("/v1/models").status == 200


def test_limit_of_each_caller(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"per_caller": {"requests_per_minute": 1}}})
    upstream.say(text="ok")
    assert gateway.chat("gpt-4").status == 200
    assert gateway.chat("gpt-4").status == 429


def test_concurrent_requests(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"concurrent_requests": 2}})
    gates = [Gate(), Gate()]

    def held(gate):
        def make(request):
            answer = replies.answer(request, Say(text="held"))
            return answer.with_(pieces=[gate, *answer.pieces])

        return make

    upstream.answer(*map(held, gates))
    got = []
    threads = [threading.Thread(target=lambda: got.append(gateway.chat("gpt-4"))) for _ in gates]
    for thread in threads:
        thread.start()
    assert all(g.reached.wait(5) for g in gates)
    refused = gateway.chat("gpt-4")
    assert refused.status == 429 and refused.header("retry-after")
    for gate in gates:
        gate.open()
    for thread in threads:
        thread.join(5)
    assert [g.status for g in got] == [200, 200]
    upstream.say(text="room again")
    assert gateway.chat("gpt-4").status == 200


def test_a_client_that_left_gives_its_place_back(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"concurrent_requests": 1}})
    gate = Gate()
    upstream.answer(lambda r: replies.answer(r, Say(text="x")).with_(pieces=[gate, b"{}"]))
    connection = gateway.connect()
    connection.request(
        "POST", "/v1/chat/completions", (), {"model": "gpt-4", "messages": [{"role": "user", "content": "x"}]}
    )
    assert gate.reached.wait(5)
    connection.close()
    assert upstream.left.wait(1)
    upstream.say(text="free")
    assert gateway.chat("gpt-4").status == 200


# -- browsers


def test_cors(start, upstream):
    origin = "https://app.example"
    gateway = start({"backends": backends(upstream), "auth": "open", "server": {"cors": {"origins": [origin]}}})
    asked = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    preflight = gateway.get("/v1/chat/completions", asked, "OPTIONS")
    assert preflight.status in (200, 204) and preflight.header("access-control-allow-origin") == origin
    assert "POST" in preflight.header("access-control-allow-methods")
    assert (
        "authorization" in preflight.header("access-control-allow-headers").lower()
        or preflight.header("access-control-allow-headers") == "*"
    )
    upstream.say(text="cross")
    reply = gateway.chat("gpt-4", headers=[("Origin", origin)])
    assert reply.status == 200 and reply.header("access-control-allow-origin") == origin
    assert "origin" in (reply.header("vary") or "").lower()
    stranger = gateway.get("/v1/chat/completions", [("Origin", "https://evil.example"), *asked[1:]], "OPTIONS")
    assert stranger.header("access-control-allow-origin") is None


# -- who may call


FOREIGN = [
    ("Host", "gateway.example"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9"),
    ("Via", "1.1 proxy"),
    ("Origin", "https://evil.example"),
]


@pytest.mark.parametrize("field", FOREIGN, ids=[n for n, _ in FOREIGN])
def test_callers_from_elsewhere_are_refused(gateway, upstream, field):
    reply = gateway.chat("gpt-4", headers=[field, ("Authorization", "Bearer dummy-key")])
    assert reply.status == 401 and "auth: open" in reply.error["message"]
    assert upstream.seen == []


@pytest.mark.parametrize("field", FOREIGN[:4], ids=[n for n, _ in FOREIGN[:4]])
def test_auth_open_serves_them(start, upstream, field):
    gateway = start({"backends": backends(upstream), "auth": "open"})
    upstream.say(text="welcome")
    assert gateway.chat("gpt-4", headers=[field]).status == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80"])
def test_local_names_are_local(gateway, upstream, host):
    upstream.say(text="hello")
    assert gateway.chat("gpt-4", headers=[("Host", host)]).status == 200


# -- TLS on the listener


def test_tls_and_its_reload(start, upstream, tmp_path):
    authority = certs.Authority(tmp_path)
    cert, key = authority.issue("first", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    upstream.say(text="sealed")
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "sealed"

    def serial():
        context = ssl.create_default_context(cafile=str(authority.cert))
        with raw.Connection("127.0.0.1", gateway.port, tls=context) as connection:
            return connection.sock.getpeercert()["serialNumber"]

    before = serial()
    new_cert, new_key = authority.issue("second", ["localhost"])
    cert.write_bytes(new_cert.read_bytes())
    key.write_bytes(new_key.read_bytes())
    gateway.reload()
    end = time.monotonic() + 5
    while serial() == before:
        assert time.monotonic() < end, "the old certificate is still served"
        time.sleep(0.05)


def test_tls_streams(start, upstream, tmp_path, vendor):
    cert, key = certs.Authority(tmp_path).issue("one", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    text = "words " * 20000
    upstream.say(text=text)
    reply = gateway.chat(VENDORS[vendor], stream=True)
    assert reply.events[-1] == "[DONE]"
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == text


def test_plain_http_on_a_tls_port_hurts_nobody(start, upstream, tmp_path):
    cert, key = certs.Authority(tmp_path).issue("one", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    with raw.Connection("127.0.0.1", gateway.port) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            connection.sock.recv(100)
        except ConnectionResetError:
            pass
    assert gateway.get("/health/live").status == 200
