"""The fields of requests and answers, by each client's conventions and whatever the upstream speaks: ids, limits, when
to try again, versions, and what of the client must not go on. Tables: a new dialect is a row of CLIENTS.
SPDX-License-Identifier: MIT
"""

import datetime
import email.utils
import json
import re
import time

import pytest

from harness.depot import JSON
from harness.gateway import CLIENT_KEY, KEYS, Gateway
from harness.gateway import backends as plain_backends
from harness.mouthpieces import CLIENTS, IDS, PAIRS, UPSTREAMS, ask, configuration, named, says
from harness.shown_ids import SHOWN
from harness.upstream import Answer

MODES = ("whole", "stream", "error")

each_client = pytest.mark.parametrize("client", CLIENTS)
each_pair = pytest.mark.parametrize(("client", "spoken"), PAIRS, ids=[f"{c}-to-{u}" for c, u in PAIRS])
each_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="module")
def shared_gateway(session_upstream, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("headers"), {"backends": configuration(session_upstream)})
    yield gateway
    gateway.stop()


# -- ids


@each_mode
@each_pair
def test_id_of_an_answer(gateway, upstream, client, spoken, mode):
    """One id, under the name that the client's SDK reads; it is the log's. The upstream's stands beside it."""
    upstream.answer(says([(CLIENTS[spoken].id, "req_of_the_upstream")], mode))
    reply = ask(gateway, client, UPSTREAMS[spoken], mode)
    assert reply.status == (429 if mode == "error" else 200), reply.body
    own = named(reply, IDS.__contains__)
    assert list(own) == [CLIENTS[client].id], own
    row = gateway.wait_for_line(lambda r: r["id"] == own[CLIENTS[client].id])
    assert row["dialect"] == client and row["attempts"][0]["upstream_id"] == "req_of_the_upstream"
    assert reply.header("x-sluice-upstream-request-id") == "req_of_the_upstream"


@each_client
def test_id_of_an_answer_of_our_own(gateway, client):
    """Made here: no such model, a body that is none, the demo; where the body tells the id too, it is the same."""
    row = CLIENTS[client]
    broken = row.path.format(model="demo"), b"{", [*row.fields, row.key]
    for reply in (
        ask(gateway, client, "nobody-serves-this"),
        gateway.post(*broken),
        ask(gateway, client, "demo", "stream"),
    ):
        own = named(reply, IDS.__contains__)
        assert list(own) == [row.id]
        assert gateway.wait_for_line(lambda r: r["id"] == own[row.id])["status"] == reply.status  # noqa: B023
        if reply.status >= 400:
            inside = reply.json.get("request_id") or (reply.json.get("id") if client == "cohere" else None)
            assert inside in ((own[row.id],) if client in ("anthropic", "cohere") else (None,))
            assert reply.header("x-sluice-upstream-request-id") is None


@each_mode
@each_pair
def test_id_that_the_sdk_shows(gateway, upstream, client, spoken, mode):
    package, shown = SHOWN[client]
    pytest.importorskip(package, reason=f"SDK: {package} is not installed")
    upstream.answer(says([(CLIENTS[spoken].id, "req_of_the_upstream")], mode))
    before = len(gateway.lines())
    told = shown(gateway.url, UPSTREAMS[spoken], mode)
    row = gateway.wait_for_line(lambda r: r["id"] == told)
    assert row in gateway.lines()[before:] and row["dialect"] == client
    assert row["status"] == (429 if mode == "error" else 200)


# -- limits

SPELLINGS = {"openai": "x-ratelimit-{part}-{of}", "anthropic": "anthropic-ratelimit-{of}-{part}"}
NUMBERS = {("requests", "limit"): "4000", ("requests", "remaining"): "3999", ("requests", "reset"): 61}
NUMBERS |= {("tokens", "limit"): "400000", ("tokens", "remaining"): "1000", ("tokens", "reset"): 2}
ONLY_ITS_OWN = {
    "openai": [("x-ratelimit-limit-images", "5")],
    "anthropic": [("anthropic-ratelimit-input-tokens-remaining", "7"), ("anthropic-ratelimit-unified-status", "ok")],
}


def is_limit(name):
    return "ratelimit" in name


def rfc3339(seconds):
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def go_duration(seconds):
    return f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"


def limits(spelling, numbers=None):
    """The lines of a vendor of that spelling."""
    reset = rfc3339 if spelling == "anthropic" else go_duration
    out = []
    for (of, part), value in (numbers or NUMBERS).items():
        name = SPELLINGS[spelling].format(of=of, part=part)
        out.append((name, reset(value) if part == "reset" else value))
    return out


def seconds_of(spelling, text):
    if spelling == "anthropic":
        return datetime.datetime.fromisoformat(text).timestamp() - time.time()
    found = re.fullmatch(r"(?:(\d+)m)?(?:([\d.]+)s)?|(\d+)ms", text)
    assert found and text, text
    return int(found[1] or 0) * 60 + float(found[2] or 0) + int(found[3] or 0) / 1000


def told_limits(reply, spelling):
    """{(of, part): value} in that spelling, resets as seconds; another spelling, or a name twice, fails."""
    known = {SPELLINGS[spelling].format(of=of, part=part): (of, part) for of, part in NUMBERS}
    told = named(reply, is_limit)
    assert not set(told) - set(known), "nothing that this client knows"
    return {known[n]: seconds_of(spelling, v) if known[n][1] == "reset" else v for n, v in told.items()}


@each_mode
@pytest.mark.parametrize("spelling", SPELLINGS)
@each_client
def test_limits_of_the_upstream(gateway, upstream, client, spelling, mode):
    """As they came in the client's own spelling; else told in it, as far as they mean something there."""
    spoken = "anthropic" if spelling == "anthropic" else "openai_responses"
    fields = limits(spelling) + ONLY_ITS_OWN[spelling]
    upstream.answer(says(fields, mode))
    reply = ask(gateway, client, UPSTREAMS[spoken], mode)
    own = CLIENTS[client].limits
    if own == spelling:
        assert named(reply, is_limit) == dict(fields)
        return
    told = told_limits(reply, own)
    assert set(told) == set(NUMBERS)
    for key, value in NUMBERS.items():
        assert told[key] == value if key[1] != "reset" else abs(told[key] - value) < 2.5, (key, told[key])


@pytest.mark.parametrize(("client", "spelling"), [("anthropic", "openai"), ("openai_chat", "anthropic")])
def test_limits_that_cannot_be_understood_are_left_out(gateway, upstream, client, spelling):
    names = [n for n, _ in limits(spelling)]
    for wrong in ("", "soon", "-1", "1e3", "99999999999999999999"):
        upstream.answer(says([(n, wrong) for n in names]))
        reply = ask(gateway, client, UPSTREAMS["anthropic" if spelling == "anthropic" else "openai_chat"])
        assert reply.status == 200 and named(reply, is_limit) == {}


def test_limits_told_in_both_spellings_stay_the_clients(gateway, upstream):
    """A gateway behind this one may tell both."""
    other = {k: v + 9 if k[1] == "reset" else "1" for k, v in NUMBERS.items()}
    for client, spelling, alien in (("openai_chat", "openai", "anthropic"), ("anthropic", "anthropic", "openai")):
        upstream.answer(says(limits(alien, other) + limits(spelling)))
        assert told_limits(ask(gateway, client, UPSTREAMS["gemini"]), spelling)["tokens", "remaining"] == "1000"


@pytest.fixture
def limited(start, upstream):
    return start({"backends": configuration(upstream), "limits": {"requests_per_minute": 20}})


@each_client
def test_our_own_limit_of_requests_stands_for_the_upstreams(limited, upstream, client):
    own = CLIENTS[client].limits
    for spelling, spoken in (("openai", "openai_chat"), ("anthropic", "anthropic")):
        upstream.answer(says(limits(spelling)))
        told = told_limits(ask(limited, client, UPSTREAMS[spoken]), own)
        assert told["requests", "limit"] == "20" and told["tokens", "limit"] == "400000"


# -- when to try again

WAITS = {
    "seconds": ([("retry-after", "7")], 7),
    "milliseconds": ([("retry-after-ms", "1500")], 1.5),
    "both": ([("retry-after", "2"), ("retry-after-ms", "1500.7")], 1.5),
    "a date": (None, 30),
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", WAITS)
@each_pair
def test_when_to_try_again(gateway, upstream, client, spoken, told, status):
    fields, seconds = WAITS[told]
    if fields is None:
        fields = [("retry-after", email.utils.formatdate(time.time() + seconds, usegmt=True))]
    fields = [*fields, ("x-should-retry", "true")]
    upstream.answer(says(fields, "error", status))
    reply = ask(gateway, client, UPSTREAMS[spoken])
    # Anthropic has a number of its own for what others call 503.
    assert reply.status in ((503, 529) if status == 503 else (429,))
    again = named(reply, lambda name: name in ("retry-after", "retry-after-ms", "x-should-retry"))
    slack = 2 if told == "a date" else 0.01
    assert abs(int(again["retry-after-ms"]) / 1000 - seconds) <= slack
    assert int(again["retry-after"]) >= seconds - slack and int(again["retry-after"]) <= seconds + 1
    assert again["x-should-retry"] == "true"
    if client == "gemini" and spoken != "gemini":  # its own words pass as they came
        info = [d for d in reply.json["error"]["details"] if d["@type"].endswith("google.rpc.RetryInfo")]
        assert abs(float(info[0]["retryDelay"].removesuffix("s")) - seconds) <= slack


@each_client
def test_when_to_try_again_by_the_body(gateway, upstream, client):
    """Google tells it there."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}
    error = {"error": {"code": 429, "message": "it said no", "status": "RESOURCE_EXHAUSTED", "details": [info]}}
    upstream.answer(Answer(status=429, headers=JSON, pieces=[json.dumps(error).encode()]))
    reply = ask(gateway, client, UPSTREAMS["gemini"])
    assert (reply.status, reply.header("retry-after"), reply.header("retry-after-ms")) == (429, "13", "12500")
    if client == "gemini":
        assert info in reply.json["error"]["details"]


# -- the vendors' own fields of an answer

OWN = {
    "openai-organization": "org-of-ours",
    "openai-processing-ms": "12",
    "openai-version": "2020-10-01",
    "anthropic-organization-id": "org_of_ours",
    "x-amzn-bedrock-invocation-latency": "12",
    "x-gemini-service-tier": "standard",
}


@each_mode
@each_pair
def test_fields_of_a_vendor_reach_its_own_clients_only(gateway, upstream, client, spoken, mode):
    upstream.answer(says([*OWN.items(), ("x-unheard-of", "1"), ("set-cookie", "a=b")], mode))
    reply = ask(gateway, client, UPSTREAMS[spoken], mode)
    own = CLIENTS[client].own
    assert named(reply, OWN.__contains__) == {n: v for n, v in OWN.items() if own and n.startswith(own)}
    assert not named(reply, ("x-unheard-of", "set-cookie").__contains__)


def test_fields_of_an_attempt_before_do_not_stay(start, upstream):
    """The first backend answers 503 and tells its limits; nobody is at the second's address."""
    here = {"type": "openai", "base_url": upstream.url("/v1"), "api_key": KEYS["openai"], "models": ["m"]}
    gateway = start({"backends": {"here": here, "nowhere": here | {"base_url": "http://127.0.0.1:9/v1"}}})
    upstream.answer(says([*limits("openai"), ("x-request-id", "req_1"), ("openai-version", "1")], "error", 503))
    reply = ask(gateway, "openai_chat", "m")
    assert reply.status == 502 and reply.header("x-sluice-backend") == "nowhere"
    assert not named(reply, lambda n: is_limit(n) or n in ("x-sluice-upstream-request-id", "openai-version"))


# -- what goes on to the upstream

ALIEN = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "context-1m-2025-08-07",
    "anthropic-workspace-id": "wrkspc_of_the_client",
    "openai-organization": "org-of-the-client",
    "openai-project": "proj_of_the_client",
    "openai-beta": "responses=v1",
    "x-goog-api-client": "google-genai-sdk/2.0.0 gl-python/3.13",
    "x-goog-user-project": "project-of-the-client",
    "x-goog-request-params": "model=m",
    "x-stainless-lang": "python",
    "x-amz-target": "Bedrock.Converse",
    "x-amzn-bedrock-trace": "ENABLED",
    "x-fern-sdk-name": "cohere",
    "x-client-name": "the client",
    "x-request-id": "id-of-the-client",
}
# What of it an upstream is sent, when its own client sent it: whose organisation pays is the gateway's to say.
GOES_ON = {
    "anthropic": ("anthropic-version", "anthropic-beta"),
    "openai_responses": ("openai-beta",),
}


@each_pair
def test_fields_of_a_client_reach_its_own_vendor_only(gateway, upstream, client, spoken):
    upstream.answer(says([]))
    fields = [(n, v) for n, v in ALIEN.items() if n not in dict(CLIENTS[client].fields)]
    reply = ask(gateway, client, UPSTREAMS[spoken], fields=[CLIENTS[client].key, *fields])
    assert list(named(reply, IDS.__contains__)) == [CLIENTS[client].id], "it was taken for another dialect"
    sent = {n.lower(): v for n, v in upstream.last().headers if n.lower() in ALIEN}
    if client == spoken:
        assert sent == {n: ALIEN[n] for n in GOES_ON.get(client, ())}
    elif spoken == "anthropic":
        assert list(sent) == ["anthropic-version"]
    else:
        assert sent == {}


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("version", [None, "2023-06-01", "2026-10-21"])
def test_version_of_anthropic(gateway, upstream, version, mode):
    """Anthropic must be told one, so the oldest stands for none; what a client says is kept."""
    upstream.answer(says([], mode))
    row = CLIENTS["anthropic"]
    given = [("Anthropic-Version", version)] if version else []  # as Go spells it
    body = row.body | {"model": UPSTREAMS["anthropic"], "stream": mode == "stream"}
    reply = gateway.post(row.path, body, [row.key, *given])
    assert reply.status == 200 and upstream.last().header("anthropic-version") == (version or "2023-06-01")
    assert [n.lower() for n, _ in upstream.last().headers].count("anthropic-version") == 1


def test_betas_of_anthropic_keep_their_order_over_several_lines(gateway, upstream):
    lines = [("anthropic-beta", "context-1m-2025-08-07,files-api-2025-04-14"), ("Anthropic-Beta", "effort-2025-11-24")]
    upstream.answer(says([]))
    assert ask(gateway, "anthropic", UPSTREAMS["anthropic"], fields=lines).status == 200
    betas = [v for n, v in upstream.last().headers if n.lower() == "anthropic-beta"]
    assert ",".join(betas).replace(" ", "") == "context-1m-2025-08-07,files-api-2025-04-14,effort-2025-11-24"


@each_pair
def test_a_version_in_the_query_is_azures_alone(gateway, upstream, client, spoken):
    upstream.answer(says([]))
    assert ask(gateway, client, UPSTREAMS[spoken], query="api-version=2024-10-21&beta=true").status == 200
    assert "api-version" not in upstream.last().target and "beta=true" not in upstream.last().target


# -- credentials

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIAOFTHECLIENT00000/20261129/eu-central-1/bedrock/aws4_request, "
SIGNED += "SignedHeaders=host;x-amz-date, Signature=" + "0f" * 32
PLACES = {
    "bearer": ([("Authorization", f"Bearer {CLIENT_KEY}")], ""),
    "bare": ([("Authorization", CLIENT_KEY)], ""),
    "x-api-key": ([("x-api-key", CLIENT_KEY)], ""),
    "api-key": ([("api-key", CLIENT_KEY)], ""),
    "x-goog-api-key": ([("x-goog-api-key", CLIENT_KEY)], ""),
    "proxy": ([("Proxy-Authorization", f"Bearer {CLIENT_KEY}"), ("Cookie", f"key={CLIENT_KEY}")], ""),
    "query": ([], f"key={CLIENT_KEY}"),
    "query of OAuth": ([], f"access_token={CLIENT_KEY}&oauth_token={CLIENT_KEY}"),
    "query of Azure": ([], f"api-key={CLIENT_KEY}&subscription-key={CLIENT_KEY}&api_key={CLIENT_KEY}"),
    "signature": (
        [("Authorization", SIGNED), ("X-Amz-Date", "20261129T143100Z"), ("X-Amz-Security-Token", CLIENT_KEY)]
        + [("X-Amz-Content-Sha256", "0" * 64), ("amz-sdk-invocation-id", CLIENT_KEY)],
        "",
    ),
    "signed address": (
        [],
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={CLIENT_KEY}%2F20261129&X-Amz-Signature=0f0f"
        f"&x-amz-security-token={CLIENT_KEY}&%58-Amz-Expires={CLIENT_KEY}",
    ),
    "many": ([("Authorization", f"Bearer {CLIENT_KEY}"), ("x-api-key", CLIENT_KEY), ("api-key", CLIENT_KEY)], ""),
}
OF_THE_CLIENT = (CLIENT_KEY, "AKIAOFTHECLIENT", "AWS4-HMAC", "20261129", "amz-sdk", "0f0f")


def nothing_of_the_client(seen):
    text = seen.target + "\n" + "\n".join(f"{n}: {v}" for n, v in seen.headers) + "\n" + seen.body.decode("latin-1")
    assert not [word for word in OF_THE_CLIENT if word.lower() in text.lower()], text
    assert not [n for n, _ in seen.headers if n.lower().startswith("x-amz-")], text


@pytest.mark.parametrize("place", PLACES)
@each_pair
def test_a_clients_credentials_stay_here(gateway, upstream, client, spoken, place):
    fields, query = PLACES[place]
    upstream.answer(says([]))
    reply = ask(gateway, client, UPSTREAMS[spoken], "whole", fields, query)
    assert reply.status == 200, reply.body
    nothing_of_the_client(upstream.last())


# -- what passes untouched

CALLS = {
    "/v1/files": ("openai_chat", "GET", None),
    "/v1/embeddings": ("openai_chat", "POST", {"model": "text-embedding-3-small", "input": "x"}),
    "/v1/responses/resp_1": ("openai_responses", "GET", None),
    "/v1/messages/batches": ("anthropic", "GET", None),
    "/v1beta/files": ("gemini", "GET", None),
    "/v2/rerank": ("cohere", "POST", {"model": "rerank-v4", "query": "x", "documents": ["y"]}),
    "/openai/v1/anything": ("openai_chat", "GET", None),
    "/anthropic/v1/anything": ("anthropic", "GET", None),
    "/gemini/v1beta/anything": ("gemini", "GET", None),
    "/cohere/v1/anything": ("cohere", "GET", None),
}
PASSES_ON = {
    "openai_chat": ("openai-beta",),
    "openai_responses": ("openai-beta",),
    "anthropic": ("anthropic-version", "anthropic-beta", "anthropic-workspace-id"),
    "gemini": ("x-goog-api-client", "x-goog-request-params"),
}
each_call = pytest.mark.parametrize("path", CALLS)


def passing(gateway, path, fields=(), query=""):
    _, method, body = CALLS[path]
    with gateway.connect() as connection:
        return connection.ask(method, path + (f"?{query}" if query else ""), list(fields), body)


def everyone(at):
    cohere = {"base_url": at.url(), "api_key": KEYS["cohere"], "models": ["rerank-*", "embed-*"]}
    return plain_backends(at) | {"cohere": cohere}


@pytest.fixture
def passer(start, depot):
    depot.answer = lambda got: (200, JSON, b"{}")
    return start({"backends": everyone(depot)})


@each_call
def test_passing_calls_tell_one_id(passer, depot, path):
    client = CLIENTS[CALLS[path][0]]
    for status in (200, 400, 500):
        depot.answer = lambda got: (status, [*JSON, (client.id, "req_of_the_upstream")], b"{}")  # noqa: B023
        reply = passing(passer, path, client.fields)
        own = named(reply, IDS.__contains__)
        assert list(own) == [client.id] and own[client.id] != "req_of_the_upstream"
        assert reply.header("x-sluice-upstream-request-id") == "req_of_the_upstream"
        row = passer.wait_for_line(lambda r: r["id"] == own[client.id])  # noqa: B023
        assert row["attempts"][0]["upstream_id"] == "req_of_the_upstream"


@each_call
def test_passing_calls_tell_a_vendor_only_what_is_its_own(passer, depot, path):
    spoken = CALLS[path][0]
    shared = spoken != "anthropic" and path == "/v1/files"  # with a version of Anthropic's it would be Anthropic's
    fields = [(n, v) for n, v in ALIEN.items() if not (shared and n == "anthropic-version")]
    assert passing(passer, path, fields).status == 200
    sent = {n.lower(): v for n, v in depot.last().headers if n.lower() in ALIEN}
    everybodys = ("x-stainless-lang", "x-client-name")
    assert sent == {n: ALIEN[n] for n in (*PASSES_ON.get(spoken, ()), *everybodys)}


@pytest.mark.parametrize("place", PLACES)
@each_call
def test_passing_calls_keep_credentials_here(passer, depot, path, place):
    fields, query = PLACES[place]
    kept = "limit=3&after=x%2Fy"
    reply = passing(passer, path, [*CLIENTS[CALLS[path][0]].fields, *fields], f"{query}&{kept}" if query else kept)
    assert reply.status == 200, reply.body
    nothing_of_the_client(depot.last())
    assert depot.last().target.endswith("?" + kept)


def test_passing_calls_tell_our_own_limit_of_requests(start, depot):
    gateway = start({"backends": everyone(depot), "limits": {"requests_per_minute": 100}})
    for path, (client, _, _) in CALLS.items():
        spelling = CLIENTS[client].limits
        depot.answer = lambda got: (200, JSON + limits(spelling), b"{}")  # noqa: B023
        told = told_limits(passing(gateway, path, CLIENTS[client].fields), spelling)
        assert told["requests", "limit"] == "100" and told["tokens", "limit"] == "400000"
