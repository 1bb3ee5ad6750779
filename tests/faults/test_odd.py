"""Answers that are odd rather than broken: far too large, without their usage or with it twice, without their finish or
with two of them, with half a tool call, a byte at a time. SPDX-License-Identifier: MIT"""

import gzip
import json
import time

import pytest

from faults.bench import PAIRS, WORDS, Pair, ask, backend, ended, error_of, note, text_of, told
from harness import prometheus, replies
from harness.replies import Call, Say, dumps
from harness.upstream import Answer, Upstream

# Every way of a translation whose two sides treat these things differently.
CROSSED = [Pair("messages", "openai", "gpt-4o"), Pair("gemini", "openai", "gpt-4o"), Pair("chat", "gemini", "gemini-2.5-flash")]
ALL = [*PAIRS, *CROSSED]
DIALECTS = pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.name if pair in PAIRS else f"{pair.client} at {pair.type}")
MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
MIB = 1024 * 1024


def serve(start, upstream, pair, **more):
    return start({"backends": {"first": backend(pair, upstream.url(), **more)}})


def json_of(event):
    """The data of one event of a stream, with the event's name; None for what is none."""
    text = event.decode()
    line = next((x for x in text.splitlines() if x.startswith("data: {")), None)
    return json.loads(line[6:]) if line else None


def event_of(body):
    name = f"event: {body['type']}\n" if "type" in body else ""
    return f"{name}data: {dumps(body)}\n\n".encode()


def edited(change, say=None):
    """The stream, its events changed: `change` gets each and gives those that stand for it."""

    def make(request):
        whole = replies.answer(request, say or Say(text=WORDS))
        if not request.streams:
            body = json.loads(whole.payload())
            (body,) = change(body)
            return whole.with_(pieces=[dumps(body).encode()])
        pieces = []
        for piece in whole.pieces:
            body = json_of(piece)
            pieces += [piece] if body is None else [event_of(x) for x in change(body)]
        return whole.with_(pieces=pieces)

    return make


# -- 23: too much


def large(request):
    """A whole answer of more than may be held."""
    say = Say(text="x" * (65 * MIB))
    return replies.answer(request, say)


def endless(request):
    """The same, and nobody says how long it is."""
    body = replies.answer(request, Say(text="x")).payload().replace(b'"x"', b'"' + b"x" * (80 * MIB) + b'"')
    return Answer(framing="chunked", pieces=[body[i : i + MIB] for i in range(0, len(body), MIB)])


def bomb(request):
    body = replies.answer(request, Say(text="x" * (80 * MIB))).payload()
    return Answer(headers=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], pieces=[gzip.compress(body, 1)])


TOO_LARGE = {"larger than is held": large, "without end": endless, "larger once unpacked": bomb}


@pytest.mark.parametrize("pair", [PAIRS[0], PAIRS[3], CROSSED[0]], ids=lambda pair: f"{pair.client} at {pair.type}")
@pytest.mark.parametrize("what", TOO_LARGE)
def test_a_whole_answer_of_any_size_is_bounded(start, upstream, pair, what):
    gateway = serve(start, upstream, pair)
    upstream.answer(TOO_LARGE[what])
    reply = ask(gateway, pair, False)
    assert reply.status == 502, reply.body[:300]
    error_of(pair, json.loads(reply.body))
    (row,) = told(gateway)
    assert row["fault"] == "upstream_broken"
    assert gateway.resident_kib() < 400 * 1024
    note(23, what, "whole", pair, False, f"{reply.status} {row['fault']}", row["total_ms"])


def flood(pieces):
    """A stream of events that goes on and on."""

    def make(request):
        whole = replies.answer(request, Say(text="y" * 7 * 3))
        events = [p for p in whole.pieces if b"yyyyyyy" in p]
        at = whole.pieces.index(events[0])
        one = events[0].replace(b"yyyyyyy", b"y" * 8192)
        return whole.with_(pieces=[*whole.pieces[:at], *[one] * pieces, *whole.pieces[at + len(events) :]])

    return make


@DIALECTS
def test_an_endless_stream_waits_for_its_reader(start, upstream, pair):
    """A reader that stands still holds its own upstream, and little memory."""
    gateway = serve(start, upstream, pair)
    upstream.answer(lambda request: replies.answer(request, Say(text="warm")))
    ask(gateway, pair, True)
    before = gateway.resident_kib()
    upstream.answer(flood(6000))  # some 50 MB
    connection = gateway.connect()
    ask_only(connection, pair)
    connection.read_head()
    time.sleep(0.8)
    grown = gateway.resident_kib() - before
    assert grown < 6 * 1024, f"{grown} KiB for a stream that nobody reads"
    began = time.monotonic()
    connection.abort()
    assert upstream.left.wait(5), "the upstream was not told that nobody reads"
    row = told(gateway, 2)[1]
    assert row["fault"] == "client_gone"
    note(23, "endless, reader stands still", "after", pair, True, f"held, {grown // 1024} MiB; call cancelled", (time.monotonic() - began) * 1000)


@DIALECTS
def test_an_endless_stream_is_read_to_its_end(start, upstream, pair):
    gateway = serve(start, upstream, pair)
    upstream.answer(flood(2000))
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and len(text_of(pair, reply, True)) == 2000 * 8192 and ended(pair, reply)
    assert gateway.resident_kib() < 120 * 1024
    (row,) = told(gateway)
    assert "fault" not in row
    note(23, "16 MB of events", "harmless", pair, True, "as without it", row["total_ms"])


@DIALECTS
@pytest.mark.parametrize("when", ["first", "later"])
def test_an_event_without_end_is_a_fault(start, upstream, pair, when):
    def one_event(request):
        whole = replies.answer(request, Say(text=WORDS))
        keep = whole.pieces[:5] if when == "later" else []
        return whole.with_(pieces=[*keep, b'data: {"x": "', *[b"z" * MIB] * 17])

    gateway = serve(start, upstream, pair)
    upstream.answer(one_event)
    reply = ask(gateway, pair, True)
    if when == "first":
        assert reply.status == 502
        error_of(pair, json.loads(reply.body))
    else:
        assert reply.status == 200 and not ended(pair, reply)
        error_of(pair, reply.events[-1])
    (row,) = told(gateway)
    assert row["fault"] == "upstream_broken"
    note(23, "an event without end", "before" if when == "first" else "after", pair, True, row["fault"], row["total_ms"])


def ask_only(connection, pair):
    """Asks for a stream and reads nothing."""

    class Only:
        """A gateway that only sends."""

        @staticmethod
        def post(path, body, headers=()):
            connection.request("POST", path, headers, body)

        @staticmethod
        def chat(model, text="ping", headers=(), **more):
            body = {"model": model, "messages": [{"role": "user", "content": text}]} | more
            connection.request("POST", "/v1/chat/completions", headers, body)

    ask(Only, pair, True)


# -- 31: usage


def without_usage(body):
    if not body.get("choices", [0]) and body.get("usage"):
        return []  # nothing else is in it
    body = {k: v for k, v in body.items() if k not in ("usage", "usageMetadata")}
    if isinstance(body.get("message"), dict):
        body["message"] = {k: v for k, v in body["message"].items() if k != "usage"}
    return [body]


def usage_of(row):
    tokens = row.get("tokens", {})
    return tokens.get("input"), tokens.get("output")


@DIALECTS
@MODES
def test_an_answer_without_usage_is_an_answer(start, upstream, pair, stream):
    """What nobody said is unknown: no zeros are made up for the log, and the dialect's form is kept."""
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(without_usage))
    reply = ask(gateway, pair, stream)
    assert reply.status == 200, reply.body
    assert text_of(pair, reply, stream) == WORDS and (not stream or ended(pair, reply))
    (row,) = told(gateway)
    assert "fault" not in row and usage_of(row) == (None, None), row.get("tokens")
    note(31, "usage missing", "harmless", pair, stream, "answered; tokens unknown", row["total_ms"])


def twice(body):
    """A first usage that is wrong, then the right one."""
    usage = body.get("usage") or body.get("usageMetadata")
    if not usage or body.get("type") == "message" or body.get("object") == "chat.completion":
        return [body]
    if "choices" in body and not body["choices"]:
        return [body | {"usage": usage | {"prompt_tokens": 999, "completion_tokens": 999, "total_tokens": 1998}}, body]
    if body.get("type") == "message_delta":
        return [body | {"usage": usage | {"output_tokens": 3}, "delta": {"stop_reason": None, "stop_sequence": None}}, body]
    return [body]


@DIALECTS
def test_of_two_usages_the_last_counts(start, upstream, pair):
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(twice, Say(text=WORDS, input=40, output=9)))
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and text_of(pair, reply, True) == WORDS and ended(pair, reply)
    (row,) = told(gateway)
    assert "fault" not in row and usage_of(row) == (40, 9)
    note(31, "usage twice", "harmless", pair, True, "the last counts", row["total_ms"])


def early_usage(body):
    """Usage in the first event instead of the last."""
    usage = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
    if "choices" in body and not body["choices"]:
        return []
    if "choices" in body and body["choices"][0]["delta"].get("role"):
        return [body | {"usage": usage}]
    return [body]


@pytest.mark.parametrize("pair", [p for p in ALL if p.type == "openai"], ids=lambda pair: pair.client)
def test_usage_counts_wherever_it_stands(start, upstream, pair):
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(early_usage))
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and text_of(pair, reply, True) == WORDS and ended(pair, reply)
    (row,) = told(gateway)
    assert "fault" not in row and usage_of(row) == (40, 9)
    note(31, "usage in an early event", "harmless", pair, True, "counted", row["total_ms"])


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_usage_of_a_response_that_did_not_complete_counts(start, upstream, status):
    """Responses tell it in response.incomplete and response.failed as well."""
    pair = Pair("chat", "openai", "gpt-4o")
    gateway = serve(start, upstream, pair)

    def change(body):
        if body["type"] != "response.completed":
            return [body]
        ending = {"incomplete": {"incomplete_details": {"reason": "max_output_tokens"}}}
        ending["failed"] = {"error": {"code": "server_error", "message": "it broke"}}
        return [body | {"type": f"response.{status}", "response": body["response"] | {"status": status} | ending[status]}]

    upstream.answer(edited(change, Say(text=WORDS, input=40, output=9)))
    reply = gateway.post("/v1/responses", {"model": "gpt-4o", "input": "ping", "stream": True})
    assert reply.status == 200 and reply.events[-1]["type"] == f"response.{status}"
    (row,) = told(gateway)
    assert usage_of(row) == (40, 9)
    assert ("fault" in row) == (status == "failed")
    note(31, f"usage in response.{status}", "harmless" if status == "incomplete" else "after", pair, True, "counted", row["total_ms"])


# -- 32: the finish, and half a tool call


def finished_twice(body):
    choices = body.get("choices") or [{}]
    candidates = body.get("candidates") or [{}]
    if choices[0].get("finish_reason") or candidates[0].get("finishReason") or body.get("type") == "message_delta":
        return [body, body]
    return [body]


def never_finished(body):
    """Proper to the last event of the dialect, but nobody says why it ended."""
    for choice in body.get("choices") or []:
        choice["finish_reason"] = None
    if body.get("type") == "message":
        body["stop_reason"] = None
    if body.get("type") == "message_delta":
        body["delta"]["stop_reason"] = None
    return [body]


@DIALECTS
def test_a_second_finish_changes_nothing(start, upstream, pair):
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(finished_twice))
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and text_of(pair, reply, True) == WORDS and ended(pair, reply)
    assert reply.complete
    (row,) = told(gateway)
    assert "fault" not in row
    if pair in CROSSED or pair.name.endswith("anthropic") and pair.client == "chat":
        assert finishes(pair, reply) == 1, "what is written anew ends once"
    note(32, "finished twice", "harmless", pair, True, "ends once where written anew", row["total_ms"])


def finishes(pair, reply):
    events = [e for e in reply.events if e != "[DONE]"]
    if pair.client == "chat":
        return sum(1 for e in events for c in e.get("choices", []) if c.get("finish_reason"))
    if pair.client == "messages":
        return sum(1 for e in events if e.get("delta", {}).get("stop_reason"))
    return sum(1 for e in events for c in e.get("candidates", []) if c.get("finishReason"))


@pytest.mark.parametrize("pair", [p for p in ALL if p.type != "gemini"], ids=lambda pair: f"{pair.client} at {pair.type}")
@MODES
def test_without_a_reason_to_finish_the_answer_is_whole(start, upstream, pair, stream):
    """Its dialect's last event is there. (Gemini's last event is the reason: there it is row 9.)"""
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(never_finished))
    reply = ask(gateway, pair, stream)
    assert reply.status == 200 and text_of(pair, reply, stream) == WORDS
    assert not stream or ended(pair, reply)
    (row,) = told(gateway)
    assert "fault" not in row
    note(32, "no reason to finish", "harmless", pair, stream, "as it came, or ended as usual", row["total_ms"])


TOOL = Say(calls=[Call("weather", {"city": "Bremen", "days": 3})])


def cut_arguments(body):
    """The end of the arguments is missing."""
    for choice in body.get("choices") or []:
        for call in (choice.get("message") or choice.get("delta") or {}).get("tool_calls") or []:
            text = call["function"]["arguments"]
            call["function"]["arguments"] = text.replace('3}', "")
    if body.get("delta", {}).get("type") == "input_json_delta":
        body["delta"]["partial_json"] = body["delta"]["partial_json"].replace("3}", "").replace("}", "")
    return [body]


@pytest.mark.parametrize("pair", [p for p in ALL if p.type != "gemini"], ids=lambda pair: f"{pair.client} at {pair.type}")
@MODES
def test_half_a_tool_call_never_looks_whole(start, upstream, pair, stream):
    """Where arguments are text they go as they came, and the client's own parser stumbles. Where they must be JSON nobody
    makes an object up: Anthropic's clients get the text as it came, inside one, and a note; Gemini has a word for it."""
    if pair.type == "anthropic" and not stream:
        pytest.skip("there, whole arguments are JSON themselves")
    gateway = serve(start, upstream, pair)
    upstream.answer(edited(cut_arguments, TOOL))
    reply = ask(gateway, pair, stream)
    half = '{"city":"Bremen","days":'
    assert reply.status == 200
    assert calls(pair, reply, stream) == ([{"input": half}] if pair.client == "messages" and not stream else [half] if pair.client != "gemini" else [])
    if pair.client == "gemini":
        last = reply.events[-1] if stream else reply.json
        assert last["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"
    elif pair.client == "messages" and pair.type != "anthropic" and not stream:
        assert "restated /choices/0/message/tool_calls/0" in reply.header("x-sluice-notes")
    (row,) = told(gateway)
    assert "fault" not in row
    note(32, "arguments cut", "harmless", pair, stream, "never a call made up", row["total_ms"])


def calls(pair, reply, stream):
    """The arguments of the tool calls: text where the dialect has text, else the JSON itself."""
    if pair.client == "chat":
        if not stream:
            return [c["function"]["arguments"] for c in reply.json["choices"][0]["message"]["tool_calls"]]
        events = [e for e in reply.events if e != "[DONE]"]
        deltas = [c["delta"] for e in events for c in e.get("choices", [])]
        return ["".join(c["function"].get("arguments", "") for d in deltas for c in d.get("tool_calls") or [])]
    if pair.client == "messages":
        if not stream:
            return [b["input"] for b in reply.json["content"] if b["type"] == "tool_use"]
        return ["".join(e.get("delta", {}).get("partial_json", "") for e in reply.events)]
    events = reply.events if stream else [reply.json]
    parts = [p for e in events for c in e.get("candidates", []) for p in c.get("content", {}).get("parts", [])]
    return [p["functionCall"].get("args") for p in parts if "functionCall" in p]


# -- 33: trickle


def trickling(pause, most=10_000):
    def make(request):
        whole = replies.answer(request, Say(text="one two"))
        data = whole.payload()
        step = max(1, len(data) // most)
        return whole.with_(pieces=[(pause, data[i : i + step]) for i in range(0, len(data), step)])

    return make


@DIALECTS
@MODES
def test_a_trickle_arrives(start, upstream, pair, stream):
    """Byte after byte, for longer than any silence may last: it is slow, not silent, and counts as a stream meanwhile."""
    gateway = serve(start, upstream, pair, timeouts={"first_token": "5s", "between_tokens": "150ms"})
    upstream.answer(trickling(0.02, most=60))
    connection = gateway.connect()
    if stream:
        ask_only(connection, pair)
        connection.read_head()
        samples = prometheus.read(gateway.get("/metrics").text)
        assert prometheus.total(samples, "sluice_open_streams") == 1
        list(connection.chunks())
    else:
        reply = ask(gateway, pair, False)
        assert reply.status == 200 and text_of(pair, reply, False) == "one two"
    connection.close()
    (row,) = told(gateway)
    assert "fault" not in row
    note(33, "trickle", "harmless", pair, stream, "arrives", row["total_ms"])


@DIALECTS
@MODES
def test_a_trickle_ends_with_the_total_clock(start, upstream, pair, stream):
    gateway = serve(start, upstream, pair, timeouts={"total": "600ms"})
    upstream.answer(trickling(0.1))
    began = time.monotonic()
    reply = ask(gateway, pair, stream)
    assert time.monotonic() - began < 2
    if reply.status == 200:
        error_of(pair, reply.events[-1])
        assert not ended(pair, reply)
    else:
        assert reply.status == 504
        error_of(pair, json.loads(reply.body))
    (row,) = told(gateway)
    assert row["fault"] == "upstream_timeout"
    note(33, "trickle past the total clock", "after", pair, stream, row["fault"], row["total_ms"])


@DIALECTS
def test_a_trickle_of_nothing_is_no_first_token(start, upstream, pair):
    """Comments keep a connection open, not a caller waiting."""
    other = Upstream()
    gateway = start(
        {
            "backends": {
                "first": backend(pair, upstream.url(), timeouts={"first_token": "400ms"}),
                "second": backend(pair, other.url()),
            }
        }
    )

    def comments(request):
        whole = replies.answer(request, Say(text=WORDS))
        return whole.with_(pieces=[*[(0.05, b": still thinking\n\n")] * 60, *whole.pieces])

    upstream.answer(comments)
    reply = ask(gateway, pair, True)
    assert reply.status == 200 and text_of(pair, reply, True) == "pong"
    (row,) = told(gateway)
    assert [a.get("fault") for a in row["attempts"]] == ["upstream_timeout", None]
    assert row["total_ms"] < 1500
    note(33, "a trickle of comments", "before", pair, True, "cured by another target", row["attempts"][1]["started_ms"])
    other.close()
