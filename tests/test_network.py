"""The way to the upstream: names, TLS, proxies, compression, pooled connections, clocks, back-pressure, leaving.
SPDX-License-Identifier: MIT"""

import gzip
import json
import socket
import ssl
import threading
import time
import zlib

import pytest

from conftest import DIALECTS, VENDORS
from harness import certs, proxies, replies
from harness.gateway import KEYS, backends, expect_keys, free_port
from harness.replies import Say
from harness.upstream import Answer, Gate, Upstream

# -- where it is


def test_name_instead_of_an_address(start, upstream):
    gateway = start({"backends": {"openai": {"base_url": f"http://localhost:{upstream.port}/v1", "api_key": KEYS["openai"]}}})
    for _ in range(2):
        upstream.say(text="found")
        assert gateway.chat("gpt-4").status == 200
    assert upstream.last().header("host") == f"localhost:{upstream.port}"


def test_name_that_does_not_exist(start):
    gateway = start({"backends": {"openai": {"base_url": "http://no-such-host.invalid/v1", "api_key": "k"}}})
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and reply.error["message"]


def test_nobody_listens(start):
    gateway = start({"backends": {"openai": {"base_url": f"http://127.0.0.1:{free_port()}/v1", "api_key": "k"}}})
    began = time.monotonic()
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and reply.error["message"] and time.monotonic() - began < 2
    assert gateway.chat("gpt-4", stream=True).status == 502


def test_base_url_with_and_without_the_version(start, upstream):
    gateway = start({"backends": {"openai": {"base_url": upstream.url("/proxy/v1/"), "api_key": KEYS["openai"]}, "claude": {"base_url": upstream.url("/v1"), "api_key": KEYS["claude"]}}})
    upstream.say(text="ok")
    assert gateway.chat("gpt-4").status == 200 and upstream.last().target == "/proxy/v1/chat/completions"
    upstream.say(text="ok")
    assert gateway.chat("claude-sonnet-4-5").status == 200 and upstream.last().target == "/v1/messages"


# -- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("authority"))


def sealed(authority, name, hosts):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name, hosts))
    return Upstream(tls=context)


@pytest.fixture(scope="module")
def sealed_localhost(authority):
    upstream = sealed(authority, "localhost", ["localhost"])
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def vendors_tls(authority):
    """An upstream that is every vendor at once."""
    upstream = sealed(authority, "vendors", ["api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"])
    yield upstream
    upstream.close()


@pytest.fixture
def proxy():
    opened = []

    def start(*arguments, **words):
        opened.append(proxies.Proxy(*arguments, **words))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def at_tls(upstream, authority, host="localhost"):
    return {"openai": {"base_url": f"https://{host}:{upstream.port}/v1", "api_key": "k", "ca_file": str(authority.cert)}}


def test_tls_with_an_own_authority(start, sealed_localhost, authority):
    sealed_localhost.reset()
    gateway = start({"backends": at_tls(sealed_localhost, authority)})
    sealed_localhost.say(text="sealed")
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "sealed"
    sealed_localhost.say(text="sealed words " * 5000)
    assert gateway.chat("gpt-4", stream=True).events[-1] == "[DONE]"
    assert "localhost" in sealed_localhost.names and sealed_localhost.violations == []


def test_unknown_authority_is_refused(start, sealed_localhost):
    sealed_localhost.reset()
    gateway = start({"backends": {"openai": {"base_url": f"https://localhost:{sealed_localhost.port}/v1", "api_key": "sk-canary-x"}}})
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and sealed_localhost.seen == []
    assert "sk-canary" not in reply.text + gateway.said()


def test_wrong_host_is_refused(start, sealed_localhost, authority):
    sealed_localhost.reset()
    gateway = start({"backends": at_tls(sealed_localhost, authority, "127.0.0.1")})
    assert gateway.chat("gpt-4").status == 502 and sealed_localhost.seen == []


def test_plain_server_behind_https_is_refused(start, upstream, authority):
    gateway = start({"backends": at_tls(upstream, authority)})
    assert gateway.chat("gpt-4").status == 502 and upstream.seen == []


# -- proxies; the vendors' own addresses through them, as in production

HOSTS = {"openai": "api.openai.com:443", "claude": "api.anthropic.com:443", "gemini": "generativelanguage.googleapis.com:443"}
PATHS = {"openai": "/v1/chat/completions", "claude": "/v1/messages", "gemini": "/v1beta/models/gemini-2.5-flash:generateContent"}


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_real_addresses_of_the_vendors(start, proxy, vendors_tls, authority, vendor, kind):
    vendors_tls.reset()
    expect_keys(vendors_tls)
    outward = proxy(kind, vendors_tls.port)
    gateway = start({"backends": {vendor: {"api_key": KEYS[vendor], "proxy": outward.url(), "ca_file": str(authority.cert)}}})
    for stream in (False, True):
        vendors_tls.say(text="from afar")
        reply = gateway.chat(VENDORS[vendor], stream=stream)
        assert reply.status == 200, reply.text
    assert outward.asked[0] == HOSTS[vendor]
    assert vendors_tls.names[-1] == HOSTS[vendor].split(":")[0] and vendors_tls.last().header("host") == HOSTS[vendor].split(":")[0]
    assert vendors_tls.seen[0].path == PATHS[vendor] and vendors_tls.violations == []


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_proxy_with_a_password(start, proxy, vendors_tls, authority, kind):
    vendors_tls.reset()
    outward = proxy(kind, vendors_tls.port, user="anna:s3cret")
    config = {"openai": {"api_key": "k", "proxy": outward.url("anna:s3cret"), "ca_file": str(authority.cert)}}
    gateway = start({"backends": config})
    vendors_tls.say(text="let in")
    assert gateway.chat("gpt-4").status == 200
    config["openai"]["proxy"] = outward.url("anna:wrong")
    gateway = start({"backends": config})
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and "wrong" not in reply.text and "s3cret" not in gateway.said()


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_proxy_that_refuses(start, proxy, vendors_tls, kind):
    vendors_tls.reset()
    gateway = start({"backends": {"openai": {"api_key": "k", "proxy": proxy(kind, vendors_tls.port, refuse=True).url()}}})
    assert gateway.chat("gpt-4").status == 502


def test_proxy_of_the_environment(start, proxy, vendors_tls, authority, upstream):
    vendors_tls.reset()
    outward = proxy("http", vendors_tls.port)
    at = {"openai": {"api_key": "k", "ca_file": str(authority.cert)}, "near": {"type": "openai", "base_url": upstream.url("/v1"), "models": ["near"]}}
    upstream.keys = {}
    gateway = start({"backends": at}, env={"HTTPS_PROXY": outward.url(), "HTTP_PROXY": outward.url(), "NO_PROXY": "127.0.0.1,.internal"})
    vendors_tls.say(text="around the corner")
    assert gateway.chat("gpt-4").status == 200 and outward.asked == ["api.openai.com:443"]
    upstream.say(text="next door")
    assert gateway.chat("near").status == 200 and len(outward.asked) == 1


# -- bodies as vendors send them


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
        return plain.with_(headers=[*plain.headers, ("Content-Encoding", "gzip")], pieces=[*pieces[:3], gate, *pieces[3:], squeeze.flush()])

    upstream.answer(make)
    with gateway.connect() as connection:
        connection.request("POST", "/v1/chat/completions", (), {"model": "claude-sonnet-4-5", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
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
        return Answer(headers=[("Content-Type", "text/event-stream; charset=utf-8")], framing="chunked", pieces=[o.encode() for o in odd])

    upstream.answer(make)
    reply = gateway.chat("claude-sonnet-4-5", stream=True)
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == "odd but legal"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_every_framing_of_a_whole_reply(gateway, upstream, vendor, framing):
    upstream.answer(lambda r: replies.answer(r, Say(text="framed")).with_(framing=framing))
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == "framed"


def test_interim_answers_are_skipped(gateway, upstream):
    upstream.answer(lambda r: replies.answer(r, Say(text="at last")).with_(interim=b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))
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


@pytest.mark.parametrize("answer", [b"NONSENSE\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"])
def test_broken_http_of_an_upstream(gateway, upstream, vendor, answer):
    upstream.default = Answer(raw=answer, end="fin")
    reply = gateway.chat(VENDORS[vendor])
    assert reply.status == 502 or not reply.complete


def test_bytes_after_an_answer_reach_nobody(gateway, upstream):
    evil = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"evil":"twice"}'
    upstream.answer(lambda r: replies.answer(r, Say(text="honest")).with_(extra=evil))
    upstream.say(text="also honest")
    for text in ("honest", "also honest"):
        assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == text


# -- pooled connections


def test_connections_are_used_again(start, upstream):
    gateway = start({"backends": backends(upstream), "server": {"workers": 1}})
    numbers = set()
    with gateway.connect() as connection:
        for stream in (False, True, False, True):
            upstream.say(text="again")
            assert connection.ask("POST", "/v1/chat/completions", (), {"model": "gpt-4", "stream": stream, "messages": [{"role": "user", "content": "x"}]}).status == 200
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
    from harness.gateway import Gateway

    total = backends(session_upstream)["openai"] | {"type": "openai", "timeouts": {"total": "600ms"}, "models": ["total"]}
    config = {"backends": backends(session_upstream, timeouts=CLOCKS) | {"bounded": total}, "server": {"keep_alive": "100ms"}}
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
        gateway = start({"backends": {"openai": {"base_url": f"http://127.0.0.1:{address[1]}/v1", "api_key": "k", "timeouts": {"connect": "300ms"}}}})
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
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == "thought through"


def test_keep_alives_never_break_an_event(timed, upstream):
    """The upstream pauses in the middle of an event; no comment may be put into it."""

    def make(request):
        data = replies.answer(request, Say(text="cut in the middle")).payload()
        return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=[data[:200], (0.3, data[200:330]), (0.3, data[330:])])

    upstream.answer(make)
    reply = timed.chat("gpt-4", stream=True)
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == "cut in the middle"


def test_pings_of_a_vendor_reset_the_clock(timed, upstream):
    def make(request):
        answer = replies.answer(request, Say(text="alive"))
        ping = b'event: ping\ndata: {"type":"ping"}\n\n'
        return answer.with_(pieces=[answer.pieces[0], *[(0.25, ping)] * 4, *answer.pieces[1:]])

    upstream.answer(make)
    reply = timed.chat("claude-sonnet-4-5", stream=True)
    assert reply.events[-1] == "[DONE]", reply.text


# -- slow clients, clients that leave


@pytest.mark.parametrize("vendor", ["openai", "claude"])
def test_slow_client_slows_its_upstream_not_the_memory(start, upstream, vendor):
    """The upstream offers 64 MB; the client reads nothing: neither is it taken from the upstream nor kept in memory."""
    gateway = start({"backends": backends(upstream)})
    sent = []

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
    from harness import raw

    with raw.Connection("127.0.0.1", gateway.port, receive_buffer=4096) as connection:
        connection.request("POST", "/v1/chat/completions", (), {"model": VENDORS[vendor], "stream": True, "messages": [{"role": "user", "content": "x"}]})
        time.sleep(0.2)
        before, told = gateway.resident_kib(), sum(sent)
        time.sleep(1.0)
        assert sum(sent) < 24_000_000, "the gateway swallowed it all"
        assert gateway.resident_kib() - before < 2048, "memory grows"
        assert gateway.chat(VENDORS[vendor]).json["choices"][0]["message"]["content"] == "others are served"
    assert told and upstream.left.wait(2)


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("stream", [False, True])
def test_client_that_leaves_cancels_its_upstream(gateway, upstream, vendor, stream, how):
    gate = Gate()
    upstream.answer(held_stream(gate, 2) if stream else Answer(pieces=[gate, b"{}"]))
    connection = gateway.connect()
    connection.request("POST", "/v1/chat/completions", (), {"model": VENDORS[vendor], "stream": stream, "messages": [{"role": "user", "content": "x"}]})
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
        connection.request("POST", "/v1/chat/completions", (), {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "x"}]})
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
    from harness import asked

    return asked.said(request)[-1][1]


def test_large_answer_and_large_question(gateway, upstream, vendor):
    text = json.dumps(list(range(150_000)))
    upstream.say(text=text)
    reply = gateway.chat(VENDORS[vendor], text)
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == text
    assert _last_text(upstream.last()) == text
