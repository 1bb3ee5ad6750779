"""What an operator sees: health, models, docs, metrics, the request log, ids, limits, CORS, TLS, who may call.
SPDX-License-Identifier: MIT"""

import json
import time

import pytest

from harness import prometheus, replies
from harness.gateway import CANARY, CLIENT_KEY, KEYS, backends
from harness.replies import Say
from harness.upstream import Gate
from harness.vendors import DIALECTS, VENDORS

# -- local doors


def test_health(gateway, upstream):
    upstream.answer(replies.error("anthropic", 500, "it burns"))
    gateway.chat("claude-sonnet-4-5")
    body = gateway.get("/health").json
    assert body["status"] in ("ok", "degraded") and body["version"] and body["uptime_seconds"] >= 0
    found = {b["name"]: b for b in body["backends"]}
    assert set(found) == {"openai", "claude", "gemini", "demo"}
    assert found["claude"]["state"] == "failing" and "500" in found["claude"]["last_error"]["message"]
    upstream.say(text="better")
    gateway.chat("claude-sonnet-4-5")
    found = {b["name"]: b for b in gateway.get("/health").json["backends"]}
    assert found["claude"]["state"] == "up" and "last_good" in found["claude"]


def test_health_of_a_backend_without_a_key(start):
    gateway = start({"backends": {"openai": {}}})
    found = {b["name"]: b for b in gateway.get("/health").json["backends"]}
    assert found["openai"]["state"] == "off" and "OPENAI_API_KEY" in found["openai"]["why"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_liveness_and_readiness(gateway, path):
    assert gateway.get(path).status == 200
    head = gateway.get(path, method="HEAD")
    assert head.status == 200 and head.body == b""


def test_models_in_openai_shape(start, upstream):
    at = backends(upstream)
    at["openai"]["models"] = ["gpt-4", "gpt-4o*"]
    gateway = start({"backends": at})
    body = gateway.get("/v1/models").json
    assert body["object"] == "list"
    assert {m["object"] for m in body["data"]} == {"model"}
    ids = [m["id"] for m in body["data"]]
    assert "gpt-4" in ids and "demo" in ids and not any("*" in i for i in ids)
    one = gateway.get("/v1/models/gpt-4")
    assert one.status == 200 and one.json["id"] == "gpt-4"
    assert gateway.get("/v1/models/none").status == 404


def test_docs_are_whole_and_offline(gateway):
    page = gateway.get("/docs")
    assert page.status == 200 and page.header("content-type").startswith("text/html")
    for outside in ("http://", "https://", "//cdn"):
        for attribute in ("src=", "href="):
            assert f'{attribute}"{outside}' not in page.text and f"{attribute}'{outside}" not in page.text
    api = gateway.get("/openapi.json").json
    assert api["openapi"].startswith("3.") and api["info"]["version"]
    assert "post" in api["paths"]["/v1/chat/completions"] and "/health" in api["paths"] and "/v1/models" in api["paths"]


def test_metrics_count_what_happened(start, upstream):
    gateway = start({"backends": backends(upstream)})
    upstream.say(text="counted", input=100, cached=20, output=30)
    gateway.chat("claude-sonnet-4-5")
    upstream.say(text="counted", input=100, output=30)
    gateway.chat("gpt-4", stream=True)
    upstream.answer(replies.error("gemini", 429, "no"))
    gateway.chat("gemini-2.5-flash")
    end = time.monotonic() + 5
    while True:  # an exchange is counted after its client has the answer
        reply = gateway.get("/metrics")
        samples = prometheus.read(reply.text)
        if "sluice_faults_total" in reply.text or time.monotonic() > end:
            break
    assert reply.header("content-type").startswith("text/plain")

    def total(name, **labels):
        return prometheus.total(samples, name, **labels)

    assert total("sluice_requests_total", backend="claude", status_class="2xx", stream="false") == 1
    assert total("sluice_requests_total", backend="openai", status_class="2xx", stream="true") == 1
    assert total("sluice_requests_total", backend="gemini", status_class="4xx") == 1
    assert total("sluice_faults_total", fault="upstream_limited") == 1
    assert total("sluice_upstream_attempts_total", backend="claude", outcome="ok") == 1
    assert total("sluice_tokens_total", backend="claude", type="input") == 100
    assert total("sluice_tokens_total", backend="claude", type="cache_read") == 20
    assert total("sluice_tokens_total", backend="openai", type="output") == 30
    assert total("sluice_time_to_first_token_seconds_count", backend="openai") == 1
    assert total("sluice_request_duration_seconds_count", backend="claude") == 1
    assert total("sluice_own_seconds_count") >= 3
    assert total("gen_ai_client_operation_duration_seconds_count", gen_ai_provider_name="anthropic") == 1
    assert total("sluice_open_streams") == 0 and total("sluice_open_connections") >= 1


def test_open_streams_are_counted_while_they_last(start, upstream):
    gateway = start({"backends": backends(upstream)})

    def held(request):
        answer = replies.answer(request, Say(text="x"))
        return answer.with_(pieces=[*answer.pieces[:3], Gate()])

    upstream.answer(held)

    def counted(number):
        end = time.monotonic() + 5
        while prometheus.total(prometheus.read(gateway.get("/metrics").text), "sluice_open_streams") != number:
            assert time.monotonic() < end, f"never {number} open streams"
            time.sleep(0.02)

    with gateway.connect() as connection:
        body = {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        connection.request("POST", "/v1/chat/completions", (), body)
        connection.read_head()
        counted(1)
    counted(0)


def test_labels_stay_bounded(gateway, upstream):
    """Names that clients make up never become labels."""
    for i in range(50):
        gateway.chat(f"made-up-{i}")
        gateway.get(f"/made/up/{i}")
    assert "made-up-" not in gateway.get("/metrics").text and "/made/up" not in gateway.get("/metrics").text


# -- the request log


def test_log_line(start, upstream):
    gateway = start({"backends": backends(upstream)})
    upstream.say(text="logged", input=100, cached=20, output=30, reasoning=5)
    reply = gateway.chat("claude-sonnet-4-5", f"secret {CANARY}", [("Authorization", f"Bearer {CLIENT_KEY}")], seed=3)
    row = gateway.wait_for_line(lambda r: "model" in r)
    assert row["id"] == reply.header("x-request-id") and row["caller"]
    assert (row["model"], row["served"], row["backend"]) == ("claude-sonnet-4-5", "claude-sonnet-4-5", "claude")
    assert row["door"] == "/v1/chat/completions" and row["dialect"] == "openai_chat"
    assert row["total_ms"] > 0 and 0 < row["own_us"] < row["total_ms"] * 1000 + 1000
    assert row["tokens"] == {
        "input": 100,
        "cache_read": 20,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "output": 30,
        "reasoning": 5,
    }
    assert "/seed" in [n["at"] for n in row["notes"]] and row["finish"]
    upstream.answer(replies.error("openai_chat", 500, "it burns"))
    gateway.chat("gpt-4", stream=True)
    row = gateway.wait_for_line(lambda r: r["status"] >= 500)
    assert row["fault"] == "upstream_failed" and row["attempts"][0]["status"] == 500 and row["level"] == "WARNING"


@pytest.mark.parametrize("stream", [False, True])
def test_prompts_answers_and_keys_are_never_logged(start, upstream, vendor, stream):
    """At DEBUG, through success, refusal and breakage; Gateway.stop() looks for the keys."""
    gateway = start({"backends": backends(upstream), "monitoring": {"log_level": "DEBUG"}})
    bearer = [("Authorization", f"Bearer {CLIENT_KEY}"), ("x-api-key", CLIENT_KEY)]
    upstream.say(text=f"the word is {CANARY}")
    assert CANARY in gateway.chat(VENDORS[vendor], CANARY, bearer).text
    upstream.answer(replies.error(DIALECTS[vendor], 401, f"bad key {KEYS[vendor]}"))
    gateway.chat(VENDORS[vendor], CANARY, bearer, stream=stream)

    def cut(request):
        answer = replies.answer(request, Say(text=f"the word is {CANARY}"))
        return answer.with_(pieces=answer.pieces[:2], end="cut")

    upstream.default = cut
    gateway.chat(VENDORS[vendor], CANARY, bearer, stream=stream)
    gateway.post("/v1/chat/completions", f'{{"model": "{CANARY}'.encode(), bearer)
    gateway.post("/v1/chat/completions?key=" + CLIENT_KEY, {"messages": CANARY}, bearer)
    time.sleep(0.4)
    assert CANARY not in gateway.said() and len(gateway.lines()) >= 4
    for path in ("/metrics", "/health"):
        text = gateway.get(path).text
        assert CANARY not in text and CLIENT_KEY not in text and "canary" not in text


def test_log_goes_to_a_file_and_takes_one_line_each(start, upstream, tmp_path):
    log = tmp_path / "requests.log"
    gateway = start({"backends": backends(upstream), "monitoring": {"log_file": str(log)}})
    gateway.chat('evil"\n{"status": 1}\x1b[31m')
    end = time.monotonic() + 5
    while time.monotonic() < end and not (log.exists() and log.read_text()):
        time.sleep(0.02)
    lines = log.read_text().splitlines()
    assert len([line for line in lines if json.loads(line).get("status") == 404]) == 1 and "\x1b" not in log.read_text()


# -- ids and headers


def test_request_ids(gateway, upstream):
    upstream.say(text="one")
    upstream.say(text="two")
    first = gateway.chat("gpt-4", headers=[("X-Request-Id", "client-id-1")])
    second = gateway.chat("gpt-4", headers=[("X-Request-Id", "client-id-1")])
    ours = [r.header("x-request-id") for r in (first, second)]
    assert all(ours) and ours[0] != ours[1] and "client-id-1" not in ours
    gateway.wait_for_line(lambda r: r.get("client_id") == "client-id-1")


@pytest.mark.parametrize("bad", ["x" * 129, "naïve", "tab\there"])
def test_bad_client_ids_are_left_out(gateway, upstream, bad):
    upstream.say(text="ok")
    reply = gateway.chat("gpt-4", headers=[("X-Request-Id", bad)])
    assert reply.status in (200, 400)
    time.sleep(0.3)
    assert "x" * 129 not in gateway.said() and "na\u00efve" not in gateway.said()
    if reply.status == 400:
        upstream.script.clear()


def test_traceparent_is_passed_on(gateway, upstream, vendor):
    upstream.say(text="traced")
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    gateway.chat(VENDORS[vendor], headers=[("traceparent", trace), ("tracestate", "vendor=value")])
    seen = upstream.last().header("traceparent")
    assert seen.split("-")[1] == trace.split("-")[1]


def test_what_never_reaches_a_vendor(gateway, upstream, vendor):
    """Keys of the client, hop-by-hop fields, cookies, addresses."""
    upstream.say(text="clean")
    hostile = [
        ("Authorization", f"Bearer {CLIENT_KEY}"),
        ("x-api-key", CLIENT_KEY),
        ("x-goog-api-key", CLIENT_KEY),
        ("Cookie", "session=1"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Proxy-Authorization", "Basic eA=="),
        ("X-Stainless-Lang", "python"),
        ("TE", "trailers"),
    ]
    assert gateway.chat(VENDORS[vendor], headers=hostile).status == 200
    names = {n.lower() for n, _ in upstream.last().headers}
    assert not names & {"cookie", "x-hop", "proxy-authorization", "te", "x-forwarded-for", "via"}
    assert CLIENT_KEY not in str(upstream.last().headers)
    assert upstream.last().header("host") == f"127.0.0.1:{upstream.port}"


def test_extra_headers_of_a_backend(start, upstream):
    gateway = start({"backends": backends(upstream, headers={"X-Tenant": "blue"})})
    upstream.say(text="ok")
    gateway.chat("gpt-4")
    assert upstream.last().header("x-tenant") == "blue"


def test_head_and_options(gateway):
    head = gateway.get("/", method="HEAD")
    assert head.status in (200, 204) and head.body == b""
    options = gateway.get("/v1/chat/completions", method="OPTIONS")
    assert options.status in (200, 204) and "POST" in options.header("allow")
