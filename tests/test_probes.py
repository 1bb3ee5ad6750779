"""Probes: a backend that rests is found well again without a request of a client being risked, and never by a call that
costs. SPDX-License-Identifier: MIT"""

import socket
import time

import pytest

from faults.bench import PAIRS, Pair, ask, backend, text_of
from harness import prometheus, replies
from harness.upstream import Answer, Upstream

PATHS = {"openai": "/v1/models", "anthropic": "/v1/models", "gemini": "/v1beta/models"}
DIALECTS = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
CHAT = PAIRS[0]
# A rest so long that nothing but a probe ends it within the test.
RESTS = {"attempts": 1, "breaker": {"faults": 2, "rest": "60s", "longest_rest": "60s"}}


class Vendor(Upstream):
    """Its list of models answers as `models` says, everything else as `calls` does."""

    def __init__(self):
        super().__init__()
        self.strict = False
        self.models = 200
        self.calls = 500
        self.default = self._answer

    def _answer(self, request):
        if request.method == "GET":
            return Answer(self.models, [("Content-Type", "application/json")], [b'{"data":[]}'])
        if self.calls != 200:
            return replies.error(request.dialect, self.calls, "no")
        return replies.answer(request, replies.Say(text="well"))

    def probes(self):
        return [one for one in self.seen if one.method == "GET"]

    def asked(self):
        return [one for one in self.seen if one.method == "POST"]


@pytest.fixture
def vendor():
    one = Vendor()
    yield one
    one.close()


def wait_until(done, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.01)
    return False


def probed(start, vendor, pair, **probe):
    settings = {"every": "150ms"} | probe
    return start({"backends": {"first": backend(pair, vendor.url(), probe=settings)}, "failover": RESTS})


def sick(gateway, vendor, pair):
    """Two faults, after which it rests."""
    for _ in range(2):
        assert ask(gateway, pair, False).status >= 500
    calls = len(vendor.asked())
    assert ask(gateway, pair, False).status >= 500 and len(vendor.asked()) == calls, "it does not rest"


def health(gateway):
    return next(b for b in gateway.get("/health").json["backends"] if b["name"] == "first")


@DIALECTS
def test_a_backend_is_found_well_again(start, vendor, pair):
    gateway = probed(start, vendor, pair)
    vendor.models = 503
    sick(gateway, vendor, pair)
    calls = len(vendor.asked())
    assert wait_until(lambda: len(vendor.probes()) >= 3)
    assert {one.path.split("?")[0] for one in vendor.probes()} == {PATHS[pair.type]}
    key = {"openai": "authorization", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}[pair.type]
    assert all(one.header(key) for one in vendor.probes())
    row = health(gateway)
    assert row["probe"]["alive"] is False and "503" in row["probe"]["why"] and "probe" in row["resting"][0]["why"]
    assert ask(gateway, pair, False).status >= 500
    assert len(vendor.asked()) == calls, "while probes fail no request is risked, and none is a call that costs"
    vendor.models = vendor.calls = 200
    assert wait_until(lambda: "resting" not in health(gateway), 2)
    reply = ask(gateway, pair, False)
    assert reply.status == 200 and text_of(pair, reply, False) == "well"
    assert health(gateway)["probe"]["alive"] is True
    time.sleep(0.3)
    seen = len(vendor.probes())
    time.sleep(0.6)
    assert len(vendor.probes()) == seen, "nothing rests, nothing is probed"
    samples = prometheus.read(gateway.get("/metrics").text)
    assert prometheus.total(samples, "sluice_probes_total", backend="first", outcome="failed") >= 3
    assert prometheus.total(samples, "sluice_probes_total", backend="first", outcome="ok") >= 1


@pytest.mark.parametrize("status", [401, 404, 429])
def test_any_answer_but_a_fault_is_a_sign_of_life(start, vendor, status):
    """Many servers have no list of models, or none for this key."""
    gateway = probed(start, vendor, CHAT)
    vendor.models = status
    sick(gateway, vendor, CHAT)
    assert wait_until(lambda: "resting" not in health(gateway), 2)


def test_explain_tells_of_probes(start, vendor):
    gateway = probed(start, vendor, CHAT)
    vendor.models = 500
    sick(gateway, vendor, CHAT)
    assert wait_until(lambda: "last probe" in gateway.get(f"/admin/api/explain?model={CHAT.model}").text)


def test_nothing_is_probed_unless_asked_for(start, vendor):
    gateway = start({"backends": {"first": backend(CHAT, vendor.url())}, "failover": RESTS})
    sick(gateway, vendor, CHAT)
    time.sleep(0.5)
    assert not vendor.probes() and "probe" not in health(gateway)
    assert "sluice_probes_total" not in gateway.get("/metrics").text


def test_a_connection_may_be_enough(start):
    """For servers that have nothing cheap to ask for."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    settings = {"every": "100ms", "path": "none"}
    gateway = start(
        {"backends": {"first": backend(CHAT, f"http://127.0.0.1:{port}", probe=settings)}, "failover": RESTS}
    )
    for _ in range(3):
        assert ask(gateway, CHAT, False).status >= 500
    assert wait_until(lambda: health(gateway).get("probe", {}).get("alive") is False)
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(2)
        connection, _ = listener.accept()
        connection.settimeout(2)
        assert connection.recv(100) == b"", "it asked something"
        assert wait_until(lambda: "resting" not in health(gateway), 2)


def test_a_probe_that_gets_no_answer_ends(start, vendor):
    gateway = probed(start, vendor, CHAT, timeout="100ms")
    sick(gateway, vendor, CHAT)
    vendor.default = lambda request: Answer(before="stall")
    assert wait_until(lambda: "timeout" in health(gateway).get("probe", {}).get("why", ""))
    assert wait_until(lambda: len(vendor.probes()) >= 3), "the next one comes all the same"


def test_probes_all_the_time_find_a_fault_before_a_request_does(start, vendor):
    gateway = probed(start, vendor, CHAT, every="100ms", always=True)
    assert wait_until(lambda: len(vendor.probes()) >= 2), "without any request"
    vendor.calls = 200
    assert ask(gateway, CHAT, False).status == 200
    vendor.models = 500
    assert wait_until(lambda: "resting" in health(gateway), 3)
    vendor.models = 200
    assert wait_until(lambda: "resting" not in health(gateway), 2)
    assert len(vendor.asked()) == 1


def test_probes_follow_the_configuration(start, vendor):
    gateway = probed(start, vendor, CHAT, always=True)
    assert wait_until(lambda: len(vendor.probes()) >= 2)
    gateway.write({"backends": {"first": backend(CHAT, vendor.url())}, "failover": RESTS})
    gateway.wait_for_words("read again")
    time.sleep(0.1)
    seen = len(vendor.probes())
    time.sleep(0.5)
    assert len(vendor.probes()) == seen
    gateway.write({"backends": {"first": backend(CHAT, vendor.url(), probe={"every": "100ms", "always": True})}})
    assert wait_until(lambda: len(vendor.probes()) > seen)


def test_probes_do_not_march_in_step(start, vendor):
    """Twenty backends at one vendor: their probes are spread, and the time between two of one varies."""
    settings = {"every": "500ms", "always": True}
    pair = Pair("chat", "openai", "m")
    gateway = start(
        {"backends": {f"b{i}": backend(pair, vendor.url(), probe=settings, models=[f"m{i}"]) for i in range(20)}}
    )
    assert wait_until(lambda: len(vendor.probes()) >= 100, 8)
    at = sorted(one.at for one in vendor.probes())[:100]
    busiest = max(sum(1 for t in at if begin <= t < begin + 0.05) for begin in at)
    assert busiest < 20, "all at once"
    assert gateway.get("/health/ready").status == 200
