"""Each dialect's client on the wire, as a row: where it asks, what it sends, which fields it reads; and an upstream
that answers any of them with fields of the test's choice. SPDX-License-Identifier: MIT
"""

import dataclasses
import json
import urllib.parse

from square import vendors

from . import replies
from .gateway import CLIENT_KEY
from .upstream import Answer

TURN = [{"role": "user", "content": "ping"}]
PARTS = [{"role": "user", "parts": [{"text": "ping"}]}]
BLOCKS = [{"role": "user", "content": [{"text": "ping"}]}]


@dataclasses.dataclass(frozen=True)
class Client:
    path: str
    body: dict
    id: str = "x-request-id"  # where its SDK looks for the id
    limits: str = "openai"  # whose names of limits it knows
    key: tuple = ("Authorization", f"Bearer {CLIENT_KEY}")
    stream_path: str = ""  # the others have a member for it
    own: str = ""  # how the fields begin that only its vendor sends
    fields: tuple = ()  # that its SDK always sends


CLIENTS = {
    "openai_chat": Client("/v1/chat/completions", {"messages": TURN}, own="openai-"),
    "openai_responses": Client("/v1/responses", {"input": "ping"}, own="openai-"),
    "openai_completions": Client("/v1/completions", {"prompt": "ping"}, own="openai-"),
    "anthropic": Client(
        "/v1/messages",
        {"messages": TURN, "max_tokens": 50},
        id="request-id",
        limits="anthropic",
        key=("x-api-key", CLIENT_KEY),
        own="anthropic-",
        fields=(("anthropic-version", "2023-06-01"),),
    ),
    "gemini": Client(
        "/v1beta/models/{model}:generateContent",
        {"contents": PARTS},
        key=("x-goog-api-key", CLIENT_KEY),
        stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
        own="x-gemini-",
        fields=(("x-goog-api-client", "google-genai-sdk/2.0.0 gl-python/3.13"),),
    ),
    "bedrock_converse": Client(
        "/model/{model}/converse",
        {"messages": BLOCKS},
        id="x-amzn-requestid",
        stream_path="/model/{model}/converse-stream",
        own="x-amzn-bedrock-",
    ),
    "cohere": Client("/v2/chat", {"messages": TURN}, id="x-debug-trace-id"),
}
IDS = {client.id for client in CLIENTS.values()}
UPSTREAMS = {vendor.name: vendor.model for vendor in vendors.ALL} | {"openai_completions": "a-llama"}
# OpenAI's first API is only ever asked by its own clients.
PAIRS = [(c, u) for c in CLIENTS for u in UPSTREAMS if u != "openai_completions" or c == u]


def configuration(upstream):
    compatible = {"type": "compatible", "base_url": upstream.url("/v1"), "dialects": ["openai_completions"]}
    return vendors.backends(upstream) | {"old": compatible | {"models": [UPSTREAMS["openai_completions"]]}}


def ask(gateway, client, model, mode="whole", fields=None, query=""):
    row = CLIENTS[client]
    stream = mode == "stream"
    path = row.stream_path if stream and row.stream_path else row.path
    body = dict(row.body)
    if "{model}" not in row.path:
        body |= {"model": model} | ({"stream": True} if stream else {})
    path = path.format(model=urllib.parse.quote(model, safe=""))
    if query:
        path += ("&" if "?" in path else "?") + query
    return gateway.post(path, body, [*row.fields, *([row.key] if fields is None else fields)])


def text_completion(request):
    head = {"id": "cmpl-1", "created": 1760000000, "model": request.json["model"], "object": "text_completion"}
    choice = {"text": "pong", "index": 0, "logprobs": None, "finish_reason": "stop"}
    said = json.dumps(head | {"choices": [choice]})
    if not request.streams:
        return Answer(pieces=[said.encode()])
    kind = [("Content-Type", "text/event-stream")]
    return Answer(headers=kind, framing="chunked", pieces=[f"data: {said}\n\ndata: [DONE]\n\n".encode()])


def says(fields, mode="whole", status=429):
    """What the upstream answers, with these fields beside its own."""

    def make(request):
        if mode == "error":
            return replies.error(request.dialect, status, "it said no", headers=fields)
        if request.dialect == "openai_completions":
            answer = text_completion(request)
        else:
            answer = replies.answer(request, replies.Say(text="pong"))
        return answer.with_(headers=[*answer.headers, *fields])

    return make


def named(reply, wanted):
    """{name: value} of the fields whose names `wanted` takes; a name that stands twice fails."""
    found = [(n.lower(), v) for n, v in reply.headers if wanted(n.lower())]
    assert len(dict(found)) == len(found), found
    return dict(found)
