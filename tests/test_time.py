"""Pooled connections, the four clocks, keep-alive comments, slow clients, clients that leave.
SPDX-License-Identifier: MIT"""

import json
import socket
import threading
import time

import pytest

from harness import asked, raw, replies
from harness.gateway import Gateway, backends
from harness.replies import Say
from harness.upstream import Answer, Gate
from harness.vendors import VENDORS

# -- pooled connections


def test_connections_are_used_again(start, upstream):
    gateway = start({"backends": backends(upstream), "server": {"workers": 1}})
    numbers = set()
    with gateway.connect() as connection:
        for stream in (False, True, False, True):
            upstream.say(text="again")
            assert (
                connection.ask(
                    "POST",
                    "/v1/chat/completions",
                    (),
                    {"model": "gpt-4", "stream": stream, "messages": [{"role": "user", "content": "x"}]},
                ).status
                == 200
            )
            numbers.add(upstream.last().connection)
    assert len(numbers) == 1


@pytest.mark.parametrize("how", ["closed while idle", "closed on use"])
def test_stale_connection_is_replaced_unseen(start, upstream, how):
    gateway = start({"backends": backends(upstream), "server": {"workers": 1}})
    upstream.say(text="first")
    assert gateway.chat("gpt-4").status == 200
    if how == "closed on use":
        upstream.stale = True
    else:
        upstream.close_idle()
        time.sleep(0.1)
    for _ in range(3):
        upstream.say(text="fresh")
        reply = gateway.chat("gpt-4")
        assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == "fresh"


def test_reset_of_a_fresh_connection_is_told(gateway, upstream, vendor):
    upstream.default = Answer(before="reset")
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 502 and len(upstream.seen) <= 2


# -- the four clocks and keep-alives

CLOCKS = {"connect": "300ms", "first_token": "400ms", "between_tokens": "400ms"}


@pytest.fixture(scope="module")
def timed(session_upstream, tmp_path_factory):
    total = backends(session_upstream)["openai"] | {
        "type": "openai",
        "timeouts": {"total": "600ms"},
        "models": ["total"],
    }
    config = {
        "backends": backends(session_upstream, timeouts=CLOCKS) | {"bounded": total},
        "server": {"keep_alive": "100ms"},
    }
    gateway = Gateway(tmp_path_factory.mktemp("timed"), config)
    yield gateway
    gateway.stop()


def held_stream(gate, after):
    def make(request):
        answer = replies.answer(request, Say(text="one two three four"))
        return answer.with_(pieces=[*answer.pieces[:after], gate, *answer.pieces[after:]])

    return make


def test_clock_of_the_first_token(timed, upstream, vendor):
    upstream.answer(held_stream(Gate(), 0))
    began = time.monotonic()
    reply = timed.chat(VENDORS[vendor], stream=True)
    assert 0.3 < time.monotonic() - began < 1.5
    assert reply.status == 504 or ("error" in reply.events[-1] and reply.text.startswith(":"))
    assert "[DONE]" not in reply.text and upstream.left.wait(1)


def test_clock_between_tokens(timed, upstream, vendor):
    upstream.answer(held_stream(Gate(), 4))
    began = time.monotonic()
    reply = timed.chat(VENDORS[vendor], stream=True)
    assert 0.3 < time.monotonic() - began < 1.5
    assert reply.status == 200 and "error" in reply.events[-1] and "[DONE]" not in reply.text
    assert upstream.left.wait(1)


def test_whole_replies_have_no_first_token_clock(timed, upstream, vendor):
    upstream.answer(lambda r: replies.answer(r, Say(text="slow thoughts")).with_(wait=1.0))
    assert timed.chat(VENDORS[vendor]).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_clock_of_the_whole_call(timed, upstream, stream):
    upstream.answer(lambda r: replies.answer(r, Say(text="x")).with_(wait=3.0))
    began = time.monotonic()
    reply = timed.chat("total", stream=stream)
    assert 0.5 < time.monotonic() - began < 1.5
    assert reply.status == 504 or "error" in reply.events[-1]


def test_clock_of_connecting(start):
    """A listener whose queue is full answers no SYN."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            fillers.append(filler)
        time.sleep(0.1)
        gateway = start(
            {
                "backends": {
                    "openai": {
                        "base_url": f"http://127.0.0.1:{address[1]}/v1",
                        "api_key": "k",
                        "timeouts": {"connect": "300ms"},
                    }
                }
            }
        )
        began = time.monotonic()
        reply = gateway.chat("gpt-4")
        assert reply.status in (502, 504) and 0.2 < time.monotonic() - began < 2
        for filler in fillers:
            filler.close()


def test_keep_alive_comments(timed, upstream, vendor):
    """Comments come while the upstream thinks, and the answer after them is whole."""
    upstream.answer(lambda r: replies.answer(r, Say(text="thought through")).with_(wait=0.35))
    reply = timed.chat(VENDORS[vendor], stream=True)
    assert reply.status == 200 and 2 <= sum(line.startswith(":") for line in reply.text.split("\n")) <= 4
    assert (
        "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"])
        == "thought through"
    )


def test_keep_alives_never_break_an_event(timed, upstream):
    """The upstream pauses in the middle of an event; no comment may be put into it."""

    def make(request):
        data = replies.answer(request, Say(text="cut in the middle")).payload()
        return Answer(
            headers=[("Content-Type", "text/event-stream")],
            framing="chunked",
            pieces=[data[:200], (0.15, data[200:330]), (0.15, data[330:])],
        )

    upstream.answer(make)
    reply = timed.chat("gpt-4", stream=True)
    assert (
        "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"])
        == "cut in the middle"
    )


def test_pings_of_a_vendor_reset_the_clock(timed, upstream):
    def make(request):
        answer = replies.answer(request, Say(text="alive"))
        ping = b'event: ping\ndata: {"type":"ping"}\n\n'
        return answer.with_(pieces=[*answer.pieces[:4], *[(0.25, ping)] * 4, *answer.pieces[4:]])

    upstream.answer(make)
    reply = timed.chat("claude-sonnet-4-5", stream=True)
    assert reply.events[-1] == "[DONE]", reply.text


# -- slow clients, clients that leave


@pytest.mark.parametrize("vendor", ["openai", "claude"])
def test_slow_client_slows_its_upstream_not_the_memory(start, upstream, vendor):
    """The upstream offers 64 MB; the client reads nothing: neither is it taken from the upstream nor kept in memory."""
    gateway = start({"backends": backends(upstream)})
    sent, told = [], -1

    class Counted(bytes):
        pass

    def make(request):
        answer = replies.answer(request, Say(text="word " * 13000))
        block = b"".join(answer.pieces[2:-5])

        def endless():
            for _ in range(40):
                sent.append(len(block))
                yield block

        return answer.with_(pieces=Endless([*answer.pieces[:2]], endless(), answer.pieces[-5:]))

    class Endless(list):
        def __init__(self, first, middle, last):
            super().__init__()
            self.parts = (first, middle, last)

        def __iter__(self):
            for part in self.parts:
                yield from part

    upstream.answer(make)
    upstream.say(text="others are served")
    with raw.Connection("127.0.0.1", gateway.port, receive_buffer=4096) as connection:
        connection.request(
            "POST",
            "/v1/chat/completions",
            (),
            {"model": VENDORS[vendor], "stream": True, "messages": [{"role": "user", "content": "x"}]},
        )
        while not sent or len(sent) != told:
            told = len(sent)
            time.sleep(0.4)
        before = gateway.resident_kib()
        time.sleep(1.0)
        assert sum(sent) < 24_000_000, "the gateway swallowed it all"
        assert gateway.resident_kib() - before < 2048, "memory grows"
        assert gateway.chat(VENDORS[vendor]).json["choices"][0]["message"]["content"] == "others are served"
    assert upstream.left.wait(2)


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("stream", [False, True])
def test_client_that_leaves_cancels_its_upstream(gateway, upstream, vendor, stream, how):
    gate = Gate()
    upstream.answer(held_stream(gate, 2) if stream else Answer(pieces=[gate, b"{}"]))
    connection = gateway.connect()
    connection.request(
        "POST",
        "/v1/chat/completions",
        (),
        {"model": VENDORS[vendor], "stream": stream, "messages": [{"role": "user", "content": "x"}]},
    )
    assert gate.reached.wait(5)
    if stream:
        connection.read_head()
    left = time.monotonic()
    getattr(connection, how)()
    assert upstream.left.wait(1), "the upstream never noticed"
    assert upstream.gone[0][0] - left < 0.1


def test_half_closed_client_counts_as_gone(gateway, upstream):
    gate = Gate()
    upstream.answer(held_stream(gate, 2))
    with gateway.connect() as connection:
        connection.request(
            "POST",
            "/v1/chat/completions",
            (),
            {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "x"}]},
        )
        assert gate.reached.wait(5)
        connection.sock.shutdown(socket.SHUT_WR)
        assert upstream.left.wait(1)


def test_many_streams_at_once(gateway, upstream):
    """Two hundred streams of three vendors at once, each whole and its own."""
    upstream.default = lambda r: replies.answer(r, Say(text="mine: " + _last_text(r)))
    models, wrong = list(VENDORS.values()), []

    def one(i):
        reply = gateway.chat(models[i % 3], f"number {i}", stream=True)
        text = "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"])
        if text != f"mine: number {i}" or reply.events[-1] != "[DONE]":
            wrong.append((i, reply.status, reply.text[-300:]))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong, wrong[:3]


def _last_text(request):
    return asked.said(request)[-1][1]


def test_large_answer_and_large_question(gateway, upstream, vendor):
    text = json.dumps(list(range(150_000)))
    upstream.say(text=text)
    reply = gateway.chat(VENDORS[vendor], text)
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == text
    assert _last_text(upstream.last()) == text
