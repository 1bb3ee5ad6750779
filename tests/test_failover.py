"""A fault before the first token is cured inside the same request: by another target, or by the same one a little later;
a target that fails often is left alone for a while. SPDX-License-Identifier: MIT"""

import json
import threading
import time

import pytest

from faults.bench import told
from harness.gateway import KEYS
from harness.replies import Say, answer
from harness.upstream import Answer, Upstream

MODEL = "gpt-4o"
OWN = {"attempts": 3}  # the rules that a gateway has of its own accord


@pytest.fixture
def two(start):
    """two(failover) -> gateway and its two upstreams, both of which serve the model, the first before the second."""
    upstreams = [Upstream(), Upstream()]

    def begin(failover=None, **more):
        config = {
            "backends": {
                name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]} | more
                for name, one in zip(("first", "second"), upstreams)
            },
            "failover": OWN | (failover or {}),
        }
        return start(config), *upstreams

    yield begin
    for one in upstreams:
        assert not one.violations, one.violations
        one.close()


def refuses(status, body=None, *headers):
    body = body or {"error": {"message": "no", "type": "server_error", "code": None}}
    return Answer(
        status=status, headers=[("Content-Type", "application/json"), *headers], pieces=[json.dumps(body).encode()]
    )


def backends_of(row):
    return [one["backend"] for one in row.get("attempts", [])]


FAULTS = {
    "500": refuses(500),
    "503": refuses(503),
    "529": refuses(529),
    "429": refuses(429),
    "401": refuses(401),
    "403": refuses(403),
    "html": Answer(status=502, headers=[("Content-Type", "text/html")], pieces=[b"<html>bad gateway</html>"]),
    "reset": Answer(before="reset"),
    "closed": Answer(before="fin"),
    "no JSON": Answer(pieces=[b'{"id": "x", "choices": [']),
    "error in a 200": Answer(pieces=[b'{"error": {"message": "overloaded", "type": "server_error"}}']),
    "204": Answer(status=204, headers=[], framing="none"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_another_target_cures_a_fault_before_the_first_token(two, fault, stream):
    gateway, first, second = two()
    first.answer(FAULTS[fault])
    second.say(text="second")
    reply = gateway.chat(MODEL, stream=stream)
    assert reply.status == 200 and b"second" in reply.body
    (row,) = told(gateway)
    assert backends_of(row) == ["first", "second"]


@pytest.mark.parametrize("fault", ["500", "503", "529", "reset", "no JSON"])
def test_the_same_target_is_asked_again_when_there_is_no_other(two, fault):
    gateway, first, second = two()
    second.close()
    first.answer(FAULTS[fault])
    first.say(text="after all")
    reply = gateway.chat("first/" + MODEL)
    assert reply.status == 200 and b"after all" in reply.body
    (row,) = told(gateway)
    assert backends_of(row) == ["first", "first"]


def test_the_callers_own_fault_is_never_tried_again(two):
    gateway, first, second = two()
    first.answer(refuses(400, {"error": {"message": "bad", "type": "invalid_request_error", "code": None}}))
    assert gateway.chat(MODEL).status == 400
    assert len(first.seen) == 1 and not second.seen


def test_three_calls_are_the_end(two):
    gateway, first, second = two()
    first.answer(*[FAULTS["503"]] * 3)
    reply = gateway.chat("first/" + MODEL)
    assert reply.status == 503 and len(first.seen) == 3
    assert reply.header("x-should-retry") == "false"


def test_the_vendors_time_is_kept(two):
    gateway, first, _ = two()
    first.answer(refuses(429, None, ("Retry-After-Ms", "400")))
    first.say(text="later")
    assert gateway.chat("first/" + MODEL).status == 200
    assert first.seen[1].at - first.seen[0].at >= 0.4


def test_a_time_too_long_is_told_to_the_caller(two):
    gateway, first, _ = two()
    first.answer(refuses(429, None, ("Retry-After", "60")))
    begin = time.monotonic()
    reply = gateway.chat("first/" + MODEL)
    assert reply.status == 429 and 55 <= int(reply.header("retry-after")) <= 60
    assert reply.header("x-should-retry") is None
    assert time.monotonic() - begin < 2 and len(first.seen) == 1
    # The account rests: nobody calls it, and each caller hears the time that is left.
    again = gateway.chat("first/" + MODEL)
    assert again.status == 429 and int(again.header("retry-after")) <= 60 and len(first.seen) == 1


def test_where_no_vendor_says_when_the_gateway_does_not_either(two):
    gateway, first, _ = two({"attempts": 1})
    first.answer(refuses(429))
    reply = gateway.chat("first/" + MODEL)
    assert reply.status == 429 and reply.header("retry-after") is None


def test_of_two_times_the_shorter_is_told(two):
    gateway, first, second = two({"attempts": 1})
    first.answer(refuses(429, None, ("Retry-After", "20")))
    second.answer(refuses(429, None, ("Retry-After", "50")))
    reply = gateway.chat(MODEL)
    assert reply.status == 429 and 15 <= int(reply.header("retry-after")) <= 20


def test_a_target_that_nobody_listens_at_is_passed_by(two):
    gateway, first, second = two()
    first.close()
    second.default = lambda request: answer(request, Say(text="here"))
    for _ in range(12):
        assert gateway.chat(MODEL).status == 200
    tried = [row for row in told(gateway, 12) if backends_of(row)[0] == "first"]
    assert len(tried) == 3  # then it rests


def test_a_target_that_came_back_is_found_by_one_call(two):
    gateway, first, second = two({"breaker": {"faults": 2, "rest": "1s", "longest_rest": "1s"}})
    first.answer(FAULTS["500"], FAULTS["500"])
    second.default = lambda request: answer(request, Say(text="second"))
    first.default = lambda request: answer(request, Say(text="first"))
    for _ in range(4):
        assert gateway.chat(MODEL).status == 200
    assert len(first.seen) == 2
    (row,) = [row for row in gateway.get("/health").json["backends"] if row["name"] == "first"]
    assert row["resting"][0]["model"] == MODEL and "ready in" in row["resting"][0]["why"]
    assert 'sluice_resting_targets{backend="first"} 1' in gateway.get("/metrics").text
    time.sleep(1.3)  # 20 % of chance in it
    assert b"first" in gateway.chat(MODEL).body


def test_a_refused_key_is_left_alone(two):
    gateway, first, second = two()
    first.answer(FAULTS["401"])
    second.default = lambda request: answer(request, Say(text="second"))
    for _ in range(5):
        assert gateway.chat(MODEL).status == 200
    assert len(first.seen) == 1


def test_when_every_target_rests_the_caller_hears_until_when(two):
    gateway, first, second = two({"breaker": {"faults": 1, "rest": "4s", "longest_rest": "4s"}})
    second.close()
    first.answer(*[FAULTS["500"]] * 3)
    gateway.chat("first/" + MODEL)
    before = len(first.seen)
    reply = gateway.chat("first/" + MODEL)
    assert reply.status == 503 and 1 <= int(reply.header("retry-after")) <= 5
    assert reply.json["error"]["code"] == "targets_resting"
    assert len(first.seen) == before
    assert not backends_of(told(gateway, 2)[-1])


def test_an_outage_is_not_multiplied(two):
    gateway, first, _ = two({"breaker": {"enabled": False}})
    first.default = lambda request: FAULTS["500"]
    asked = 60

    def ask():
        gateway.chat("first/" + MODEL)

    threads = [threading.Thread(target=ask) for _ in range(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked <= len(first.seen) <= asked * 1.2 + 8
