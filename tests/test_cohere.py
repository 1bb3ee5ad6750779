"""Cohere's Chat API beyond the square: a forced call beside documents, the same dialect byte for byte, errors, broken
streams, what cannot be said. SPDX-License-Identifier: MIT
"""

import base64
import json

import pytest

from conftest import VENDORS
from harness import asked, replies
from harness.gateway import CLIENT_KEY, KEYS, Gateway, backends

cohere = pytest.importorskip("cohere", reason="SDK: cohere (Python) is not installed")
httpx = pytest.importorskip("httpx", reason="SDK: httpx is not installed")

MODELS = VENDORS | {"cohere": "command-a-plus-05-2026"}
QUESTION = "Weather in Zürich? 🌤"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": PARAMETERS}}
PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def started(session_upstream, tmp_path_factory):
    own = {"base_url": session_upstream.url(), "api_key": KEYS["cohere"], "dialects": ["cohere"]}
    gateway = Gateway(tmp_path_factory.mktemp("cohere"), {"backends": backends(session_upstream) | {"cohere": own}})
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
