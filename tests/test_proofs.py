"""A conversation that moves to a backend of the client's own dialect while it still carries another vendor's proof: the
bytes may not go on as they are. SPDX-License-Identifier: MIT"""

import json

import pytest

from harness.gateway import CLIENT_KEY, KEYS
from harness.replies import Call
from harness.spoken import spoken
from harness.upstream import Answer
from harness.vendors import VENDORS

SIGNATURE = "RXVyb3BlIGlzIHNpZ25lZA=="
ENVELOPES = ("gw1.", "Z3cxL")  # as text, and where a slot takes base64 only
QUESTION = "What time is it?"


@pytest.fixture
def gateway(start, upstream):
    openai = {"type": "openai", "base_url": upstream.url("/v1"), "api_key": KEYS["openai"]}
    return start(
        {
            "backends": {
                "openai": openai | {"dialects": ["openai_responses"], "models": ["gpt-5"]},
                "claude": {"base_url": upstream.url(), "api_key": KEYS["claude"], "models": [VENDORS["claude"]]},
                "gemini": {"base_url": upstream.url(), "api_key": KEYS["gemini"], "models": [VENDORS["gemini"]]},
            }
        }
    )


def anthropic(gateway, model, messages):
    tool = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}
    body = {"model": model, "max_tokens": 500, "messages": messages, "tools": [tool]}
    return gateway.post("/v1/messages", body, [("anthropic-version", "2023-06-01"), ("x-api-key", CLIENT_KEY)])


def responses(gateway, model, items):
    tool = {"type": "function", "name": "clock", "strict": False, "parameters": {"type": "object", "properties": {}}}
    return gateway.post("/v1/responses", {"model": model, "input": items, "tools": [tool]})


def holds_a_proof(text):
    return SIGNATURE in text or any(envelope in text for envelope in ENVELOPES)


def test_from_gemini_to_claude(gateway, upstream):
    question = {"role": "user", "content": QUESTION}
    upstream.say(text="Let me look.", calls=[Call("clock", {}, signature=SIGNATURE)])
    first = anthropic(gateway, VENDORS["gemini"], [question])
    assert first.status == 200, first.text
    said = first.json["content"]
    assert holds_a_proof(json.dumps(said))
    call = next(block for block in said if block["type"] == "tool_use")
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "noon"}]}
    history = [question, {"role": "assistant", "content": said}, result]
    upstream.say(text="It is noon.")
    second = anthropic(gateway, VENDORS["claude"], history)
    assert second.status == 200 and second.json["content"][0]["text"] == "It is noon."
    assert not holds_a_proof(upstream.last().body.decode())
    blocks = upstream.last().json["messages"][1]["content"]
    assert [block["type"] for block in blocks] == ["text", "tool_use"] and blocks[0]["text"] == "Let me look."
    assert "lost /messages/1/" in second.header("x-sluice-notes"), second.header("x-sluice-notes")
    # Back at its own vendor it is still the proof that it was.
    upstream.say(text="Noon it is.")
    third = anthropic(gateway, VENDORS["gemini"], history)
    assert third.status == 200, third.text
    parts = upstream.last().json["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, SIGNATURE]
    # Without one, the bytes go as they came.
    upstream.say(text="Hello.")
    fourth = anthropic(gateway, VENDORS["claude"], [question])
    assert fourth.status == 200 and fourth.header("x-sluice-notes") is None
    line = gateway.wait_for_line(lambda row: len(gateway.lines()) >= 4 and row.get("attempts", [{}])[-1].get("verbatim"))
    assert line["backend"] == "claude"


@pytest.mark.parametrize("vendor", ["claude", "gemini"])
def test_to_openais_responses(gateway, upstream, vendor):
    upstream.strict = False  # it knows chat's rules only
    question = {"role": "user", "content": QUESTION}
    thinking = {"thinking": "I need the clock.", "signature": SIGNATURE} if vendor == "claude" else {}
    upstream.say(calls=[Call("clock", {}, signature=SIGNATURE if vendor == "gemini" else None)], **thinking)
    first = responses(gateway, VENDORS[vendor], [question])
    assert first.status == 200, first.text
    items = first.json["output"]
    assert [item["type"] for item in items] == ["reasoning", "function_call"] and holds_a_proof(json.dumps(items))
    output = {"type": "function_call_output", "call_id": items[1]["call_id"], "output": "noon"}
    upstream.answer(spoken("It is noon."))
    second = responses(gateway, "gpt-5", [question, *items, output])
    assert second.status == 200, second.text
    assert not holds_a_proof(upstream.last().body.decode())
    sent = upstream.last().json["input"]
    assert [item["type"] for item in sent] == ["message", "function_call", "function_call_output"]
    assert "id" not in sent[1], "without its reasoning an item may not claim to be the one that the vendor knows"
    assert "lost /input/" in second.header("x-sluice-notes"), second.header("x-sluice-notes")


def counts(gateway, mouth, model, said):
    """What `mouth` asks to be counted: a conversation in which `said` was answered."""
    if mouth == "anthropic":
        call = next(block for block in said if block["type"] == "tool_use")
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "noon"}]}
        messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": said}, result]
        body = {"model": model, "messages": messages}
        return gateway.post("/v1/messages/count_tokens", body, [("anthropic-version", "2023-06-01")])
    if mouth == "responses":
        call = next(item for item in said if item["type"] == "function_call")
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "noon"}
        body = {"model": model, "input": [{"role": "user", "content": QUESTION}, *said, output]}
        return gateway.post("/v1/responses/input_tokens", body)
    contents = [{"role": "user", "parts": [{"text": QUESTION}]}, said]
    result = {"functionResponse": {"name": "clock", "response": {"output": "noon"}}}
    contents.append({"role": "user", "parts": [result]})
    return gateway.post(f"/v1beta/models/{model}:countTokens", {"contents": contents})


@pytest.mark.parametrize(
    "mouth, first, second",
    [("anthropic", "gemini", "claude"), ("gemini", "claude", "gemini"), ("responses", "gemini", "openai")],
)
def test_counting_tells_no_stranger_either(gateway, upstream, mouth, first, second):
    upstream.strict = False  # it knows no rules of counting
    models = {"claude": VENDORS["claude"], "gemini": VENDORS["gemini"], "openai": "gpt-5"}
    thinking = {"thinking": "I need the clock.", "signature": SIGNATURE} if first == "claude" else {}
    call = Call("clock", {}, signature=SIGNATURE if first == "gemini" else None)
    upstream.say(text="Let me look.", calls=[call], **thinking)
    if mouth == "anthropic":
        said = anthropic(gateway, models[first], [{"role": "user", "content": QUESTION}]).json["content"]
    elif mouth == "responses":
        said = responses(gateway, models[first], [{"role": "user", "content": QUESTION}]).json["output"]
    else:
        clock = {"functionDeclarations": [{"name": "clock"}]}
        body = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}], "tools": [clock]}
        said = gateway.post(f"/v1beta/models/{models[first]}:generateContent", body).json["candidates"][0]["content"]
    assert holds_a_proof(json.dumps(said))
    number = {"input_tokens": 77, "totalTokens": 77, "object": "response.input_tokens"}
    upstream.answer(Answer(pieces=[json.dumps(number).encode()]))
    reply = counts(gateway, mouth, models[second], said)
    assert reply.status == 200, reply.text
    assert 77 in reply.json.values() and reply.header("x-sluice-estimate") is None
    sent = upstream.last().body.decode()
    assert "count" in upstream.last().path.lower() or upstream.last().path.endswith("input_tokens")
    assert not holds_a_proof(sent), sent
    assert QUESTION in sent and "Let me look." in sent and "noon" in sent and "clock" in sent
    assert " /" in (reply.header("x-sluice-notes") or ""), "what is dropped is told"
    # Its own vendor counts the proof as it is.
    if (mouth, first) == ("anthropic", "gemini"):
        upstream.answer(Answer(pieces=[json.dumps(number).encode()]))
        assert counts(gateway, mouth, models[first], said).status == 200
        assert SIGNATURE in upstream.last().body.decode()
