"""What keys and their groups may spend: set aside before a call, topped up while a stream runs, settled by what it
used, whoever answered. SPDX-License-Identifier: MIT
"""

import asyncio
import json
import time

import pytest

from harness import replies
from harness.budgets import (
    MODEL,
    MODELS,
    NANO,
    STEP,
    always,
    chat,
    gateway_of_keys,
    held_by,
    month,
    secret,
    settled,
    shows,
    spent_is,
    told,
)
from harness.mouthpieces import CLIENTS, ask
from harness.replies import Say
from harness.upstream import Answer, Gate


@pytest.fixture
def budgeted(start, upstream, tmp_path):
    return gateway_of_keys(start, upstream, tmp_path)


# -- what is charged


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_budget_is_charged_by_what_the_vendor_counted(budgeted, upstream, stream):
    gateway = budgeted({"a": month("1.50")})
    always(upstream, text="ok", input=3000, output=900)
    assert chat(gateway, max_tokens=1000, stream=stream).status == 200
    spent_is(gateway, 3000 * 1_000 + 900 * 10_000)


def test_the_log_warns_once_at_each_share(budgeted, upstream):
    gateway = budgeted({"a": month(1, alert_at=["50%", 80])})
    always(upstream, text="ok", input=1, output=30_000)

    def warned():
        said = [json.loads(line) for line in gateway.said().splitlines() if line.startswith("{")]
        return [row["message"].split(" (")[0] for row in said if "of the budget of" in row.get("message", "")]

    for spent, words in ((1, []), (2, [50]), (3, [50, 80])):
        assert chat(gateway, max_tokens=1000).status == 200
        spent_is(gateway, spent * 300_001_000)
        end = time.monotonic() + 2
        while len(warned()) < len(words) and time.monotonic() < end:
            time.sleep(0.01)
        assert warned() == [f'{percent} % of the budget of "a"' for percent in words]


def test_a_whole_answer_has_its_longest_form_set_aside(budgeted, upstream):
    gateway = budgeted({"a": month(1)})
    gate = Gate()
    upstream.answer(held_by(gate))
    always(upstream, text="ok")
    with gateway.connect() as connection:
        body = {"model": MODEL, "max_tokens": 700, "n": 2, "messages": [{"role": "user", "content": "x"}]}
        connection.request("POST", "/v1/chat/completions", shows(), body)
        assert gate.reached.wait(5)
        assert 1_400 * 10_000 < told(gateway, "a")["set_aside"] < 1_400 * 10_000 + 100 * 1_000
        connection.abort()
    settled(gateway)


def test_all_budgets_on_the_way_are_charged_and_the_tightest_refuses(budgeted, upstream):
    gateway = budgeted(
        {"a": month(1) | {"group": "lab"}, "b": {"group": "lab"}},
        [{"name": "acme", **month("0.10")}, {"name": "lab", "parent": "acme", **month(5)}],
    )
    always(upstream, text="ok", input=10, output=9_000)
    assert chat(gateway, "a", max_tokens=1000).status == 200
    spent_is(gateway, 90_010_000, "a")
    assert settled(gateway, "a", "lab") == settled(gateway, "b", "acme") == 90_010_000
    refused = chat(gateway, "b", max_tokens=1000)
    assert refused.status == 429 and '"acme" ($0.1 a month)' in refused.json["error"]["message"]
    assert settled(gateway, "a") == 90_010_000, "what was refused is charged nowhere"
    assert chat(gateway, "b", max_tokens=900).status == 200, "what still fits is answered"


def test_a_model_dearer_than_planned_has_its_own_price_set_aside(budgeted, upstream):
    routes = [{"model": "smart", "try": [{"backend": "openai", "model": m} for m in ("gpt-4o", "gpt-5.6")]}]
    gateway = budgeted(
        {"a": month("0.02", hard_stop=True)},
        routes=routes,
        prices={"openai/gpt-5.6": "input=1 output=100"},
        failover={"attempts": 2},
    )
    upstream.answer(lambda request: replies.error(request.dialect, 503, "busy"))
    refused = chat(gateway, model="smart", max_tokens=500)
    assert refused.status == 429 and refused.json["error"]["code"] == "insufficient_quota"
    assert len(upstream.seen) == 1, "nobody paid for the second"
    assert settled(gateway) == 0


def test_the_loser_of_a_race_and_a_copy_are_charged(budgeted, upstream):
    routes = [
        {
            "model": "smart",
            "try": [{"backend": "openai", "model": m} for m in ("gpt-4o", "gpt-5.6")],
            "mirror": {"backend": "anthropic", "model": MODELS["anthropic"][1]},
            "failover": {"hedge": "100ms"},
        }
    ]
    gateway = budgeted({"a": month(1)}, routes=routes, failover={"attempts": 3})

    def answer(request):
        model = replies.model_of(request)
        used = {"gpt-4o": (50, 70), "gpt-5.6": (500, 700)}.get(model, (5_000, 900))
        whole = replies.answer(request, Say(text="ok", input=used[0], output=used[1]))
        return whole.with_(wait=3) if model == "gpt-4o" else whole

    upstream.default = answer
    body = {"model": "smart", "max_completion_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}
    assert gateway.post("/v1/chat/completions", body, shows()).status == 200
    question = len(json.dumps(body)) // 4 + 1  # tokens, by a guess: the loser told nobody
    end = time.monotonic() + 5
    wanted = (500 + question + 5_000) * 1_000 + (700 + 900) * 10_000
    while abs((now := settled(gateway)) - wanted) > 10 * 1_000 and time.monotonic() < end:
        time.sleep(0.02)
    assert abs(now - wanted) <= 10 * 1_000, (now, wanted)


def test_tokens_of_an_answer_that_a_filter_stopped_are_charged(budgeted, upstream):
    routes = [{"model": "smart", "on_filter": "next", "try": [{"backend": "openai", "model": m} for m in ("gpt-4o", "gpt-5.6")]}]
    gateway = budgeted({"a": month(1)}, routes=routes)
    upstream.answer(lambda request: replies.answer(request, Say(text="", stop="filter", input=3000, output=0)))
    always(upstream, text="ok", input=100, output=10)
    assert chat(gateway, model="smart", max_completion_tokens=100).status == 200
    spent_is(gateway, 3_100 * 1_000 + 10 * 10_000)


def test_what_was_refused_by_the_vendor_costs_nothing(budgeted, upstream):
    gateway = budgeted({"a": month(1)}, failover={"attempts": 1})
    upstream.answer(lambda request: replies.error(request.dialect, 503, "busy"))
    assert chat(gateway).status == 503
    assert settled(gateway) == 0


@pytest.mark.parametrize("path", ["/v1/embeddings", "/openai/v1/chat/completions"])
def test_what_passes_untouched_is_charged_too(budgeted, upstream, path):
    gateway = budgeted({"a": month(1)})
    usage = {"prompt_tokens": 2000, "total_tokens": 2100, "completion_tokens": 100}
    if path.endswith("embeddings"):
        usage = {"prompt_tokens": 2000, "total_tokens": 2000}
    body = json.dumps({"object": "list", "data": [], "model": MODEL, "usage": usage}).encode()
    upstream.strict = False
    upstream.default = lambda request: Answer(pieces=[body])
    asked = {"model": MODEL, "input": "x"} if path.endswith("embeddings") else {"model": MODEL, "messages": [], "max_tokens": 9}
    assert gateway.post(path, asked, shows()).status == 200
    spent_is(gateway, 2_000 * 1_000 + (0 if path.endswith("embeddings") else 100 * 10_000))


# -- what is refused, and how


@pytest.mark.parametrize("client", [*CLIENTS])
def test_each_dialect_is_told_so_that_nobody_asks_again(budgeted, upstream, client):
    gateway = budgeted({"a": month("0.000001")})
    row = CLIENTS[client]
    fields = [("x-goog-api-key", secret("a"))] if client == "gemini" else shows()
    model = MODELS[client if client in MODELS else "openai_chat"][1]
    refused = ask(gateway, client, model, fields=[*row.fields, *fields])
    assert refused.status == {"anthropic": 402, "cohere": 402, "bedrock_converse": 400}.get(client, 429), refused.text
    assert refused.header("x-should-retry") == "false" and refused.header("retry-after") is None
    for words in ('budget of \\"a\\" ($0.000001 a month)', "A new month begins at 20", "-01T00:00:00Z"):
        assert words in refused.text
    if client == "anthropic":
        assert refused.json["error"]["type"] == "billing_error"
    elif client == "bedrock_converse":
        assert refused.header("x-amzn-errortype") == "ServiceQuotaExceededException"
    elif client == "gemini":
        assert refused.json["error"]["status"] == "RESOURCE_EXHAUSTED"
    elif client != "cohere":
        assert refused.json["error"]["type"] == refused.json["error"]["code"] == "insufficient_quota"
    assert not upstream.seen


def test_sdks_do_not_ask_again(budgeted, upstream):
    import anthropic
    import openai

    gateway = budgeted({"a": month("0.000001")})
    turn = [{"role": "user", "content": "x"}]
    before = len(gateway.lines())
    with pytest.raises(openai.RateLimitError) as told_openai:
        openai.OpenAI(base_url=gateway.url + "/v1", api_key=secret("a")).chat.completions.create(model=MODEL, messages=turn)
    assert told_openai.value.code == "insufficient_quota"
    with pytest.raises(anthropic.APIStatusError) as told_anthropic:
        client = anthropic.Anthropic(base_url=gateway.url, api_key=secret("a"))
        client.messages.create(model=MODELS["anthropic"][1], max_tokens=9, messages=turn)
    assert told_anthropic.value.status_code == 402
    gateway.wait_for_line(lambda row: row.get("dialect") == "anthropic")
    assert len([row for row in gateway.lines()[before:] if row.get("operation") == "chat"]) == 2


def test_what_is_only_set_aside_may_be_asked_again(budgeted, upstream):
    gateway = budgeted({"a": month("0.015")})
    gate = Gate()
    upstream.answer(held_by(gate))
    always(upstream, text="ok", input=1, output=1)
    with gateway.connect() as connection:
        body = {"model": MODEL, "max_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}
        connection.request("POST", "/v1/chat/completions", shows(), body)
        assert gate.reached.wait(5)
        waits = chat(gateway, max_tokens=1000)
        assert waits.status == 429 and waits.json["error"]["code"] == "rate_limit_exceeded"
        assert waits.header("retry-after") == "1" and "set aside" in waits.text
        connection.abort()
    settled(gateway)
    assert chat(gateway, max_tokens=1000).status == 200


def test_who_counts_tokens_or_looks_around_pays_nothing(budgeted, upstream):
    gateway = budgeted({"a": {"budgets": [{"per": "total", "dollars": 0}]}})
    upstream.answer(Answer(pieces=[b'{"input_tokens": 9}']))
    body = {"model": MODELS["anthropic"][1], "messages": [{"role": "user", "content": "x"}]}
    assert gateway.post("/v1/messages/count_tokens", body, [("x-api-key", secret("a"))]).status == 200
    assert gateway.get("/v1/models", shows()).status == 200
    refused = chat(gateway)
    assert refused.status == 429 and "($0 in all)" in refused.text and "administrator" in refused.text


@pytest.mark.parametrize("mode", ["allow", "refuse"])
def test_a_price_that_nobody_knows(budgeted, upstream, mode):
    routes = [{"model": "either", "try": [{"backend": "openai", "model": m} for m in ("free-x", "gpt-4o")]}]
    gateway = budgeted({"a": month(1) | {"unknown_price": mode}}, routes=routes)
    always(upstream, text="ok", input=100, output=100)
    reply = chat(gateway, model="free-x", max_tokens=100)
    either = chat(gateway, model="either", max_tokens=100)
    assert either.status == 200
    seen = gateway.get("/admin/api/explain?model=either&caller=a", shows()).json
    if mode == "allow":
        assert reply.status == 200 and either.header("x-sluice-backend") == "openai"
        assert [s.json["model"] for s in upstream.seen] == ["free-x", "free-x"]
        assert settled(gateway) == 0, "what is not known is not zero, and not counted"
        assert all(target["in"] for target in seen["targets"])
    else:
        assert reply.status == 403 and reply.json["error"]["code"] == "price_unknown"
        assert [s.json["model"] for s in upstream.seen] == ["gpt-4o"]
        spent_is(gateway, 100 * 1_000 + 100 * 10_000)
        assert [target["in"] for target in seen["targets"]] == [True, False]
        assert "nobody knows its price" in seen["targets"][1]["state"]


def test_a_demo_is_free(budgeted):
    gateway = budgeted({"a": {"budgets": [{"per": "day", "dollars": 0}], "unknown_price": "refuse"}})
    assert chat(gateway, model="demo").status == 200


# -- streams


def paced(say, tokens=32, wait=0.02):
    """The stream in pieces that come one after the other, as a model makes them."""

    def make(request):
        whole = replies.answer(request, say)
        pieces = whole.pieces
        groups = [b"".join(pieces[i : i + tokens]) for i in range(0, len(pieces), tokens)]
        return whole.with_(pieces=[(wait, group) for group in groups])

    return make


LONG = "seven c" * 1_000  # a piece of each stream holds one of these: about two tokens


@pytest.mark.parametrize("upstream_of", ["own", "other"])
@pytest.mark.parametrize("client", [*MODELS])
def test_a_hard_stop_ends_a_stream_in_the_words_of_its_dialect(budgeted, upstream, client, upstream_of):
    """A step and a half may be spent: the first step is admitted, the second is not."""
    gateway = budgeted({"a": month("0.004", hard_stop=True)}, prices={"price": "input=0 output=10"})
    upstream.default = paced(Say(text=LONG, input=10, output=2_000))
    names = [*MODELS]
    vendor = client if upstream_of == "own" else names[(names.index(client) + 2) % len(names)]
    row = CLIENTS[client]
    fields = [("x-goog-api-key", secret("a"))] if client == "gemini" else shows()
    reply = ask(gateway, client, MODELS[vendor][1], "stream", fields=[*row.fields, *fields])
    assert reply.status == 200
    assert not reply.complete, "half an answer looks like a whole one"
    text = reply.body.decode("utf-8", "replace")
    assert 'budget of \\"a\\" ($0.004 a month) is spent' in text, text[-600:]
    told_at_once = vendor == "gemini"  # by the script: all tokens of the answer, in each piece
    assert told_at_once or text.count("seven c") > 20
    words = {
        "openai_chat": "insufficient_quota",
        "openai_responses": "insufficient_quota",
        "anthropic": "billing_error",
        "gemini": "RESOURCE_EXHAUSTED",
        "bedrock_converse": "throttlingException",
        "cohere": "message-end",
    }[client]
    assert words in text
    assert "[DONE]" not in text and "message_stop" not in text and "response.completed" not in text
    assert upstream.left.wait(5), "the call was not cut off"
    row = gateway.wait_for_line(lambda line: line.get("operation") == "chat")
    assert row["fault"] == "rate_limited"
    spent = settled(gateway)
    assert 2_560_000 <= spent <= 4_000_000 + (20_000_000 if told_at_once else 2_560_000)


def test_without_a_hard_stop_a_stream_ends_well_and_the_next_request_is_refused(budgeted, upstream):
    gateway = budgeted({"a": month("0.004")})
    upstream.default = paced(Say(text=LONG, input=10, output=2_000))
    reply = chat(gateway, stream=True)
    assert b"[DONE]" in reply.body
    spent_is(gateway, 10 * 1_000 + 2_000 * 10_000)
    assert chat(gateway, max_tokens=1).status == 429


def test_who_leaves_a_stream_pays_for_what_was_made(budgeted, upstream):
    gateway = budgeted({"a": month(1)}, prices={"price": "input=0 output=10"})
    gate = Gate()

    def amid(request):
        whole = replies.answer(request, Say(text=LONG))
        return whole.with_(pieces=[b"".join(whole.pieces[:400]), gate, *whole.pieces[400:]])

    upstream.answer(amid)
    with gateway.connect() as connection:
        body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "x"}]}
        connection.request("POST", "/v1/chat/completions", shows(), body)
        assert gate.reached.wait(5)
        end = time.monotonic() + 5
        while told(gateway, "a")["set_aside"] <= 2_560_000 and time.monotonic() < end:
            time.sleep(0.01)
        connection.abort()
    gateway.wait_for_line(lambda row: row.get("fault") == "client_gone")
    gate.open()
    assert 390 * 10_000 <= settled(gateway) <= 1_000 * 10_000


def test_a_stream_that_is_told_of_is_topped_up_step_by_step(budgeted, upstream):
    gateway = budgeted({"a": month(1)}, prices={"price": "input=0 output=10"})
    gate = Gate()

    def amid(request):
        whole = replies.answer(request, Say(text=LONG, output=900))
        return whole.with_(pieces=[*whole.pieces[:3], gate, *whole.pieces[3:]])

    upstream.answer(amid)
    with gateway.connect() as connection:
        body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "x"}]}
        connection.request("POST", "/v1/chat/completions", shows(), body)
        assert gate.reached.wait(5)
        assert told(gateway, "a")["set_aside"] == STEP * 10_000
        gate.open()
        connection.read()
    spent_is(gateway, 900 * 10_000)


# -- a thousand at once


class Crowd:
    """So many requests at once, each on a connection of its own."""

    def __init__(self, gateway, body, count=1_000):
        self.port, self.count = gateway.port, count
        payload = json.dumps(body).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret('a')}\r\n"
        head += f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(payload)}\r\n\r\n"
        self.request = head.encode() + payload
        self.answers = asyncio.run(self._all())

    async def _one(self, ready):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        got = b""
        await ready.wait()
        try:
            writer.write(self.request)
            await writer.drain()
            while piece := await asyncio.wait_for(reader.read(1 << 16), 60):
                got += piece
        except ConnectionError:
            pass  # so that half an answer does not look like a whole one
        finally:
            writer.close()
        return got

    async def _all(self):
        ready = asyncio.Event()
        tasks = [asyncio.create_task(self._one(ready)) for _ in range(self.count)]
        await asyncio.sleep(1.0)
        ready.set()
        return await asyncio.gather(*tasks)

    def having(self, words):
        return sum(words in answer for answer in self.answers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_thousand_at_once_with_a_cent_left(budgeted, upstream, capsys, stream):
    """Overspent by a step for each stream that was admitted at most; by nothing where answers come whole."""
    cent = NANO // 100
    gateway = budgeted(
        {"a": {"group": "acme"}},
        [{"name": "acme", **month("1.00", hard_stop=True)}],
        prices={"price": "input=0 output=1"},
        server={"workers": 2},
    )
    always(upstream, text="ok", input=10, output=990_000)
    assert chat(gateway).status == 200
    spent_is(gateway, 99 * cent, "a", "acme")
    upstream.default = paced(Say(text=LONG, output=2_000)) if stream else None
    if not stream:
        always(upstream, text="ok", input=10, output=100)
    crowd = Crowd(gateway, {"model": MODEL, "stream": stream, "max_tokens": 4_000 if stream else 100, "messages": [{"role": "user", "content": "x"}]})
    spent = settled(gateway, "a", "acme", 30)
    admitted = len(upstream.seen) - 1
    step = STEP * 1_000
    with capsys.disabled():
        print(
            f"\n{'streams' if stream else 'whole answers'}: 1000 at once with a cent left: {admitted} admitted, "
            f"overspent ${max(spent - NANO, 0) / NANO:.6f} (bound ${admitted * step * stream / NANO:.6f})"
        )
    # An answer that is cut ends in a reset, over which a crowd that is slow to read loses what it has not read yet.
    lost = crowd.answers.count(b"") if stream else 0
    assert crowd.having(b" 200 OK") + lost == admitted > lost
    assert crowd.having(b" 429 ") == 1_000 - admitted
    assert 99 * cent < spent <= NANO + (admitted * step if stream else 0)
    if stream:
        assert crowd.having(b"is spent") > 0
