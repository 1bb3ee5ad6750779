"""Cohere's Chat API beyond the square: a forced call beside documents, the same dialect byte for byte, errors, broken
streams, what cannot be said. SPDX-License-Identifier: MIT
"""

import base64
import json
import uuid

import pytest

from harness import asked, replies
from harness.gateway import CLIENT_KEY, KEYS, Gateway, backends
from harness.vendors import VENDORS

cohere = pytest.importorskip("cohere", reason="SDK: cohere (Python) is not installed")
httpx = pytest.importorskip("httpx", reason="SDK: httpx is not installed")

MODELS = VENDORS | {"cohere": "command-a-plus-05-2026"}
REASONER = "gpt-5.6"  # by its Responses
QUESTION = "Weather in Zürich? 🌤"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": PARAMETERS}}
SIGNATURE = "RXZlcnkgdGhvdWdodCBpcyBzaWduZWQ/Pz8+Pj4="
PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def started(session_upstream, tmp_path_factory):
    own = {"base_url": session_upstream.url(), "api_key": KEYS["cohere"], "dialects": ["cohere"]}
    openai = {"type": "openai", "base_url": session_upstream.url("/v1"), "api_key": KEYS["openai"]}
    more = {"cohere": own, "responses": openai | {"dialects": ["openai_responses"], "models": [REASONER]}}
    gateway = Gateway(tmp_path_factory.mktemp("cohere"), {"backends": backends(session_upstream) | more})
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(started, upstream):
    yield started
    assert started.process.poll() is None, f"the gateway died:\n{started.said()[-8000:]}"


@pytest.fixture
def client(gateway):
    return cohere.ClientV2(api_key=CLIENT_KEY, base_url=gateway.url)


@pytest.fixture(params=list(MODELS))
def vendor(request):
    return request.param


def told(events):
    """The text that a stream's events amount to, and its end."""
    text = "".join(e.delta.message.content.text or "" for e in events if e.type == "content-delta")
    return text, next((e.delta for e in events if e.type == "message-end"), None)


def test_a_forced_call_a_picture_and_documents(client, upstream, vendor):
    upstream.say(text="1811.")
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    client.chat(
        model=MODELS[vendor],
        messages=[{"role": "user", "content": [{"type": "text", "text": "When?"}, picture]}],
        documents=[{"id": "log", "data": {"title": "Keeper's log", "text": "The lighthouse was lit in 1811."}}],
        tools=[WEATHER],
        tool_choice="REQUIRED",
    )
    # Gemini takes the document as a file.
    log = "The lighthouse was lit in 1811."
    said = json.dumps(upstream.last().json)
    assert log in said or base64.b64encode(log.encode()).decode() in said
    assert asked.items(upstream.last(), "image") == [("image", "image/png", "iVBORw0KGgo=")]
    assert asked.tool_choice(upstream.last()) == "any"


@pytest.mark.parametrize("keeps_thoughts", [True, False])
def test_a_streamed_tool_loop_with_thoughts_against_responses(client, upstream, keeps_thoughts):
    """Thoughts, a text and three calls at once, each in its own numbered blocks; the proof returns either way."""
    cities = [{"city": "Zürich"}, {"city": "Genève"}, {"city": "Bern"}]
    calls = [replies.Call("weather", city, id="call_" + uuid.uuid4().hex[:20]) for city in cities]
    upstream.say(thinking="Three towns.", signature=SIGNATURE, text="Let me look.", calls=calls)
    ask = {"model": REASONER, "tools": [WEATHER], "thinking": {"type": "enabled", "token_budget": 3000}}
    question = {"role": "user", "content": QUESTION}
    events = list(client.chat_stream(messages=[question], **ask))
    edges = [e for e in events if e.type.endswith(("-start", "-end")) and not e.type.startswith("message")]
    steps = [(e.type, e.index) for e in edges]
    blocks = [("content", 0), ("content", 1), ("tool-call", 0), ("tool-call", 1), ("tool-call", 2)]
    assert steps == [(f"{kind}-{edge}", n) for kind, n in blocks for edge in ("start", "end")]
    content = {0: "", 1: ""}
    arguments = {0: "", 1: "", 2: ""}
    for event in events:
        if event.type == "content-delta":
            content[event.index] += event.delta.message.content.thinking or event.delta.message.content.text
        elif event.type == "tool-call-delta":
            arguments[event.index] += event.delta.message.tool_calls.function.arguments
    assert content == {0: "Three towns.", 1: "Let me look."}
    assert [json.loads(text) for text in arguments.values()] == cities
    assert told(events)[1].finish_reason == "TOOL_CALL"
    started = [e.delta.message.tool_calls for e in events if e.type == "tool-call-start"]
    assert [call.function.name for call in started] == ["weather"] * 3 and len({call.id for call in started}) == 3

    made = [
        {"id": call.id, "type": "function", "function": {"name": "weather", "arguments": arguments[n]}}
        for n, call in enumerate(started)
    ]
    kept = {"content": [{"type": "thinking", "thinking": content[0]}, {"type": "text", "text": content[1]}]}
    turn = {"role": "assistant", "tool_calls": made} | (kept if keeps_thoughts else {"tool_plan": content[1]})
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"{n} degrees"} for n, call in enumerate(started)]
    upstream.say(thinking="Add.", signature=SIGNATURE, text="All cold.")
    end = list(client.chat_stream(messages=[question, turn, *results], **ask))
    assert told(end)[0] == "All cold." and told(end)[1].finish_reason == "COMPLETE"
    seen = upstream.last()
    assert seen.path == "/v1/responses" and seen.streams
    assert asked.items(seen, "thinking") == [("thinking", "Three towns.", SIGNATURE)]
    assert [c[1:] for c in asked.items(seen, "call")] == [("weather", city) for city in cities]
    assert [r[1:] for r in asked.items(seen, "result")] == [(call.id, f"{n} degrees") for n, call in enumerate(calls)]
    assert ("assistant", "Let me look.") in asked.said(seen)


def test_cohere_is_relayed_byte_for_byte(gateway, upstream):
    body = {"model": MODELS["cohere"], "messages": [{"role": "user", "content": "?"}], "safety_mode": "STRICT", "k": 3}
    upstream.say(text="as it came")
    reply = gateway.post("/v2/chat", body, [("authorization", f"Bearer {CLIENT_KEY}")])
    assert upstream.last().json == body and upstream.last().path == "/v2/chat"
    assert reply.json == replies.cohere_whole(replies.Say(text="as it came"), "")


def test_errors_come_as_the_sdk_knows_them(client, gateway, upstream, vendor):
    upstream.answer(lambda request: replies.error(request.dialect, 400, "that cannot be done"))
    with pytest.raises(cohere.BadRequestError) as refused:
        client.chat(model=MODELS[vendor], messages=[{"role": "user", "content": "?"}])
    assert "that cannot be done" in refused.value.body["message"]
    with pytest.raises(cohere.NotFoundError) as unknown:
        client.chat(model="dmo", messages=[{"role": "user", "content": "?"}])
    assert "demo" in unknown.value.body["message"] and unknown.value.body["id"]


def test_a_cut_stream_never_ends_well(client, upstream, vendor):
    def cut(request):
        answer = replies.answer(request, replies.Say(text="half of the answer and then no more"))
        return answer.with_(pieces=answer.pieces[:3], end="fin")

    upstream.answer(cut)
    events = []
    with pytest.raises(httpx.RemoteProtocolError):  # the framing is cut as well
        for event in client.chat_stream(model=MODELS[vendor], messages=[{"role": "user", "content": "?"}]):
            events.append(event)
    text, end = told(events)
    assert "half of the answer and then no more".startswith(text)
    assert end.finish_reason == "ERROR" and end.error


def test_what_cannot_be_said_is_named(gateway, upstream):
    body = {"model": MODELS["openai"], "messages": [{"role": "user", "content": "?"}], "safety_mode": "STRICT"}
    body["citation_options"] = {"mode": "OFF"}
    reply = gateway.post("/v2/chat", body, [("authorization", f"Bearer {CLIENT_KEY}")])
    assert reply.status == 200 and "lost /safety_mode" in reply.header("x-sluice-notes")
    assert "lost /citation_options" in reply.header("x-sluice-notes")
