"""What an operator sees: health, models, docs, metrics, the request log, ids, limits, CORS, TLS, who may call.
SPDX-License-Identifier: MIT"""

import json
import ssl
import threading
import time

import pytest

from conftest import DIALECTS, VENDORS
from harness import certs, prometheus, raw, replies
from harness.gateway import CANARY, CLIENT_KEY, backends
from harness.replies import Say
from harness.upstream import Gate

# -- local doors


def test_health(gateway, upstream):
    upstream.answer(replies.error("anthropic", 500, "it burns"))
    gateway.chat("claude-sonnet-4-5")
    body = gateway.get("/health").json
    assert body["status"] and body["version"]
    assert any(isinstance(v, (int, float)) and "uptime" in k for k, v in body.items())
    told = json.dumps(body["backends"])
    for name in ("openai", "claude", "gemini"):
        assert name in told
    assert "sk-" not in told and "AIza" not in told
    claude = body["backends"]["claude"] if isinstance(body["backends"], dict) else next(b for b in body["backends"] if b["name"] == "claude")
    assert any("error" in name and value for name, value in claude.items()), claude


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
    reply = gateway.get("/metrics")
    assert reply.header("content-type").startswith("text/plain")
    samples = prometheus.read(reply.text)
    requests = next(n for n in samples if n.endswith("requests_total"))
    statuses = {}
    for labels, value in samples[requests].items():
        status = dict(labels).get("status") or dict(labels).get("code")
        statuses[status] = statuses.get(status, 0) + value
    assert sum(v for s, v in statuses.items() if s and s.startswith("2")) >= 2
    assert sum(v for s, v in statuses.items() if s and s.startswith("4")) >= 1
    names = " ".join(samples)
    for word in ("first_token", "duration", "token", "open"):
        assert word in names, f"no metric tells of {word}: {sorted(samples)}"
    tokens = next(n for n in samples if "token" in n and ("usage" in n or n.endswith("tokens_total") or n.endswith("_sum")))
    assert samples[tokens]


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
    row = gateway.wait_for_line(lambda r: r["status"] == 200)
    text = json.dumps(row)
    assert reply.header("x-request-id") in text
    assert "claude-sonnet-4-5" in text and '"claude"' in text
    flat = {k: v for k, v in row.items()}
    assert any("ms" in k or "duration" in k for k in flat) and any("us" in k or "own" in k for k in flat), flat
    assert "120" in text or ("100" in text and "20" in text)  # tokens
    assert "seed" in text or any("note" in k for k in flat)


@pytest.mark.parametrize("stream", [False, True])
def test_prompts_answers_and_keys_are_never_logged(start, upstream, vendor, stream):
    """At DEBUG, through success, refusal and breakage; Gateway.stop() looks for the keys."""
    gateway = start({"backends": backends(upstream), "monitoring": {"log_level": "DEBUG"}})
    bearer = [("Authorization", f"Bearer {CLIENT_KEY}"), ("x-api-key", CLIENT_KEY)]
    upstream.say(text=f"the word is {CANARY}")
    assert CANARY in gateway.chat(VENDORS[vendor], CANARY, bearer).text
    upstream.answer(replies.error(DIALECTS[vendor], 401, "bad key sk-canary-openai-upstream"))
    gateway.chat(VENDORS[vendor], CANARY, bearer, stream=stream)

    def cut(request):
        answer = replies.answer(request, Say(text=f"the word is {CANARY}"))
        return answer.with_(pieces=answer.pieces[:2], end="cut")

    upstream.default = cut
    gateway.chat(VENDORS[vendor], CANARY, bearer, stream=stream)
    gateway.post("/v1/chat/completions", f'{{"model": "{CANARY}'.encode(), bearer)
    gateway.post("/v1/chat/completions?key=" + CLIENT_KEY, {"messages": CANARY}, bearer)
    time.sleep(0.2)
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
    assert len([line for line in lines if json.loads(line)["status"] == 404]) == 1 and "\x1b" not in log.read_text()


# -- ids and headers


def test_request_ids(gateway, upstream):
    upstream.say(text="one")
    upstream.say(text="two")
    first = gateway.chat("gpt-4", headers=[("X-Request-Id", "client-id-1")])
    second = gateway.chat("gpt-4", headers=[("X-Request-Id", "client-id-1")])
    ours = [r.header("x-request-id") for r in (first, second)]
    assert all(ours) and ours[0] != ours[1] and "client-id-1" not in ours
    gateway.wait_for_line(lambda r: "client-id-1" in json.dumps(r))


@pytest.mark.parametrize("bad", ["x" * 129, "naïve", "tab\there"])
def test_bad_client_ids_are_left_out(gateway, upstream, bad):
    upstream.say(text="ok")
    reply = gateway.chat("gpt-4", headers=[("X-Request-Id", bad)])
    assert reply.status in (200, 400)
    time.sleep(0.1)
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


# -- limits


def test_requests_per_minute(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"requests_per_minute": 3}})
    for left in (2, 1, 0):
        upstream.say(text="ok")
        reply = gateway.chat("gpt-4")
        assert reply.status == 200
        assert (reply.header("x-ratelimit-limit-requests"), reply.header("x-ratelimit-remaining-requests")) == ("3", str(left))
        assert reply.header("x-ratelimit-reset-requests")
    refused = gateway.chat("gpt-4")
    assert refused.status == 429 and refused.error["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.header("retry-after")) <= 60
    assert len(upstream.seen) == 3
    assert gateway.get("/health").status == 200 and gateway.get("/v1/models").status == 200


def test_limit_of_each_caller(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"per_caller": {"requests_per_minute": 1}}})
    upstream.say(text="ok")
    assert gateway.chat("gpt-4").status == 200
    assert gateway.chat("gpt-4").status == 429


def test_concurrent_requests(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"concurrent_requests": 2}})
    gates = [Gate(), Gate()]

    def held(gate):
        def make(request):
            answer = replies.answer(request, Say(text="held"))
            return answer.with_(pieces=[gate, *answer.pieces])

        return make

    upstream.answer(*map(held, gates))
    got = []
    threads = [threading.Thread(target=lambda: got.append(gateway.chat("gpt-4"))) for _ in gates]
    for thread in threads:
        thread.start()
    assert all(g.reached.wait(5) for g in gates)
    refused = gateway.chat("gpt-4")
    assert refused.status == 429 and refused.header("retry-after")
    for gate in gates:
        gate.open()
    for thread in threads:
        thread.join(5)
    assert [g.status for g in got] == [200, 200]
    upstream.say(text="room again")
    assert gateway.chat("gpt-4").status == 200


def test_a_client_that_left_gives_its_place_back(start, upstream):
    gateway = start({"backends": backends(upstream), "limits": {"concurrent_requests": 1}})
    gate = Gate()
    upstream.answer(lambda r: replies.answer(r, Say(text="x")).with_(pieces=[gate, b"{}"]))
    connection = gateway.connect()
    connection.request("POST", "/v1/chat/completions", (), {"model": "gpt-4", "messages": [{"role": "user", "content": "x"}]})
    assert gate.reached.wait(5)
    connection.close()
    assert upstream.left.wait(1)
    upstream.say(text="free")
    assert gateway.chat("gpt-4").status == 200


# -- browsers


def test_cors(start, upstream):
    origin = "https://app.example"
    gateway = start({"backends": backends(upstream), "auth": "open", "server": {"cors": {"origins": [origin]}}})
    asked = [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type")]
    preflight = gateway.get("/v1/chat/completions", asked, "OPTIONS")
    assert preflight.status in (200, 204) and preflight.header("access-control-allow-origin") == origin
    assert "POST" in preflight.header("access-control-allow-methods")
    assert "authorization" in preflight.header("access-control-allow-headers").lower() or preflight.header("access-control-allow-headers") == "*"
    upstream.say(text="cross")
    reply = gateway.chat("gpt-4", headers=[("Origin", origin)])
    assert reply.status == 200 and reply.header("access-control-allow-origin") == origin
    assert "origin" in (reply.header("vary") or "").lower()
    stranger = gateway.get("/v1/chat/completions", [("Origin", "https://evil.example"), *asked[1:]], "OPTIONS")
    assert stranger.header("access-control-allow-origin") is None


# -- who may call


FOREIGN = [("Host", "gateway.example"), ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("Via", "1.1 proxy"), ("Origin", "https://evil.example")]


@pytest.mark.parametrize("field", FOREIGN, ids=[n for n, _ in FOREIGN])
def test_callers_from_elsewhere_are_refused(gateway, upstream, field):
    reply = gateway.chat("gpt-4", headers=[field, ("Authorization", "Bearer dummy-key")])
    assert reply.status == 401 and "auth: open" in reply.error["message"]
    assert upstream.seen == []


@pytest.mark.parametrize("field", FOREIGN[:4], ids=[n for n, _ in FOREIGN[:4]])
def test_auth_open_serves_them(start, upstream, field):
    gateway = start({"backends": backends(upstream), "auth": "open"})
    upstream.say(text="welcome")
    assert gateway.chat("gpt-4", headers=[field]).status == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80"])
def test_local_names_are_local(gateway, upstream, host):
    upstream.say(text="hello")
    assert gateway.chat("gpt-4", headers=[("Host", host)]).status == 200


# -- TLS on the listener


def test_tls_and_its_reload(start, upstream, tmp_path):
    authority = certs.Authority(tmp_path)
    cert, key = authority.issue("first", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    upstream.say(text="sealed")
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "sealed"

    def serial():
        context = ssl.create_default_context(cafile=str(authority.cert))
        with raw.Connection("127.0.0.1", gateway.port, tls=context) as connection:
            return connection.sock.getpeercert()["serialNumber"]

    before = serial()
    new_cert, new_key = authority.issue("second", ["localhost"])
    cert.write_bytes(new_cert.read_bytes())
    key.write_bytes(new_key.read_bytes())
    gateway.reload()
    end = time.monotonic() + 5
    while serial() == before:
        assert time.monotonic() < end, "the old certificate is still served"
        time.sleep(0.05)


def test_tls_streams(start, upstream, tmp_path, vendor):
    cert, key = certs.Authority(tmp_path).issue("one", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    text = "words " * 20000
    upstream.say(text=text)
    reply = gateway.chat(VENDORS[vendor], stream=True)
    assert reply.events[-1] == "[DONE]"
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in reply.events[:-1] if e["choices"]) == text


def test_plain_http_on_a_tls_port_hurts_nobody(start, upstream, tmp_path):
    cert, key = certs.Authority(tmp_path).issue("one", ["localhost"])
    gateway = start({"backends": backends(upstream), "server": {"tls": {"cert": str(cert), "key": str(key)}}})
    with raw.Connection("127.0.0.1", gateway.port) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            connection.sock.recv(100)
        except ConnectionResetError:
            pass
    assert gateway.get("/health/live").status == 200
