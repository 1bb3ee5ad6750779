"""Cohere's Chat API: the official SDK as client of each vendor, whole, streamed and with tools; and other clients in
front of a Cohere upstream, which judges by the SDK's own types. SPDX-License-Identifier: MIT
"""

import base64
import json

import pytest

from conftest import VENDORS
from harness import asked, replies
from harness.gateway import CLIENT_KEY, KEYS, Gateway, backends
from harness.replies import Call

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
    """The message that a stream's events amount to: (thinking, text, plan, [(name, arguments)], citations, end)."""
    thinking = text = plan = ""
    calls, cited, end = [], [], None
    for event in events:
        match event.type:
            case "content-delta":
                thinking += event.delta.message.content.thinking or ""
                text += event.delta.message.content.text or ""
            case "tool-plan-delta":
                plan += event.delta.message.tool_plan
            case "tool-call-start":
                calls.append([event.delta.message.tool_calls.function.name, ""])
            case "tool-call-delta":
                calls[event.index][1] += event.delta.message.tool_calls.function.arguments
            case "citation-start":
                cited.append(event.delta.message.citations)
            case "message-end":
                end = event.delta
    return thinking, text, plan, [(name, json.loads(arguments)) for name, arguments in calls], cited, end


def test_a_text_and_what_it_cost(client, upstream, vendor):
    upstream.say(text="Sunny. 苏黎世", input=40, output=20)
    reply = client.chat(
        model=MODELS[vendor],
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
        max_tokens=300,
        temperature=0.5,
        stop_sequences=["END"],
    )
    assert [(c.type, c.text) for c in reply.message.content] == [("text", "Sunny. 苏黎世")]
    assert reply.finish_reason == "COMPLETE" and reply.id
    assert (reply.usage.tokens.input_tokens, reply.usage.tokens.output_tokens) == (40, 20)
    assert asked.said(upstream.last()) == [("system", "Be brief."), ("user", QUESTION)]
    assert asked.sampling(upstream.last()) == {"temperature": 0.5, "most": 300, "stop": ["END"]}


def test_a_stream(client, upstream, vendor):
    upstream.say(text="Sunny, and warm by noon. 苏黎世", input=40, output=20, stop="length")
    stream = client.chat_stream(model=MODELS[vendor], messages=[{"role": "user", "content": QUESTION}])
    events = list(stream)
    assert events[0].type == "message-start" and events[-1].type == "message-end"
    _, text, _, _, _, end = told(events)
    assert text == "Sunny, and warm by noon. 苏黎世" and end.finish_reason == "MAX_TOKENS"
    assert (end.usage.tokens.input_tokens, end.usage.tokens.output_tokens) == (40, 20)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_loop(client, upstream, vendor, stream):
    upstream.say(text="I look it up.", calls=[Call("weather", {"city": "Zürich"}), Call("weather", {"city": "Bern"})])
    messages = [{"role": "user", "content": QUESTION}]
    ask = {"model": MODELS[vendor], "tools": [WEATHER], "messages": messages}
    if stream:
        _, text, plan, calls, _, end = told(client.chat_stream(**ask))
        finish = end.finish_reason
        made = [
            {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(calls)
        ]
    else:
        reply = client.chat(**ask)
        text = "".join(c.text for c in reply.message.content or [])
        plan, finish = reply.message.tool_plan or "", reply.finish_reason
        made = [call.dict() for call in reply.message.tool_calls]
        calls = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in made]
    assert calls == [("weather", {"city": "Zürich"}), ("weather", {"city": "Bern"})]
    assert finish == "TOOL_CALL" and text + plan == "I look it up."
    assert asked.tools(upstream.last())["weather"]["required"] == ["city"]

    upstream.say(text="22 and 19 degrees.")
    messages.append({"role": "assistant", "tool_plan": text + plan, "tool_calls": made})
    for call, degrees in zip(made, ("22", "19")):
        document = {"type": "document", "document": {"data": {"degrees": degrees}}}
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": [document]})
    reply = client.chat(**ask)
    assert reply.message.content[0].text == "22 and 19 degrees."
    results = [text for _, _, text in asked.items(upstream.last(), "result")]
    assert [json.loads(r) for r in results] == [{"degrees": "22"}, {"degrees": "19"}]
    assert [c[2] for c in asked.items(upstream.last(), "call")] == [{"city": "Zürich"}, {"city": "Bern"}]


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


def test_thinking_is_shown(client, upstream):
    upstream.say(text="4", thinking="2 + 2 is easy", signature="sig-of-claude", reasoning=9)
    _, text, *_ = thought = told(
        client.chat_stream(
            model=MODELS["claude"],
            messages=[{"role": "user", "content": "2 + 2?"}],
            thinking={"type": "enabled", "token_budget": 2048},
        )
    )
    assert thought[0] == "2 + 2 is easy" and text == "4"
    assert upstream.last().json["thinking"] == {"type": "enabled", "budget_tokens": 2048}


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
    _, text, *_, end = told(events)
    assert "half of the answer and then no more".startswith(text)
    assert end.finish_reason == "ERROR" and end.error


def test_what_cannot_be_said_is_named(gateway, upstream):
    body = {"model": MODELS["openai"], "messages": [{"role": "user", "content": "?"}], "safety_mode": "STRICT"}
    body["citation_options"] = {"mode": "OFF"}
    reply = gateway.post("/v2/chat", body, [("authorization", f"Bearer {CLIENT_KEY}")])
    assert reply.status == 200 and "lost /safety_mode" in reply.header("x-sluice-notes")
    assert "lost /citation_options" in reply.header("x-sluice-notes")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_other_clients_reach_cohere(gateway, upstream, stream):
    upstream.say(text="I look it up.", calls=[Call("weather", {"city": "Zürich"})], thinking="hm", input=30, cached=12)
    body = {
        "model": MODELS["cohere"],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
        "tools": [WEATHER],
        "tool_choice": "required",
        "top_p": 1,
        "stream": stream,
    }
    reply = gateway.post("/v1/chat/completions", body, [("authorization", f"Bearer {CLIENT_KEY}")])
    assert reply.status == 200, reply.text
    assert upstream.last().json["p"] == 0.99 and "restated /top_p" in reply.header("x-sluice-notes")
    assert asked.said(upstream.last()) == [("system", "Be brief."), ("user", QUESTION)]
    if stream:
        assert '"finish_reason":"tool_calls"' in reply.text and "[DONE]" in reply.text
    else:
        message = reply.json["choices"][0]["message"]
        assert message["content"] == "I look it up." and message["reasoning_content"] == "hm"
        assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"city": "Zürich"}
        assert reply.json["usage"]["prompt_tokens"] == 42
        assert reply.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 12
