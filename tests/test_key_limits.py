"""How much keys and their groups may ask for: requests and tokens by rate, requests at once; how that is told, in each
dialect's words. SPDX-License-Identifier: MIT
"""

import concurrent.futures
import threading
import time

import pytest

from harness import replies
from harness.gateway import backends
from harness.replies import Say
from harness.upstream import Gate

MODEL = "gpt-4o"


def secret(name):
    return f"sk-canary-limits-{name}-0123456789"


def shows(name):
    return [("Authorization", f"Bearer {secret(name)}")]


@pytest.fixture
def limited(start, upstream):
    """limited(keys, groups) -> a gateway with these settings of keys (by name) and groups."""
    upstream.keys = {}

    def begin(keys, groups=(), **more):
        listed = [{"name": name, "key": secret(name)} | may for name, may in keys.items()]
        models = {"backends": backends(upstream, models=["*"]), "keys": listed, "groups": list(groups)}
        return start(models | more)

    return begin


def always(upstream, **words):
    upstream.default = lambda request: replies.answer(request, Say(**words))


def ask(gateway, name, **more):
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]} | more
    return gateway.post("/v1/chat/completions", body, shows(name))


def test_every_group_above_a_key_counts_what_all_in_it_ask_for(limited, upstream):
    always(upstream, text="ok")
    groups = [
        {"name": "acme", "limits": {"requests": {"day": 5}}},
        {"name": "lab", "parent": "acme", "limits": {"requests": {"hour": 3}}},
    ]
    gateway = limited({"a": {"group": "lab"}, "b": {"group": "lab"}, "c": {"group": "acme"}}, groups)
    assert [ask(gateway, name).status for name in "abab"] == [200, 200, 200, 429]
    refused = ask(gateway, "a")
    assert refused.json["error"]["code"] == "rate_limit_exceeded"
    assert '3 requests per hour for "lab"' in refused.json["error"]["message"]
    assert 1190 <= int(refused.header("retry-after")) <= 1200
    assert refused.header("x-ratelimit-limit-requests") == "3"
    assert refused.header("x-ratelimit-remaining-requests") == "0"
    # What was refused counted nowhere: the company has two left.
    answered = ask(gateway, "c")
    assert answered.status == 200
    assert answered.header("x-ratelimit-limit-requests") == "5"
    assert answered.header("x-ratelimit-remaining-requests") == "1"
    assert ask(gateway, "c").status == 200 and ask(gateway, "c").status == 429


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_settled_by_what_the_vendor_counted(limited, upstream, stream):
    gateway = limited({"a": {"limits": {"tokens": {"day": 10000}}}})
    always(upstream, text="ok", input=3000, cached=1000, output=900)
    first = ask(gateway, "a", max_tokens=200, stream=stream)
    assert first.status == 200
    assert first.header("x-ratelimit-limit-tokens") == "10000"
    assert 9700 <= int(first.header("x-ratelimit-remaining-tokens")) < 9800, "what it will likely need is set aside"
    time.sleep(0.1)  # it is settled when its answer is over, which the client may hear first
    second = ask(gateway, "a", max_tokens=200, stream=stream)
    assert 9700 - 4900 <= int(second.header("x-ratelimit-remaining-tokens")) < 9800 - 4900, "and then what it took"
    time.sleep(0.1)
    refused = ask(gateway, "a", max_tokens=200)
    assert refused.status == 429 and "10000 tokens per day" in refused.text
    assert refused.header("x-ratelimit-remaining-tokens") == "200"


def left_of_10000(gateway):
    """Of the day's tokens, before this call sets some aside."""
    time.sleep(0.1)  # the one before is settled when its answer is over, which the client may hear first
    answer = ask(gateway, "a", max_tokens=1)
    assert answer.status == 200, answer.text
    return int(answer.header("x-ratelimit-remaining-tokens"))


def test_who_leaves_early_is_not_settled_by_what_the_beginning_tells(limited, upstream):
    """Anthropic counts at the beginning of a stream, and all of it only at the end."""
    gateway = limited({"a": {"limits": {"tokens": {"day": 10000}}}})
    gate = Gate()

    def amid(request):
        whole = replies.answer(request, Say(text="one two three four five", input=20, output=900))
        return whole.with_(pieces=[*whole.pieces[:4], gate, *whole.pieces[4:]])

    upstream.answer(amid)
    always(upstream, text="ok", input=1, output=1)
    body = {"model": "claude-sonnet-4-5", "max_tokens": 700, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with gateway.connect() as connection:
        connection.request("POST", "/v1/messages", [("x-api-key", secret("a"))], body)
        assert gate.reached.wait(5)
        connection.abort()
    gateway.wait_for_line(lambda row: row.get("fault") == "client_gone")
    gate.open()
    assert left_of_10000(gateway) < 10000 - 512, "what an answer usually takes"


def test_tokens_of_an_answer_that_a_filter_stopped_count(limited, upstream):
    routes = [{"model": "smart", "on_filter": "next", "try": [{"backend": "openai", "model": name} for name in ("a1", "b1")]}]
    gateway = limited({"a": {"limits": {"tokens": {"day": 10000}}}}, routes=routes)
    upstream.answer(lambda request: replies.answer(request, Say(text="", stop="filter", input=3000, output=0)))
    always(upstream, text="ok", input=100, output=10)
    assert ask(gateway, "a", model="smart", max_tokens=1).status == 200
    assert 6500 < left_of_10000(gateway) < 6900


def test_a_request_that_never_fits_is_not_asked_to_come_back(limited, upstream):
    always(upstream, text="ok")
    gateway = limited({"a": {"limits": {"tokens": {"minute": 100}}}})
    assert ask(gateway, "a", max_tokens=100000).status == 200, "what an answer may become does not make it too large"
    refused = ask(gateway, "a", messages=[{"role": "user", "content": "word " * 500}])
    assert refused.status == 429 and refused.header("retry-after") is None
    assert refused.header("x-should-retry") == "false"


def test_limits_are_told_in_anthropics_spelling(limited, upstream):
    always(upstream, text="ok")
    gateway = limited({"a": {"limits": {"requests": {"minute": 1}, "tokens": {"minute": 5000}}}})
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    first = gateway.post("/v1/messages", body, [("x-api-key", secret("a"))])
    assert first.header("anthropic-ratelimit-requests-limit") == "1"
    assert first.header("anthropic-ratelimit-tokens-limit") == "5000"
    assert first.header("anthropic-ratelimit-tokens-reset").endswith("Z")
    refused = gateway.post("/v1/messages", body, [("x-api-key", secret("a"))])
    assert refused.status == 429 and refused.json["error"]["type"] == "rate_limit_error"
    assert refused.header("anthropic-ratelimit-requests-remaining") == "0"


def test_what_runs_at_once_is_given_back_however_it_ends(limited, upstream):
    gateway = limited({"a": {"group": "lab"}, "b": {"group": "lab"}}, [{"name": "lab", "limits": {"concurrent": 3}}])
    held, go = threading.Semaphore(0), threading.Event()

    def slow(request):
        held.release()
        go.wait(10)
        return replies.answer(request, Say(text="ok"))

    upstream.default = slow
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, gateway, name) for name in "aba"]
        for _ in running:
            assert held.acquire(timeout=10)
        refused = ask(gateway, "b")
        assert refused.status == 429 and 'at most 3 requests at once for "lab"' in refused.json["error"]["message"]
        assert refused.header("retry-after") == "1"
        go.set()
        assert [one.result().status for one in running] == [200] * 3
    always(upstream, text="ok")
    for _ in range(5):
        assert ask(gateway, "a").status == 200


def test_a_reload_changes_limits_and_forgets_no_count(limited, upstream):
    always(upstream, text="ok")
    gateway = limited({"a": {"limits": {"requests": {"hour": 4}}}})
    assert ask(gateway, "a").status == 200 and ask(gateway, "a").status == 200
    keys = [
        {"name": "a", "key": secret("a"), "limits": {"requests": {"hour": 2}}},
        {"name": "new", "key": secret("new")},
    ]
    gateway.write({"backends": backends(upstream, models=["*"]), "keys": keys})
    gateway.reload()
    end = time.monotonic() + 5
    while not all(ask(gateway, "new").status == 200 for _ in range(8)):
        assert time.monotonic() < end, "the reload did not come through"
    assert ask(gateway, "a").status == 200, "half of what there was is half of what there is"
    assert ask(gateway, "a").status == 429


def test_counting_tokens_uses_none(limited, upstream):
    gateway = limited({"a": {"limits": {"tokens": {"minute": 100}, "requests": {"minute": 2}}}})
    body = {"model": MODEL, "messages": [{"role": "user", "content": "word " * 500}]}
    headers = [("x-api-key", secret("a"))]
    assert gateway.post("/v1/messages/count_tokens", body, headers).status == 200
    assert gateway.post("/v1/messages/count_tokens", body, headers).status == 200
    assert gateway.post("/v1/messages/count_tokens", body, headers).status == 429
