"""What a client that leaves before it has its answer is billed for, in each dialect, as a stream and whole: the call is
cut off and what was there counts, or it is read to its end where its vendor bills all of it all the same.
SPDX-License-Identifier: MIT"""

import time

import pytest

from harness import ledger, replies
from harness.gateway import backends
from harness.replies import Say
from harness.upstream import Answer, Gate

ANSWER = Say(text="one two three four five six " * 3, input=1000, output=200)
CHAT = {"messages": [{"role": "user", "content": "ping"}]}
WAYS = {  # the model of a client's dialect, which its own vendor answers, and how it asks
    "openai_chat": ("openai", "gpt-4o", "/v1/chat/completions", CHAT | {"model": "gpt-4o"}),
    "anthropic": ("claude", "claude-sonnet-4-5", "/v1/messages", CHAT | {"model": "claude-sonnet-4-5", "max_tokens": 300}),
    "gemini": (
        "gemini",
        "gemini-2.5-flash",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "ping"}]}]},
    ),
}
OTHER = {"openai_chat": "claude-sonnet-4-5", "anthropic": "gpt-4o", "gemini": "gpt-4o"}

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
each = pytest.mark.parametrize("dialect", list(WAYS))
told = pytest.mark.parametrize("translated", [False, True], ids=["same", "translated"])


def config(upstream, **more):
    return {"backends": backends(upstream, **more), "ledger": {"path": "ledger"}}


def waiting(gate, stream, keep=5):
    """The vendor's answer stops in its middle, or before its body, until the gate opens."""

    def answer(request):
        whole = replies.answer(request, ANSWER)
        at = keep if stream else 0
        return whole.with_(pieces=[*whole.pieces[:at], gate, *whole.pieces[at:]])

    return answer


def ask_and_leave(gateway, gate, dialect, stream, translated=False):
    _, model, path, body = WAYS[dialect]
    if translated:
        path, body = path.replace(model, OTHER[dialect]), dict(body)
        if "model" in body:
            body["model"] = OTHER[dialect]
    if stream and dialect == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    elif stream:
        body = body | {"stream": True}
    connection = gateway.connect()
    connection.request("POST", path, [], body)
    assert gate.reached.wait(5)
    time.sleep(0.2)
    connection.abort()


def rows(gateway):
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 2)
    whole, (call,) = ledger.exchange(found, found[0]["id"])
    return whole, call


@each
@both
@told
def test_a_call_that_is_cut_off_is_billed_for_what_was_there(start, upstream, dialect, stream, translated):
    gateway = start(config(upstream))
    gate = Gate()
    upstream.answer(waiting(gate, stream))
    ask_and_leave(gateway, gate, dialect, stream, translated)
    assert upstream.left.wait(5), "the vendor goes on"
    whole, call = rows(gateway)
    gate.open()
    assert call["fault"] == whole["fault"] == "client_gone" and call["nano_dollars"] > 0
    if stream:
        assert whole["state"] == call["state"] == "partial"
        assert 2 <= max(call["output"] or 0, call["estimated_output"] or 0) <= 20 or call["output"] == 200
        assert (call["input"] == 1000) != ((call["estimated_input"] or 0) > 0)
    else:
        assert whole["state"] == call["state"] == "cancelled"
        assert call["input"] is None and call["estimated_input"] > 0
        # Nobody knows how much of it had been made: it is told as unknown, not as nothing.
        assert call["output"] is None and call["estimated_output"] is None and call["unknown"] != 0


@each
@both
@told
def test_a_call_that_is_billed_whole_is_read_to_its_end(start, upstream, dialect, stream, translated):
    gateway = start(config(upstream, read_on="30s"))
    gate = Gate()
    upstream.answer(waiting(gate, stream))
    ask_and_leave(gateway, gate, dialect, stream, translated)
    assert not upstream.left.wait(0.3), "the vendor was cut off"
    assert ledger.rows(gateway.folder) == []
    gate.open()
    whole, call = rows(gateway)
    assert (whole["state"], whole["fault"]) == ("partial", "client_gone")
    assert (call["state"], call["fault"]) == ("complete", "")
    assert (call["input"], call["output"]) == (1000, 200) and call["unknown"] == 0
    assert call["estimated_input"] is None and call["estimated_output"] is None
    line = gateway.wait_for_line(lambda row: row["id"] == whole["id"])
    assert line["status"] == (200 if stream else 499), line


@both
def test_reading_on_has_its_time(start, upstream, stream):
    gateway = start(config(upstream, read_on="500ms"))
    gate = Gate()
    upstream.answer(waiting(gate, stream))
    ask_and_leave(gateway, gate, "openai_chat", stream)
    assert upstream.left.wait(5)
    whole, call = rows(gateway)
    gate.open()
    assert whole["state"] == call["state"] == ("partial" if stream else "cancelled")
    assert call["fault"] == "client_gone" and call["took_ms"] >= 500 and call["nano_dollars"] > 0


def test_nobody_else_is_asked_for_a_client_that_left(start, upstream):
    two = [{"backend": "openai", "model": "gpt-4o"}, {"backend": "claude", "model": "claude-sonnet-4-5"}]
    settings = config(upstream, read_on="30s") | {"routes": [{"model": "gpt-4o", "try": two}], "failover": {"attempts": 2}}
    gateway = start(settings)
    gate = Gate()
    upstream.answer(Answer(framing="chunked", pieces=[b'{"id":', gate], end="cut"))
    ask_and_leave(gateway, gate, "openai_chat", False)
    time.sleep(0.2)
    gate.open()
    whole, call = rows(gateway)
    assert whole["fault"] == "client_gone" and call["fault"] == "upstream_broken"
    assert len(upstream.seen) == 1


@both
def test_of_two_that_race_the_one_that_is_billed_whole_is_read_to_its_end(start, upstream, stream):
    settings = config(upstream)
    settings["backends"]["openai"]["read_on"] = "30s"
    two = [{"backend": "openai", "model": "gpt-4o"}, {"backend": "claude", "model": "claude-sonnet-4-5"}]
    settings["routes"] = [{"model": "gpt-4o", "try": two, "failover": {"attempts": 2, "hedge": "100ms"}}]
    gateway = start(settings)
    first, second = Gate(), Gate()
    upstream.answer(waiting(first, stream, keep=0), waiting(second, stream, keep=0))
    _, _, path, body = WAYS["openai_chat"]
    connection = gateway.connect()
    connection.request("POST", path, [], body | {"stream": stream})
    assert first.reached.wait(5) and second.reached.wait(5)
    time.sleep(0.2)
    connection.abort()
    assert upstream.left.wait(5), "the one that is not billed whole goes on"
    first.open()
    found = ledger.wait_for(gateway.folder, lambda rows: len(rows) == 3)
    second.open()
    whole, calls = ledger.exchange(found, found[0]["id"])
    assert whole["fault"] == "client_gone" and len(upstream.gone) == 1
    assert [(c["backend"], c["state"]) for c in calls] == [("openai", "complete"), ("claude", "cancelled")]
    assert (calls[0]["input"], calls[0]["output"]) == (1000, 200) and calls[1]["estimated_input"] > 0


@each
@pytest.mark.parametrize("status", [400, 429, 500])
def test_an_error_costs_nothing(start, upstream, dialect, status):
    gateway = start(config(upstream))
    vendor, model, path, body = WAYS[dialect]
    upstream.answer(replies.error(dialect, status, "the words of an error " * 50))
    assert gateway.post(path, body).status >= 400
    whole, call = rows(gateway)
    assert whole["state"] == call["state"] == "upstream_error" and call["nano_dollars"] == 0
    assert (call["input"], call["output"], call["unknown"]) == (0, 0, 0)
    assert call["estimated_input"] is None and call["estimated_output"] is None


def test_the_words_of_an_error_are_no_output(start, upstream):
    gateway = start(config(upstream))

    def breaks(request):
        whole = replies.answer(request, ANSWER)
        words = '{"type":"error","error":{"type":"overloaded_error","message":"' + "so many words " * 500 + '"}}'
        return whole.with_(pieces=[*whole.pieces[:5], f"event: error\ndata: {words}\n\n".encode()])

    upstream.answer(breaks)
    _, _, path, body = WAYS["anthropic"]
    gateway.post(path, body | {"stream": True})
    whole, call = rows(gateway)
    assert whole["state"] == call["state"] == "partial" and call["fault"] == "upstream_overloaded"
    assert call["input"] == 1000 and 0 < max(call["output"] or 0, call["estimated_output"] or 0) < 20


def test_a_stream_that_fails_at_once_has_cost_nothing(start, upstream):
    gateway = start(config(upstream))
    words = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"later"}}\n\n'
    upstream.answer(lambda request: replies.answer(request, ANSWER).with_(pieces=[words]))
    _, _, path, body = WAYS["anthropic"]
    assert gateway.post(path, body | {"stream": True}).status >= 500
    whole, call = rows(gateway)
    assert whole["state"] == call["state"] == "upstream_error" and call["nano_dollars"] == 0
