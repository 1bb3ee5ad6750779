"""Where a route says all that it may: clients that leave amid it, and places that are taken. SPDX-License-Identifier: MIT"""

import socket
import time

import pytest

from faults.bench import error_of, told
from harness.gateway import KEYS
from harness.prometheus import read
from harness.together import (
    MODEL,
    STREAM,
    TEXT,
    Asking,
    broken,
    calls,
    crowd,
    fails,
    held,
    one_route,
    places,
    rows,
    slow,
    wait_until,
    whole,
)
from harness.upstream import Gate, Upstream


@pytest.fixture
def route(start):
    yield from one_route(start)


# -- clients that leave


def arrange(route, when, mirror):
    """A question that has come so far: its gateway, upstreams, client, the gates that hold it, others in its way."""
    hedge = "150ms" if when == "in the race" else "never"
    gateway, first, second, shadow = route(hedge=hedge, caps={"first": 1, "second": 1}, mirror=mirror)
    gate, gates, others = Gate(), [], []
    if when == "in line":
        gates, others = crowd(gateway, first, second)
    elif when == "in the race":
        first.answer(slow(20))
        second.answer(held(gate))
    elif when == "amid the text":
        first.answer(lambda request: broken(request, gate=gate))
        second.default = whole
    elif when == "amid the rest":
        first.answer(broken)
        second.answer(held(gate, at=2))
    asking = Asking(gateway)
    if when == "in line":
        wait_until(lambda: calls(gateway, "first")["waiting"] == 1)
    else:
        gates = [gate]
        assert gate.reached.wait(5)
    return gateway, first, second, asking, gates, others


WHEN = pytest.mark.parametrize("when", ["in line", "in the race", "amid the text", "amid the rest"])


@WHEN
def test_when_who_asked_first_leaves_the_others_hear_all_of_it(route, when):
    gateway, first, second, leader, gates, blocked = arrange(route, when, {"backend": "shadow", "model": MODEL})
    others = [Asking(gateway) for _ in range(5)]
    time.sleep(0.3)
    leader.leave()
    time.sleep(0.2)
    for gate in gates:
        gate.open()
    assert {one.text() for one in others} == {TEXT}
    assert all(one.text() == TEXT for one in blocked)
    asked = len(first.seen) + len(second.seen) - len(blocked)
    assert asked == (1 if when == "in line" else 2)
    rows(gateway, 6 + len(blocked), 1 + len(blocked))


@WHEN
def test_when_all_leave_every_call_ends(route, when):
    gateway, first, second, leader, gates, blocked = arrange(route, when, None)
    everybody = [leader, *(Asking(gateway) for _ in range(5))]
    time.sleep(0.3)
    for one in everybody:
        one.leave()
    if when == "in line":
        wait_until(lambda: calls(gateway, "first")["waiting"] == 0)
        for gate in gates:
            gate.open()
        assert all(one.text() == TEXT for one in blocked)
        assert len(first.seen) == len(second.seen) == 1
    else:
        assert (first if when == "amid the text" else second).left.wait(3)
    rows(gateway, 6 + len(blocked), 0)


def test_who_asked_first_may_leave_while_the_next_is_connected_to(route, start):
    """The clock of that connection runs on, though something else has woken whoever waits for it."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    inside = []
    for _ in range(4):  # whoever connects now is not answered
        inside.append(socket.socket())
        inside[-1].setblocking(False)
        inside[-1].connect_ex(full.getsockname())
    first, third, gate = Upstream(), Upstream(), Gate()
    openai = {"type": "openai", "api_key": KEYS["openai"], "models": [MODEL], "timeouts": {"connect": "700ms"}}
    places = {
        "first": first.url("/v1"),
        "second": f"http://127.0.0.1:{full.getsockname()[1]}/v1",
        "third": third.url("/v1"),
    }
    gateway = start(
        {
            "backends": {name: openai | {"base_url": url} for name, url in places.items()},
            "routes": [
                {
                    "model": "smart",
                    "try": [{"backend": name, "model": MODEL} for name in places],
                    "resume": True,
                    "coalesce": True,
                }
            ],
        }
    )
    first.answer(lambda request: broken(request, gate=gate))
    third.default = whole
    leader = Asking(gateway)
    assert gate.reached.wait(5)
    others = [Asking(gateway) for _ in range(3)]
    time.sleep(0.3)
    gate.open()
    time.sleep(0.3)
    leader.leave()
    assert {one.text() for one in others} == {TEXT}
    row = next(row for row in told(gateway, 4) if "attempts" in row)
    assert [a.get("fault") for a in row["attempts"]] == ["upstream_broken", "upstream_timeout", None]
    for one in (*inside, full, first, third):
        one.close()


# -- caps


def test_the_rest_waits_for_its_turn(route):
    gateway, first, second, shadow = route(hedge="never", caps={"second": 1}, coalesce=False, server={"keep_alive": "100ms"})
    busy, gate = Gate(), Gate()
    second.answer(held(busy))
    with gateway.connect() as holds:
        body = {"model": f"second/{MODEL}", "messages": [{"role": "user", "content": "x"}]}
        holds.request("POST", "/v1/chat/completions", body=body)
        assert busy.reached.wait(5)
        first.answer(lambda request: broken(request, gate=gate))
        first.default = fails
        second.default = whole
        asking = Asking(gateway)
        assert gate.reached.wait(5)
        gate.open()
        wait_until(lambda: calls(gateway, "second")["waiting"] == 1)
        time.sleep(0.3)
        busy.open()
        assert holds.read().status == 200
    assert asking.text() == TEXT and b": " in asking.reply.body
    rows(gateway, 2, 1)


def test_who_finds_no_place_for_the_rest_hears_an_error(route):
    server = {"queue": {"longest_wait": "200ms"}}
    gateway, first, second, shadow = route(hedge="never", caps={"second": 1}, coalesce=False, server=server)
    busy = Gate()
    second.answer(held(busy))
    with gateway.connect() as holds:
        body = {"model": f"second/{MODEL}", "messages": [{"role": "user", "content": "x"}]}
        holds.request("POST", "/v1/chat/completions", body=body)
        assert busy.reached.wait(5)
        first.answer(broken)
        first.default = fails
        reply = Asking(gateway).heard()
        assert not reply.complete and "[DONE]" not in reply.events
        error = error_of(type("Pair", (), {"client": "chat"}), reply.events[-1])
        assert "place" not in error["message"], "the client hears of what broke"
        busy.open()
        assert holds.read().status == 200
    rows(gateway, 2, 1)


@STREAM
def test_who_shares_needs_no_place(route, stream):
    gateway, first, second, shadow = route(hedge="never", server={"max_concurrent": 1, "queue": {"size": 0}})
    gate = Gate()
    first.answer(held(gate))
    asking = [Asking(gateway, stream)]
    assert gate.reached.wait(5)
    asking += [Asking(gateway, stream) for _ in range(9)]
    time.sleep(0.2)
    assert Asking(gateway, stream, text="other").heard().status == 503
    gate.open()
    assert {one.text() for one in asking} == {TEXT} and len(first.seen) == 1
    rows(gateway, 11, 1)


@STREAM
def test_who_is_turned_away_is_turned_away_for_all_who_share(route, stream):
    server = {"queue": {"longest_wait": "400ms"}, "keep_alive": "0s"}
    gateway, first, shadow = route(1, hedge="never", caps={"first": 1}, server=server)
    gate = Gate()
    first.answer(held(gate))
    busy = Asking(gateway, stream, text="other")
    assert gate.reached.wait(5)
    asking = [Asking(gateway, stream) for _ in range(5)]
    assert {one.heard().status for one in asking} == {503}
    gate.open()
    assert busy.text() == TEXT and len(first.seen) == 1 and len(shadow.seen) == 1
    rows(gateway, 6, 1)


@STREAM
def test_a_copy_takes_no_place_from_its_original(route, stream):
    """Mirrored to the very account that answers, which has one place."""
    own = {"mirror": {"backend": "first", "model": MODEL}}
    gateway, first, shadow = route(1, hedge="never", caps={"first": 1}, **own)
    first.default = whole
    for n in range(4):
        assert Asking(gateway, stream, text=f"question {n}").text() == TEXT
    page = read(gateway.get("/metrics").text)
    assert page["sluice_mirrors_dropped_total"][()] == 4 and len(first.seen) == 4
    rows(gateway, 4, 0)
