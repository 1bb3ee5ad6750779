"""Faults after the first byte: the caller hears an error in its own dialect, never a clean end; and what only looks like a
fault changes nothing. SPDX-License-Identifier: MIT"""

import gzip
import json
import time
import zlib

import brotli
import pytest

from faults.bench import PAIRS, WORDS, ask, backend, changed, ended, error_of, note, says, text_of, told
from harness import replies
from harness.upstream import Answer, Upstream

DIALECTS = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


def broken_off(end, keep=5, **more):
    def make(request):
        whole = replies.answer(request, replies.Say(text=WORDS))
        return whole.with_(pieces=whole.pieces[:keep], end=end, **more)

    return make


def error_event(request):
    whole = replies.answer(request, replies.Say(text=WORDS))
    body = replies.error(request.dialect, 529, "overloaded in the middle").payload()
    event = b"event: error\ndata: " if request.dialect == "anthropic" else b"data: "
    return whole.with_(pieces=[*whole.pieces[:5], event + body + b"\n\n"], end="keep")


def garbage(request):
    whole = replies.answer(request, replies.Say(text=WORDS))
    return whole.with_(pieces=[*whole.pieces[:5], b'data: {"half": \n\n', *whole.pieces[5:]])


AFTER = {
    "6 stall": (broken_off("stall"), "upstream_timeout"),
    "8 reset": (broken_off("reset"), "upstream_broken"),
    "9 clean end without the terminal event": (broken_off("keep"), "upstream_broken"),
    "9 closed without the terminal event": (broken_off("fin"), "upstream_broken"),
    "16 overloaded amid the stream": (error_event, "upstream_overloaded"),
    "26 shorter than its chunks say": (broken_off("cut"), "upstream_broken"),
}


@DIALECTS
@pytest.mark.parametrize("fault", AFTER)
def test_a_stream_that_breaks_ends_in_an_error(start, upstream, pair, fault):
    make, name = AFTER[fault]
    other = Upstream()
    gateway = start(
        {
            "backends": {
                "first": backend(pair, upstream.url(), timeouts={"between_tokens": "400ms"}),
                "second": backend(pair, other.url()),
            }
        }
    )
    upstream.answer(make)
    begin = time.monotonic()
    reply = ask(gateway, pair, True)
    took = (time.monotonic() - begin) * 1000
    assert reply.status == 200 and WORDS.startswith(text_of(pair, reply, True)) and text_of(pair, reply, True)
    assert not ended(pair, reply), "half an answer must not look whole"
    error_of(pair, reply.events[-1])
    assert not other.seen, "what was begun is not begun anew elsewhere"
    (row,) = told(gateway)
    # Events of OpenAI's have no status: there an overload is a failure like any other.
    assert row["fault"] == name or (pair.type == "openai" and row["fault"] == "upstream_failed")
    assert row["status"] == 200
    number, _, words = fault.partition(" ")
    note(int(number), words, "after", pair, True, f"error event, {row['fault']}", took)
    other.close()


def bytewise(request):
    whole = replies.answer(request, replies.Say(text=WORDS))
    data = whole.payload()
    return whole.with_(pieces=[data[i : i + 1] for i in range(len(data))])


def spelled(change):
    def make(request):
        whole = replies.answer(request, replies.Say(text=WORDS))
        return whole.with_(pieces=[change(piece) for piece in whole.pieces]) if request.streams else whole

    return make


def packed(coding, pack):
    def make(request):
        whole = replies.answer(request, replies.Say(text=WORDS))
        return whole.with_(headers=[*whole.headers, ("Content-Encoding", coding)], pieces=[pack(whole.payload())])

    return make


def trailers(request):
    whole = replies.answer(request, replies.Say(text=WORDS))
    data = whole.payload()
    body = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(data), data)
    return whole.with_(framing="none", headers=[*whole.headers, ("Transfer-Encoding", "chunked")], pieces=[body])


HARMLESS = {
    "11 one byte at a time": bytewise,
    "11 lines that end in CR LF": spelled(lambda piece: piece.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
    "11 no space behind data": spelled(lambda piece: piece.replace(b"data: ", b"data:")),
    "11 a BOM and comments": spelled(lambda piece: b": hello\n\n" + piece),
    "12 JSON though a stream was asked for": lambda request: Answer(
        pieces=[json.dumps(replies.WHOLE[request.dialect](replies.Say(text=WORDS), replies.model_of(request))).encode()]
    ),
    "22 100 Continue first": changed(WORDS, interim=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "24 trailers and extensions of chunks": trailers,
    "25 gzip though not asked for": packed("gzip", gzip.compress),
    "25 deflate though not asked for": packed("deflate", zlib.compress),
    "25 br though not asked for": packed("br", brotli.compress),
    "27 103 first": changed(WORDS, interim=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
}


@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("what", HARMLESS)
def test_what_only_looks_like_a_fault_changes_nothing(start, upstream, pair, stream, what):
    gateway = start({"backends": {"first": backend(pair, upstream.url())}})
    upstream.answer(HARMLESS[what])
    reply = ask(gateway, pair, stream)
    assert reply.status == 200, reply.body
    assert text_of(pair, reply, stream) == WORDS and (not stream or ended(pair, reply))
    (row,) = told(gateway)
    assert "fault" not in row and len(row["attempts"]) == 1
    number, _, words = what.partition(" ")
    note(int(number), words, "harmless", pair, stream, "as without it", row["total_ms"])


@DIALECTS
def test_more_bytes_than_told_are_nobodys(start, upstream, pair):
    gateway = start({"backends": {"first": backend(pair, upstream.url())}})
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"

    def followed(request):  # at once: what comes after the next question has left is its answer, as far as anybody can tell
        whole = replies.answer(request, replies.Say(text="first"))
        data = whole.payload()
        length = ("Content-Length", str(len(data)))
        return whole.with_(framing="none", headers=[*whole.headers, length], pieces=[data + stray])

    upstream.answer(followed)
    assert text_of(pair, ask(gateway, pair, False), False) == "first"
    upstream.answer(says("second"))
    assert text_of(pair, ask(gateway, pair, False), False) == "second"
    rows = told(gateway, 2)
    assert upstream.connections == 2, "such a connection serves nobody else"
    note(28, "bytes behind an answer", "harmless", pair, False, "connection closed", rows[1]["total_ms"])


@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_connection_that_was_closed_while_idle_is_replaced(start, upstream, pair, stream):
    gateway = start({"backends": {"first": backend(pair, upstream.url())}, "failover": {"attempts": 1}})
    upstream.stale = True
    for _ in range(3):
        reply = ask(gateway, pair, stream)
        assert reply.status == 200 and text_of(pair, reply, stream) == "pong"
    rows = told(gateway, 3)
    assert all(len(row["attempts"]) == 1 for row in rows)
    note(29, "stale connection", "before", pair, stream, "sent anew", rows[-1]["total_ms"])


@DIALECTS
def test_a_slow_first_byte_is_waited_for(start, upstream, pair):
    gateway = start(
        {"server": {"keep_alive": "150ms"}, "backends": {"first": backend(pair, upstream.url())}}
    )
    upstream.answer(changed("late", wait=0.7))
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and text_of(pair, reply, True) == "late" and ended(pair, reply)
    if pair.client != "gemini":  # it has no comments in its streams
        assert len(reply.pieces) > 2 and reply.pieces[0][1].startswith((b":", b"event: ping"))
    (row,) = told(gateway)
    note(5, "slow first byte", "before", pair, True, "kept company", row["first_token_ms"])
