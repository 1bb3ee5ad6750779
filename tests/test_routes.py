"""Routes on the wire: accounts by weight, which route takes a request, what arrives at its target, and `explain` beside
what really happens. SPDX-License-Identifier: MIT"""

import collections
import json

import pytest

from harness import replies
from harness.gateway import KEYS, backends, command
from harness.replies import Say
from harness.upstream import Answer

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(autouse=True)
def answering(upstream):
    upstream.keys = {}  # each account has its own
    upstream.default = lambda request: replies.answer(request, Say(text="ok"))


def served_by(reply):
    assert reply.status == 200, reply.body
    return reply.header("x-sluice-backend")


def shares(gateway, count, model, **more):
    return collections.Counter(served_by(gateway.chat(model, **more)) for _ in range(count))


def explain(gateway, query):
    reply = gateway.get("/admin/api/explain?" + query)
    assert reply.status == 200, reply.body
    return reply.json


def accounts(upstream, *weights):
    names = "abc"
    return {
        "base_url": upstream.url("/v1"),
        "models": ["gpt-4o"],
        "accounts": [{"key": f"sk-account-{names[i]}", "name": names[i], "weight": w} for i, w in enumerate(weights)],
    }


def test_accounts_share_by_weight(start, upstream):
    gateway = start({"backends": {"openai": accounts(upstream, 3, 1)}, "server": {"workers": 1}})
    got = shares(gateway, 40, "gpt-4o")
    assert 28 <= got["openai.a"] <= 32 and got["openai.a"] + got["openai.b"] == 40
    keys = collections.Counter(request.header("authorization") for request in upstream.seen)
    assert keys == {"Bearer sk-account-a": got["openai.a"], "Bearer sk-account-b": got["openai.b"]}
    assert shares(gateway, 3, "openai.b/gpt-4o") == {"openai.b": 3}
    assert set(shares(gateway, 12, "openai/gpt-4o")) == {"openai.a", "openai.b"}
    assert {"openai.a", "openai.b"} <= {row["name"] for row in gateway.get("/health").json["backends"]}
    assert [row["id"] for row in gateway.get("/v1/models").json["data"]] == ["gpt-4o", "demo"]


def test_another_account_steps_in(start, upstream):
    gateway = start({"backends": {"openai": accounts(upstream, 1, 1)}})

    def only_b(request):
        if "account-a" in request.header("authorization"):
            return Answer(503, pieces=[b'{"error": {"message": "busy", "type": "server_error"}}'])
        return replies.answer(request, Say(text="ok"))

    upstream.default = only_b
    assert shares(gateway, 4, "gpt-4o") == {"openai.b": 4}


def test_accounts_of_an_upload_share_too(start, upstream):
    """What is no conversation goes by the same plan."""
    gateway = start({"backends": {"openai": accounts(upstream, 1, 1) | {"models": ["*"]}}})
    upstream.strict = False
    upstream.default = Answer(
        headers=[("Content-Type", "application/json")],
        pieces=[b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"e","usage":{"prompt_tokens":1,"total_tokens":1}}'],
    )
    for _ in range(8):
        assert gateway.post("/v1/embeddings", {"model": "text-embedding-3-small", "input": "hi"}).status == 200
    assert len({request.header("authorization") for request in upstream.seen}) == 2


CASES = {
    "tools": {"tools": [TOOL]},
    "stream": {"stream": True},
    "vision": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}]},
    "tokens": {"text": "many words " * 400},
    "header": {"headers": [("X-Tier", "gold-1")]},
    "rest": {},
}


@pytest.fixture
def matching(start, upstream):
    names = ["dialect", *CASES]
    own = {name: {"type": "openai", "base_url": upstream.url("/v1"), "models": ["gpt-4o"]} for name in names}
    when = {
        "dialect": {"dialect": "anthropic"},
        "tools": {"tools": True},
        "stream": {"stream": True, "caller": "loc*"},
        "vision": {"vision": True},
        "tokens": {"tokens_over": 500},
        "header": {"header": {"x-tier": "gold*"}},
        "rest": {},
    }
    routes = [
        {"model": "smart", "try": [{"backend": name, "model": "gpt-4o"}]} | ({"when": when[name]} if when[name] else {})
        for name in names
    ]
    return start({"backends": own, "routes": routes})


@pytest.mark.parametrize("name", CASES)
def test_the_first_route_that_fits_takes_it(matching, name):
    assert served_by(matching.chat("smart", **CASES[name])) == name


def test_a_route_for_a_dialect(matching):
    body = {"model": "smart", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    reply = matching.post("/v1/messages", body, [("anthropic-version", "2023-06-01")])
    assert served_by(reply) == "dialect"


@pytest.mark.parametrize(
    "query,name",
    [
        ("dialect=anthropic", "dialect"),
        ("tools=true", "tools"),
        ("stream", "stream"),
        ("stream=true&caller=other", "rest"),
        ("vision=true", "vision"),
        ("tokens=501", "tokens"),
        ("tokens=500", "rest"),
        ("header=X-Tier%3Dgolden", "header"),
        ("", "rest"),
    ],
)
def test_explain_asks_the_same_routes(matching, query, name):
    told = explain(matching, "model=smart&" + query)
    assert [t["backend"] for t in told["targets"]] == [name] and told["route"]["model"] == "smart"


def test_a_route_is_an_alias_that_is_listed(matching, upstream):
    assert "smart" in [row["id"] for row in matching.get("/v1/models").json["data"]]
    assert matching.get("/v1/models/smart").json["id"] == "smart"
    matching.chat("smart")
    assert upstream.last().json["model"] == "gpt-4o"


@pytest.mark.parametrize("stream", [False, True])
def test_edits_arrive(start, upstream, stream):
    upstream.strict = False
    target = {
        "backend": "openai",
        "model": "gpt-4o",
        "set": {"temperature": 0.25, "/metadata/tier": "gold", "user": "team"},
        "drop": ["logit_bias"],
        "rename": {"max_tokens": "max_completion_tokens"},
    }
    other = {"backend": "claude", "model": "claude-sonnet-4-5", "set": {"top_k": 7}, "drop": ["temperature"]}
    routes = [
        {"model": "edited", "try": [target]},
        {"model": "retold", "try": [other]},
        {"model": "embedded", "try": [{"backend": "openai", "model": "text-embedding-3-small", "set": {"dimensions": 8}}]},
    ]
    gateway = start({"backends": backends(upstream), "routes": routes})
    more = {"max_tokens": 9, "logit_bias": {"1": 2}, "temperature": 1, "metadata": {"a": "b"}, "stream": stream}
    assert gateway.chat("edited", **more).status == 200
    sent = upstream.last().json
    assert sent["model"] == "gpt-4o" and sent["temperature"] == 0.25 and sent["user"] == "team"
    assert sent["metadata"] == {"a": "b", "tier": "gold"} and sent["max_completion_tokens"] == 9
    assert "logit_bias" not in sent and "max_tokens" not in sent
    assert gateway.chat("retold", **more).status == 200
    sent = upstream.last().json
    assert sent["top_k"] == 7 and "temperature" not in sent and sent["max_tokens"] == 9
    upstream.default = Answer(headers=[("Content-Type", "application/json")], pieces=[b'{"object":"list","data":[]}'])
    gateway.post("/v1/embeddings", {"model": "embedded", "input": "hi"})
    assert upstream.last().json == {"model": "text-embedding-3-small", "input": "hi", "dimensions": 8}


def test_a_targets_clocks_count(start, upstream):
    slow = {"backend": "openai", "model": "gpt-4o", "timeouts": {"total": "300ms"}}
    fallback = {"backend": "claude", "model": "claude-sonnet-4-5"}
    gateway = start({"backends": backends(upstream), "routes": [{"model": "smart", "try": [slow, fallback]}]})

    def dawdle(request):
        answer = replies.answer(request, Say(text="ok"))
        return answer.with_(pieces=[(2.0, answer.payload())]) if "/chat/" in request.target else answer

    upstream.default = dawdle
    assert served_by(gateway.chat("smart")) == "claude"


def tree(upstream):
    each = {name: {"type": "openai", "base_url": upstream.url("/v1"), "models": ["gpt-4o"]} for name in "uvw"}
    over = [{"backend": "u", "model": "gpt-4o"}, {"backend": "v", "model": "gpt-4o"}]
    return {
        "server": {"workers": 1},
        "backends": each | {"openai": accounts(upstream, 3, 1)},
        "routes": [
            {"model": "turns", "try": [{"balance": "round_robin", "over": over}, {"backend": "w", "model": "gpt-4o"}]},
            {"model": "ab", "try": [{"balance": "split", "over": over}]},
            {"model": "kept", "try": [{"balance": "weighted", "affinity": "prompt", "over": over}]},
            {"model": "weighed", "try": [{"backend": "openai", "model": "gpt-4o"}]},
        ],
    }


@pytest.mark.parametrize("model", ["turns", "ab", "weighed"])
def test_explain_tells_who_is_tried(start, upstream, model):
    """Before each call; asking takes nobody's turn."""
    gateway = start(tree(upstream))
    for _ in range(8):
        told = [(t["backend"], t["model"]) for t in explain(gateway, "model=" + model)["targets"]]
        assert explain(gateway, "model=" + model)["targets"][0]["backend"] == told[0][0]
        assert served_by(gateway.chat(model)) == told[0][0]


def test_explain_tells_the_whole_order(start, upstream):
    gateway = start(tree(upstream))
    upstream.default = Answer(500, headers=[("Content-Type", "application/json")], pieces=[b'{"error":{"message":"no"}}'])
    told = [t["backend"] for t in explain(gateway, "model=turns")["targets"]]
    gateway.chat("turns")
    row = gateway.wait_for_line(lambda row: row.get("model") == "turns")
    tried = list(dict.fromkeys(a["backend"] for a in row["attempts"]))
    assert tried == told and len(told) == 3


def test_a_conversation_stays_where_it_was(start, upstream):
    gateway = start(tree(upstream))
    first = set()
    for topic in range(12):
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": f"topic {topic}"}]
        where = served_by(gateway.chat("kept", messages=messages))
        first.add(where)
        for turn in range(2):
            messages += [{"role": "assistant", "content": "ok"}, {"role": "user", "content": f"more {turn}"}]
            assert served_by(gateway.chat("kept", messages=messages)) == where
    assert first == {"u", "v"}


def test_a_caller_is_known_by_the_name_of_its_key(start, upstream):
    """Also to `explain`, which is nobody's without a key where there are keys."""
    keys = {"team-a": "sk-team-a-0123456789", "team-b": "sk-team-b-0123456789"}
    routes = [
        {"model": "smart", "when": {"caller": "team-a"}, "try": [{"backend": "u", "model": "gpt-4o"}]},
        {"model": "smart", "try": [{"backend": "v", "model": "gpt-4o"}]},
    ]
    config = tree(upstream) | {"keys": [{"name": n, "key": k} for n, k in keys.items()], "routes": routes}
    gateway = start(config)
    for name, backend in (("team-a", "u"), ("team-b", "v")):
        shown = [("Authorization", "Bearer " + keys[name])]
        assert served_by(gateway.chat("smart", headers=shown)) == backend
        told = command("explain", "smart", "--key", name, "--url", gateway.url, "--json", SLUICE_KEY=keys["team-b"])
        assert [t["backend"] for t in json.loads(told.stdout)["targets"]] == [backend], told.stderr
    told = command("explain", "smart", "--url", gateway.url)
    assert told.returncode == 2 and "key" in told.stderr


def test_explain_is_for_this_machine(start, upstream):
    gateway = start({"backends": backends(upstream), "auth": "open"})
    assert gateway.get("/admin/api/explain?model=demo").status == 200
    assert gateway.get("/admin/api/explain?model=demo", [("x-forwarded-for", "10.0.0.1")]).status == 401
    assert gateway.get("/admin/api/explain?model=demo", [("origin", "https://evil.example")]).status == 401
    assert gateway.get("/admin/api/explain").status == 400
    assert gateway.get("/admin/api/explain?model=nothing-here").status == 404


def test_the_command_tells_it_from_a_file_and_from_a_gateway(start, upstream, tmp_path):
    gateway = start(tree(upstream))
    config = tmp_path / "routes.yaml"
    config.write_text(json.dumps(tree(upstream)))
    for place in (["--config", config], ["--url", gateway.url]):
        told = command("explain", "turns", *place, "--json")
        assert told.returncode == 0, told.stderr
        assert [t["backend"] for t in json.loads(told.stdout)["targets"]] == ["u", "v", "w"]
        told = command("explain", "weighed", *place)
        assert "openai.a" in told.stdout and "weight 3 of 4" in told.stdout and "connect 5s" in told.stdout
        told = command("explain", "nothing-here", *place)
        assert told.returncode == 1 and "is not served here" in told.stderr
    assert KEYS["openai"] not in gateway.said() and "sk-account" not in gateway.said()
