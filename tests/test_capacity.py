"""Caps on calls at once: of an account, of the whole server. Where another target can take a request it goes there, else
it waits its turn in a bounded line, and past that it is sent away in its own dialect. SPDX-License-Identifier: MIT"""

import collections
import concurrent.futures
import threading
import time

import pytest

from harness import replies
from harness.mouthpieces import CLIENTS, ask
from harness.prometheus import read, total
from harness.replies import Say
from harness.upstream import Answer, Gate

MODEL = "gpt-4o"


class Busy:
    """An upstream's work: how many calls it has at once, each for so long."""

    def __init__(self, seconds=0.05):
        self.seconds, self.lock = seconds, threading.Lock()
        self.now, self.most = collections.Counter(), collections.Counter()

    def __call__(self, request):
        key = request.header("authorization")
        with self.lock:
            self.now[key] += 1
            self.most[key] = max(self.most[key], self.now[key])
        time.sleep(self.seconds)
        with self.lock:
            self.now[key] -= 1
        return replies.answer(request, Say(text="ok"))


def backend(upstream, **more):
    return {"base_url": upstream.url("/v1"), "api_key": "sk-a-only-one", "models": [MODEL]} | more


@pytest.fixture(autouse=True)
def own_keys(upstream):
    upstream.keys = {}


def at_once(count, call):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [one.result() for one in [pool.submit(call, i) for i in range(count)]]


def hold(gateway, upstream, stream=False, **more):
    """A call that keeps its place until the gate is opened; the connection and the gate."""
    gate = Gate()
    upstream.answer(lambda request: (lambda a: a.with_(pieces=[gate, *a.pieces]))(replies.answer(request, Say(text="ok"))))
    seen = len(upstream.seen)
    connection = gateway.connect()
    body = {"model": MODEL, "messages": [{"role": "user", "content": "ping"}], "stream": stream} | more
    connection.request("POST", "/v1/chat/completions", body=body)
    upstream.wait_for_request(seen + 1)
    return connection, gate


def calls(gateway, name="openai"):
    health = gateway.get("/health").json
    if name is None:
        return health["calls"]
    (row,) = [row for row in health["backends"] if row["name"] == name]
    return row["calls"]


def chats(gateway):
    return [row for row in gateway.lines() if row.get("operation") == "chat"]


def wait_until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_three_hundred_clients_at_a_cap_of_ten(start, upstream, stream):
    upstream.default = busy = Busy(0.02)
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=10)}, "server": {"workers": 4}})
    got = at_once(300, lambda _: gateway.chat(MODEL, stream=stream))
    assert [reply.status for reply in got] == [200] * 300
    assert 8 <= max(busy.most.values()) <= 10
    wait_until(lambda: len(chats(gateway)) == 300)
    told = chats(gateway)
    assert sum("queue_us" in row for row in told) >= 200
    assert calls(gateway) == {"running": 0, "most": 10, "waiting": 0}
    page = read(gateway.get("/metrics").text)
    assert total(page, "sluice_queue_seconds_count") >= 200
    assert page["sluice_queue_length"] == {(("backend", "openai"), ("scope", "account")): 0}


def test_a_cap_of_the_server_holds_for_everything(start, upstream):
    upstream.default = busy = Busy(0.02)
    gateway = start({"backends": {"openai": backend(upstream)}, "server": {"workers": 4, "max_concurrent": 5}})
    got = at_once(100, lambda i: gateway.chat("demo" if i % 5 == 0 else MODEL, stream=i % 2 == 0))
    assert [reply.status for reply in got] == [200] * 100
    assert max(busy.most.values()) <= 5
    wait_until(lambda: calls(gateway, None) == {"running": 0, "most": 5, "waiting": 0})


def test_what_passes_untouched_waits_too(start, upstream):
    upstream.strict = False
    vectors = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"e","usage":{"prompt_tokens":1,"total_tokens":1}}'
    busy = Busy(0.02)
    upstream.default = lambda request: (busy(request), Answer(pieces=[vectors]))[1]
    more = {"models": ["text-embedding-3-small"], "max_concurrent": 3}
    gateway = start({"backends": {"openai": backend(upstream, **more)}, "server": {"workers": 4}})
    path, body = "/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}
    assert [reply.status for reply in at_once(60, lambda _: gateway.post(path, body))] == [200] * 60
    assert 2 <= max(busy.most.values()) <= 3


def test_who_is_at_its_cap_is_passed_by(start, upstream):
    accounts = [{"key": "sk-account-a", "name": "a", "max_concurrent": 1}, {"key": "sk-account-b", "name": "b"}]
    more = {"accounts": accounts, "max_concurrent": 20}
    config = backend(upstream, **more)
    del config["api_key"]
    gateway = start({"backends": {"openai": config}, "routes": [{"model": "first", "try": [{"backend": f"openai.{n}", "model": MODEL} for n in "ab"]}]})
    connection, gate = hold(gateway, upstream, model="openai.a/" + MODEL)
    assert calls(gateway, "openai.a") == {"running": 1, "most": 1, "waiting": 0}
    for model in ("first", MODEL, "openai/" + MODEL):
        for _ in range(4):
            reply = gateway.chat(model)
            assert (reply.status, reply.header("x-sluice-backend")) == (200, "openai.b")
    assert "at its cap of 1 calls" in gateway.get("/admin/api/explain?format=text&model=" + MODEL).text
    gate.open()
    assert connection.read().status == 200
    connection.close()
    assert gateway.chat("first").header("x-sluice-backend") == "openai.a"


def test_a_stream_counts_for_as_long_as_it_runs(start, upstream):
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": {"queue": {"size": 0}}})
    gate = Gate()

    def half(request):
        answer = replies.answer(request, Say(text="one two three"))
        return answer.with_(pieces=[answer.pieces[0], gate, *answer.pieces[1:]])

    upstream.answer(half)
    with gateway.connect() as connection:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
        connection.request("POST", "/v1/chat/completions", body=body)
        upstream.wait_for_request()
        assert gate.reached.wait(5)
        assert gateway.chat(MODEL).status == 503
        gate.open()
        assert connection.read().status == 200
    wait_until(lambda: calls(gateway)["running"] == 0)
    assert gateway.chat(MODEL).status == 200


def test_callers_take_turns(start, upstream):
    upstream.default = Busy(0.03)
    keys = [{"name": name, "key": f"sk-of-caller-{name}-long-enough"} for name in ("greedy", "modest")]
    config = {"backends": {"openai": backend(upstream, max_concurrent=2)}, "keys": keys, "server": {"workers": 4}}
    gateway = start(config)
    bearer = {one["name"]: [("Authorization", "Bearer " + one["key"])] for one in keys}
    health = lambda: [row for row in gateway.get("/health").json["backends"] if row["name"] == "openai"][0]["calls"]  # noqa: E731
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        greedy = [pool.submit(gateway.chat, MODEL, headers=bearer["greedy"]) for _ in range(60)]
        wait_until(lambda: health()["waiting"] >= 40)
        began = time.monotonic()
        modest = [pool.submit(gateway.chat, MODEL, headers=bearer["modest"]) for _ in range(3)]
        assert [one.result().status for one in modest] == [200] * 3
        took = time.monotonic() - began
        left = sum(not one.done() for one in greedy)
        assert [one.result().status for one in greedy] == [200] * 60
    assert left >= 20, f"the modest caller waited {took} s behind the greedy one"


SENT_AWAY = {
    "openai_chat": lambda body: body["error"]["type"] and body["error"]["message"],
    "openai_responses": lambda body: body["error"]["message"],
    "anthropic": lambda body: body["error"]["type"] == "overloaded_error" and body["error"]["message"],
    "gemini": lambda body: body["error"]["status"] == "UNAVAILABLE" and body["error"]["message"],
}


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("scope", ["account", "server"])
@pytest.mark.parametrize("client", SENT_AWAY)
def test_past_the_line_it_is_sent_away_in_its_own_words(start, upstream, client, scope, mode):
    cap = {"max_concurrent": 1}
    server = {"queue": {"size": 0}} | (cap if scope == "server" else {})
    gateway = start({"backends": {"openai": backend(upstream, **(cap if scope == "account" else {}))}, "server": server})
    connection, gate = hold(gateway, upstream)
    reply = ask(gateway, client, MODEL, mode)
    assert reply.status == 503 and int(reply.header("retry-after")) >= 1
    assert "try again" in SENT_AWAY[client](reply.json)
    row = gateway.wait_for_line(lambda row: row["status"] == 503)
    assert row["fault"] == "overloaded" and "attempts" not in row and row["dialect"] == client
    assert total(read(gateway.get("/metrics").text), "sluice_faults_total", fault="overloaded") == 1
    assert len(upstream.seen) == 1
    gate.open()
    assert connection.read().status == 200
    connection.close()
    wait_until(lambda: gateway.chat(MODEL).status == 200)


def test_the_longest_wait_and_the_clock_of_the_call(start, upstream):
    for patience in ({"server": {"queue": {"longest_wait": "300ms"}}}, {"timeouts": {"total": "300ms"}}):
        server = patience.get("server", {})
        own = {key: value for key, value in patience.items() if key != "server"}
        gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1, **own)}, "server": server})
        connection, gate = hold(gateway, upstream)
        began = time.monotonic()
        reply = gateway.chat(MODEL)
        if not own:
            assert reply.status == 503 and 0.25 <= time.monotonic() - began < 2
            row = gateway.wait_for_line(lambda row: row["status"] == 503)
            assert row["queue_us"] >= 250_000 and "too late" in row["detail"]
        else:
            assert reply.status in (503, 200), "the call that held the place has run out of time as well"
        gate.open()
        connection.close()


@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_client_that_leaves_leaves_the_line(start, upstream, how):
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": {"workers": 4}})
    connection, gate = hold(gateway, upstream)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
    waiting = [gateway.connect() for _ in range(10)]
    for one in waiting:
        one.request("POST", "/v1/chat/completions", body=body)
    wait_until(lambda: calls(gateway)["waiting"] == 10)
    for one in waiting[:9]:
        getattr(one, how)()
    wait_until(lambda: calls(gateway)["waiting"] == 1)
    gate.open()
    assert connection.read().status == 200 and waiting[9].read().status == 200
    assert len(upstream.seen) == 2
    assert calls(gateway) == {"running": 0, "most": 1, "waiting": 0}
    wait_until(lambda: sum(row["status"] == 499 for row in chats(gateway)) == 9)
    connection.close(), waiting[9].close()


def test_many_come_and_go_and_no_place_is_lost(start, upstream):
    """Clients that leave at any moment, in line and under way."""
    upstream.default = Busy(0.01)
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=3)}, "server": {"workers": 4}})
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}

    def come_and_go(number):
        for i in range(12):
            with gateway.connect() as connection:
                connection.request("POST", "/v1/chat/completions", body=body)
                if (number + i) % 3:
                    time.sleep((number * 7 + i * 3) % 23 / 1000)
                    connection.abort()
                else:
                    assert connection.read().status == 200

    at_once(24, come_and_go)
    wait_until(lambda: calls(gateway) == {"running": 0, "most": 3, "waiting": 0})


def test_a_reload_changes_the_cap_for_those_that_wait(start, upstream):
    config = {"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": {"workers": 4}}
    gateway = start(config)
    connection, gate = hold(gateway, upstream)
    upstream.default = Answer(before="stall")
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
    waiting = [gateway.connect() for _ in range(4)]
    for one in waiting:
        one.request("POST", "/v1/chat/completions", body=body)
    wait_until(lambda: calls(gateway)["waiting"] == 4)
    config["backends"]["openai"]["max_concurrent"] = 3
    gateway.write(config)
    gateway.reload()
    wait_until(lambda: calls(gateway) == {"running": 3, "most": 3, "waiting": 2})
    del config["backends"]["openai"]["max_concurrent"]
    gateway.write(config)
    gateway.reload()
    upstream.wait_for_request(5)
    for one in [connection, *waiting]:
        one.abort()
    gate.open()


def test_a_stream_that_waits_is_kept_company_and_told_of_the_end_in_its_own_words(start, upstream):
    server = {"keep_alive": "100ms", "queue": {"longest_wait": "600ms"}}
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": server})
    connection, gate = hold(gateway, upstream)
    reply = gateway.chat(MODEL, stream=True)
    assert reply.status == 200 and reply.text.count(": ") >= 3 and "try again" in str(reply.events[-1])
    assert gateway.wait_for_line(lambda row: row.get("fault") == "overloaded")
    gate.open()
    connection.close()
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": {"keep_alive": "100ms"}})
    with gateway.connect() as waits:
        other, gate = hold(gateway, upstream)
        body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
        waits.request("POST", "/v1/chat/completions", body=body)
        time.sleep(0.35)
        gate.open()
        reply = waits.read()
        assert reply.text.count(": keep") >= 2 and reply.events[-1] == "[DONE]"
    other.close()


def test_drain_lets_those_in_line_have_their_turn(start, upstream):
    gateway = start({"backends": {"openai": backend(upstream, max_concurrent=1)}, "server": {"workers": 4}})
    connection, gate = hold(gateway, upstream)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = [pool.submit(gateway.chat, MODEL) for _ in range(8)]
        wait_until(lambda: calls(gateway)["waiting"] == 8)
        gateway.process.terminate()
        gateway.wait_for_words("stopping")
        gate.open()
        assert [one.result().status for one in got] == [200] * 8
    assert connection.read().status == 200
