"""The clocks and rules of one request: a route's own, those that the request asks for, what was learnt of the target.
SPDX-License-Identifier: MIT"""

import time

import pytest

from faults.bench import told
from harness.gateway import KEYS
from harness.upstream import Upstream
from test_failover import MODEL, OWN, backends_of, refuses
from test_hedging import slow


@pytest.fixture
def two(start):
    upstreams = [Upstream(), Upstream()]

    def begin(**config):
        backends = {
            name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL, "other"]}
            for name, one in zip(("first", "second"), upstreams)
        }
        return start({"backends": backends, "failover": OWN} | config), *upstreams

    yield begin
    for one in upstreams:
        assert not one.violations, one.violations
        one.close()


def chat(gateway, model=MODEL, stream=False, clocks=None):
    return gateway.chat(model, stream=stream, headers=[("x-sluice-timeouts", clocks)] if clocks else ())


ALONE = [{"backend": "first", "model": MODEL}]
BOTH = [*ALONE, {"backend": "second", "model": MODEL}]


def test_a_route_has_its_own_attempts(two):
    gateway, first, _ = two(
        failover={"attempts": 2, "breaker": {"enabled": False}},
        routes=[{"model": "once", "try": ALONE, "failover": {"attempts": 1}}, {"model": "twice", "try": ALONE}],
    )
    first.default = refuses(500)
    assert chat(gateway, "once").status == 500
    assert len(first.seen) == 1
    assert chat(gateway, "twice").status == 500
    assert len(first.seen) == 3


def test_a_route_hedges_by_itself(two):
    gateway, first, second = two(
        routes=[{"model": "quick", "try": BOTH, "failover": {"hedge": "150ms"}}, {"model": "calm", "try": BOTH}]
    )
    first.default = slow(0.6, "first")
    second.say(text="second")
    for _ in range(20):  # a hedge needs twenty requests
        first.answer(slow(0, "first"))
        chat(gateway, "calm")
    assert b"first" in chat(gateway, "calm").body
    assert b"second" in chat(gateway, "quick").body


@pytest.mark.parametrize("by", ["failover", "route", "request"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_deadline_holds_over_all_calls(two, by, stream):
    rules = {"attempts": 50, "breaker": {"enabled": False}} | ({"deadline": "700ms"} if by == "failover" else {})
    route = {"model": "late", "try": BOTH} | ({"failover": {"deadline": "700ms"}} if by == "route" else {})
    gateway, first, second = two(failover=rules, routes=[route])
    first.default = lambda request: refuses(500).with_(wait=0.15)
    second.default = first.default
    clocks = "total=700ms" if by == "request" else None
    begin = time.monotonic()
    reply = chat(gateway, "late", stream, clocks)
    assert reply.status in (500, 504)
    assert 0.3 < time.monotonic() - begin < 1.2
    assert len(first.seen) >= 1 and len(second.seen) >= 1
    assert not any(name == "x-should-retry" for name, _ in reply.headers), "it was not tried to the end"


def test_a_deadline_cuts_the_call_that_runs(two):
    gateway, first, second = two(failover={"deadline": "400ms"})
    first.default = slow(5)
    begin = time.monotonic()
    assert chat(gateway).status == 504
    assert time.monotonic() - begin < 1.5
    assert not second.seen, "there was no time left for it"
    (row,) = told(gateway)
    assert backends_of(row) == ["first"] and row["attempts"][0]["fault"] == "upstream_timeout"


def test_a_request_shortens_its_clocks(two):
    gateway, first, second = two()
    first.default = slow(5)
    second.say(text="second")
    begin = time.monotonic()
    assert b"second" in chat(gateway, stream=True, clocks="first_token=200ms").body
    assert time.monotonic() - begin < 1.5
    assert not any(name.lower().startswith("x-sluice") for one in (first, second) for name, _ in one.seen[0].headers)


def test_a_request_lengthens_them_within_bounds_only(two):
    config = {"server": {"request_timeouts": {"first_token": "900ms"}}, "routes": [
        {"model": "short", "try": ALONE, "timeouts": {"first_token": "200ms"}, "failover": {"attempts": 1}}]}  # fmt: skip
    gateway, first, _ = two(**config)
    first.default = slow(0.5, "first")
    assert chat(gateway, "short", True).status == 504
    assert b"first" in chat(gateway, "short", True, clocks="first_token=10s").body
    first.default = slow(5)
    begin = time.monotonic()
    assert chat(gateway, "short", True, clocks="first_token=0s").status == 504
    assert 0.8 < time.monotonic() - begin < 2


@pytest.mark.parametrize("field", ["first=1s", "total", "total=soon"])
def test_what_is_no_clock_is_refused(two, field):
    gateway, first, second = two()
    reply = chat(gateway, clocks=field)
    assert reply.status == 400 and b"between_tokens" in reply.body
    assert not first.seen and not second.seen


def test_the_first_tokens_clock_is_learnt(two):
    gateway, first, second = two(
        routes=[{"model": "learns", "try": BOTH, "timeouts": {"first_token": "auto"}, "failover": {"attempts": 1}}]
    )
    assert "until it is learnt" in gateway.get("/admin/api/explain?model=learns&format=text").body.decode()
    first.default = slow(0.01, "first")
    for _ in range(25):
        assert b"first" in chat(gateway, "learns", True).body
    time.sleep(0.15)  # it is worked out at most ten times a second
    assert "learnt: 99 of 100" in gateway.get("/admin/api/explain?model=learns&format=text").body.decode()
    first.default = slow(30)
    second.say(text="second")
    begin = time.monotonic()
    assert b"second" in chat(gateway, "learns", True).body
    assert 0.9 < time.monotonic() - begin < 3  # four times some 10 ms is less than the least, which is a second


def test_explain_tells_the_rules(two):
    gateway, _, _ = two(
        failover={"attempts": 4},
        routes=[{"model": "mine", "try": BOTH, "failover": {"hedge": "2s", "deadline": "1m"}}],
    )
    rules = gateway.get("/admin/api/explain?model=mine").json["failover"]
    assert rules["attempts"] == 4 and rules["deadline_ms"] == 60000 and rules["hedge"] == "2s"
    assert rules["breaker"] == {"enabled": True, "faults": 5, "error_rate": 50, "rest_ms": 1000, "longest_rest_ms": 5000}
    text = gateway.get("/admin/api/explain?model=mine&format=text").body.decode()
    assert "up to 4 calls" in text and "a second target after 2s" in text
    assert gateway.get("/admin/api/explain?model=" + MODEL).json["failover"]["hedge"] == "never"
