"""Faults before the first byte of an answer: another target cures them, and where there is none the caller hears of them
in its own dialect, once, with one record each. The numbers are rows of the table of faults that the requirements name.
SPDX-License-Identifier: MIT"""

import dataclasses
import json
import socket
import ssl
import time

import pytest

from faults.bench import PAIRS, ask, backend, changed, ended, error_of, note, says, text_of, told
from harness import certs, replies
from harness.gateway import free_port
from harness.upstream import Answer, Upstream

QUICK = {"connect": "400ms", "first_token": "500ms", "total": "2s"}


@dataclasses.dataclass
class Case:
    row: int
    name: str
    fault: object  # an Answer, a function of the request, or a kind of address where nobody answers well
    alone: int  # the status without another target
    fault_name: str
    modes: tuple = (False, True)


def refusal(status, *headers):
    return lambda request: replies.error(request.dialect, status, "no", headers=headers)


def in_a_200(request):
    return replies.error(request.dialect, 500, "no").with_(status=200)


def first_event_is_an_error(request):
    body = replies.error(request.dialect, 500, "no").payload()
    event = b"event: error\ndata: " + body + b"\n\n" if request.dialect == "anthropic" else b"data: " + body + b"\n\n"
    return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=[event])


def without_content(request):
    """The head of a stream and its end."""
    return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=[])


def half(request):
    whole = replies.answer(request, replies.Say(text="first"))
    body = whole.payload()
    return whole.with_(pieces=[body[: len(body) // 2]], framing="length")


HTML = b"<html><head><title>502 Bad Gateway</title></head><body>cloud</body></html>"
STREAMS = (True,)
WHOLE = (False,)
CASES = [
    Case(1, "connect refused", "closed port", 502, "upstream_unreachable"),
    Case(2, "SYN dropped", "deaf port", 504, "upstream_timeout"),
    Case(3, "name unknown", "no such host", 502, "upstream_unreachable"),
    Case(4, "TLS of a stranger", "untrusted", 502, "upstream_unreachable"),
    Case(5, "no first byte", changed(wait=3), 504, "upstream_timeout"),
    Case(7, "reset before the head", Answer(before="reset"), 502, "upstream_broken"),
    Case(7, "closed before the head", Answer(before="fin"), 502, "upstream_broken"),
    Case(9, "stream that ends without content", without_content, 502, "upstream_broken", STREAMS),
    Case(10, "truncated JSON", half, 502, "upstream_broken", WHOLE),
    Case(13, "HTML of a CDN", Answer(502, [("Content-Type", "text/html")], [HTML]), 502, "upstream_failed"),
    Case(14, "429 with retry-after", refusal(429, ("Retry-After", "30")), 429, "upstream_limited"),
    Case(15, "429 without", refusal(429), 429, "upstream_limited"),
    Case(16, "529", refusal(529), 529, "upstream_overloaded"),
    Case(17, "500", refusal(500), 500, "upstream_failed"),
    Case(17, "502", refusal(502), 502, "upstream_failed"),
    Case(17, "503", refusal(503), 503, "upstream_overloaded"),
    Case(17, "504", refusal(504), 504, "upstream_timeout"),
    Case(19, "401 for our key", refusal(401), 502, "upstream_denied"),
    Case(19, "403 for our key", refusal(403), 502, "upstream_denied"),
    Case(20, "200 with an error body", in_a_200, 502, "upstream_failed"),
    Case(20, "first event is an error", first_event_is_an_error, 502, "upstream_failed", STREAMS),
    Case(27, "204", Answer(status=204, headers=[], framing="none"), 502, "upstream_broken"),
    Case(27, "302", Answer(302, [("Location", "http://127.0.0.1:1/")]), 502, "upstream_broken"),
]
EVERY = [
    pytest.param(case, stream, id=f"{case.row}-{case.name}-{'stream' if stream else 'whole'}")
    for case in CASES
    for stream in case.modes
]
DIALECTS = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    authority = certs.Authority(tmp_path_factory.mktemp("stranger"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost", ["localhost"]))
    upstream = Upstream(tls=context)
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def deaf():
    """A port whose queue of connections is full: a further SYN gets no answer."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = []
    for _ in range(2):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        held.append(one)
    time.sleep(0.1)
    yield listener.getsockname()[1]
    for one in [*held, listener]:
        one.close()


@pytest.fixture
def upstreams():
    both = [Upstream(), Upstream()]
    yield both
    for one in both:
        assert not one.violations, one.violations
        one.close()


@pytest.fixture
def address(stranger, deaf):
    """Where the fault is met: an upstream that plays it, or no good upstream at all."""

    def of(case, upstream):
        return {
            "closed port": f"http://127.0.0.1:{free_port()}",
            "deaf port": f"http://127.0.0.1:{deaf}",
            "no such host": "http://sluice.invalid:9",
            "untrusted": f"https://localhost:{stranger.port}",
        }.get(case.fault if isinstance(case.fault, str) else None) or upstream.url()

    return of


def play(case, upstream):
    if not isinstance(case.fault, str):
        upstream.answer(case.fault)


@DIALECTS
@pytest.mark.parametrize("case, stream", EVERY)
def test_another_target_cures_it(start, upstreams, address, pair, case, stream):
    first, second = upstreams
    # A whole answer has no clock to its first token: there its total time is what ends the wait.
    clocks = QUICK if stream else QUICK | {"total": "600ms"}
    config = {
        "backends": {
            "first": backend(pair, address(case, first), timeouts=clocks),
            "second": backend(pair, second.url()),
        },
        "failover": {"attempts": 3},
    }
    gateway = start(config)
    play(case, first)
    second.answer(says("second"))
    begin = time.monotonic()
    reply = ask(gateway, pair, stream)
    took = (time.monotonic() - begin) * 1000
    assert reply.status == 200, reply.body
    assert text_of(pair, reply, stream) == "second"
    assert not stream or ended(pair, reply)
    (row,) = told(gateway)
    failed, good = row["attempts"]
    assert failed["backend"] == "first" and failed["fault"] == case.fault_name
    assert good["backend"] == "second" and "fault" not in row
    assert took < 1500
    note(case.row, case.name, "before", pair, stream, "cured by another target", good["started_ms"])


@DIALECTS
@pytest.mark.parametrize("case, stream", EVERY)
def test_without_another_the_caller_hears_it(start, upstreams, address, pair, case, stream):
    first, _ = upstreams
    clocks = QUICK if stream else QUICK | {"total": "600ms"}
    gateway = start(
        {
            "backends": {"first": backend(pair, address(case, first), timeouts=clocks)},
            "failover": {"attempts": 1},
        }
    )
    play(case, first)
    reply = ask(gateway, pair, stream)
    # The vendor's own status goes to its own dialect; what others are told is the fault's.
    assert reply.status == case.alone or (reply.status in (502, 503) and case.alone >= 500), reply.body
    assert reply.header("content-type").startswith("application/json")
    error_of(pair, json.loads(reply.body))
    assert b"sk-" not in reply.body and reply.status != 401
    (row,) = told(gateway)
    assert row["fault"] == case.fault_name and len(row["attempts"]) == 1
    if case.row == 14:
        assert 25 <= int(reply.header("retry-after")) <= 30
    note(case.row, case.name, "before, alone", pair, stream, f"{reply.status} {case.fault_name}", row["total_ms"])


@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_before_the_question_has_left_is_heard(start, upstreams, pair, stream):
    first, second = upstreams
    gateway = start({"backends": {"first": backend(pair, first.url()), "second": backend(pair, second.url())}})
    refused = replies.error({"openai": "openai_chat"}.get(pair.type, pair.type), 413, "too large")
    first.answer(refused.with_(early=True))
    begin = time.monotonic()
    reply = ask(gateway, pair, stream, text="long " * 1_000_000)
    assert reply.status == 413, reply.body
    error_of(pair, json.loads(reply.body))
    assert time.monotonic() - begin < 2 and not second.seen
    (row,) = told(gateway)
    note(21, "413 while the body leaves", "before", pair, stream, f"{reply.status}", row["total_ms"])


@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [400, 404, 422])
def test_the_callers_own_fault_is_told_and_never_repeated(start, upstreams, pair, stream, status):
    first, second = upstreams
    gateway = start({"backends": {"first": backend(pair, first.url()), "second": backend(pair, second.url())}})
    first.answer(refusal(status))
    reply = ask(gateway, pair, stream)
    assert 400 <= reply.status < 500
    error_of(pair, json.loads(reply.body))
    assert len(first.seen) == 1 and not second.seen
    (row,) = told(gateway)
    note(18, str(status), "before", pair, stream, f"{reply.status}, never repeated", row["total_ms"])
