"""A client of OpenAI's Responses (the official SDK, whose accumulator takes no event out of place) to each kind of
upstream: text, streams, a tool loop, what a vendor keeps, errors. (All features between all dialects: the square.)
SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness import asked, replies
from harness.gateway import CLIENT_KEY, KEYS
from harness.replies import Call, dumps
from harness.spoken import spoken
from harness.upstream import Answer

openai = pytest.importorskip("openai", reason="SDK: openai is not installed")

MODELS = {"chat": "gpt-4o", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "responses": "gpt-5"}
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Tells it",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TEXT = "Zürich liegt am See. 苏黎世"


@pytest.fixture
def client(start, upstream):
    upstream.strict = False  # the square judges requests; here the words are looked at
    openai_like = {"type": "openai", "base_url": upstream.url("/v1"), "api_key": KEYS["openai"]}
    gateway = start(
        {
            "backends": {
                "chat": openai_like | {"dialects": ["openai_chat"], "models": [MODELS["chat"]]},
                "responses": openai_like | {"dialects": ["openai_responses"], "models": [MODELS["responses"]]},
                "claude": {"base_url": upstream.url(), "api_key": KEYS["claude"], "models": [MODELS["claude"]]},
                "gemini": {"base_url": upstream.url(), "api_key": KEYS["gemini"], "models": [MODELS["gemini"]]},
            }
        }
    )
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0) as sdk:
        yield sdk


@pytest.fixture(params=list(MODELS))
def target(request):
    return request.param


def say(upstream, target, text="", call=None):
    if target == "responses":
        upstream.answer(spoken(text, call))
    else:
        upstream.say(text=text, calls=[call] if call else [])


def run(client, mode, **body):
    """The whole response, however it came."""
    if mode == "whole":
        return client.responses.create(**body)
    with client.responses.stream(**body) as stream:
        heard = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        response = stream.get_final_response()
    assert heard == response.output_text
    return response


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_text(client, upstream, target, mode):
    say(upstream, target, TEXT)
    response = run(client, mode, model=MODELS[target], input="Wo liegt Zürich?", instructions="Be brief.")
    assert (response.output_text, response.status) == (TEXT, "completed")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (11, 7)
    assert response.usage.input_tokens_details.cached_tokens == 0
    if target == "responses":
        assert upstream.last().path == "/v1/responses" and upstream.last().json["instructions"] == "Be brief."
    else:
        assert [t for _, t in asked.said(upstream.last())] == ["Be brief.", "Wo liegt Zürich?"]
        assert response.instructions == "Be brief."  # repeated by us


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_a_tool_loop(client, upstream, target, mode):
    say(upstream, target, "Let me look.", Call("weather", {"city": "Zürich"}))
    question = {"role": "user", "content": "Weather in Zürich?"}
    first = run(client, mode, model=MODELS[target], input=[question], tools=[WEATHER])
    call = next(item for item in first.output if item.type == "function_call")
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Zürich"})
    assert [item.type for item in first.output] == ["message", "function_call"]
    say(upstream, target, "Sunny.")
    back = [item.model_dump(exclude_unset=True) for item in first.output]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 24°"}
    second = run(client, mode, model=MODELS[target], input=[question, *back, output], tools=[WEATHER])
    assert second.output_text == "Sunny."
    if target != "responses":
        assert asked.items(upstream.last(), "call") == [("call", "weather", {"city": "Zürich"})]
        assert "sunny, 24°" in str(asked.items(upstream.last(), "result"))


def test_what_a_vendor_keeps_is_refused_elsewhere(client, upstream, target):
    body = {"model": MODELS[target], "input": "And then?", "previous_response_id": "resp_0"}
    if target == "responses":
        say(upstream, target, "Then it sank.")
        assert client.responses.create(**body).output_text == "Then it sank."
        assert upstream.last().json["previous_response_id"] == "resp_0"
        return
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**body)
    assert refused.value.param == "previous_response_id" and not upstream.seen


def test_errors_are_spoken_in_the_clients_words(client, upstream, target):
    said = {"error": {"message": "Slower.", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}
    wrong = {"chat": "openai_chat", "claude": "anthropic", "gemini": "gemini"}
    if target == "responses":
        upstream.answer(Answer(status=429, pieces=[dumps(said).encode()]))
    else:
        upstream.answer(replies.error(wrong[target], 429, "Slower."))
    with pytest.raises(openai.RateLimitError) as limited:
        client.responses.create(model=MODELS[target], input="x")
    assert "Slower." in str(limited.value) and limited.value.code == "rate_limit_exceeded"


def test_a_stream_that_breaks_ends_as_a_failure(client, upstream, target):
    say(upstream, target, TEXT * 3)
    whole = upstream.script.pop()
    upstream.answer(lambda request: cut(whole(request)))
    events = []
    with pytest.raises(openai.APIError):  # the connection ends without its last chunk, or the event says error
        for event in client.responses.create(model=MODELS[target], input="x", stream=True):
            events.append(event)
    if target != "responses":
        assert events[-1].type == "response.failed" and events[-1].response.status == "failed"
        assert events[-2].type == "response.output_item.done" and events[-2].item.status == "incomplete"
    assert not any(event.type == "response.completed" for event in events)


def cut(answer):
    return answer.with_(pieces=answer.pieces[: len(answer.pieces) * 2 // 3], end="cut")


LADDER = {
    "reasoning": [
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
    ],
    "message": [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ],
    "function_call": [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ],
}


@pytest.mark.parametrize("target", ["chat", "claude", "gemini"])
def test_every_done_event_comes_in_its_place(client, upstream, target):
    """Codex shows nothing of an item whose `.done` is missing; an SDK throws at a delta that nobody announced."""
    thinking = {"thinking": "Hm, Zürich.", "signature": "c2ln"} if target == "claude" else {}
    upstream.say(text=TEXT, calls=[Call("weather", {"city": "Zürich"}), Call("weather", {"city": "Bern"})], **thinking)
    events = list(client.responses.create(model=MODELS[target], input="x", tools=[WEATHER], stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    seen = []
    for event in events:
        if not (event.type.endswith(".delta") and seen and seen[-1] == event.type):
            seen.append(event.type)
    kinds = [*(["reasoning"] if thinking else []), "message", "function_call", "function_call"]
    middle = [kind for item in kinds for kind in LADDER[item]]
    assert seen == ["response.created", "response.in_progress", *middle, "response.completed"]
    # What is done is what the deltas said, under one id, and the last response holds just that.
    last = events[-1].response
    assert [item.type for item in last.output] == kinds
    for place, item in enumerate(last.output):
        own = [event for event in events if getattr(event, "output_index", None) == place]
        assert {event.item_id for event in own if hasattr(event, "item_id")} == {item.id}
        assert own[-1].item == item
        said = "".join(event.delta for event in own if event.type.endswith(".delta"))
        if item.type == "message":
            assert said == item.content[0].text == TEXT
        elif item.type == "function_call":
            assert said == item.arguments
        else:
            assert said == item.summary[0].text
