"""A second target is asked besides one that is slow to begin; the first token wins, the other call is cut off.
SPDX-License-Identifier: MIT"""

import time

import pytest

from faults.bench import told
from harness.gateway import KEYS
from harness.replies import Say, answer
from harness.upstream import Answer, Upstream
from test_failover import MODEL, backends_of, refuses


@pytest.fixture
def two(start):
    upstreams = [Upstream(), Upstream()]

    def begin(after="200ms", **failover):
        config = {
            "backends": {
                name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]}
                for name, one in zip(("first", "second"), upstreams)
            },
            "failover": {"hedge": after} | failover,
        }
        return start(config), *upstreams

    yield begin
    for one in upstreams:
        assert not one.violations, one.violations
        one.close()


def slow(seconds, text="slow"):
    return lambda request: answer(request, Say(text=text)).with_(wait=seconds)


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@STREAM
def test_the_quicker_one_wins_and_the_other_is_cut_off(two, stream):
    gateway, first, second = two()
    first.answer(slow(5))
    second.say(text="quick")
    begin = time.monotonic()
    reply = gateway.chat(MODEL, stream=stream)
    assert reply.status == 200 and b"quick" in reply.body
    assert 0.2 <= time.monotonic() - begin < 1.5
    (row,) = told(gateway)
    assert backends_of(row) == ["first", "second"]
    assert row["attempts"][0]["given_up"] and row["attempts"][1]["hedge"]
    assert row["tokens"]["input"] > 0 and "given_up" not in row["attempts"][1]
    assert first.left.wait(3), "the slow call was not cut off"


@STREAM
def test_one_that_begins_in_time_is_the_only_one(two, stream):
    gateway, first, second = two()
    first.answer(slow(0.05, "first"))
    assert b"first" in gateway.chat(MODEL, stream=stream).body
    assert not second.seen


@STREAM
def test_the_first_may_still_win(two, stream):
    gateway, first, second = two()
    first.answer(slow(0.5, "first"))
    second.answer(slow(5, "second"))
    assert b"first" in gateway.chat(MODEL, stream=stream).body
    (row,) = told(gateway)
    assert row["attempts"][1]["given_up"] and row["attempts"][1]["hedge"]
    assert second.left.wait(3)


@STREAM
def test_when_one_fails_the_other_runs_on(two, stream):
    gateway, first, second = two()
    first.answer(refuses(500).with_(wait=0.5))
    second.answer(slow(0.8, "second"))
    assert b"second" in gateway.chat(MODEL, stream=stream).body
    (row,) = told(gateway)
    assert backends_of(row) == ["first", "second"] and row["attempts"][0]["fault"] == "upstream_failed"


def test_a_fault_before_the_second_starts_is_cured_as_ever(two):
    gateway, first, second = two("2s")
    first.answer(refuses(500))
    second.say(text="second")
    begin = time.monotonic()
    assert b"second" in gateway.chat(MODEL).body
    assert time.monotonic() - begin < 1.5


def test_when_both_fail_the_caller_hears_it(two):
    gateway, first, second = two(attempts=1)
    first.answer(refuses(500).with_(wait=0.4))
    second.answer(refuses(503).with_(wait=0.6))
    reply = gateway.chat(MODEL)
    assert reply.status == 503
    assert len(first.seen) == len(second.seen) == 1


def test_the_callers_own_fault_ends_both(two):
    gateway, first, second = two()
    first.answer(refuses(400, {"error": {"message": "bad", "type": "invalid_request_error", "code": None}}).with_(wait=0.5))
    second.answer(slow(5))
    begin = time.monotonic()
    assert gateway.chat(MODEL).status == 400
    assert time.monotonic() - begin < 2 and second.left.wait(3)


def test_a_client_that_leaves_ends_both(two):
    gateway, first, second = two()
    first.answer(slow(20))
    second.answer(slow(20))
    with gateway.connect() as connection:
        connection.request("POST", "/v1/chat/completions", [], {"model": MODEL, "messages": [{"role": "user", "content": "x"}]})
        second.wait_for_request()
    assert first.left.wait(3) and second.left.wait(3)
    (row,) = told(gateway)
    assert row["status"] == 499


def test_a_stream_that_waits_is_kept_company(two, start):
    gateway, first, second = two(**{"attempts": 1})
    gateway.write(
        {
            "server": {"keep_alive": "100ms"},
            "backends": {
                name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]}
                for name, one in (("first", first), ("second", second))
            },
            "failover": {"hedge": "300ms"},
        }
    )
    gateway.reload()
    time.sleep(0.5)
    first.answer(slow(5))
    second.answer(slow(0.5, "second"))
    reply = gateway.chat(MODEL, stream=True)
    assert reply.body.startswith(b": ") and b"second" in reply.body and b"[DONE]" in reply.body


def test_few_requests_ask_twice(two):
    gateway, first, second = two("1ms")
    first.default = lambda request: answer(request, Say(text="first")).with_(wait=0.03)
    second.default = lambda request: answer(request, Say(text="second")).with_(wait=0.5)
    for _ in range(100):
        assert gateway.chat(MODEL).status == 200
    assert 1 <= len(second.seen) <= 7


@pytest.mark.parametrize("breaker", [True, False], ids=["breaker", "none"])
def test_its_own_p95_is_known_after_a_while(two, breaker):
    gateway, first, second = two("p95", breaker={"enabled": breaker})
    for place in range(25):  # two of them are slow, so that no other comes near the 95th
        first.answer(slow(0.3 if place in (3, 7) else 0.01, "first"))
        assert gateway.chat(MODEL, stream=True).status == 200
    assert not second.seen
    time.sleep(0.15)  # it is worked out at most ten times a second
    first.answer(slow(5))
    second.say(text="second")
    begin = time.monotonic()
    assert b"second" in gateway.chat(MODEL, stream=True).body
    assert 0.25 < time.monotonic() - begin < 2
