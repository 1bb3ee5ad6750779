"""Vendors tell in the head of every answer what is left of their limits: whom a request goes to follows it.
SPDX-License-Identifier: MIT"""

import collections
import datetime
import re
import time

import pytest

from harness import replies
from harness.mouthpieces import CLIENTS
from harness.replies import Say
from harness.upstream import Answer

MODEL = "gpt-4o"
A, B = "Bearer sk-account-a", "Bearer sk-account-b"


def openai(limit, left, reset):
    """Fields about requests, as OpenAI, Azure and most others have them; None is not told."""
    told = {"limit": limit, "remaining": left, "reset": reset}
    return [(f"x-ratelimit-{part}-requests", str(value)) for part, value in told.items() if value is not None]


def anthropic(of, limit, left, seconds):
    reset = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    told = {"limit": limit, "remaining": left, "reset": reset.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return [(f"anthropic-ratelimit-{of}-{part}", str(value)) for part, value in told.items()]


@pytest.fixture
def quotas(start, upstream):
    """quotas(order) -> a gateway with a route over two accounts; `told` are the fields that each of them tells."""
    told = {A: [], B: []}
    upstream.keys = {}

    def answer(request):
        out = replies.answer(request, Say(text="ok"))
        return out.with_(headers=out.headers + told[request.header("authorization")])

    upstream.default = answer

    def begin(balance=None, **more):
        accounts = [{"key": key.split()[1], "name": key[-1]} for key in told]
        backend = {"base_url": upstream.url("/v1"), "models": [MODEL, "text-embedding-3-small"], "accounts": accounts}
        over = [{"backend": "openai.a", "model": MODEL}, {"backend": "openai.b", "model": MODEL}]
        routes = [{"model": "smart", "try": [{"balance": balance, "over": over}] if balance else over}]
        return start({"backends": {"openai": backend}, "routes": routes} | more)

    begin.told = told
    return begin


def firsts(gateway, count, model="smart", **more):
    got = collections.Counter()
    for _ in range(count):
        reply = gateway.chat(model, **more)
        assert reply.status == 200, reply.body
        got[reply.header("x-sluice-backend")] += 1
    return got


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_balance_by_quota_goes_where_more_is_left(quotas, stream):
    quotas.told[A] = openai(100, 10, "6m0s")
    quotas.told[B] = openai(100, 90, "6m0s")
    gateway = quotas("quota")
    for account in "ab":
        assert gateway.chat(f"openai.{account}/{MODEL}").status == 200
    assert firsts(gateway, 10, stream=stream) == {"openai.b": 10}
    quotas.told[B] = openai(100, 2, "6m0s")  # far less: a call that has just ended may count still
    got = firsts(gateway, 10, stream=stream)
    assert got == {"openai.b": 1, "openai.a": 9}


EMPTY = {  # made when they are told, for resets may be times
    "openai": lambda: openai(100, 0, "6m0s"),
    "only what is left": lambda: openai(None, 0, None),
    "tokens": lambda: [("x-ratelimit-limit-tokens", "9000"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "59.5s")],
    "anthropic": lambda: anthropic("tokens", 9000, 0, 600),
    "anthropic, of output": lambda: anthropic("output-tokens", 9000, 0, 600),
}


@pytest.mark.parametrize("balance", ["weighted", "round_robin", "least_busy", "latency", "quota"])
def test_nobody_goes_first_to_whom_nothing_is_left(quotas, balance):
    gateway = quotas(balance)
    quotas.told[A] = EMPTY["openai"]()
    assert gateway.chat(f"openai.a/{MODEL}").status == 200
    assert firsts(gateway, 8) == {"openai.b": 8}


def test_a_list_is_gone_past_whom_nothing_is_left(quotas, upstream):
    gateway = quotas()
    quotas.told[A] = openai(100, 0, "900ms")
    assert firsts(gateway, 1) == {"openai.a": 1}, "that is how it is learnt"
    assert firsts(gateway, 6) == {"openai.b": 6}
    text = gateway.get("/admin/api/explain?model=smart&format=text").text
    assert re.search(r"2\. openai\.a .* 0 % of its quota left  healthy; others first for 0\.\d s, until there is quota", text), text
    body = b'{"error": {"message": "no", "type": "server_error"}}'
    upstream.answer(Answer(500, [("Content-Type", "application/json")], [body]))
    assert firsts(gateway, 1) == {"openai.a": 1}, "rather than nobody"
    quotas.told[A] = []
    time.sleep(1)
    assert firsts(gateway, 3) == {"openai.a": 3}


@pytest.mark.parametrize("spelling", EMPTY)
def test_each_spelling_of_nothing(quotas, spelling):
    gateway = quotas("weighted")
    quotas.told[A] = EMPTY[spelling]()
    assert gateway.chat(f"openai.a/{MODEL}").status == 200
    assert firsts(gateway, 6) == {"openai.b": 6}
    assert firsts(gateway, 6, model=MODEL) == {"openai.b": 6}, "accounts without a route share likewise"


def test_a_reset_gives_it_all_back(quotas):
    gateway = quotas("weighted")
    quotas.told[A] = openai(100, 0, "700ms")
    assert gateway.chat(f"openai.a/{MODEL}").status == 200
    quotas.told[A] = []
    assert firsts(gateway, 4) == {"openai.b": 4}
    time.sleep(0.8)
    assert set(firsts(gateway, 8)) == {"openai.a", "openai.b"}


def test_when_nothing_is_left_anywhere_it_is_asked_all_the_same(quotas):
    quotas.told[A] = quotas.told[B] = openai(100, 0, "6m0s")
    gateway = quotas("quota")
    firsts(gateway, 6)


def test_a_refusal_tells_too_and_what_passes_untouched(quotas, upstream):
    gateway = quotas("weighted")
    body = b'{"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}'
    upstream.answer(Answer(429, [("Content-Type", "application/json"), *openai(100, 0, "6m0s")], [body]))
    assert gateway.chat(f"openai.a/{MODEL}").status == 429
    assert firsts(gateway, 4) == {"openai.b": 4}
    vectors = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"e","usage":{"prompt_tokens":1,"total_tokens":1}}'
    upstream.strict = False
    upstream.answer(Answer(200, [("Content-Type", "application/json"), *openai(200, 50, "6m0s")], [vectors]))
    assert gateway.post("/v1/embeddings", {"model": "openai.b/text-embedding-3-small", "input": "x"}).status == 200
    (row,) = [row for row in gateway.get("/health").json["backends"] if row["name"] == "openai.b"]
    assert row["quotas"] == [{"model": "text-embedding-3-small", "left": 0.25}]


def test_what_is_left_is_told(quotas):
    gateway = quotas("quota")
    quotas.told[A] = openai(100, 40, "6m0s") + anthropic("tokens", 1000, 900, 60)
    assert gateway.chat(f"openai.a/{MODEL}").status == 200
    rows = {row["name"]: row for row in gateway.get("/health").json["backends"]}
    assert rows["openai.a"]["quotas"] == [{"model": MODEL, "left": 0.4}] and "quotas" not in rows["openai.b"]
    told = gateway.get("/admin/api/explain?model=smart").json["targets"]
    assert {row["backend"]: row.get("quota_left") for row in told} == {"openai.a": 0.4, "openai.b": None}
    text = gateway.get("/admin/api/explain?model=smart&format=text").body.decode()
    assert "40 % of its quota left" in text and "its quota is not known yet" in text
    assert b'sluice_quota_left_ratio{backend="openai.a"} 0.4' in gateway.get("/metrics").body


def test_fields_that_only_the_vendor_knows_stay_its_own(quotas):
    """Anthropic's limits of input and output are learnt, and told to Anthropic's clients alone."""
    gateway = quotas("weighted")
    quotas.told[A] = anthropic("input-tokens", 9000, 90, 60)
    reply = gateway.chat(f"openai.a/{MODEL}")
    assert not [name for name, _ in reply.headers if "ratelimit" in name.lower()]
    row = CLIENTS["anthropic"]
    body = {"model": f"openai.a/{MODEL}", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    reply = gateway.post(row.path.format(model=body["model"]), body, [*row.fields, row.key])
    assert reply.status == 200 and reply.header("anthropic-ratelimit-input-tokens-remaining") == "90"
