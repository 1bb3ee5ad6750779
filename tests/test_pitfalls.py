"""What only whole connections show of the bugs that other gateways had (docs/pitfalls.md). SPDX-License-Identifier: MIT"""

import gzip
import json
import time

import pytest

from harness import aws_frames, bedrock_replies, replies
from harness.gateway import KEYS, backends
from harness.replies import Say
from harness.upstream import Answer, Gate
from harness.vendors import VENDORS
from test_doors import CLIENTS

NOVA = "us.amazon.nova-pro-v1:0"
REFUSALS = {
    "openai": {"error": {"message": "The fog is too thick.", "type": "invalid_request_error", "param": None, "code": 1}},
    "claude": {"type": "error", "error": {"type": "invalid_request_error", "message": "The fog is too thick."}},
    "gemini": {"error": {"code": 400, "message": "The fog is too thick.", "status": "INVALID_ARGUMENT"}},
}


def chat(gateway, model, stream):
    return gateway.chat(model, stream=stream)


DOORS = {"chat": chat} | CLIENTS


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/gpt-4:generateContent"])
def test_a_compressed_question_is_refused_in_words(gateway, upstream, path, coding):
    """Nobody may take the bytes for JSON, and the vendor never sees them."""
    body = gzip.compress(json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}]}).encode())
    with gateway.connect() as connection:
        reply = connection.ask(
            "POST", path, [("Content-Type", "application/json"), ("Content-Encoding", coding)], body
        )
    assert reply.status == 415 and "compressed" in reply.json["error"]["message"], reply.text
    assert upstream.seen == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("door", list(DOORS))
def test_a_retold_error_keeps_nothing_of_how_it_was_packed(gateway, upstream, vendor, door, stream):
    """An error that came compressed, also to a question for a stream, is plain JSON of its own length."""
    body = gzip.compress(json.dumps(REFUSALS[vendor]).encode())
    upstream.answer(
        Answer(
            status=400,
            headers=[("Content-Type", "application/json; charset=UTF-8"), ("Content-Encoding", "gzip")],
            pieces=[body],
        )
    )
    reply = DOORS[door](gateway, VENDORS[vendor], stream)
    assert reply.status == 400 and reply.complete, reply.text
    assert reply.header("content-encoding") is None
    assert reply.header("content-type").startswith("application/json")
    assert int(reply.header("content-length")) == len(reply.body)
    assert reply.json["error"]["message"] == "The fog is too thick."


@pytest.mark.parametrize("door", list(DOORS))
def test_while_a_vendor_only_pings_its_client_hears_something(start, upstream, door):
    """Claude thinks for long and sends pings; to every client something comes through in the meantime."""
    gateway = start({"server": {"keep_alive": "100ms"}, "backends": backends(upstream)})
    gate = Gate()

    def make(request):
        answer = replies.answer(request, Say(text="fog"))
        ping = b'event: ping\ndata: {"type":"ping"}\n\n'
        return answer.with_(pieces=[*answer.pieces[:2], *[(0.05, ping)] * 8, gate, *answer.pieces[2:]])

    upstream.answer(make)
    paths = {
        "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        "anthropic": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
        "gemini": (
            f"/v1beta/models/{VENDORS['claude']}:streamGenerateContent?alt=sse",
            {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        ),
    }
    path, body = paths[door]
    if door != "gemini":
        body = body | {"model": VENDORS["claude"], "stream": True}
    with gateway.connect() as connection:
        connection.request("POST", path, [("anthropic-version", "2023-06-01")], body)
        connection.read_head()
        chunks, heard, began = connection.chunks(), 0, time.monotonic()
        while heard < 3:
            piece = next(chunks)
            if door == "gemini":  # an empty line: Google's clients take nothing else
                heard += not piece.strip()
            else:
                heard += piece.count(b"ping\n") + piece.count(b": ")
            assert time.monotonic() - began < 3
        gate.open()
        assert b"fog" in b"".join(chunks)


def test_no_error_names_our_keys_or_the_vendors_host(gateway, upstream, vendor):
    """Whatever goes wrong behind us: neither key nor address is the client's business."""
    head = [("Content-Type", "application/json")]
    says = json.dumps({"error": {"message": f"bad key {KEYS[vendor]} for http://127.0.0.1:{upstream.port}/v1"}}).encode()
    for answer in (
        Answer(status=401, headers=head, pieces=[says]),
        Answer(status=403, headers=head, pieces=[says]),
        Answer(before="reset"),
        Answer(before="fin"),
        Answer(headers=head, pieces=[b"{"]),
        Answer(raw=b"HTTP/1.1 banana\r\n\r\n"),
    ):
        upstream.default = answer
        reply = gateway.chat(VENDORS[vendor])
        assert reply.status >= 500, reply.text
        told = reply.text + str(reply.headers)
        assert KEYS[vendor] not in told and str(upstream.port) not in told and "127.0.0.1" not in told, told


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_stream_that_begins_with_an_error_is_tried_elsewhere(start, upstream, stream):
    """An exception as the first frame of a good status is as good as a refusal: the next backend answers."""
    bedrock = {"base_url": upstream.url(), "api_key": KEYS["bedrock"], "aws": {"region": "eu-central-1"}}
    both = {"bedrock": bedrock, "claude": backends(upstream)["claude"]}
    gateway = start({"backends": {name: backend | {"models": [NOVA]} for name, backend in both.items()}})
    frames = [aws_frames.exception("throttlingException", "slower")]
    error = Answer(headers=[("Content-Type", bedrock_replies.MEDIA_TYPE)], framing="chunked", pieces=frames)
    limited = Answer(status=429, headers=[("x-amzn-errortype", "ThrottlingException")], pieces=[b'{"message":"slower"}'])
    upstream.answer(error if stream else limited)
    upstream.say(text="Sunny.")
    reply = gateway.chat(NOVA, stream=stream)
    assert reply.status == 200 and "Sunny" in reply.text, reply.text
    assert [seen.dialect for seen in upstream.seen] == ["bedrock_converse", "anthropic"]
