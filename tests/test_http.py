"""Requests that are wrong, split, piled up or dangerous: the right 4xx in OpenAI's shape, the connection in a known
state afterwards, nothing at the upstream.
SPDX-License-Identifier: MIT
"""

import json
import time

import pytest

from harness import raw
from harness.gateway import Gateway, backends

BODY = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}]}).encode()
HOST = b"Host: 127.0.0.1\r\n"


def post(body=BODY, *fields, path=b"/v1/chat/completions"):
    lines = b"".join(f + b"\r\n" for f in fields)
    return (
        b"POST "
        + path
        + b" HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\n"
        + lines
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
    )


def answers_or_closes(connection):
    """After a refusal the connection either serves the next request or is closed; it never hangs nor answers twice."""
    try:
        connection.send(b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n")
        reply = connection.read()
        assert reply.status == 200
        return "kept"
    except (raw.Closed, ConnectionResetError, BrokenPipeError):
        return "closed"


# -- bodies: the framing is right, so the connection must stay

BODIES = {
    "no json": (b"hello", 400),
    "cut json": (BODY[:-5], 400),
    "empty": (b"", 400),
    "array": (b"[]", 400),
    "text after it": (BODY + b"x", 400),
    "two values": (BODY + BODY, 400),
    "bad utf-8": (BODY.replace(b"hi", b"\xff\xfe"), 400),
    "control character": (BODY.replace(b"hi", b"\x01"), 400),
    "lone surrogate key": (b'{"mod\\ud800el": 1, "model": "gpt-4", "messages": []', 400),
    "single quotes": (BODY.replace(b'"', b"'"), 400),
    "trailing comma": (BODY[:-1] + b",}", 400),
    "no model": (b'{"messages": [{"role": "user", "content": "hi"}]}', 400),
    "model a number": (BODY.replace(b'"gpt-4"', b"4"), 400),
    "model null": (BODY.replace(b'"gpt-4"', b"null"), 400),
    "model empty": (BODY.replace(b"gpt-4", b""), 400),
    "model twice": (b'{"model": "demo", ' + BODY[1:], 400),
    "model twice, escaped": (b'{"mo\\u0064el": "demo", ' + BODY[1:], 400),
    "stream twice": (b'{"stream": true, "stream": false, ' + BODY[1:], 400),
    "stream a word": (b'{"stream": "yes", ' + BODY[1:], 400),
    "deep": (b'{"model": "gpt-4", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
    "unknown model": (BODY.replace(b"gpt-4", b"nothing"), 404),
}


@pytest.mark.parametrize("name", BODIES)
def test_wrong_body(gateway, upstream, name):
    body, status = BODIES[name]
    with gateway.connect() as connection:
        connection.send(post(body))
        reply = connection.read()
        assert reply.status == status, reply.text
        assert reply.error["type"] == "invalid_request_error"
        assert answers_or_closes(connection) == "kept"
    assert upstream.seen == []


@pytest.mark.parametrize("vendor_model", ["claude-sonnet-4-5", "gemini-2.5-flash"])
@pytest.mark.parametrize(
    "messages",
    [
        "null",
        '"text"',
        "[]",
        "[5]",
        '[{"content": "hi"}]',
        '[{"role": "king", "content": "hi"}]',
        '[{"role": "user", "content": 7}]',
    ],
)
def test_wrong_messages_where_they_must_be_read(gateway, upstream, vendor_model, messages):
    body = f'{{"model": "{vendor_model}", "messages": {messages}}}'.encode()
    reply = gateway.post("/v1/chat/completions", body)
    assert reply.status == 400 and reply.error["type"] == "invalid_request_error", reply.text
    assert "messages" in reply.text and upstream.seen == []


def test_error_names_the_member(gateway):
    assert gateway.post("/v1/chat/completions", b'{"messages": []}').error["param"] == "model"
    twice = gateway.post("/v1/chat/completions", BODIES["model twice"][0]).error
    assert (
        "twice" in twice["message"] or "more than once" in twice["message"] or "duplicate" in twice["message"].lower()
    )


# -- heads and framing

FRAMING = {
    "no host": (b"GET /health/live HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /health/live HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "bad host": (b"GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "space in a name": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"X Y: 1\r\n\r\n", 400),
    "space before the colon": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"X : 1\r\n\r\n", 400),
    "folded line": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"X: 1\r\n 2\r\n\r\n", 400),
    "nul in a value": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
    "bare cr": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n", 400),
    "no colon": (b"GET /health/live HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", 400),
    "old version": (b"GET /health/live HTTP/0.9\r\n" + HOST + b"\r\n", (400, 505)),
    "http 2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "length and chunked": (post(b"0\r\n\r\n", b"Transfer-Encoding: chunked"), 400),
    "chunked twice": (
        b"POST /v1/chat/completions HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "unknown coding": (
        b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        (400, 501),
    ),
    "coding in disguise": (
        b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        (400, 501),
    ),
    "chunked for http 1.0": (
        b"POST /v1/chat/completions HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (post(BODY, b"Content-Length: 5"), 400),
    "length list": (post(BODY, b"X: 1").replace(b"Content-Length: ", b"Content-Length: 5, "), 400),
    "length with sign": (post(BODY).replace(b"Content-Length: ", b"Content-Length: +"), 400),
    "length in hex": (post(BODY).replace(b"Content-Length: ", b"Content-Length: 0x"), 400),
    "negative length": (post(BODY).replace(b"Content-Length: ", b"Content-Length: -"), 400),
    "huge length": (
        b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
        (400, 413),
    ),
}


@pytest.mark.parametrize("name", FRAMING)
def test_ambiguous_framing_is_refused_and_the_connection_closed(gateway, upstream, name):
    data, status = FRAMING[name]
    with gateway.connect() as connection:
        connection.send(data)
        reply = connection.read()
        assert reply.status in (status if isinstance(status, tuple) else (status,)), reply.text
        if not data.startswith((b"PRI", b"\x16")):
            assert reply.error["type"] == "invalid_request_error"
        assert connection.closed()
    assert upstream.seen == []


CHUNKS = {
    "size with sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "size with prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-2\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "overflow": b"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
    "bare line feed": b"5\nhello\r\n0\r\n\r\n",
    "spilled": b"5\r\nhelloX\r\n0\r\n\r\n",
    "space": b"5 5\r\nhello\r\n0\r\n\r\n",
    "line feed in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_bad_chunks_end_the_connection(gateway, upstream, name):
    with gateway.connect() as connection:
        connection.send(
            b"POST /v1/chat/completions HTTP/1.1\r\n"
            + HOST
            + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + CHUNKS[name]
        )
        assert connection.read().status == 400
        assert connection.closed()
    assert upstream.seen == []


def test_smuggled_request_is_never_answered(gateway, upstream):
    """CL.TE: whoever counts by length sees one request, by chunks two. Here: none."""
    inner = b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"
    with gateway.connect() as connection:
        connection.send(post(b"0\r\n\r\n" + inner, b"Transfer-Encoding: chunked"))
        assert connection.read().status == 400
        assert connection.closed()


# -- good framing that servers get wrong


def test_pipelined_requests_are_answered_in_order(gateway, upstream):
    upstream.say(text="first")
    upstream.say(text="third")
    with gateway.connect() as connection:
        connection.send(
            post()
            + b"GET /v1/models HTTP/1.1\r\n"
            + HOST
            + b"\r\n"
            + post()
            + post(b"nonsense")
            + b"GET /health/live HTTP/1.1\r\n"
            + HOST
            + b"\r\n"
        )
        replies = [connection.read() for _ in range(5)]
    assert [r.status for r in replies] == [200, 200, 200, 400, 200]
    assert replies[0].json["choices"][0]["message"]["content"] == "first"
    assert replies[1].json["object"] == "list"
    assert replies[2].json["choices"][0]["message"]["content"] == "third"


def test_pipelined_after_a_stream(gateway, upstream):
    upstream.say(text="streamed")
    upstream.say(text="next")
    with gateway.connect() as connection:
        connection.send(post(BODY[:-1] + b', "stream": true}') + post())
        assert connection.read().events[-1] == "[DONE]"
        assert connection.read().json["choices"][0]["message"]["content"] == "next"


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_requests_in_small_pieces(gateway, upstream, size):
    upstream.say(text="patient")
    data = post()
    with gateway.connect() as connection:
        for i in range(0, len(data), size):
            connection.send(data[i : i + size])
        assert connection.read().status == 200
    assert upstream.last().body == BODY


def chunked(body, size, trailer=b"", extension=b""):
    out = b"".join(
        b"%x%s\r\n%s\r\n" % (len(body[i : i + size]), extension, body[i : i + size]) for i in range(0, len(body), size)
    )
    return out + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize(
    "extras", [{}, {"trailer": b"X-T: 1\r\n"}, {"extension": b';name="value"'}], ids=["plain", "trailer", "extension"]
)
def test_chunked_request(gateway, upstream, extras):
    upstream.say(text="in chunks")
    with gateway.connect() as connection:
        connection.send(
            b"POST /v1/chat/completions HTTP/1.1\r\n"
            + HOST
            + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunked(BODY, 7, **extras)
        )
        assert connection.read().status == 200
        assert answers_or_closes(connection) == "kept"
    assert upstream.last().body == BODY


def test_expect_continue(gateway, upstream):
    upstream.say(text="go on")
    with gateway.connect() as connection:
        connection.send(post(BODY, b"Expect: 100-continue")[: -len(BODY)])
        end = time.monotonic() + 2
        while b"\r\n\r\n" not in connection.buffer and time.monotonic() < end:
            connection._fill()
        assert connection.buffer.startswith(b"HTTP/1.1 100 ")
        connection.send(BODY)
        assert connection.read().status == 200


def test_http_1_0_closes(gateway, upstream):
    upstream.say(text="old")
    with gateway.connect() as connection:
        connection.send(post().replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert connection.read().status == 200
        assert connection.closed()


def test_connection_close_is_honoured(gateway, upstream):
    upstream.say(text="bye")
    with gateway.connect() as connection:
        connection.send(post(BODY, b"Connection: close"))
        assert connection.read().status == 200
        assert connection.closed()


def test_absolute_target(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET http://127.0.0.1/health/live HTTP/1.1\r\n" + HOST + b"\r\n")
        assert connection.read().status == 200


@pytest.mark.parametrize(
    "path, status",
    [
        ("/nowhere", 404),
        ("/v1/chat/completionsx", 404),
        ("/v1/chat/../models", 404),
        ("/v1//chat/completions", 404),
        ("/%2e%2e/etc/passwd", 404),
        ("/v1/chat/completions%00", (400, 404)),
    ],
)
def test_unknown_path(gateway, path, status):
    reply = gateway.post(path, BODY)
    assert reply.status in (status if isinstance(status, tuple) else (status,)) and reply.error["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_wrong_method(gateway, method):
    reply = gateway.get("/v1/chat/completions", method=method)
    assert reply.status == 405 and "POST" in reply.header("allow") and reply.error


def test_connect_is_no_proxy(gateway):
    with gateway.connect() as connection:
        connection.send(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
        assert 400 <= connection.read().status < 500


# -- sizes and time


@pytest.fixture(scope="module")
def small(session_upstream, tmp_path_factory):
    limits = {"max_body": "64KiB", "header_timeout": "500ms", "body_timeout": "500ms", "idle_timeout": "700ms"}
    gateway = Gateway(tmp_path_factory.mktemp("small"), {"backends": backends(session_upstream), "server": limits})
    yield gateway
    gateway.stop()


def test_body_too_large(small, upstream):
    with small.connect() as connection:
        connection.send(post(b" " * 70000 + BODY))
        reply = connection.read()
        assert reply.status == 413 and reply.error["type"] == "invalid_request_error"
        assert "64" in reply.error["message"] or "65536" in reply.error["message"]
        answers_or_closes(connection)
    assert upstream.seen == []


def test_announced_body_too_large_is_refused_before_it_is_sent(small, upstream):
    with small.connect() as connection:
        connection.send(
            post(b"")[:-5].replace(b"Content-Length: ", b"Content-Length: 9000000")
            + b"\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.read().status == 413


def test_chunked_body_too_large(small, upstream):
    with small.connect() as connection:
        connection.send(
            b"POST /v1/chat/completions HTTP/1.1\r\n"
            + HOST
            + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            connection.send(chunked(b" " * 100000, 4096))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.read().status == 413
    assert upstream.seen == []


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"a" * 40000 + b"\r\n",
        b"".join(b"X-%d: 1\r\n" % i for i in range(150)),
    ],
    ids=["long", "many"],
)
def test_head_too_large(gateway, head):
    with gateway.connect() as connection:
        connection.send(b"GET /health/live HTTP/1.1\r\n" + HOST + head + b"\r\n")
        reply = connection.read()
        assert reply.status == 431 and reply.error
        assert connection.closed()


def test_long_target(gateway):
    with gateway.connect() as connection:
        connection.send(b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert connection.read().status in (414, 431)
        assert connection.closed()


@pytest.mark.parametrize("sent", [b"POST /v1/chat/comp", post()[:-10]], ids=["head", "body"])
def test_slow_client(small, upstream, sent):
    with small.connect() as connection:
        began = time.monotonic()
        connection.send(sent)
        reply = connection.read()
        assert reply.status == 408 and reply.error
        assert 0.4 < time.monotonic() - began < 3
        assert connection.closed()
    assert upstream.seen == []


def test_head_in_drips_does_not_win_time(small):
    with small.connect() as connection:
        began = time.monotonic()
        try:
            for byte in b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100:
                connection.send(bytes([byte]))
                time.sleep(0.05)
            pytest.fail("it was served")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert time.monotonic() - began < 3


def test_idle_connection_is_closed_without_a_word(small):
    with small.connect() as connection:
        assert connection.ask("GET", "/health/live").status == 200
        assert connection.closed(3)


def test_silent_connection_is_closed(small):
    with small.connect() as connection:
        assert connection.closed(3) or connection.buffer.startswith(b"HTTP/1.1 408")


def test_many_clients_that_break_off_leave_nothing_behind(gateway, upstream):
    before = gateway.descriptors()
    for i in range(200):
        connection = gateway.connect()
        connection.send(post()[: 5 + i])
        connection.abort() if i % 2 else connection.close()
    end = time.monotonic() + 3
    while gateway.descriptors() > before + 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert gateway.descriptors() <= before + 2
    assert gateway.get("/health/live").status == 200
