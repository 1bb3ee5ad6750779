"""The official SDKs through the gateway: tools, parallel calls, loops, proofs that must come back.
SPDX-License-Identifier: MIT"""

import json

import pytest

from harness import asked
from harness.replies import Call
from harness.vendors import VENDORS

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "clock", "description": "Tells the time"}},
]
QUESTION = {"role": "user", "content": "Weather in Zürich and Genève, and the time?"}


def chat(vendor, **more):
    return {"model": VENDORS[vendor], "messages": [QUESTION], "tools": TOOLS} | more


@pytest.mark.parametrize(
    "choice, wanted",
    [
        ("auto", ("auto", None)),
        ("none", ("none",)),
        ("required", ("any",)),
        ({"type": "function", "function": {"name": "clock"}}, (("one", "clock"),)),
    ],
)
def test_tool_choice(gateway, upstream, sdk, vendor, choice, wanted):
    upstream.say(text="chosen")
    assert sdk.run("chat", gateway.url, chat(vendor, tool_choice=choice)).text == "chosen"
    assert asked.tool_choice(upstream.last()) in wanted


def test_parallel_calls_switched_off(gateway, upstream, sdk):
    upstream.say(text="one at a time")
    assert sdk.run("chat", gateway.url, chat("claude", parallel_tool_calls=False)).text == "one at a time"
    assert upstream.last().json["tool_choice"]["disable_parallel_tool_use"] is True


def results(calls):
    return [
        {"role": "tool", "tool_call_id": id, "content": json.dumps({"of": name, **arguments})}
        for name, arguments, id in calls
    ]


@pytest.mark.parametrize("mode", ["chat", "stream"])
@pytest.mark.parametrize("order", [1, -1])
def test_loop(gateway, upstream, sdk, vendor, mode, order):
    """Two calls, their results (in either order), one more, its result, the end. The client keeps but ids and names."""
    first = [Call("weather", {"city": "Zürich"}), Call("weather", {"city": "Genève"})]
    upstream.say(text="Looking.", calls=first)
    upstream.say(calls=[Call("clock", {})])
    upstream.say(text="Sunny at noon.")
    messages = [QUESTION]
    for _ in range(2):
        got = sdk.run(mode, gateway.url, chat(vendor) | {"messages": messages})
        assert got.error is None, got.error
        calls = [
            {"id": c[2], "type": "function", "function": {"name": c[0], "arguments": json.dumps(c[1])}}
            for c in got.calls
        ]
        messages = [
            *messages,
            {"role": "assistant", "content": got.text or None, "tool_calls": calls},
            *results(got.calls)[::order],
        ]
    got = sdk.run(mode, gateway.url, chat(vendor) | {"messages": messages})
    assert got.error is None, got.error
    assert got.text == "Sunny at noon."
    seen = upstream.last()
    assert [c[1:] for c in asked.items(seen, "call")] == [
        ("weather", {"city": "Zürich"}),
        ("weather", {"city": "Genève"}),
        ("clock", {}),
    ]
    texts = [json.loads(r[2]) for r in asked.items(seen, "result")]
    wanted = [{"of": "weather", "city": "Zürich"}, {"of": "weather", "city": "Genève"}]
    assert texts == [*(wanted if vendor != "openai" else wanted[::order]), {"of": "clock"}]


def test_an_aborted_call_is_answered_for_the_client(gateway, upstream, sdk):
    """A call without a result, then a new question: Claude would refuse that history."""
    upstream.say(text="moving on")
    call = {"id": "call_lost", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    messages = [
        QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "user", "content": "Never mind."},
    ]
    got = sdk.run("chat", gateway.url, chat("claude") | {"messages": messages})
    assert got.error is None, got.error
    assert got.text == "moving on"


@pytest.mark.parametrize("keeps", [True, False], ids=["client-keeps-all", "client-keeps-nothing"])
@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_loop_of_gemini_3_with_its_signature(gateway, upstream, sdk, mode, keeps):
    """Gemini 3 refuses a call that comes back without its proof. A client that sends the message back as it was
    gives the real one back; for one that keeps nothing the gateway has to find a way."""
    calls = [Call("weather", {"city": "Zürich"}, signature="c2lnbmF0dXJlLW9mLWdlbWluaQ=="), Call("clock", {})]
    upstream.say(calls=calls)
    upstream.say(text="done")
    asking = chat("gemini") | {"model": "gemini-3-pro-preview"}
    got = sdk.run("chat" if keeps else mode, gateway.url, asking)
    assert got.error is None, got.error
    if keeps:
        message = got.message
    else:
        plain = [
            {"id": c[2], "type": "function", "function": {"name": c[0], "arguments": json.dumps(c[1])}}
            for c in got.calls
        ]
        message = {"role": "assistant", "content": None, "tool_calls": plain}
    got = sdk.run(mode, gateway.url, asking | {"messages": [QUESTION, message, *results(got.calls)]})
    assert got.error is None, got.error
    assert got.text == "done"
    sent = [
        p.get("thoughtSignature") for t in upstream.last().json["contents"] for p in t["parts"] if "functionCall" in p
    ]
    assert sent[1] is None
    assert sent[0] == calls[0].signature if keeps else sent[0]


def test_loop_of_claude_thinking_with_its_signature(gateway, upstream, sdk):
    """A message sent back as it was carries Claude's thinking and its signature back, first and unchanged."""
    upstream.say(thinking="I need the clock.", signature="ErUBsignature/of+claude==", calls=[Call("clock", {})])
    upstream.say(text="noon")
    asking = chat("claude", reasoning_effort="low")
    got = sdk.run("chat", gateway.url, asking)
    assert got.error is None, got.error
    got = sdk.run("chat", gateway.url, asking | {"messages": [QUESTION, got.message, *results(got.calls)]})
    assert got.error is None, got.error
    assert got.text == "noon"
    turn = next(items for role, items in asked.turns(upstream.last()) if role == "assistant")
    assert turn[0] == ("thinking", "I need the clock.", "ErUBsignature/of+claude==")


@pytest.mark.parametrize("sdk", ["node"], indirect=True)
def test_node_runs_the_tools_itself(gateway, upstream, sdk, vendor):
    """runTools: the SDK's own loop."""
    upstream.say(calls=[Call("weather", {"city": "Bern"})])
    upstream.say(text="It rains.")
    got = sdk.run("run_tools", gateway.url, chat(vendor, tools=TOOLS[:1]))
    assert got.error is None, got.error
    assert got.text == "It rains."
    assert asked.items(upstream.last(), "result")[0][2] == "rain in Bern"
