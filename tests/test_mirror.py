"""A share of a route's conversations goes to another target too, in the background: the caller never notices, and what
it cost is recorded. SPDX-License-Identifier: MIT"""

import threading
import time

import pytest

from harness.gateway import KEYS
from harness.mouthpieces import CLIENTS, ask
from harness.prometheus import read, total
from harness.replies import Say, answer
from harness.upstream import Answer, Gate, Upstream

MODEL = "gpt-4o"


@pytest.fixture
def pair(start):
    """pair(mirror, …) -> a gateway, the upstream that answers and the one that gets the copies."""
    upstreams = [Upstream(), Upstream()]
    for one, text in zip(upstreams, ("own", "copy")):
        one.default = lambda request, text=text: answer(request, Say(text=text))

    def begin(mirror=None, **more):
        backends = {
            name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]}
            for name, one in zip(("own", "shadow"), upstreams)
        }
        backends["claude"] = {"base_url": upstreams[1].url(), "api_key": KEYS["claude"]}
        route = {"model": "smart", "try": [{"backend": "own", "model": MODEL}]}
        route["mirror"] = {"backend": "shadow", "model": MODEL} | (mirror or {})
        return start({"backends": backends, "routes": [route]} | more), *upstreams

    yield begin
    for one in upstreams:
        assert not one.violations, one.violations
        one.close()


def rows(gateway, count, seconds=5.0):
    """The log's lines of exchanges, and of copies once there are so many."""
    end = time.monotonic() + seconds
    while True:
        told = [row for row in gateway.lines() if row.get("operation") == "chat"]
        copies = [row for row in told if "mirror_of" in row]
        if (len(copies) >= count and len(told) > len(copies)) or time.monotonic() > end:
            break
        time.sleep(0.01)
    assert len(copies) == count, gateway.said()[-3000:]
    return [row for row in told if "mirror_of" not in row], copies


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_copy_has_a_line_of_its_own(pair, stream):
    gateway, own, shadow = pair({"set": {"temperature": 0}})
    reply = gateway.chat("smart", text="the question", stream=stream, headers=[("x-request-id", "client-1")])
    assert reply.status == 200 and b"own" in reply.body and b"copy" not in reply.body
    ((row,), (copy,)) = rows(gateway, 1)
    assert copy["mirror_of"] == row["id"] and copy["id"] != row["id"]
    assert [one["backend"] for one in row["attempts"]] == ["own"] and "mirror" not in row["attempts"][0]
    assert [(one["backend"], one["mirror"]) for one in copy["attempts"]] == [("shadow", True)]
    assert copy["tokens"]["input"] > 0 and copy["tokens"]["output"] > 0
    assert copy["status"] == 200 and copy["caller"] == row["caller"] and copy["model"] == "smart"
    assert copy.get("stream", False) == stream
    sent, copied = own.seen[0].json, shadow.seen[0].json
    assert copied.pop("temperature") == 0 and copied == sent
    page = read(gateway.get("/metrics").text)
    assert total(page, "sluice_requests_total", door="mirror", backend="shadow") == 1
    assert total(page, "sluice_requests_total", door="/v1/chat/completions") == 1
    assert total(page, "sluice_upstream_attempts_total", backend="shadow", outcome="ok") == 1
    assert total(page, "sluice_tokens_total", backend="shadow") > 0


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic", "gemini"])
def test_every_dialect_to_a_mirror_of_another(pair, client, mode):
    gateway, own, shadow = pair({"backend": "claude", "model": "claude-sonnet-4-5"})
    reply = ask(gateway, client, "smart", mode)
    assert reply.status == 200 and "own" in reply.text
    ((row,), (copy,)) = rows(gateway, 1)
    assert copy["dialect"] == row["dialect"] == client and copy["served"].startswith("claude")
    assert copy["tokens"]["output"] > 0 and shadow.seen[0].dialect == "anthropic"


FAULTS = {
    "500": Answer(500, pieces=[b'{"error": {"message": "no", "type": "server_error"}}']),
    "401": Answer(401, pieces=[b'{"error": {"message": "no", "type": "invalid_request_error"}}']),
    "reset": Answer(before="reset"),
    "no JSON": Answer(pieces=[b"<html>"]),
    "cut": lambda request: answer(request, Say(text="half")).with_(end="cut", pieces=[b"da"]),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_mirror_that_fails_is_its_own_matter(pair, fault, stream):
    gateway, own, shadow = pair()
    shadow.answer(FAULTS[fault])
    reply = gateway.chat("smart", stream=stream)
    assert reply.status == 200 and b"own" in reply.body and not reply.header("x-should-retry")
    ((row,), (copy,)) = rows(gateway, 1)
    assert "fault" not in row and len(row["attempts"]) == 1
    assert copy["fault"].startswith("upstream_") and len(copy["attempts"]) == 1 and len(shadow.seen) == 1
    assert total(read(gateway.get("/metrics").text), "sluice_faults_total") == 0


@pytest.mark.parametrize("how", ["hangs", "is slow", "nobody listens"])
def test_the_caller_never_waits_for_a_mirror(pair, how):
    gateway, own, shadow = pair({"timeouts": {"total": "1500ms"}}, server={"workers": 1})
    if how == "hangs":
        shadow.default = Answer(before="stall")
    elif how == "is slow":
        shadow.default = lambda request: answer(request, Say(text="copy")).with_(wait=0.7)
    else:
        shadow.close()
    for stream in (False, True):
        began = time.monotonic()
        reply = gateway.chat("smart", stream=stream)
        assert reply.status == 200 and b"own" in reply.body
        assert time.monotonic() - began < 0.5
    _, copies = rows(gateway, 2)
    assert {row.get("fault") for row in copies} == {"hangs": {"upstream_timeout"}, "is slow": {None}, "nobody listens": {"upstream_unreachable"}}[how]


def test_a_copy_outlives_its_exchange_and_its_connection(pair):
    gateway, own, shadow = pair()
    gate = Gate()
    shadow.answer(lambda request: (lambda a: a.with_(pieces=[gate, *a.pieces]))(answer(request, Say(text="copy"))))
    with gateway.connect() as connection:
        body = {"model": "smart", "messages": [{"role": "user", "content": "x" * 200_000}], "stream": True}
        connection.request("POST", "/v1/chat/completions", body=body)
        assert connection.read().status == 200
    assert gate.reached.wait(5)
    gate.open()
    _, (copy,) = rows(gateway, 1)
    assert copy["status"] == 200 and copy["bytes_in"] > 200_000 and len(shadow.seen[0].body) > 200_000


def test_a_client_that_leaves_does_not_end_the_copy(pair):
    gateway, own, shadow = pair()
    own.answer(Answer(before="stall"))
    with gateway.connect() as connection:
        connection.request("POST", "/v1/chat/completions", body={"model": "smart", "messages": [{"role": "user", "content": "x"}]})
        shadow.wait_for_request()
        connection.abort()
    ((row,), (copy,)) = rows(gateway, 1)
    assert copy["status"] == 200
    assert gateway.wait_for_line(lambda row: row["status"] == 499)


@pytest.mark.parametrize("share", [10, 35])
def test_the_share_is_kept(pair, share):
    gateway, own, shadow = pair({"share": f"{share}%"})
    for _ in range(100):
        assert gateway.chat("smart").status == 200
    end = time.monotonic() + 5
    while read(gateway.get("/metrics").text)["sluice_mirrors"][()] > 0 and time.monotonic() < end:
        time.sleep(0.02)  # the last copy may still be on its way
    rows(gateway, len(shadow.seen))
    assert abs(len(shadow.seen) - share) <= 2 and len(own.seen) == 100


def test_what_is_too_much_is_dropped_and_counted(pair):
    gateway, own, shadow = pair({"max_concurrent": 2, "timeouts": {"total": "3s"}}, server={"workers": 4})
    shadow.default = Answer(before="stall")
    for _ in range(6):
        assert gateway.chat("smart").status == 200
    shadow.wait_for_request(2)
    page = read(gateway.get("/metrics").text)
    assert page["sluice_mirrors_dropped_total"][()] == 4 and page["sluice_mirrors"][()] == 2
    assert len(shadow.seen) == 2


def test_a_drain_ends_copies(pair):
    gateway, own, shadow = pair()
    shadow.default = Answer(before="stall")
    assert gateway.chat("smart").status == 200
    shadow.wait_for_request()
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 5
    _, (copy,) = rows(gateway, 1)
    assert copy["fault"] == "client_gone"


def test_several_mirrors_and_counting_is_not_copied(pair):
    gateway, own, shadow = pair()
    config = {
        "backends": {
            name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]}
            for name, one in (("own", own), ("shadow", shadow))
        },
        "routes": [{"model": MODEL, "mirror": [{"backend": "shadow"}, {"backend": "own", "model": MODEL}]}],
    }
    gateway.write(config)
    gateway.reload()
    gateway.wait_for_words("was read again")
    reply = gateway.chat(MODEL)
    assert reply.status == 200 and reply.header("x-sluice-backend") == "own"
    _, copies = rows(gateway, 2)
    assert {row["backend"] for row in copies} == {"own", "shadow"}
    row = CLIENTS["anthropic"]
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
    own.answer(Answer(pieces=[b'{"object": "response.input_tokens", "input_tokens": 5}']))
    assert gateway.post("/v1/messages/count_tokens", body, [*row.fields, row.key]).status == 200
    time.sleep(0.2)
    rows(gateway, 2)
    told = gateway.get("/admin/api/explain?format=text&model=" + MODEL).text
    assert "100 % are copied to shadow" in told


def test_copies_of_many_clients_at_once(pair):
    gateway, own, shadow = pair({"max_concurrent": 1000}, server={"workers": 4})
    threads = [threading.Thread(target=lambda: [gateway.chat("smart", stream=i % 2 == 0) for i in range(10)]) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    exchanges, copies = rows(gateway, 200, 10)
    assert len({row["mirror_of"] for row in copies}) == 200 == len(exchanges)
    assert all(row["status"] == 200 for row in [*exchanges, *copies])
