"""OpenAI's first API by its official SDK, against each kind of upstream: untouched to those that speak it, as a chat to
the others. SPDX-License-Identifier: MIT"""

import json

import pytest

from harness import asked
from harness.gateway import CLIENT_KEY, KEYS
from harness.upstream import Answer

openai = pytest.importorskip("openai", reason="SDK: openai is not installed")

CHATS = {
    "openai": "gpt-4o",
    "claude": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "cohere": "command-a-03-2025",
}
OWN = {"openai": "gpt-3.5-turbo-instruct", "local": "any-model", "vllm": "a-llama"}
PROMPT = "Die Hauptstadt der Schweiz ist 🇨🇭"
TEXT = " Bern. 苏黎世 ist größer."
USAGE = {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}


@pytest.fixture
def gateway(start, upstream):
    return start(
        {
            "backends": {
                "openai": {
                    "base_url": upstream.url("/v1"),
                    "api_key": KEYS["openai"],
                    "models": [CHATS["openai"], OWN["openai"]],
                },
                "local": {"type": "compatible", "base_url": upstream.url("/v1"), "models": [OWN["local"]]},
                "vllm": {"type": "openai", "base_url": upstream.url("/v1"), "models": [OWN["vllm"]]},
                "claude": {"base_url": upstream.url(), "api_key": KEYS["claude"], "models": [CHATS["claude"]]},
                "gemini": {"base_url": upstream.url(), "api_key": KEYS["gemini"], "models": [CHATS["gemini"]]},
                "cohere": {"base_url": upstream.url(), "api_key": KEYS["cohere"], "models": [CHATS["cohere"]]},
            }
        }
    )


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0) as sdk:
        yield sdk


def whole(model):
    choice = {"text": TEXT, "index": 0, "logprobs": None, "finish_reason": "stop"}
    said = {"id": "cmpl-1", "object": "text_completion", "created": 1760000000, "model": model, "choices": [choice]}
    return Answer(pieces=[json.dumps(said | {"usage": USAGE}).encode()])


def streamed(model):
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1760000000, "model": model}
    choices = [{"text": t, "index": 0, "logprobs": None, "finish_reason": None} for t in (TEXT[:5], TEXT[5:])]
    choices.append({"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"})
    chunks = [head | {"choices": [choice]} for choice in choices] + [head | {"choices": [], "usage": USAGE}]
    pieces = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]
    return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=pieces)


@pytest.mark.parametrize("vendor", list(OWN))
def test_who_speaks_it_gets_it_untouched(client, upstream, vendor):
    upstream.answer(whole(OWN[vendor]))
    more = {"suffix": "!", "best_of": 2, "logprobs": 2, "extra_body": {"x_future": 1}}
    upstream.strict = False
    reply = client.completions.with_raw_response.create(model=OWN[vendor], prompt=PROMPT, max_tokens=20, **more)
    assert upstream.last().path == "/v1/completions" and "x-sluice-notes" not in reply.headers
    sent = {"model": OWN[vendor], "prompt": PROMPT, "max_tokens": 20, "suffix": "!", "best_of": 2, "logprobs": 2}
    assert upstream.last().json == sent | {"x_future": 1}
    told = reply.parse()
    assert told.choices[0].text == TEXT and told.usage.total_tokens == 11 and told.id == "cmpl-1"


@pytest.mark.parametrize("vendor", list(OWN))
@pytest.mark.parametrize("usage", [False, True])
def test_its_own_stream_passes_untouched(gateway, client, upstream, vendor, usage):
    upstream.answer(streamed(OWN[vendor]))
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = list(client.completions.create(model=OWN[vendor], prompt=[PROMPT], stream=True, **options))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == TEXT
    assert [c.usage.total_tokens for c in chunks if c.usage] == ([11] if usage else [])
    assert upstream.last().json["stream_options"] == {"include_usage": True}
    row = gateway.wait_for_line(lambda row: row.get("door") == "/v1/completions")
    assert row["tokens"]["input"] == 5 and row["attempts"][0]["verbatim"] is True


@pytest.mark.parametrize("vendor", list(CHATS))
def test_the_others_get_a_chat(client, upstream, vendor):
    upstream.say(text=TEXT, input=5, output=6)
    reply = client.completions.with_raw_response.create(
        model=CHATS[vendor], prompt=PROMPT, max_tokens=20, temperature=0.5, stop=["END"]
    )
    assert asked.said(upstream.last()) == [("user", PROMPT)]
    assert asked.sampling(upstream.last()) == {"most": 20, "temperature": 0.5, "stop": ["END"]}
    told = reply.parse()
    assert told.object == "text_completion" and told.choices[0].text == TEXT and told.choices[0].index == 0
    assert told.choices[0].finish_reason == "stop" and told.choices[0].logprobs is None
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (5, 6)
    assert "x-sluice-notes" not in reply.headers, reply.headers["x-sluice-notes"]


@pytest.mark.parametrize("vendor", list(CHATS))
def test_a_chats_stream_is_told_in_texts(client, upstream, vendor):
    upstream.say(text=TEXT, input=5, output=6, stop="length")
    options = {"include_usage": True}
    chunks = list(
        client.completions.create(model=CHATS[vendor], prompt=PROMPT, stream=True, echo=True, stream_options=options)
    )
    assert "".join(c.choices[0].text for c in chunks if c.choices) == PROMPT + TEXT
    assert {c.object for c in chunks} == {"text_completion"}
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["length"]
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [6]


def test_probabilities_are_told_in_this_apis_form(client, upstream):
    token = {"token": " Bern", "logprob": -0.25, "bytes": None, "top_logprobs": [{"token": " Bern", "logprob": -0.25}]}
    choice = {"index": 0, "message": {"role": "assistant", "content": " Bern"}, "finish_reason": "stop"}
    choice["logprobs"] = {"content": [token], "refusal": None}
    said = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    upstream.answer(Answer(pieces=[json.dumps(said).encode()]))
    told = client.completions.create(model=CHATS["openai"], prompt="Die", logprobs=1, echo=True)
    assert upstream.last().json["logprobs"] is True and upstream.last().json["top_logprobs"] == 1
    logprobs = told.choices[0].logprobs
    assert told.choices[0].text == "Die Bern" and logprobs.tokens == [" Bern"] and logprobs.text_offset == [3]
    assert logprobs.token_logprobs == [-0.25] and logprobs.top_logprobs == [{" Bern": -0.25}]


def test_what_a_chat_cannot_say_is_noted(client, upstream):
    upstream.say(text=TEXT)
    reply = client.completions.with_raw_response.create(model=CHATS["openai"], prompt=PROMPT, best_of=4)
    assert reply.headers["x-sluice-notes"] == "lost /best_of"


@pytest.mark.parametrize("vendor", list(CHATS))
@pytest.mark.parametrize(
    "more, param",
    [
        ({"prompt": ["one", "two"]}, "prompt"),
        ({"prompt": [9906, 11, 1917]}, "prompt"),
        ({"prompt": [[9906], [11]]}, "prompt"),
        ({"prompt": "one", "suffix": "three"}, "suffix"),
    ],
)
def test_what_only_this_api_has_is_refused_elsewhere(client, upstream, vendor, more, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=CHATS[vendor], **more)
    assert refused.value.param == param and "/v1/completions" in refused.value.message and upstream.seen == []


@pytest.mark.parametrize("prompt", [["one", "two"], [9906, 11, 1917]])
def test_and_taken_where_it_is_spoken(client, upstream, prompt):
    upstream.answer(whole(OWN["openai"]))
    assert client.completions.create(model=OWN["openai"], prompt=prompt).choices[0].text == TEXT
    assert upstream.last().json["prompt"] == prompt


def test_errors_have_openais_shape(client, upstream):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.completions.create(model="nobody", prompt="x")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as missing:
        client.completions.create(model="demo", prompt=None)
    assert missing.value.param == "prompt"


def test_the_demo_continues_a_text(client):
    assert client.completions.create(model="demo", prompt="Hello").choices[0].text
