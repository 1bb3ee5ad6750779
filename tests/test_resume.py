"""A stream that breaks off amid its text is gone on with by another call: the client reads one answer.
SPDX-License-Identifier: MIT"""

import json

import pytest

from faults.bench import told
from harness import replies
from harness.gateway import Gateway
from harness.replies import Call, Say
from harness.upstream import Upstream
from square import clients, mouths, vendors
from square.talk import Ask, Tool

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BEGUN = "It was a dark and stormy night; the rain fell in torrents, except at "
REST = "occasional intervals."
VENDORS = {vendor.name: vendor for vendor in vendors.ALL}
# A foreign dialect for each.
OTHER = dict(zip(VENDORS, [*list(VENDORS)[2:], *list(VENDORS)[:2]]))
PLEA = "cut off by a fault"
NOTE = "the answer broke off, and another call went on with it"


def place(vendor, upstream, **more):
    backend = vendor.backend | {"base_url": vendor.backend["base_url"].format(root=upstream.url())}
    return backend | {"models": [vendor.model], "timeouts": {"between_tokens": "400ms"}} | more


@pytest.fixture(scope="module")
def places():
    """Two scripted upstreams, and a gateway in which each vendor lives at both; the model `a>b` is a's, then b's."""
    both = Upstream(), Upstream()
    yield both
    for one in both:
        one.close()


def configuration(first, second):
    backends, routes = {}, []
    for name, vendor in VENDORS.items():
        backends["first-" + name.replace("_", "-")] = place(vendor, first)
        backends["second-" + name.replace("_", "-")] = place(vendor, second)
    for a in VENDORS.values():
        for b in VENDORS.values():
            legs = [
                {"backend": f"{which}-{one.name.replace('_', '-')}", "model": one.model}
                for which, one in (("first", a), ("second", b))
            ]
            routes.append({"model": f"{a.name}/{b.name}", "resume": True, "try": legs})
            routes.append({"model": f"off/{a.name}/{b.name}", "try": legs})
    return {"backends": backends, "routes": routes, "failover": {"attempts": 1, "breaker": {"enabled": False}}}


@pytest.fixture(scope="module")
def shared(places, tmp_path_factory):
    one = Gateway(tmp_path_factory.mktemp("resume"), configuration(*places))
    yield one
    one.stop()


@pytest.fixture
def two(places, shared):
    for one in places:
        one.reset()

    def rows():
        return [row for row in shared.lines() if row.get("operation") == "chat"]

    before = len(rows())

    def row():
        shared.wait_for_line(lambda _: len(rows()) > before)
        (found,) = rows()[before:]
        return found

    yield shared, *places, row
    shared.wait_for_line(lambda _: len(rows()) > before)
    for one in places:
        assert not one.violations, one.violations
        assert not one.script
    assert shared.process.poll() is None, shared.said()[-8000:]


def broken(end, say=None, keep=0.6, tail=b""):
    def make(request):
        whole = replies.answer(request, say or Say(text=BEGUN + REST))
        pieces = whole.pieces[: int(len(whole.pieces) * keep)]
        return whole.with_(pieces=[*pieces, tail], end=end)

    return make


def error_event(request):
    body = replies.error(request.dialect, 529, "overloaded in the middle").payload()
    event = b"event: error\ndata: " if request.dialect == "anthropic" else b"data: "
    return broken("keep", tail=event + body + b"\n\n")(request)


ENDS = {"reset": broken("reset"), "EOF": broken("keep"), "cut": broken("cut"), "stall": broken("stall")}


def goes_on(say_rest):
    """Says what is left of the text, and keeps what it was told of it."""
    heard = []

    def make(request):
        body = request.body.decode()
        said = max((BEGUN[:n] for n in range(len(BEGUN) + 1) if json.dumps(BEGUN[:n].rstrip())[1:-1] in body), key=len)
        heard.append((said, PLEA in body))
        return replies.answer(request, say_rest)

    make.heard = heard
    return make


PAIRS = [(c, c, c) for c in VENDORS] + [(c, c, OTHER[c]) for c in VENDORS] + [(c, OTHER[c], c) for c in VENDORS]


@pytest.mark.parametrize("client, first, second", PAIRS, ids=lambda name: name)
@pytest.mark.parametrize("end", ENDS)
def test_the_client_reads_one_answer(two, client, first, second, end):
    if why := mouths.missing(client, "Python"):
        pytest.skip(f"SDK: {why}")
    gateway, one, other, row = two
    one.answer(ENDS[end])
    rest = goes_on(Say(text=REST, input=20, output=5))
    other.answer(rest)
    speaker = mouths.Python(client, gateway.url)
    got = speaker.ask(f"{first}/{second}", Ask("Tell a story.", stream=True))
    assert got.error is None, got.error
    begun = got.text.removesuffix(REST)
    assert got.text != begun and begun and BEGUN.startswith(begun), got.text
    ((said, plea),) = rest.heard
    assert said.rstrip() == begun.rstrip(), "what was said is what is gone on from"
    assert plea != (second in ("anthropic", "bedrock_converse")), "these models go on from a turn of their own"
    assert got.stop == "end"
    found = row()
    assert "fault" not in found and [a["backend"].split("-")[0] for a in found["attempts"]] == ["first", "second"]
    assert found["attempts"][0]["fault"] == ("upstream_timeout" if end == "stall" else "upstream_broken")
    assert NOTE in [n["why"] for n in found["notes"]]
    # The question of the first and of the second, and what both said.
    assert found["tokens"]["input"] > 20 and found["tokens"]["output"] > 5, found["tokens"]
    if got.usage.get("input"):
        assert (got.usage["input"], got.usage["output"]) == (found["tokens"]["input"], found["tokens"]["output"])
    assert json.dumps(found).find(REST) < 0, "no words are logged"


@pytest.mark.parametrize("vendor", ["openai_chat", "anthropic", "gemini"])
def test_an_error_in_the_stream_is_a_break_too(two, vendor):
    gateway, one, other, row = two
    one.answer(error_event)
    other.answer(goes_on(Say(text=REST)))
    got = mouths.Python("openai_chat", gateway.url).ask(f"{vendor}/openai_chat", Ask(stream=True))
    assert got.error is None and got.text.endswith(REST) and len(got.text) > len(REST)
    assert row()["attempts"][0]["fault"] in ("upstream_overloaded", "upstream_failed")


def test_without_the_route_s_word_it_is_an_error(two):
    gateway, one, other, row = two
    one.answer(broken("reset"))
    got = mouths.Python("openai_chat", gateway.url).ask("off/openai_chat/openai_chat", Ask(stream=True))
    assert got.error and not other.seen
    assert row()["fault"] == "upstream_broken"


TOOL = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic", "gemini"])
def test_a_call_that_was_begun_is_never_gone_on_with(two, client):
    gateway, one, other, row = two
    say = Say(text="Let me see.", calls=[Call("weather", {"city": "Zürich " * 30})])
    one.answer(broken("reset", say, keep=0.9))
    # Gemini's calls come whole: there the stream ends behind it.
    got = mouths.Python(client, gateway.url).ask(f"{client}/{client}", Ask(tools=(TOOL,), stream=True))
    assert got.error, got
    assert not other.seen and row()["fault"] == "upstream_broken"


def test_several_answers_are_not_gone_on_with(two):
    gateway, one, other, row = two
    one.answer(broken("reset"))
    body = {"model": "openai_chat/openai_chat", "n": 2, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    assert "error" in gateway.post("/v1/chat/completions", body).events[-1]
    assert not other.seen and row()["fault"] == "upstream_broken"


def test_an_answer_in_a_form_is_not_gone_on_with(two):
    gateway, one, other, row = two
    one.answer(broken("reset"))
    more = {"stream": True, "response_format": {"type": "json_object"}}
    assert "error" in gateway.chat("openai_chat/openai_chat", "say it in JSON", **more).events[-1]
    assert not other.seen and row()["fault"] == "upstream_broken"


def test_when_nobody_can_go_on_the_client_hears_the_first_error(two):
    gateway, one, other, row = two
    one.answer(broken("reset"))
    other.answer(lambda request: replies.error(request.dialect, 400, "no such thing"))
    reply = gateway.chat("openai_chat/openai_chat", stream=True)
    assert "error" in reply.events[-1] and "no such thing" not in json.dumps(reply.events[-1])
    assert "[DONE]" not in reply.events
    found = row()
    assert found["fault"] == "upstream_broken" and [a["fault"] for a in found["attempts"]] == ["upstream_broken", "upstream_rejected"]


def test_the_same_target_may_go_on(start):
    upstream = Upstream()
    vendor = VENDORS["openai_chat"]
    gateway = start(
        {
            "backends": {"only": place(vendor, upstream)},
            "routes": [{"model": vendor.model, "resume": True}],
            "failover": {"attempts": 3},
        }
    )
    upstream.answer(broken("reset"), goes_on(Say(text=REST)))
    reply = gateway.chat(vendor.model, stream=True)
    assert reply.events[-1] == "[DONE]" and len(upstream.seen) == 2
    ids = {e["id"] for e in reply.events if e != "[DONE]"}
    assert len(ids) == 1, ids
    finishes = [c["finish_reason"] for e in reply.events if e != "[DONE]" for c in e["choices"] if c["finish_reason"]]
    assert finishes == ["stop"]
    (row,) = told(gateway)
    assert len(row["attempts"]) == 2 and "fault" not in row
    assert not upstream.violations, upstream.violations
    upstream.close()


def test_a_limit_is_less_by_what_was_said(two):
    gateway, one, other, _ = two
    one.answer(broken("reset"))
    other.answer(goes_on(Say(text=REST)))
    gateway.chat("openai_chat/openai_chat", stream=True, max_tokens=50)
    body = other.last().json
    assert 16 <= (body.get("max_tokens") or body["max_completion_tokens"]) < 50


def test_a_response_that_was_joined_is_held_whole(two):
    gateway, one, other, _ = two
    one.answer(broken("reset"))
    other.answer(goes_on(Say(text=REST)))
    body = {"model": "openai_responses/anthropic", "input": "Tell a story.", "stream": True, "store": True}
    events = gateway.post("/v1/responses", body).events
    assert events[-1]["type"] == "response.completed"
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    whole = events[-1]["response"]
    assert len({e["response"]["id"] for e in events if "response" in e}) == 1
    held = gateway.get(f"/v1/responses/{whole['id']}").json
    assert held["output"] == whole["output"] and held["output"][0]["content"][0]["text"].endswith(REST)


def test_a_client_that_leaves_ends_the_second_call_too(two):
    gateway, one, other, row = two
    one.answer(broken("reset"))
    other.answer(broken("stall", Say(text=REST * 5)))
    connection = gateway.connect()
    body = {"model": "openai_chat/openai_chat", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    connection.request("POST", "/v1/chat/completions", [], body)
    other.wait_for_request()
    connection.close()
    assert row()["status"] in (200, 499)
