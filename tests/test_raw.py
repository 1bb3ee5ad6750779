"""Raw calls: a vendor's own path behind its name, with our key. They widen no backend's list of models, wherever the
vendor lets a request name one and whatever it calls its body.
SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness.depot import JSON, backends, form
from harness.gateway import CLIENT_KEY, KEYS


@pytest.fixture
def gateway(start, depot):
    return start({"backends": backends(depot)})


@pytest.fixture
def listed(start, depot):
    """A gateway whose backends have short lists."""
    at = backends(depot)
    at["openai"]["models"] = ["gpt-4", {"name": "mini", "upstream": "o4-mini"}]
    at["claude"]["models"] = ["claude-haiku-4-5"]
    at["gemini"]["models"] = ["gemini-flash"]
    return start({"backends": at})


def test_raw_calls_reach_below_the_base_url(gateway, depot):
    for asked, there, key in (
        ("/openai/v1/responses/r_1?x=1", "/v1/responses/r_1?x=1", "openai"),
        ("/openai/evals", "/v1/evals", "openai"),
        ("/anthropic/v1/skills?beta=true", "/v1/skills?beta=true", "claude"),
        ("/gemini/v1beta/tunedModels", "/v1beta/tunedModels", "gemini"),
    ):
        reply = gateway.get(asked, [("Authorization", f"Bearer {CLIENT_KEY}")])
        assert reply.status == 200 and depot.last().target == there
        assert KEYS[key] in depot.last().text() and CLIENT_KEY not in depot.last().text()
    assert gateway.get("/cohere/v1/connectors").status == 404
    body = b'{"model": "gpt-x", "messages": []}'
    assert gateway.post("/openai/v1/chat/completions", body).status == 200 and depot.last().body == body


# Where the request names its model, on the list and not; then the same in other places.
NAMED = [
    ("body", "/openai/v1/chat/completions", {"model": "{}", "messages": []}, "gpt-4", "gpt-5"),
    ("upstream's own name", "/openai/v1/chat/completions", {"model": "{}"}, "o4-mini", "mini"),
    ("deployment", "/openai/deployments/{}/extensions/on-your-data?api-version=1", {"messages": []}, "gpt-4", "gpt-5"),
    ("deployment and body", "/openai/deployments/gpt-4/extensions/on-your-data", {"model": "{}"}, "gpt-4", "gpt-5"),
    ("engine", "/openai/v1/engines/{}/completions", {"prompt": ""}, "gpt-4", "gpt-5"),
    ("query", "/openai/v1/realtime/calls?model={}", {}, "gpt-4", "gpt%2D5"),
    ("session", "/openai/v1/realtime/client_secrets", {"session": {"model": "{}"}}, "gpt-4", "gpt-5"),
    ("a model's page", "/openai/v1/models/{}", None, "gpt-4", "gpt-5"),
    ("path", "/gemini/v1beta/models/{}:generateContent", {"contents": []}, "gemini-flash", "gemini-pro"),
    ("escaped path", "/gemini/v1beta/models/{}:generateContent", {}, "gemini%2Dflash", "gemini%2Dpro"),
    ("escaped slash", "/gemini/v1beta/models%2F{}%3AgenerateContent", {}, "gemini-flash", "gemini-pro"),
    ("double slash", "/gemini/v1beta//models//{}:generateContent", {}, "gemini-flash", "gemini-pro"),
    ("publisher", "/gemini/v1/publishers/google/models/{}:predict", {}, "gemini-flash", "gemini-pro"),
    ("tuned", "/gemini/v1beta/tunedModels/{}:generateContent", {}, "gemini-flash", "gemini-pro"),
    ("Google's body", "/gemini/v1beta/cachedContents", {"model": "models/{}"}, "gemini-flash", "gemini-pro"),
    (
        "several requests",
        "/gemini/v1beta/models/gemini-flash:batchEmbedContents",
        {"requests": [{"model": "models/gemini-flash"}, {"model": "models/{}"}]},
        "gemini-flash",
        "gemini-pro",
    ),
    (
        "a batch",
        "/anthropic/v1/messages/batches",
        {"requests": [{"custom_id": "a", "params": {"model": "{}"}}]},
        "claude-haiku-4-5",
        "claude-opus-4-5",
    ),
]
METHODS = {"a model's page": "GET"}


@pytest.mark.parametrize(("place", "path", "body", "good", "bad"), NAMED, ids=[row[0] for row in NAMED])
def test_a_raw_call_widens_no_list_of_models(listed, depot, place, path, body, good, bad):
    method = METHODS.get(place, "POST")
    for model, status in ((good, 200), (bad, 404)):
        sent = None if body is None else json.dumps(body).replace("{}", model.replace("%2D", "-")).encode()
        with listed.connect() as connection:
            reply = connection.ask(method, path.replace("{}", model), JSON if sent else [], sent)
        assert reply.status == status, reply.text
        if status == 404:
            assert "gpt-5" in reply.text or bad.replace("%2D", "-") in reply.text
    assert len(depot.seen) == 1 and depot.last().body == (b"" if body is None else depot.last().body)


BARE = [("Content-Type", None)]
LABELS = [None, "text/plain", "application/octet-stream", "image/png", "application/x-ndjson", "APPLICATION/JSON"]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("before", [b"", b" \r\n\t" * 3000])
def test_a_label_hides_no_model(listed, depot, label, before):
    headers = [("Content-Type", label)]  # None: without one
    for model, status in (("gpt-4", 200), ("gpt-5", 404)):
        body = before + b'{"messages":[],"model":"%s"}' % model.encode()
        with listed.connect() as connection:
            reply = connection.ask("POST", "/openai/v1/chat/completions", headers, body)
        assert reply.status == status, reply.text
    assert len(depot.seen) == 1 and depot.last().body == before + b'{"messages":[],"model":"gpt-4"}'


def test_neither_do_chunks_pieces_or_forms(listed, depot):
    chunked = b"POST /openai/v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    for model, status in ((b"gpt-4", 200), (b"gpt-5", 404)):
        body = b'{"model":"' + model + b'"}'
        with listed.connect() as connection:
            connection.send(chunked)
            for byte in body:
                connection.send(b"1\r\n%c\r\n" % byte)
            connection.send(b"0\r\n\r\n")
            assert connection.read().status == status
        fields, headers = form([("file", "a.wav", b"RIFF"), ("model", model)])
        assert listed.post("/openai/v1/audio/transcriptions", fields, headers).status == status
        plain = [("Content-Type", "application/x-www-form-urlencoded")]
        assert listed.post("/openai/v1/audio/speech", b"input=x&model=" + model.replace(b"-", b"%2d"), plain).status == status
    assert len(depot.seen) == 3
    # Late in a form, behind a model in the path that is on the list.
    late, headers = form([("file", "a.wav", b"x" * (2 * 1024 * 1024)), ("model", "gpt-5")])
    assert listed.post("/openai/deployments/gpt-4/audio/transcriptions2", late, headers).status == 400


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (JSON, b'{"model":"gpt-4","model":"gpt-5"}', 400),
        (JSON, b'{"model":"gpt-4","Model":"gpt-5"}', 400),
        (JSON, b'{"model":["gpt-5"]}', 400),
        (JSON, b'\xef\xbb\xbf{"model":"gpt-5"}', 400),
        (BARE, '{"model":"gpt-5"}'.encode("utf-16"), 400),
        (BARE, '{"model":"gpt-5"}'.encode("utf-16-be"), 400),
        (BARE, '{"model":"gpt-5"}'.encode("utf-32"), 400),
        (BARE, b'{"model":"gpt-5"} {}', 400),
        (BARE, b'{"model":"gpt-5",}', 400),
        ([*BARE, ("Content-Encoding", "gzip")], b"\x1f\x8b", 415),
        ([("Content-Type", "image/png"), ("Content-Encoding", "gzip")], b"\x1f\x8b", 415),
        ([("Content-Type", "multipart/mixed; boundary=x")], b"--x\r\n", 400),
        (BARE, b" " * (2 * 1024 * 1024), 400),
        (BARE, b'{"x":"' + b" " * 5000 + b'"}', 413),
    ],
)
def test_what_cannot_be_looked_into_is_refused(start, depot, headers, body, status):
    at = backends(depot)
    at["openai"]["models"] = ["gpt-4"]
    gateway = start({"backends": at, "server": {"max_body": "4KiB"}})
    with gateway.connect() as connection:
        reply = connection.ask("POST", "/openai/v1/chat/completions", headers, body)
    assert reply.status == status, reply.text
    assert depot.seen == []


def test_what_is_no_json_passes_untouched(listed, depot):
    film = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 20
    for label, body in (("video/mp4", film), ("application/json", b"[1, 2]"), ("text/csv", b"model,gpt-5\n")):
        with listed.connect() as connection:
            reply = connection.ask("PUT", "/gemini/v1beta/things/x", [("Content-Type", label)], body)
        assert reply.status == 200 and depot.last().body == body, label
