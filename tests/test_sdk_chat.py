"""The official SDKs through the gateway to each vendor: text, streams, usage, stops, images, files, reasoning,
structured output. Every cell looks at what the vendor got and at what the client read.
SPDX-License-Identifier: MIT
"""

import base64
import pathlib

import pytest

from harness import asked
from harness.replies import dumps
from harness.vendors import VENDORS

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
TEXT = 'Zürich liegt am See. 苏黎世 👩🏽‍🚀 "quoted" \\ and\nnew lines\tand tabs.'


def chat(vendor, text="hello", **more):
    return {"model": VENDORS[vendor], "messages": [{"role": "user", "content": text}]} | more


def test_text_whole(gateway, upstream, sdk, vendor):
    upstream.say(text=TEXT)
    got = sdk.run("chat", gateway.url, chat(vendor, "Wo liegt Zürich? 🗺"))
    assert got.error is None, got.error
    assert (got.text, got.finish) == (TEXT, "stop")
    assert got.completion["object"] == "chat.completion" and got.message["role"] == "assistant"
    assert asked.said(upstream.last()) == [("user", "Wo liegt Zürich? 🗺")]
    assert got.headers["x-sluice-backend"] == vendor and got.headers["x-sluice-model"] == VENDORS[vendor]
    assert got.headers["x-request-id"]


def test_text_streamed(gateway, upstream, sdk, vendor):
    upstream.say(text=TEXT)
    got = sdk.run("stream", gateway.url, chat(vendor))
    assert got.error is None, got.error
    assert (got.text, got.finish, got.usage) == (TEXT, "stop", None)
    assert len([c for c in got.chunks if c["choices"][0]["delta"].get("content")]) > 5
    assert len({c["id"] for c in got.chunks}) == 1 and {c["object"] for c in got.chunks} == {"chat.completion.chunk"}
    assert got.chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert got.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_usage(gateway, upstream, sdk, vendor, mode):
    upstream.say(text="counted", input=100, cached=40, output=30, reasoning=12)
    more = {"stream_options": {"include_usage": True}} if mode == "stream" else {}
    got = sdk.run(mode, gateway.url, chat(vendor, **more))
    assert got.error is None, got.error
    assert (got.usage["prompt_tokens"], got.usage["completion_tokens"], got.usage["total_tokens"]) == (140, 42, 182)
    assert got.usage["prompt_tokens_details"]["cached_tokens"] == 40
    assert got.usage["completion_tokens_details"]["reasoning_tokens"] == 12
    if mode == "stream":
        assert got.chunks[-1]["choices"] == [] and got.chunks[-1]["usage"]


def test_cache_writes_count_as_input(gateway, upstream, sdk):
    upstream.say(text="cached", input=10, written=200, cached=3)
    got = sdk.run("chat", gateway.url, chat("claude"))
    assert got.usage["prompt_tokens"] == 213 and got.usage["prompt_tokens_details"]["cached_tokens"] == 3


def test_turns_that_a_vendor_would_refuse_are_put_right(gateway, upstream, sdk, vendor):
    """Same roles in a row, an empty text, system text in the middle: OpenAI takes them, the others need help."""
    upstream.say(text="fine")
    messages = [
        {"role": "user", "content": "one"},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "three"},
        {"role": "system", "content": "now in French"},
        {"role": "user", "content": "four"},
    ]
    got = sdk.run("chat", gateway.url, chat(vendor) | {"messages": messages})
    assert got.error is None, got.error
    everything = " ".join(text for _, text in asked.said(upstream.last()))
    at = [everything.index(word) for word in ("one", "two", "three", "now in French", "four")]
    assert at == sorted(at), everything


def test_sampling_parameters(gateway, upstream, sdk, vendor):
    upstream.say(text="sampled")
    got = sdk.run("chat", gateway.url, chat(vendor, temperature=0.25, max_tokens=321, stop=["END", "FIN"]))
    assert got.text == "sampled"
    assert asked.sampling(upstream.last()) == {"temperature": 0.25, "most": 321, "stop": ["END", "FIN"]}


def test_sampling_that_a_model_refuses_is_left_out_and_noted(gateway, upstream, sdk):
    upstream.say(text="calm")
    got = sdk.run("chat", gateway.url, chat("claude", temperature=0.2) | {"model": "claude-opus-4-8"})
    assert got.error is None, got.error
    assert "temperature" not in upstream.last().json
    assert "temperature" in got.headers["x-sluice-notes"]


def test_what_a_vendor_cannot_be_told_is_noted(gateway, upstream, sdk):
    upstream.say(text="noted")
    got = sdk.run("chat", gateway.url, chat("claude", seed=7, logit_bias={"50256": -100}))
    assert got.text == "noted"
    assert "seed" in got.headers["x-sluice-notes"] and "logit_bias" in got.headers["x-sluice-notes"]


def test_nothing_is_noted_without_a_loss(gateway, upstream, sdk, vendor):
    upstream.say(text="clean")
    got = sdk.run("chat", gateway.url, chat(vendor, temperature=0.5, max_tokens=50))
    assert "x-sluice-notes" not in got.headers, got.headers["x-sluice-notes"]


def test_unknown_members_reach_the_same_dialect_only(gateway, upstream, sdk, vendor):
    upstream.say(text="extra")
    upstream.strict = vendor != "openai"
    messages = [{"role": "user", "content": "hello", "x_future": {"a": 1}}]
    got = sdk.run("chat", gateway.url, {"model": VENDORS[vendor], "messages": messages})
    assert got.text == "extra"
    assert ("x_future" in upstream.last().body.decode()) == (vendor == "openai")
    assert vendor == "openai" or "x_future" in got.headers["x-sluice-notes"]


@pytest.mark.parametrize("vendor", ["openai", "claude"])
def test_image_by_address(gateway, upstream, sdk, vendor):
    upstream.say(text="far away")
    url = "https://pictures.example/cat.png"
    got = sdk.run(
        "chat",
        gateway.url,
        chat(vendor, [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]),
    )
    assert got.text == "far away"
    assert asked.items(upstream.last(), "image") == [("image", None, url)]


def test_structured_output(gateway, upstream, sdk, vendor):
    city = {"name": "Bern", "population": 134000, "rivers": ["Aare"]}
    upstream.say(text=dumps(city))
    got = sdk.run("parse", gateway.url, chat(vendor))
    assert got.error is None, got.error
    assert got.parsed == city
    wanted = asked.schema(upstream.last())
    assert set(wanted["properties"]) == set(city) and wanted["properties"]["population"]["type"] == "integer"
    assert set(wanted["required"]) == set(city)


REASONING = {"openai": "gpt-5", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_reasoning(gateway, upstream, sdk, vendor, mode):
    """Effort is asked for in the vendor's words; thoughts come beside the text, never inside it."""
    thinking = "" if vendor == "openai" else "First I count. Then I add."
    upstream.say(text="7", thinking=thinking, signature="sig-claude-1" if vendor == "claude" else "", reasoning=20)
    got = sdk.run(mode, gateway.url, chat(vendor, reasoning_effort="high") | {"model": REASONING[vendor]})
    assert got.error is None, got.error
    assert got.text == "7"
    body = upstream.last().json
    if vendor == "openai":
        assert body["reasoning_effort"] == "high"
        return
    if vendor == "claude":
        assert body["thinking"]["budget_tokens"] >= 16384
    else:
        assert body["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 24576
    if mode == "chat":
        assert got.message["reasoning_content"] == thinking
    else:
        shown = "".join(c["choices"][0]["delta"].get("reasoning_content") or "" for c in got.chunks if c["choices"])
        assert shown == thinking


@pytest.mark.parametrize(
    "model, member, value",
    [
        ("claude-opus-4-8", ("output_config", "effort"), "low"),
        ("gemini-3-pro-preview", ("generationConfig", "thinkingConfig", "thinkingLevel"), "LOW"),
    ],
)
def test_effort_of_newer_models(gateway, upstream, sdk, model, member, value):
    upstream.say(text="quick")
    got = sdk.run("chat", gateway.url, chat("claude", reasoning_effort="low") | {"model": model})
    assert got.text == "quick"
    found = upstream.last().json
    for name in member:
        found = found[name]
    assert found == value


def test_refusal(gateway, upstream, sdk):
    upstream.say(refusal="I cannot help with that.")
    got = sdk.run("chat", gateway.url, chat("openai"))
    assert got.message["refusal"] == "I cannot help with that." and not got.message.get("content")


def test_models(gateway, sdk):
    assert "demo" in sdk.run("models", gateway.url).models
