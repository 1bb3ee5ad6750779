"""Answers as vendors and the boxes before them send them: compressed, cut in any place, early, broken, large.
SPDX-License-Identifier: MIT"""

import gzip
import time
import zlib

import pytest

from harness import replies
from harness.gateway import backends
from harness.replies import Say
from harness.upstream import Answer, Gate
from harness.vendors import DIALECTS, VENDORS


def packed(coding, data):
    if coding == "gzip":
        return gzip.compress(data)
    if coding == "deflate":
        return zlib.compress(data)
    if coding == "br":
        return pytest.importorskip("brotli").compress(data)
    return pytest.importorskip("zstandard").compress(data)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_compressed_answers(gateway, upstream, vendor, coding, stream):
    def make(request):
        plain = replies.answer(request, Say(text="squeezed " * 200))
        data = packed(coding, plain.payload())
        pieces = [data[i : i + 100] for i in range(0, len(data), 100)]
        return plain.with_(headers=[*plain.headers, ("Content-Encoding", coding)], pieces=pieces)

    upstream.answer(make)
    reply = gateway.chat(VENDORS[vendor], stream=stream)
    assert reply.status == 200 and reply.complete and reply.header("content-encoding") is None
    if stream:
        assert reply.events[-1] == "[DONE]"
        text = "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"])
    else:
        text = reply.json["choices"][0]["message"]["content"]
    assert text == "squeezed " * 200


def test_compressed_events_are_not_held_back(gateway, upstream):
    """Each event of a gzip stream that the vendor flushed comes through at once."""
    gate = Gate()

    def make(request):
        plain = replies.answer(request, Say(text="one two three four"))
        squeeze = zlib.compressobj(wbits=31)
        pieces = [squeeze.compress(p) + squeeze.flush(zlib.Z_SYNC_FLUSH) for p in plain.pieces]
        return plain.with_(
            headers=[*plain.headers, ("Content-Encoding", "gzip")],
            pieces=[*pieces[:3], gate, *pieces[3:], squeeze.flush()],
        )

    upstream.answer(make)
    with gateway.connect() as connection:
        connection.request(
            "POST",
            "/v1/chat/completions",
            (),
            {"model": "claude-sonnet-4-5", "stream": True, "messages": [{"role": "user", "content": "hi"}]},
        )
        connection.read_head()
        assert b"data:" in next(connection.chunks())
        gate.open()


def test_bomb_is_refused(gateway, upstream):
    before = gateway.resident_kib()
    bomb = gzip.compress(b'{"x": "' + b" " * 300_000_000 + b'"}', 1)
    upstream.answer(Answer(headers=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], pieces=[bomb]))
    reply = gateway.chat("claude-sonnet-4-5")
    assert reply.status == 502
    assert gateway.resident_kib() - before < 100 * 1024


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_stream_in_any_pieces(gateway, upstream, vendor, size):
    text = "Grüße an 世界 👋 — " * 10

    def make(request):
        plain = replies.answer(request, Say(text=text))
        data = plain.payload()
        return plain.with_(pieces=[data[i : i + size] for i in range(0, len(data), size)])

    upstream.answer(make)
    reply = gateway.chat(VENDORS[vendor], stream=True)
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == text
    assert reply.events[-1] == "[DONE]"


def test_stream_with_crlf_comments_and_names(gateway, upstream):
    """Framing that other vendors use: CRLF, comments, `data:` without a space, several lines of data."""

    def make(request):
        events = [p.decode() for p in replies.answer(request, Say(text="odd but legal")).pieces]
        odd = [": hello\r\n\r\n", *(e.replace("data: ", "data:").replace("\n", "\r\n") for e in events)]
        return Answer(
            headers=[("Content-Type", "text/event-stream; charset=utf-8")],
            framing="chunked",
            pieces=[o.encode() for o in odd],
        )

    upstream.answer(make)
    reply = gateway.chat("claude-sonnet-4-5", stream=True)
    assert (
        "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"])
        == "odd but legal"
    )


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_every_framing_of_a_whole_reply(gateway, upstream, vendor, framing):
    upstream.answer(lambda r: replies.answer(r, Say(text="framed")).with_(framing=framing))
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == "framed"


def test_interim_answers_are_skipped(gateway, upstream):
    upstream.answer(
        lambda r: replies.answer(r, Say(text="at last")).with_(
            interim=b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        )
    )
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "at last"


def test_early_refusal_while_the_body_is_sent(gateway, upstream, vendor):
    upstream.answer(replies.error(DIALECTS[vendor], 413, "far too large").with_(early=True, framing="length"))
    began = time.monotonic()
    reply = gateway.chat(VENDORS[vendor], "x" * 8_000_000)
    assert time.monotonic() - began < 3
    assert 400 <= reply.status < 500 and "far too large" in reply.text, reply.text[:500]


@pytest.mark.parametrize("status", [204, 301])
def test_answers_that_mean_nothing_here(gateway, upstream, vendor, status):
    where = [("Location", "http://169.254.169.254/")]
    upstream.answer(Answer(status=status, headers=where, framing="length" if status == 301 else "none"))
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 502 and len(upstream.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"NONSENSE\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_broken_http_of_an_upstream(gateway, upstream, vendor, answer):
    upstream.default = Answer(raw=answer, end="fin")
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 502 or not reply.complete


@pytest.mark.parametrize("when", ["at once", "a little later"])
def test_bytes_after_an_answer_reach_nobody(start, upstream, when):
    """What an upstream says beyond its answer is never taken for the next caller's."""
    gateway = start({"backends": backends(upstream), "server": {"workers": 1}})
    evil = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"evil":"twice"}'

    def too_much(request):
        answer = replies.answer(request, Say(text="honest"))
        body = answer.payload()
        pieces = [body + evil] if when == "at once" else [body, (0.02, evil)]
        return answer.with_(
            headers=[*answer.headers, ("Content-Length", str(len(body)))], framing="none", pieces=pieces
        )

    upstream.answer(too_much)
    upstream.say(text="also honest")
    for text in ("honest", "also honest"):
        assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == text
        time.sleep(0.1)
