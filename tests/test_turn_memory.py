"""Signed thinking that a stock client drops: the gateway keeps it and puts it back, for this caller and this backend.
SPDX-License-Identifier: MIT"""

import json
import uuid

import pytest

from harness import asked
from harness.gateway import backends
from harness.replies import Call
from harness.vendors import VENDORS

TOOLS = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}]
QUESTION = {"role": "user", "content": "What time is it?"}
SIGNATURE = "RXVyb3BlIGlzIHNpZ25lZA=="


def unique(prefix):
    return prefix + uuid.uuid4().hex[:20]


def ask(vendor, messages, **more):
    return {"model": VENDORS[vendor], "messages": messages, "tools": TOOLS} | more


def stock_history(got):
    """What the README of the SDK tells people to send back: the text and the calls, nothing else."""
    calls = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments, id in got.calls
    ]
    assistant = {"role": "assistant", "content": got.text or None, "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": id, "content": "noon"} for _, _, id in got.calls]
    return [QUESTION, assistant, *results]


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_claude_sees_its_thinking_again(gateway, upstream, sdk, mode):
    upstream.say(
        thinking="I need the clock.", signature=SIGNATURE, text="Let me look.", calls=[Call("clock", {}, unique("toolu_"))]
    )
    upstream.say(text="It is noon.")
    got = sdk.run(mode, gateway.url, ask("claude", [QUESTION]))
    assert got.error is None, got.error
    got = sdk.run(mode, gateway.url, ask("claude", stock_history(got)))
    assert got.error is None and got.text == "It is noon."
    blocks = upstream.last().json["messages"][1]["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "I need the clock.", "signature": SIGNATURE}
    assert [b["type"] for b in blocks] == ["thinking", "text", "tool_use"]


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_gemini_sees_its_signature_again(gateway, upstream, sdk, mode):
    """Gemini gives no ids: the gateway made the one by which the call is known again, and keeps it to itself."""
    upstream.say(calls=[Call("clock", {}, signature=SIGNATURE), Call("clock", {})])
    upstream.say(text="It is noon.")
    got = sdk.run(mode, gateway.url, ask("gemini", [QUESTION]))
    assert got.error is None, got.error
    got = sdk.run(mode, gateway.url, ask("gemini", stock_history(got)))
    assert got.error is None and got.text == "It is noon."
    parts = upstream.last().json["contents"][1]["parts"]
    assert [p.get("thoughtSignature") for p in parts] == [SIGNATURE, None]
    assert all("id" not in p["functionCall"] for p in parts)


def test_another_backend_gets_no_proof_of_the_first(upstream, start, sdk):
    """The same vendor twice: a conversation that moved goes on without the state that the first account issued."""
    all = backends(upstream)
    all["claude"]["models"] = [VENDORS["claude"]]
    other = dict(all["claude"], type="anthropic", models=["claude-other"])
    gateway = start({"backends": all | {"other": other}})
    upstream.say(thinking="Mine.", signature=SIGNATURE, calls=[Call("clock", {}, unique("toolu_"))])
    upstream.say(text="done")
    got = sdk.run("chat", gateway.url, ask("claude", [QUESTION]))
    history = stock_history(got)
    got = sdk.run("chat", gateway.url, ask("claude", history) | {"model": "claude-other"})
    assert got.error is None, got.error
    assert SIGNATURE not in upstream.last().body.decode()
    line = gateway.wait_for_line(lambda row: row.get("backend") == "other")
    assert any("backend that gave it" in json.dumps(note) for note in line["notes"]), line["notes"]
    assert asked.items(upstream.last(), "call"), "the call itself goes on"


def test_a_conversation_goes_back_to_the_backend_whose_proofs_it_holds(upstream, start, sdk):
    """Two backends serve the model; the first is down when the conversation begins, and back for its second turn."""
    all = backends(upstream)
    first = dict(all["claude"], type="anthropic", models=["claude-twice"], base_url="http://127.0.0.1:9")
    second = dict(all["claude"], type="anthropic", models=["claude-twice"])
    gateway = start({"backends": {"first": first, "second": second}})
    upstream.say(thinking="Mine.", signature=SIGNATURE, calls=[Call("clock", {}, unique("toolu_"))])
    upstream.say(text="done")
    got = sdk.run("chat", gateway.url, ask("claude", [QUESTION]) | {"model": "claude-twice"})
    assert got.error is None, got.error
    got = sdk.run("chat", gateway.url, ask("claude", stock_history(got)) | {"model": "claude-twice"})
    assert got.error is None, got.error
    assert SIGNATURE in upstream.last().body.decode()
    line = gateway.wait_for_line(lambda row: row.get("attempts") and row["attempts"][0]["backend"] == "second")
    assert len(line["attempts"]) == 1


def test_switched_off(upstream, start, sdk):
    config = {"backends": backends(upstream), "server": {"turn_memory": "0"}}
    gateway = start(config)
    upstream.say(thinking="Mine.", signature=SIGNATURE, calls=[Call("clock", {}, unique("toolu_"))])
    upstream.say(text="done")
    got = sdk.run("chat", gateway.url, ask("claude", [QUESTION]))
    got = sdk.run("chat", gateway.url, ask("claude", stock_history(got)))
    assert got.error is None, got.error
    assert SIGNATURE not in upstream.last().body.decode()
