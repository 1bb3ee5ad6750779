"""The doors of the other dialects: clients speaking Anthropic's or Gemini's words to each vendor, whole and
streamed, and their errors. (The official SDKs of these dialects come with the full square.)
SPDX-License-Identifier: MIT
"""

import pytest

from conftest import VENDORS
from harness import asked, recorded, replies
from harness.gateway import CLIENT_KEY
from harness.replies import Call

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = "Weather in Zürich? 🌤"


def anthropic(gateway, model, stream, text=QUESTION):
    body = {
        "model": model,
        "max_tokens": 300,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": text}],
        "tools": [{"name": "weather", "description": "Tells it", "input_schema": PARAMETERS}],
        "stream": stream,
    }
    return gateway.post("/v1/messages", body, [("anthropic-version", "2023-06-01"), ("x-api-key", CLIENT_KEY)])


def gemini(gateway, model, stream, text=QUESTION):
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "tools": [{"functionDeclarations": [{"name": "weather", "description": "Tells it", "parameters": PARAMETERS}]}],
        "generationConfig": {"maxOutputTokens": 300},
    }
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return gateway.post(f"/v1beta/models/{model}:{method}", body, [("x-goog-api-key", CLIENT_KEY)])


CLIENTS = {"anthropic": (anthropic, recorded.anthropic), "gemini": (gemini, recorded.gemini)}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", list(CLIENTS))
def test_text_and_a_call(gateway, upstream, vendor, client, stream):
    upstream.say(text="Let me look. 苏黎世", calls=[Call("weather", {"city": "Zürich"})], input=40, output=20)
    ask, read = CLIENTS[client]
    reply = ask(gateway, VENDORS[vendor], stream)
    assert reply.status == 200, reply.text
    told = read(
        {"response_sse": reply.text, "response": None} if stream else {"response_sse": None, "response": reply.json}
    )
    assert told.text == "Let me look. 苏黎世" and told.calls == [("weather", {"city": "Zürich"})]
    assert told.finish == "tool_calls" and told.usage == (40, 20)
    assert asked.said(upstream.last()) == [("system", "Be brief."), ("user", QUESTION)]
    assert asked.tools(upstream.last())["weather"]["required"] == ["city"]
    assert asked.sampling(upstream.last())["most"] == 300


@pytest.mark.parametrize("client", list(CLIENTS))
def test_errors_are_told_in_the_words_of_the_caller(gateway, upstream, client):
    reply = CLIENTS[client][0](gateway, "dmo", False)
    assert reply.status == 404
    if client == "anthropic":
        assert reply.json["type"] == "error" and reply.json["error"]["type"] == "not_found_error"
        assert reply.header("request-id")
    else:
        assert reply.json["error"]["code"] == 404 and reply.json["error"]["status"] == "NOT_FOUND"
    assert "demo" in reply.json["error"]["message"] and upstream.seen == []


@pytest.mark.parametrize("client", list(CLIENTS))
def test_a_cut_stream_never_ends_well(gateway, upstream, client):
    def cut(request):
        answer = replies.answer(request, replies.Say(text="half of the answer and then no more"))
        return answer.with_(pieces=answer.pieces[:4], end="fin")

    upstream.answer(cut)
    reply = CLIENTS[client][0](gateway, VENDORS["openai"], True)
    assert "message_stop" not in reply.text and '"STOP"' not in reply.text
    assert ("event: error" if client == "anthropic" else '"error"') in reply.text


def test_the_model_list_is_told_in_the_words_of_the_caller(gateway):
    anthropic_list = gateway.get("/v1/models", [("anthropic-version", "2023-06-01")]).json
    assert {"id": "demo", "type": "model"}.items() <= next(
        m for m in anthropic_list["data"] if m["id"] == "demo"
    ).items()
    assert "models/demo" in [m["name"] for m in gateway.get("/v1beta/models").json["models"]]
