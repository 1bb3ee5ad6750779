"""What every call that may cost money leaves behind, whatever happens to its client, its vendor or its gateway.
SPDX-License-Identifier: MIT"""

import contextlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from faults import crash
from harness import ledger, replies
from harness.gateway import BINARY, backends, command
from harness.load import Background, held
from harness.replies import Say
from harness.upstream import Answer, Gate

TARGET = {"backend": "openai", "model": "gpt-4o"}
PRICES = {"gpt-4o": (2_500, 10_000), "claude-sonnet-4-5": (3_000, 15_000)}  # nano-dollars a token


def config(upstream, **more):
    return {"backends": backends(upstream), "ledger": {"path": "ledger"}} | more


def settled(gateway, id_):
    found = ledger.wait_for(gateway.folder, lambda rows: any(r["id"] == id_ and r["attempt"] == 0 for r in rows))
    return ledger.exchange(found, id_)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5"])
def test_an_answer_costs_what_its_vendor_told(start, upstream, model, stream):
    gateway = start(config(upstream))
    upstream.say(Say(text="one two three", input=1000, output=200))
    reply = gateway.chat(model, stream=stream)
    assert reply.status == 200
    whole, calls = settled(gateway, reply.header("x-request-id"))
    assert (whole["state"], whole["status"], whole["key"], whole["asked"]) == ("complete", 200, "local", model)
    assert len(calls) == 1
    (call,) = calls
    assert (call["state"], call["model"], call["input"], call["output"]) == ("complete", model, 1000, 200)
    assert call["estimated_output"] is None
    price = PRICES[model]
    assert call["nano_dollars"] == 1000 * price[0] + 200 * price[1] and call["unknown"] == 0
    assert call["price_text"] and call["formula_version"] == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("translated", [False, True])
def test_an_answer_in_another_lane_costs_what_it_costs_there(start, upstream, stream, translated):
    gateway = start(config(upstream))

    def hurries(request):
        whole = replies.answer(request, Say(text="one", input=1000, output=200))
        return whole.with_(pieces=[p.replace(b'"service_tier":"default"', b'"service_tier":"priority"') for p in whole.pieces])

    upstream.answer(hurries)
    if translated:
        body = {"model": "gpt-4o", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}], "stream": stream}
        reply = gateway.post("/v1/messages", body)
    else:
        reply = gateway.chat("gpt-4o", stream=stream)
    _, (call,) = settled(gateway, reply.header("request-id" if translated else "x-request-id"))
    assert (call["lane"], call["nano_dollars"]) == ("priority", 1000 * 4_250 + 200 * 17_000)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_what_a_vendor_does_not_count_is_counted_here(start, upstream, path):
    gateway = start(config(upstream))
    message = {"role": "assistant", "content": "hello world"}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    upstream.answer(Answer(pieces=[json.dumps(whole).encode()]))
    asked = {"model": "gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hello world"}]}
    reply = gateway.post(path, asked)
    assert reply.status == 200, reply.text
    _, (call,) = settled(gateway, reply.header("x-request-id") or reply.header("request-id"))
    assert call["input"] is None and call["output"] is None
    # Two tokens each, and what stands around a message.
    assert (call["estimated_input"], call["estimated_output"]) == (3 + 4 + 2, 2)
    assert call["nano_dollars"] == 9 * 2_500 + 2 * 10_000


def test_a_client_that_did_not_ask_for_usage_does_not_see_it(start, upstream):
    gateway = start(config(upstream))
    upstream.say(Say(text="one two three", input=100, output=20))
    reply = gateway.chat("gpt-4o", stream=True)
    assert all("usage" not in e or e["usage"] is None for e in reply.events[:-1])
    _, (call,) = settled(gateway, reply.header("x-request-id"))
    assert (call["input"], call["output"]) == (100, 20)


def test_a_call_that_failed_has_a_row_and_costs_nothing(start, upstream):
    gateway = start(
        config(
            upstream,
            routes=[{"model": "smart", "try": [TARGET, {"backend": "claude", "model": "claude-sonnet-4-5"}]}],
            failover={"breaker": {"enabled": False}, "attempts": 2},
        )
    )
    upstream.answer(replies.error("openai_chat", 500, "down"))
    upstream.say(Say(text="good", input=10, output=2))
    reply = gateway.chat("smart")
    assert reply.status == 200
    whole, calls = settled(gateway, reply.header("x-request-id"))
    assert whole["state"] == "complete" and whole["backend"] == "claude"
    assert [(c["state"], c["backend"], c["nano_dollars"]) for c in calls] == [
        ("upstream_error", "openai", 0),
        ("complete", "claude", 10 * 3_000 + 2 * 15_000),
    ]


def test_a_client_that_leaves_is_billed_for_what_was_there(start, upstream):
    gateway = start(config(upstream))
    gate = Gate()
    upstream.answer(held(gate, keep=4))
    connection = gateway.connect()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "ping"}], "stream": True}
    connection.request("POST", "/v1/chat/completions", [], body)
    assert gate.reached.wait(5)
    time.sleep(0.2)
    connection.abort()
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 2)
    gate.open()
    whole, (call,) = ledger.exchange(found, found[0]["id"])
    assert whole["state"] == "partial" and call["state"] == "partial" and call["fault"] == "client_gone"
    assert call["estimated_input"] > 0 and call["estimated_output"] > 0
    assert call["input"] is None and call["output"] is None
    assert call["nano_dollars"] == call["estimated_input"] * 2_500 + call["estimated_output"] * 10_000


def test_a_client_that_leaves_before_the_first_word_is_not_billed_as_nothing(start, upstream):
    gateway = start(config(upstream))
    gate = Gate()
    upstream.answer(held(gate, keep=0))
    connection = gateway.connect()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "ping"}], "stream": True}
    connection.request("POST", "/v1/chat/completions", [], body)
    assert gate.reached.wait(5)
    connection.abort()
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 2)
    gate.open()
    whole, (call,) = ledger.exchange(found, found[0]["id"])
    assert whole["state"] == "cancelled" and call["state"] == "cancelled"
    assert call["estimated_input"] > 0 and call["nano_dollars"] > 0


def test_usage_is_told_by_model_key_and_day(start, upstream):
    gateway = start(config(upstream))
    for _ in range(3):
        upstream.say(Say(text="x", input=1000, output=100))
        settled(gateway, gateway.chat("gpt-4o").header("x-request-id"))
    for by, what in (("model", "gpt-4o"), ("key", "local"), ("backend", "openai")):
        told = command("usage", "--config", gateway.file, "--by", by, "--json", folder=gateway.folder)
        assert told.returncode == 0, told.stderr
        (row,) = json.loads(told.stdout)["rows"]
        assert row[by] == what and row["requests"] == 3 and row["calls"] == 3 and row["failed"] == 0
        assert (row["input"], row["output"], row["nano_dollars"]) == (3000, 300, 3 * (2_500_000 + 1_000_000))
    told = command("usage", "--config", gateway.file, "--by", "day", folder=gateway.folder)
    assert "$0.0105" in told.stdout, told.stdout
    for by in ("hour", "minute"):
        told = command("usage", "--config", gateway.file, "--by", by, "--since", "5m", "--csv", folder=gateway.folder)
        head, *rows = told.stdout.splitlines()
        assert head.startswith(f"{by},requests,calls,failed,input")
        assert sum(int(row.split(",")[1]) for row in rows) == 3


def test_usage_is_told_over_the_admin_api_in_the_same_words(start, upstream):
    gateway = start({"backends": backends(upstream), "storage": "sqlite:here.db", "auth": "local", "ledger": {"path": "ledger"}})
    key = re.search(r"told this once: (\S+)", gateway.said())[1]
    shown = [("Authorization", f"Bearer {key}")]
    upstream.say(Say(text="x", input=1000, output=100))
    settled(gateway, gateway.chat("gpt-4o", headers=[("x-sluice-tags", "red,blue")]).header("x-request-id"))
    made = gateway.post("/admin/api/admins", {"name": "reader", "scope": "read"}, shown)
    reader = [("Authorization", f"Bearer {made.json['key']}")]
    for by, what in (("model", ["gpt-4o"]), ("key", ["local"]), ("backend", ["openai"]), ("tag", ["blue", "red"]), ("group", [""])):
        reply = gateway.get(f"/admin/api/usage?by={by}&since=1d", reader)
        assert reply.status == 200, reply.text
        assert sorted(row[by] for row in reply.json["rows"]) == what
        assert all(row["nano_dollars"] == 3_500_000 and row["requests"] == 1 for row in reply.json["rows"])
        words = ("usage", "--by", by, "--since", "1d")
        direct = command(*words, "--config", gateway.file, "--json", folder=gateway.folder)
        asked = command(*words, "--url", gateway.url, "--json", folder=gateway.folder, SLUICE_ADMIN_KEY=key)
        assert (direct.returncode, asked.returncode) == (0, 0), direct.stderr + asked.stderr
        assert json.loads(asked.stdout)["rows"] == json.loads(direct.stdout)["rows"] == reply.json["rows"]
        table = [command(*words, *where, folder=gateway.folder, SLUICE_ADMIN_KEY=key).stdout
                 for where in (("--config", gateway.file), ("--url", gateway.url))]  # fmt: skip
        assert table[0] == table[1] and "$0.0035" in table[0]
    schemas = gateway.get("/openapi.json").json["components"]["schemas"]
    assert set(reply.json) == set(schemas["Usage"]["properties"])
    assert {*reply.json["rows"][0]} <= set(schemas["UsageRow"]["properties"])
    assert gateway.get("/admin/api/usage").status == 401
    for query, param in (("by=colour", "by"), ("since=yesterday", "since"), ("until=2026-02-30", "until")):
        wrong = gateway.get(f"/admin/api/usage?{query}", shown)
        assert wrong.status == 400 and wrong.error["param"] == param
    assert gateway.post("/admin/api/usage", {}, shown).status == 405
    told = command("usage", "--url", gateway.url, folder=gateway.folder)
    assert told.returncode == 2 and "admin key" in told.stderr
    told = command("usage", "--url", "http://127.0.0.1:1", folder=gateway.folder)
    assert told.returncode == 2 and "no gateway" in told.stderr


def test_a_gateway_without_a_ledger_says_so(start, upstream):
    gateway = start({"backends": backends(upstream), "storage": "sqlite:here.db", "auth": "local", "ledger": {"path": "none"}})
    key = re.search(r"told this once: (\S+)", gateway.said())[1]
    reply = gateway.get("/admin/api/usage", [("Authorization", f"Bearer {key}")])
    assert reply.status == 404 and "keeps no ledger" in reply.error["message"]


def test_what_two_calls_of_one_answer_used_counts_once(start, upstream):
    """In the rows of both, and against the limit of the key."""
    secret = "sk-canary-of-a-tenant-0123456789"
    two = [{"backend": "claude", "model": "claude-sonnet-4-5"}, TARGET]
    settings = config(
        upstream,
        routes=[{"model": "smart", "resume": True, "try": two}],
        keys=[{"name": "alice", "key": secret, "limits": {"tokens": {"day": 1_000_000}}}],
        failover={"attempts": 2, "breaker": {"enabled": False}},
    )
    gateway = start(settings)
    shown = [("Authorization", f"Bearer {secret}")]

    def breaks(request):
        whole = replies.answer(request, Say(text="one two three four five six " * 3, input=50_000))
        return whole.with_(pieces=whole.pieces[:8], end="cut")

    upstream.answer(breaks)
    upstream.say(Say(text="seven eight", input=11, output=7))
    reply = gateway.chat("smart", headers=shown, stream=True)
    assert reply.status == 200 and len(upstream.seen) == 2
    whole, (first, second) = settled(gateway, reply.header("x-request-id"))
    assert (whole["state"], first["state"], second["state"]) == ("complete", "partial", "complete")
    assert (first["input"] or first["estimated_input"]) == 50_000 and 0 < first["estimated_output"] < 100
    assert (second["input"], second["output"], second["estimated_input"], second["estimated_output"]) == (11, 7, None, None)
    upstream.say(Say(text="x"))
    left = int(gateway.chat("gpt-4o", headers=shown, max_tokens=1).header("x-ratelimit-remaining-tokens"))
    assert 900_000 < left < 960_000, "counted twice"


def test_a_row_names_its_key_its_groups_and_its_tags(start, upstream):
    secret = "sk-canary-of-a-tenant-0123456789"
    settings = config(
        upstream,
        groups=[{"name": "company", "tags": ["paid"]}, {"name": "research", "parent": "company"}],
        keys=[{"name": "alice", "key": secret, "group": "research", "tags": ["mine"]}],
    )
    gateway = start(settings)
    upstream.say(Say(text="x", input=10, output=5))
    reply = gateway.chat("gpt-4o", headers=[("Authorization", f"Bearer {secret}"), ("x-sluice-tags", "night,mine")])
    whole, (call,) = settled(gateway, reply.header("x-request-id"))
    for row in (whole, call):
        assert (row["key"], row["groups"]) == ("alice", "company/research")
        assert sorted(row["tags"].split(",")) == ["mine", "night", "paid"]


def test_prices_that_did_not_change_change_nothing_and_others_are_paid_anew(start, upstream):
    gateway = start(config(upstream))
    upstream.say(Say(text="x", input=1000, output=100))
    settled(gateway, gateway.chat("gpt-4o").header("x-request-id"))
    told = command("usage", "recompute", "--config", gateway.file, "--since", "1d", folder=gateway.folder)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "0 of 1 calls cost otherwise now: +$0\n"
    assert len(ledger.rows(gateway.folder)) == 2


def test_without_a_ledger_there_is_none(start, upstream):
    gateway = start({"backends": backends(upstream)})
    upstream.say(Say(text="x"))
    assert gateway.chat("gpt-4o").status == 200
    assert not (gateway.folder / "ledger").exists()
    told = command("usage", "--config", gateway.file, folder=gateway.folder)
    assert told.returncode == 2 and "keeps no ledger" in told.stderr


def test_storage_in_a_file_brings_a_ledger(start, upstream):
    gateway = start({"backends": backends(upstream), "storage": "sqlite:here.db"})
    upstream.say(Say(text="x"))
    assert gateway.chat("gpt-4o").status == 200
    assert (gateway.folder / "here.db.ledger" / "ledger.db").exists()


@pytest.mark.parametrize("durability", ["relaxed", "strict"])
def test_what_was_answered_outlives_a_killed_gateway(start, upstream, durability):
    settings = config(upstream, ledger={"path": "ledger", "durability": durability})
    gateway = start(settings)
    ids = []
    for i in range(5):
        upstream.say(Say(text="x", input=10, output=5))
        ids.append(gateway.chat("gpt-4o", stream=i % 2 == 1).header("x-request-id"))
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.stopped = 0
    again = start(settings | {"ledger": {"path": str(gateway.folder / "ledger")}})
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) >= 10)
    again.stop()
    for id_ in ids:
        whole, (call,) = ledger.exchange(found, id_)
        assert whole["state"] == "complete" and (call["input"], call["output"]) == (10, 5)
    assert len(found) == 10


def test_a_stream_that_was_open_is_crashed_by_its_last_checkpoint(start, upstream):
    settings = config(upstream)
    gateway = start(settings)

    def slow(request):
        whole = replies.answer(request, Say(text="word " * 40))
        return whole.with_(pieces=[(0.05, piece) for piece in whole.pieces])

    upstream.answer(slow)
    call = Background(lambda: gateway.chat("gpt-4o", stream=True))
    time.sleep(1.6)
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.stopped = 0
    call.join(5)
    again = start(settings | {"ledger": {"path": str(gateway.folder / "ledger")}})
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 2)
    again.stop()
    whole, (call,) = ledger.exchange(found, found[0]["id"])
    assert whole["state"] == "crashed" and call["state"] == "crashed"
    assert call["estimated_output"] >= 10 and call["nano_dollars"] > 0


def test_without_room_new_requests_are_refused_and_nothing_is_lost(start, upstream, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", small], capture_output=True).returncode != 0:
        pytest.skip("no right to mount")
    try:
        # A long name fills the journal sooner.
        name = "m" * 250
        routes = [{"model": "m*", "try": [TARGET]}]
        gateway = start(config(upstream, ledger={"path": str(small / "ledger")}, routes=routes))
        upstream.default = lambda request: replies.answer(request, Say(text="x"))
        assert gateway.chat(name).status == 200
        # Somebody else fills the disk, and nobody drains: the file is locked.
        with sqlite3.connect(small / "ledger" / "ledger.db", timeout=10, isolation_level=None) as db:
            db.execute("BEGIN IMMEDIATE")
            with (small / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * 65536)
            answered = 1
            body = {"model": name, "messages": [{"role": "user", "content": "ping"}]}
            with gateway.connect() as connection:
                while (reply := connection.ask("POST", "/v1/chat/completions", [], body)).status == 200:
                    answered += 1
            db.execute("ROLLBACK")
        assert reply.status == 503 and reply.error["code"] == "ledger_full"
        assert gateway.get("/health/ready").status == 503
        assert gateway.get("/health").json["ledger"]["state"] == "full"
        (small / "filler").unlink()
        end = time.monotonic() + 60
        while ledger.count(small) < 2 * answered and time.monotonic() < end:
            time.sleep(0.2)
        assert ledger.count(small) == 2 * answered, (gateway.get("/health").json["ledger"], gateway.said()[-2000:])
        end = time.monotonic() + 10
        while gateway.get("/health/ready").status != 200 and time.monotonic() < end:
            time.sleep(0.1)
        assert gateway.chat(name).status == 200
        upstream.default = None
    finally:
        gateway.stop()
        subprocess.run(["umount", "-l", small], check=True)


def test_a_locked_file_delays_rows_and_loses_none(start, upstream):
    gateway = start(config(upstream))
    upstream.default = lambda request: replies.answer(request, Say(text="x", input=10, output=5))
    with sqlite3.connect(gateway.folder / "ledger" / "ledger.db", timeout=10, isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(20):
            assert gateway.chat("gpt-4o").status == 200
        end = time.monotonic() + 20
        while gateway.get("/health").json["ledger"]["state"] != "behind" and time.monotonic() < end:
            time.sleep(0.1)
        health = gateway.get("/health").json
        assert health["ledger"]["state"] == "behind" and "locked" in health["ledger"]["store"]
        assert gateway.get("/health/ready").status == 200
        db.execute("ROLLBACK")
    ledger.wait_for(gateway.folder, lambda rows: len(rows) == 40)
    upstream.default = None


def test_a_directory_that_cannot_be_written_stops_the_start(start, upstream, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    told = subprocess.run(
        [str(BINARY), "serve", "--config", "/dev/stdin"],
        input=json.dumps({"ledger": {"path": str(tmp_path / "file" / "ledger")}, "server": {"port": 1}}),
        capture_output=True,
        text=True,
        timeout=20,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert told.returncode == 2 and "file/ledger" in told.stderr


def test_a_takeover_keeps_the_books_of_both(start, succeed, upstream):
    settings = config(upstream, ledger={"path": "ledger"})
    gateway = start(settings)
    shared = str(gateway.folder / "ledger")
    gate = Gate()
    upstream.answer(held(gate))
    long = Background(lambda: gateway.chat("gpt-4o", stream=True))
    assert gate.reached.wait(5)
    new = succeed(gateway, settings | {"ledger": {"path": shared}})
    new.wait_for_words(f"took over from process {gateway.process.pid}", 15)
    upstream.say(Say(text="x"))
    assert new.chat("gpt-4o").status == 200
    gate.open()
    assert long.result().complete
    assert gateway.process.wait(10) == 0
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 4)
    assert {r["state"] for r in found} == {"complete"}


def test_a_gateway_killed_at_random_moments_loses_nothing(tmp_path):
    """A short form of faults/crash.py."""
    told = crash.run(pathlib.Path(tmp_path), rounds=2, clients=40, seconds=1.0, seed=7)
    assert told["answered"] > 20
    assert told["lost"] == [] and told["twice"] == [] and told["wrong"] == []
