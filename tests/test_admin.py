"""Keys that are made while the gateway runs: the admin API, the command line, every SDK with a key that was made so.
SPDX-License-Identifier: MIT
"""

import json
import os
import re
import stat
import threading
import time

import pytest

from harness.gateway import backends, command
from harness.vendors import VENDORS
from square import clients, mouths
from square.talk import Ask

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Desk:
    """The admin API of a gateway with a storage of its own."""

    def __init__(self, start, upstream, folder, **more):
        self.config = {"backends": backends(upstream, models=["*"]), "storage": f"sqlite:{folder}/keys.db"} | more
        self.file = folder / "keys.db"
        self.gateway = start(self.config)
        self.key = re.search(r"told this once: (\S+)", self.gateway.said())[1]

    def ask(self, method, path, body=None, key=None, **fields):
        headers = [("Authorization", f"Bearer {key or self.key}"), ("Content-Type", "application/json")]
        headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
        with self.gateway.connect() as connection:
            sent = None if body is None else json.dumps(body).encode()
            return connection.ask(method, f"/admin/api/{path}", headers, sent)

    def make(self, name, **settings):
        made = self.ask("POST", "keys", {"name": name} | settings)
        assert made.status == 201, made.text
        return made.json

    def chat(self, key, model="gpt-4"):
        return self.gateway.chat(model, headers=[("Authorization", f"Bearer {key}")])


@pytest.fixture
def desk(start, upstream, tmp_path):
    return Desk(start, upstream, tmp_path)


def test_the_admin_key_is_told_once_and_kept_as_a_hash(desk, start, tmp_path):
    assert desk.ask("GET", "keys").json["data"] == []
    for file in (found for found in tmp_path.rglob("*") if found.is_file() and "keys.db" in str(found)):
        assert desk.key.encode() not in file.read_bytes(), file
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, file
    desk.gateway.stop()
    again = start(desk.config)
    assert "told this once" not in again.said()
    desk.gateway = again
    assert desk.ask("GET", "keys").status == 200


def test_a_key_lives_and_dies_on_every_worker(start, upstream, tmp_path):
    desk = Desk(start, upstream, tmp_path, server={"workers": 4})
    upstream.say(text="before there was a key, everything on this machine may")
    assert desk.chat("dummy-key").status == 200
    made = desk.make("alice", models=["gpt-*"])
    key, path = made["key"], f"keys/{made['id']}"

    def all_say(shown=key):
        """What sixteen connections hear, which are on all workers."""
        return {desk.chat(shown).status for _ in range(16)}

    for _ in range(16):
        upstream.say(text="served")
    assert all_say() == {200}
    assert all_say("dummy-key") == {401}  # now one is needed
    assert desk.chat(key, "o3").status == 403
    assert desk.ask("POST", f"{path}/block").json["state"] == "blocked"
    assert all_say() == {403}
    assert desk.ask("POST", f"{path}/unblock").status == 200
    rotated = desk.ask("POST", f"{path}/rotate", {"overlap": "0s"}).json["key"]
    assert all_say() == {401}
    for _ in range(16):
        upstream.say(text="served")
    assert all_say(rotated) == {200}
    assert desk.ask("DELETE", path).json["deleted"] is True
    assert all_say(rotated) == {401}
    assert key not in desk.gateway.said() and rotated not in desk.gateway.said()


def test_changes_hold_before_they_are_answered(start, upstream, tmp_path):
    """A key is deleted while others call with it: no call that begins after the answer is served."""
    upstream.strict = False
    desk = Desk(start, upstream, tmp_path, server={"workers": 4})
    for round_ in range(20):
        made = desk.make(f"k{round_}")
        gone, late = threading.Event(), []

        def call(key=made["key"], gone=gone, late=late):
            while True:
                after = gone.is_set()
                status = desk.gateway.get("/v1/models", [("x-api-key", key)]).status
                if after:
                    late.append(status)
                    return

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert desk.ask("DELETE", f"keys/{made['id']}").status == 200
        gone.set()
        for thread in threads:
            thread.join()
        assert set(late) == {401}, late


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", [name for name in clients.NAMES if name != "bedrock_converse"])
@pytest.mark.parametrize("language", ["Python", "Node"])
def test_sdks_use_a_made_key(desk, upstream, language, client, stream):
    if why := mouths.missing(client, language):
        pytest.skip(f"SDK: {why}")
    made = desk.make("sdk")
    upstream.say(text="welcome")
    speaker = getattr(mouths, language)(client, desk.gateway.url, made["key"])
    try:
        got = speaker.ask(VENDORS["claude"], Ask(stream=stream))
        assert got.error is None, got.error
        assert got.text == "welcome"
        desk.ask("DELETE", "keys/sdk")
        assert speaker.ask(VENDORS["claude"], Ask(stream=stream)).error["status"] == 401
    finally:
        speaker.close()
    assert made["key"] not in str(vars(upstream.seen[0]))


@pytest.mark.parametrize("form", ["bearer", "x-api-key", "x-goog-api-key", "api-key", "query"])
def test_a_made_key_counts_in_every_form(desk, form):
    key = desk.make("forms")["key"]
    path, fields = "/v1/models", [(form, key)]
    if form == "bearer":
        fields = [("Authorization", f"Bearer {key}")]
    if form == "query":
        path, fields = f"{path}?key={key}", []
    assert desk.gateway.get(path, fields).status == 200
    assert desk.gateway.get("/v1/models", [("x-api-key", key + "x")]).status == 401


def routes(gateway):
    paths = gateway.get("/openapi.json").json["paths"]
    return [(method.upper(), path.replace("{id}", "x")) for path, item in paths.items() if path.startswith("/admin/api/")
            for method in item if method != "parameters"]  # fmt: skip


def test_no_admin_route_opens_without_an_admin_key(start, upstream, tmp_path):
    desk = Desk(start, upstream, tmp_path)
    caller = desk.make("caller")["key"]
    table = routes(desk.gateway)
    assert len(table) == 20
    for method, path in table:
        for shown in ([], [("Authorization", f"Bearer {caller}")], [("Authorization", "Bearer sluice-ticket.1.x")]):
            with desk.gateway.connect() as connection:
                reply = connection.ask(method, path, shown, b"{}" if method in ("POST", "PATCH") else None)
            # After twenty of them from one address nobody is heard there.
            assert reply.status in (401, 429), (method, path, reply.status)
    late = desk.ask("GET", "keys")
    assert late.status == 429 and int(late.header("retry-after")) > 0
    desk.gateway.wait_for_line(lambda row: row["status"] == 429)
    assert {row["status"] for row in desk.gateway.lines() if row.get("door") == "/admin/api"} == {201, 401, 429}


@pytest.mark.parametrize("field", [("X-Forwarded-For", "1.2.3.4"), ("Via", "1.1 x"), ("Host", "evil.example"), ("Origin", "https://evil.example")])
def test_the_admin_api_is_for_this_machine(desk, field):
    reply = desk.ask("GET", "keys", **{field[0].replace("-", "_"): field[1]})
    assert reply.status == 403 and "admin.from" in reply.error["message"]


def test_the_admin_api_may_be_opened_to_others(start, upstream, tmp_path):
    desk = Desk(start, upstream, tmp_path, admin={"from": ["127.0.0.0/8"]})
    assert desk.ask("GET", "keys", Host="gateway.example").status == 200
    assert desk.ask("GET", "keys", key="nobody", Host="gateway.example").status == 401


def test_the_openapi_document_says_what_comes(desk):
    schemas = desk.gateway.get("/openapi.json").json["components"]["schemas"]
    made = desk.make("alice", models=["gpt-*"], tags=["a"], metadata={"x": "y"}, expires="2099-01-01T00:00:00Z")
    assert set(made) <= set(schemas["Key"]["properties"])
    group = desk.ask("POST", "groups", {"name": "lab"}).json
    assert set(group) <= set(schemas["Group"]["properties"])
    for path in ("keys", "groups", "admins", "audit"):
        assert desk.ask("GET", path).json["object"] == "list"
    (entry, *_) = desk.ask("GET", "audit").json["data"]
    assert entry["action"] == "group.create" and set(entry) <= set(schemas["AuditEntry"]["properties"])


def test_etags_and_idempotency(desk):
    body = {"name": "alice", "models": ["gpt-*"]}
    first = desk.ask("POST", "keys", body, Idempotency_Key="one")
    again = desk.ask("POST", "keys", body, Idempotency_Key="one")
    assert (first.status, again.status) == (201, 201) and first.json == again.json
    assert desk.ask("POST", "keys", body | {"name": "bob"}, Idempotency_Key="one").status == 409
    assert desk.ask("POST", "keys", body).status == 409
    etag = desk.ask("GET", "keys/alice").header("etag")
    changed = desk.ask("PATCH", "keys/alice", {"models": None}, If_Match=etag)
    assert changed.status == 200 and "models" not in changed.json
    assert desk.ask("PATCH", "keys/alice", {"tags": ["x"]}, If_Match=etag).status == 412
    wrong = desk.ask("PATCH", "keys/alice", {"modles": ["x"]})
    assert wrong.status == 400 and 'did you mean "models"?' in wrong.error["message"]


def test_a_reload_goes_with_what_is_stored(desk, upstream):
    key = desk.make("alice", group=None, backends=["openai"])["key"]
    for change, words in (
        ({"backends": {"claude": desk.config["backends"]["claude"]}}, "does not go with this configuration"),
        ({"keys": [{"name": "alice", "key": "sk-canary-tenant-0123456789"}]}, "Two keys are called"),
        ({"auth": "open"}, "`auth: open` lets everybody in"),
    ):
        desk.gateway.write(desk.config | change)
        desk.gateway.wait_for_words(words)
        upstream.say(text="as before")
        assert desk.chat(key).status == 200, change
    desk.gateway.write(desk.config | {"keys": [{"name": "bob", "key": "sk-canary-tenant-0123456789"}]})
    desk.gateway.wait_for_words("read again")
    for shown in (key, "sk-canary-tenant-0123456789"):
        upstream.say(text="both")
        assert desk.chat(shown).status == 200


def test_what_is_stored_outlives_a_kill(desk, start, upstream):
    key = desk.make("alice")["key"]
    desk.gateway.process.kill()
    desk.gateway.process.wait()
    desk.gateway.stopped = 0
    desk.gateway = start(desk.config)
    upstream.say(text="still known")
    assert desk.chat(key).status == 200


# -- the command line


def cli(gateway, *words, **env):
    said = command(*words, "--config", gateway.file, folder=gateway.folder, **env)
    return said


def test_the_command_line_asks_the_gateway_that_runs(desk, upstream):
    made = cli(desk.gateway, "keys", "create", "alice", "--models", "gpt-*,o3", "--tags", "a", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    upstream.say(text="made by the command line")
    assert desk.chat(key).status == 200
    assert "alice" in cli(desk.gateway, "keys", "list").stdout
    shown = json.loads(cli(desk.gateway, "keys", "show", "alice", "--json").stdout)
    assert shown["models"] == ["gpt-*", "o3"] and "key" not in shown
    assert cli(desk.gateway, "groups", "create", "lab", "--kind", "project", "--set", '{"models": ["gpt-*"]}').returncode == 0
    assert cli(desk.gateway, "keys", "update", "alice", "--group", "lab", "--set", '{"models": null}').returncode == 0
    assert desk.ask("GET", "keys/alice").json["group"] == "lab" and "models" not in desk.ask("GET", "keys/alice").json
    rotated = cli(desk.gateway, "keys", "rotate", "alice", "--overlap", "1h")
    assert rotated.returncode == 0 and "told once" in rotated.stdout
    assert cli(desk.gateway, "keys", "block", "alice").returncode == 0
    assert desk.chat(key).status == 403
    assert cli(desk.gateway, "keys", "delete", "alice").returncode == 0
    assert desk.chat(key).status == 401
    missing = cli(desk.gateway, "keys", "show", "alice")
    assert missing.returncode == 1 and 'There is no key "alice"' in missing.stderr
    admin = json.loads(cli(desk.gateway, "admins", "create", "ops", "--scope", "keys", "--json").stdout)
    assert desk.ask("GET", "keys", key=admin["key"]).status == 200
    far = command("keys", "list", "--url", desk.gateway.url, SLUICE_ADMIN_KEY=admin["key"])
    assert far.returncode == 0 and "there is none" in far.stdout, far.stderr
    assert desk.ask("GET", "audit").json["data"][0]["who"] == "this machine"


def test_the_command_line_works_on_the_file_when_none_runs(desk, start, upstream):
    desk.gateway.stop()
    made = cli(desk.gateway, "keys", "create", "alice", "--json")
    assert made.returncode == 0, made.stderr
    wrong = cli(desk.gateway, "keys", "create", "bob", "--group", "nothing")
    assert wrong.returncode == 1 and "no group is called so" in wrong.stderr
    desk.gateway = start(desk.config)
    upstream.say(text="made before it ran")
    assert desk.chat(json.loads(made.stdout)["key"]).status == 200


def test_without_a_storage_the_command_line_says_what_to_do(start, upstream):
    gateway = start({"backends": backends(upstream)})
    said = cli(gateway, "keys", "create", "alice")
    assert said.returncode == 2 and "storage: sqlite:" in said.stderr
    reply = gateway.get("/admin/api/keys")
    assert reply.status == 401 and "storage: sqlite:" in reply.error["message"]


def test_many_keys_are_made_quickly(desk):
    began = time.monotonic()
    for i in range(100):
        desk.make(f"k{i}", models=["gpt-*"])
    assert time.monotonic() - began < 30
    page = desk.ask("GET", "keys?limit=60").json
    rest = desk.ask("GET", f"keys?limit=60&after={page['next']}").json
    names = [row["name"] for row in page["data"] + rest["data"]]
    assert len(names) == 100 and names == sorted(names) and not rest["has_more"]
