"""The doors of Anthropic's and Gemini's dialects, on the wire: errors and broken streams in the words of the caller. (What
the official SDKs of these dialects ask and hear: test_square.py.) SPDX-License-Identifier: MIT
"""

import pytest

from harness import replies
from harness.gateway import CLIENT_KEY
from harness.vendors import VENDORS

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


CLIENTS = {"anthropic": anthropic, "gemini": gemini}


@pytest.mark.parametrize("client", list(CLIENTS))
def test_errors_are_told_in_the_words_of_the_caller(gateway, upstream, client):
    reply = CLIENTS[client](gateway, "dmo", False)
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
    reply = CLIENTS[client](gateway, VENDORS["openai"], True)
    assert "message_stop" not in reply.text and '"STOP"' not in reply.text
    assert ("event: error" if client == "anthropic" else '"error"') in reply.text


def test_the_model_list_is_told_in_the_words_of_the_caller(gateway):
    anthropic_list = gateway.get("/v1/models", [("anthropic-version", "2023-06-01")]).json
    assert {"id": "demo", "type": "model"}.items() <= next(
        m for m in anthropic_list["data"] if m["id"] == "demo"
    ).items()
    assert "models/demo" in [m["name"] for m in gateway.get("/v1beta/models").json["models"]]
