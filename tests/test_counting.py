"""Counting tokens before asking: the official SDKs of each dialect that has a call for it, against each kind of
upstream. Whoever can count is asked; for the others it is guessed, and the answer says so.
SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness import vendor_schema
from harness.gateway import CLIENT_KEY, KEYS
from harness.upstream import Answer

anthropic = pytest.importorskip("anthropic", reason="SDK: anthropic is not installed")
genai = pytest.importorskip("google.genai", reason="SDK: google-genai is not installed")
openai = pytest.importorskip("openai", reason="SDK: openai is not installed")

MODELS = {
    "claude": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "openai": "gpt-5",
    "bedrock": "anthropic.claude-sonnet-4-5-v1",
    "chat": "llama-3.3-70b",
    "cohere": "command-a-03-2025",
}
PATHS = {
    "claude": "/v1/messages/count_tokens",
    "gemini": "/v1beta/models/gemini-2.5-flash:countTokens",
    "openai": "/v1/responses/input_tokens",
    "bedrock": "/model/anthropic.claude-sonnet-4-5-v1/count-tokens",
}
COUNTED = {
    "claude": {"input_tokens": 1234},
    "gemini": {"totalTokens": 1234, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1234}]},
    "openai": {"object": "response.input_tokens", "input_tokens": 1234},
    "bedrock": {"inputTokens": 1234},
}
SYSTEM = "You are terse."
QUESTION = "What is the weather in Zürich?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Anthropic:
    own = "claude"

    def count(self, gateway, model):
        with anthropic.Anthropic(base_url=gateway.url, api_key=CLIENT_KEY, max_retries=0) as sdk:
            reply = sdk.messages.with_raw_response.count_tokens(
                model=model,
                system=SYSTEM,
                messages=[{"role": "user", "content": QUESTION}],
                tools=[{"name": "weather", "description": "Tells it", "input_schema": SCHEMA}],
            )
            return reply.parse().input_tokens, reply.headers


class Gemini:
    """AI Studio's SDK counts contents only: a question with settings goes by hand."""

    own = "gemini"

    def count(self, gateway, model):
        options = genai.types.HttpOptions(base_url=gateway.url)
        sdk = genai.Client(api_key=CLIENT_KEY, http_options=options)
        reply = sdk.models.count_tokens(model=model, contents=QUESTION)
        return reply.total_tokens, reply.sdk_http_response.headers


class Responses:
    own = "openai"

    def count(self, gateway, model):
        with openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0) as sdk:
            tool = {"type": "function", "name": "weather", "strict": False, "parameters": SCHEMA}
            reply = sdk.responses.input_tokens.with_raw_response.count(
                model=model, instructions=SYSTEM, input=QUESTION, tools=[tool]
            )
            return reply.parse().input_tokens, reply.headers


CLIENTS = {"anthropic": Anthropic(), "gemini": Gemini(), "responses": Responses()}


@pytest.fixture
def gateway(start, upstream):
    return start(
        {
            "backends": {
                "claude": {"base_url": upstream.url(), "api_key": KEYS["claude"], "models": [MODELS["claude"]]},
                "gemini": {"base_url": upstream.url(), "api_key": KEYS["gemini"], "models": [MODELS["gemini"]]},
                "openai": {"base_url": upstream.url("/v1"), "api_key": KEYS["openai"], "models": [MODELS["openai"]]},
                "bedrock": {
                    "base_url": upstream.url(),
                    "api_key": KEYS["bedrock"],
                    "aws": {"region": "eu-central-1"},
                    "models": [MODELS["bedrock"]],
                },
                "chat": {"type": "compatible", "base_url": upstream.url("/v1"), "models": [MODELS["chat"]]},
                "cohere": {"base_url": upstream.url(), "api_key": KEYS["cohere"], "models": [MODELS["cohere"]]},
            }
        }
    )


@pytest.fixture(params=list(CLIENTS))
def client(request):
    return CLIENTS[request.param]


def counts(vendor):
    return Answer(pieces=[json.dumps(COUNTED[vendor]).encode()])


@pytest.mark.parametrize("vendor", list(COUNTED))
def test_the_vendor_is_asked(gateway, upstream, client, vendor):
    upstream.answer(counts(vendor))
    tokens, headers = client.count(gateway, MODELS[vendor])
    assert tokens == 1234 and "x-sluice-estimate" not in headers
    seen = upstream.last()
    assert seen.path == PATHS[vendor] and QUESTION in json.dumps(seen.json, ensure_ascii=False)
    assert (SYSTEM in seen.body.decode()) == (client.own != "gemini")
    assert "x-sluice-notes" not in headers, headers["x-sluice-notes"]
    row = gateway.wait_for_line(lambda row: row.get("operation") == "count_tokens")
    assert "tokens" not in row and row["backend"] == vendor


@pytest.mark.parametrize("vendor", ["chat", "cohere"])
def test_where_nobody_counts_it_is_guessed_and_said(gateway, upstream, client, vendor):
    tokens, headers = client.count(gateway, MODELS[vendor])
    assert headers["x-sluice-estimate"] == "true" and upstream.seen == []
    assert 8 < tokens < 2000
    row = gateway.wait_for_line(lambda row: row.get("operation") == "count_tokens")
    assert "tokens" not in row and "attempts" not in row


def test_the_demo_counts_too(gateway, client):
    tokens, headers = client.count(gateway, "demo")
    assert tokens > 5 and headers["x-sluice-estimate"] == "true"


def test_settings_are_counted_by_gemini_in_their_own_form(gateway, upstream):
    """`generateContentRequest` holds the whole question; Notes point into it."""
    question = {
        "model": f"models/{MODELS['claude']}",
        "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 7, "future": 1},
    }
    upstream.answer(counts("claude"))
    path = f"/v1beta/models/{MODELS['claude']}:countTokens"
    reply = gateway.post(path, {"generateContentRequest": question}, [("x-goog-api-key", CLIENT_KEY)])
    assert reply.status == 200 and reply.json == {"totalTokens": 1234}
    body = upstream.last().json
    assert body["system"] == SYSTEM or body["system"][0]["text"] == SYSTEM
    assert set(body) == {"model", "messages", "system"}
    assert reply.header("x-sluice-notes") == "lost /generateContentRequest/generationConfig"


@pytest.mark.parametrize("vendor", [*COUNTED, "chat"])
def test_bedrocks_form(gateway, upstream, vendor):
    question = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}], "system": [{"text": SYSTEM}]}
    if vendor in COUNTED:
        upstream.answer(counts(vendor))
    reply = gateway.post(f"/model/{MODELS[vendor]}/count-tokens", {"input": {"converse": question}})
    assert reply.status == 200, reply.text
    if vendor == "chat":
        assert reply.header("x-sluice-estimate") == "true" and 8 < reply.json["inputTokens"] < 100
        return
    assert reply.json == {"inputTokens": 1234} and upstream.last().path == PATHS[vendor]
    assert QUESTION in json.dumps(upstream.last().json, ensure_ascii=False) and SYSTEM in upstream.last().body.decode()


def test_the_question_passes_untouched_in_the_same_words(gateway, upstream):
    question = {"contents": [{"parts": [{"text": QUESTION, "x_future": 1}]}]}
    upstream.strict = False
    upstream.answer(counts("gemini"))
    reply = gateway.post(PATHS["gemini"], question, [("x-goog-api-key", CLIENT_KEY)])
    assert reply.json == COUNTED["gemini"] and upstream.last().json == question


def test_a_look_alike_that_cannot_count_is_counted_for(gateway, upstream, client):
    """A server that speaks a vendor's words often has no such path."""
    upstream.answer(Answer(status=404, pieces=[b'{"error":{"message":"no such path"}}']))
    tokens, headers = client.count(gateway, MODELS["claude"])
    assert tokens > 5 and headers["x-sluice-estimate"] == "true" and len(upstream.seen) == 1


def test_a_vendor_that_refuses_is_heard(gateway, upstream):
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": "messages: too odd"}}
    upstream.answer(Answer(status=400, pieces=[json.dumps(refusal).encode()]))
    with pytest.raises(openai.BadRequestError, match="too odd"):
        Responses().count(gateway, MODELS["claude"])


def test_what_a_vendor_keeps_cannot_be_counted_elsewhere(gateway, upstream):
    for model in (MODELS["claude"], MODELS["chat"]):
        body = {"model": model, "previous_response_id": "resp_1", "input": "And now?"}
        reply = gateway.post("/v1/responses/input_tokens", body)
        assert reply.status == 400 and reply.json["error"]["param"] == "previous_response_id"
    assert upstream.seen == []


@pytest.mark.skipif(not vendor_schema.available(), reason="SLUICE_SHARED: no schemas")
def test_the_schemas_of_counting_are_known():
    assert vendor_schema.complaint("anthropic", {"model": "m", "messages": []}, counts=True) is None
    assert vendor_schema.complaint("anthropic", {"model": "m", "messages": [], "max_tokens": 5}, counts=True)
    assert vendor_schema.complaint("openai_responses", {"model": "m", "input": "x", "stream": True}, counts=True)
    assert vendor_schema.complaint("gemini", {"systemInstruction": {"parts": []}}, counts=True)
