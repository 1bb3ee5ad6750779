"""What keys and their groups may do: models, backends, dialects, addresses, time; what is told instead, in each dialect's
words. SPDX-License-Identifier: MIT
"""

import datetime

import pytest

from harness.depot import backends as depot_backends
from harness.gateway import Gateway, backends, command
from square import clients, mouths
from square.talk import Ask

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KEYS = {
    "free": {},
    "lab": {"group": "lab"},
    "gpt": {"models": ["gpt-*"]},
    "claude": {"backends": ["claude"]},
    "talks": {"dialects": ["anthropic", "gemini"]},
    "far": {"from": ["10.0.0.0/8"]},
    "near": {"from": ["127.0.0.0/8"]},
    "over": {"expires": "2020-01-01T00:00:00Z"},
    "soon": {"expires": "2099-01-01T00:00:00+08:00"},
}
GROUPS = [
    {"name": "company", "models": ["gpt-*", "claude-*", "smart"], "tags": ["all"]},
    {"name": "lab", "kind": "project", "parent": "company", "models": ["*4*", "smart"], "tags": ["research"]},
]


def secret(name):
    return f"sk-canary-tenant-{name}-0123456789"


def shows(name):
    return [("Authorization", f"Bearer {secret(name)}")]


def config(upstream):
    keys = [{"name": name, "key": secret(name)} | may for name, may in KEYS.items()]
    routes = [{"model": "smart", "try": [{"backend": "openai", "model": "gpt-4"}, {"backend": "claude", "model": "claude-x"}]}]
    return {"backends": backends(upstream, models=["*"]), "keys": keys, "groups": GROUPS, "routes": routes}


@pytest.fixture(scope="module")
def started(session_upstream, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("tenants"), config(session_upstream))
    yield gateway
    gateway.stop()
    for name in KEYS:
        assert secret(name) not in gateway.said()


@pytest.fixture
def gateway(started, upstream):
    yield started
    assert started.process.poll() is None, f"the gateway died:\n{started.said()[-8000:]}"


DOORS = {
    "openai_chat": ("/v1/chat/completions", lambda model: {"model": model, "messages": [{"role": "user", "content": "x"}]}),
    "openai_responses": ("/v1/responses", lambda model: {"model": model, "input": "x", "store": False}),
    "anthropic": (
        "/v1/messages",
        lambda model: {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    ),
    "gemini": ("/v1beta/models/{}:generateContent", lambda _: {"contents": [{"parts": [{"text": "x"}]}]}),
    "cohere": ("/v2/chat", lambda model: {"model": model, "messages": [{"role": "user", "content": "x"}]}),
    "bedrock_converse": ("/model/{}/converse", lambda _: {"messages": [{"role": "user", "content": [{"text": "x"}]}]}),
}


def ask(gateway, name, dialect="openai_chat", model="gpt-4"):
    path, body = DOORS[dialect]
    return gateway.post(path.format(model), body(model), shows(name))


@pytest.mark.parametrize("dialect", DOORS)
def test_a_model_that_is_not_allowed_is_told_in_the_dialects_words(gateway, upstream, dialect):
    upstream.say(text="allowed")
    assert ask(gateway, "gpt", dialect).status == 200
    refused = ask(gateway, "gpt", dialect, "claude-sonnet-4-5")
    assert refused.status == 403 and "may not use the model" in refused.text, refused.text
    words = {
        "anthropic": '"permission_error"',
        "gemini": '"PERMISSION_DENIED"',
        "openai_chat": '"permission_error"',
        "openai_responses": '"permission_error"',
    }
    assert words.get(dialect, "") in refused.text
    if dialect == "bedrock_converse":
        assert refused.header("x-amzn-errortype") == "AccessDeniedException"
    assert len(upstream.seen) == 1


def test_all_groups_on_the_way_must_allow(gateway, upstream):
    upstream.say(text="both allow")
    assert ask(gateway, "lab", model="gpt-4").status == 200
    assert ask(gateway, "lab", model="gpt-3.5").status == 403  # the project does not
    assert ask(gateway, "lab", model="gemini-4").status == 403  # the company does not
    row = gateway.wait_for_line(lambda row: row.get("caller") == "lab" and row["status"] == 200)
    assert (row["groups"], row["tags"]) == ("company/lab", "research,all")


def test_backends(gateway, upstream):
    upstream.say(text="from claude")
    assert ask(gateway, "claude", model="smart").status == 200
    assert upstream.seen[0].dialect == "anthropic"  # the route's first target is passed by
    refused = ask(gateway, "claude", model="openai/gpt-4")
    assert refused.status == 403 and "any backend" in refused.error["message"]


def test_an_address_with_its_backend_is_its_models(gateway, upstream):
    upstream.say(text="addressed")
    assert ask(gateway, "gpt", model="openai/gpt-4").status == 200
    assert ask(gateway, "gpt", model="openai/o3").status == 403
    assert ask(gateway, "gpt", model="claude/claude-x").status == 403


@pytest.mark.parametrize("dialect", DOORS)
def test_dialects(gateway, upstream, dialect):
    if dialect in ("anthropic", "gemini"):
        upstream.say(text="spoken")
    reply = ask(gateway, "talks", dialect)
    assert reply.status == (200 if dialect in ("anthropic", "gemini") else 403), reply.text
    if reply.status == 403:
        assert f"may not speak {dialect} here, only anthropic, gemini" in reply.text


def test_addresses_and_time(gateway, upstream):
    for name in ("near", "soon"):
        upstream.say(text="in time and place")
        assert ask(gateway, name).status == 200
    far, over = ask(gateway, "far"), ask(gateway, "over")
    assert far.status == 403 and "(127.0.0.1)" in far.error["message"]
    assert over.status == 403 and "expired at 2020-01-01T00:00:00" in over.error["message"]
    # Also where no model is asked.
    for path in ("/v1/models", "/metrics", "/v1/files"):
        assert [gateway.get(path, shows(name)).status for name in ("far", "over")] == [403, 403]


def test_model_lists_show_what_may_be_asked_for(start, upstream):
    settings = config(upstream)
    for name, models in (("openai", ["gpt-4", "o3"]), ("claude", ["claude-x"]), ("gemini", ["gemini-4"])):
        settings["backends"][name]["models"] = models
    gateway = start(settings)

    def listed(name):
        return {row["id"] for row in gateway.get("/v1/models", shows(name)).json["data"]}

    assert listed("free") == {"demo", "gpt-4", "o3", "claude-x", "gemini-4", "smart"}
    assert listed("gpt") == {"gpt-4"}
    assert listed("claude") == {"claude-x", "smart"}
    assert listed("lab") == {"gpt-4", "smart"}
    assert gateway.get("/v1/models/gpt-4", shows("gpt")).status == 200
    assert gateway.get("/v1/models/o3", shows("gpt")).status == 403


PASSED = [
    ("POST", "/v1/embeddings", b'{"model":"gpt-4","input":"x"}', 200),
    ("POST", "/v1/embeddings", b'{"model":"o3","input":"x"}', 403),
    ("POST", "/v1/embeddings", b'{"input":"x"}', 403),  # the vendor's default
    ("GET", "/v1/files/file-1", None, 200),
    ("POST", "/v1/files", b"{}", 200),
    ("POST", "/v1/batches", b'{"input_file_id":"file-1"}', 403),  # whose models stand in a file
    ("POST", "/v1/batches", b'{"input_file_id":"file-1","model":"gpt-4"}', 403),
    ("POST", "/openai/v1/batches", b'{"input_file_id":"file-1","model":"gpt-4"}', 403),
    ("POST", "/v1/fine_tuning/jobs", b'{"model":"gpt-4"}', 200),
    ("POST", "/v1/fine_tuning/jobs", b'{"model":"o3"}', 403),
    ("POST", "/openai/v1/chat/completions", b'{"model":"gpt-4"}', 200),
    ("POST", "/openai/v1/chat/completions", b'{"model":"o3"}', 403),
    ("POST", "/openai/v1/anything", b'{"x":1}', 403),
    ("GET", "/openai/v1/models", None, 403),  # a raw call that names none could be any
    ("POST", "/v1/chat/completions", b'{"model":"gpt-4","models":["o3"],"messages":[]}', 403),
]


def test_what_passes_untouched_names_its_models(start, depot):
    keys = [{"name": "gpt", "key": secret("gpt"), "models": ["gpt-*"]}]
    gateway = start({"backends": depot_backends(depot), "keys": keys})
    for method, path, body, status in PASSED:
        before = len(depot.seen)
        with gateway.connect() as connection:
            reply = connection.ask(method, path, [*shows("gpt"), ("Content-Type", "application/json")], body)
        assert reply.status == status, (path, body, reply.text)
        assert len(depot.seen) - before == (status == 200), (path, body)


def test_backends_hold_for_what_passes_untouched(gateway, upstream):
    refused = gateway.get("/v1/files/file-1", shows("claude"))
    assert refused.status == 403 and "any backend" in refused.error["message"]
    assert gateway.post("/openai/v1/chat/completions", {"model": "gpt-4"}, shows("claude")).status == 403
    assert upstream.seen == []


def test_a_copy_goes_only_where_the_key_may(start, upstream):
    settings = config(upstream)
    settings["routes"] = [{"model": "copied", "try": [{"backend": "claude", "model": "claude-x"}],
                           "mirror": {"backend": "openai", "model": "gpt-4"}}]  # fmt: skip
    gateway = start(settings)
    upstream.say(text="one answer")
    assert ask(gateway, "claude", model="copied").status == 200
    upstream.say(text="an answer and a copy's")
    upstream.say(text="an answer and a copy's")
    assert ask(gateway, "free", model="copied").status == 200
    gateway.wait_for_line(lambda row: row.get("mirror_of"))
    assert len(upstream.seen) == 3


def test_a_request_adds_tags_of_its_own(gateway, upstream):
    for name, tags in (("lab", "research,all,nightly,eval"), ("free", "nightly,eval,all")):
        upstream.say(text="tagged")
        path, body = DOORS["openai_chat"]
        fields = [*shows(name), ("x-sluice-tags", "nightly , eval,,nightly,all")]
        assert gateway.post(path, body("gpt-4"), fields).status == 200
        assert upstream.seen[-1].header("x-sluice-tags") is None
        assert gateway.wait_for_line(lambda row: row.get("caller") == name and "nightly" in row.get("tags", ""))["tags"] == tags
    for wrong in ("x" * 65, ",".join(map(str, range(17))), "caf\xe9"):
        reply = gateway.post(path, body("gpt-4"), [*shows("free"), ("x-sluice-tags", wrong)])
        assert reply.status == 400 and "up to 16 tags" in reply.error["message"], reply.text


@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini", "cohere"])
def test_sdks_raise_their_own_error(gateway, upstream, client):
    assert client in clients.NAMES
    if why := mouths.missing(client, "Python"):
        pytest.skip(f"SDK: {why}")
    speaker = mouths.Python(client, gateway.url, secret("gpt"))
    try:
        error = speaker.ask("claude-sonnet-4-5", Ask()).error
    finally:
        speaker.close()
    classes = {
        "openai_chat": "PermissionDeniedError",
        "anthropic": "PermissionDeniedError",
        "gemini": "ClientError",
        "cohere": "ForbiddenError",
    }
    assert (error["class"], error["status"]) == (classes[client], 403), error
    assert "may not use the model" in error["message"]


def test_explain_tells_what_a_key_may_not(gateway):
    told = gateway.get("/admin/api/explain?model=smart&caller=claude", shows("free")).json
    assert [(t["backend"], t["in"]) for t in told["targets"]] == [("claude", True), ("openai", False)]
    assert "may not use this backend" in told["targets"][1]["state"]
    assert gateway.get("/admin/api/explain?model=o3&caller=gpt", shows("free")).status == 403
    said = command("explain", "smart", "--key", "claude", "--config", gateway.file)
    assert said.returncode == 0 and "may not use this backend" in said.stdout, said.stderr


def test_a_reload_changes_what_is_allowed(start, upstream):
    settings = config(upstream)
    gateway = start(settings)
    assert ask(gateway, "gpt", model="o3").status == 403
    settings["keys"][list(KEYS).index("gpt")]["models"] = ["o3"]
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=-1)
    settings["keys"][list(KEYS).index("soon")]["expires"] = soon.isoformat()
    gateway.write(settings)
    gateway.reload()
    gateway.wait_for_words("read again")
    upstream.say(text="now it may")
    assert ask(gateway, "gpt", model="o3").status == 200
    assert ask(gateway, "gpt").status == 403
    assert ask(gateway, "soon").status == 403
