"""Operations that are no conversation: files, images, audio, moderations, rerank, batches. They pass untouched
to a backend of the client's own dialect.
SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness.depot import JSON, backends, form
from harness.gateway import CLIENT_KEY, KEYS


@pytest.fixture
def gateway(start, depot):
    return start({"backends": backends(depot)})


OPENAI = [
    ("POST", "/v1/images/generations", "images.generations"),
    ("POST", "/v1/audio/speech", "audio.speech"),
    ("POST", "/v1/moderations", "moderations"),
    ("POST", "/v1/rerank", "rerank"),
    ("POST", "/v1/embeddings", "embeddings"),
    ("POST", "/v1/batches", "batches"),
    ("POST", "/v1/batches/b_1/cancel", "batches"),
    ("GET", "/v1/files/file-1/content", "files"),
    ("DELETE", "/v1/files/file-1", "files"),
    ("POST", "/v1/uploads/u_1/complete", "uploads"),
    ("GET", "/v1/vector_stores/vs_1/files/f/content", "vector_stores"),
    ("GET", "/v1/fine_tuning/jobs/j_1/events?limit=3&after=x%2Fy", "fine_tuning"),
]


@pytest.mark.parametrize(("method", "path", "operation"), OPENAI, ids=[f"{m} {p}" for m, p, _ in OPENAI])
def test_a_call_passes_as_it_came(gateway, depot, method, path, operation):
    body = b'{ "model":"m-1" ,"x":[1e2,"\\u00e9"], "input":"hi" }' if method == "POST" else None
    depot.answer = lambda got: (200, [("Content-Type", "application/json"), ("X-Vendor", "v")], b'{ "ok" :1e0}')
    with gateway.connect() as connection:
        headers = [("Authorization", f"Bearer {CLIENT_KEY}"), ("OpenAI-Beta", "assistants=v2")]
        reply = connection.ask(method, path, headers + (JSON if body else []), body)
    assert reply.status == 200 and reply.body == b'{ "ok" :1e0}', reply.text
    assert reply.header("x-vendor") == "v" and reply.header("x-sluice-backend") == "openai"
    got = depot.last()
    assert (got.method, got.target) == (method, path) and got.body == (body or b"")
    assert got.header("authorization") == f"Bearer {KEYS['openai']}" and got.header("openai-beta") == "assistants=v2"
    assert CLIENT_KEY not in got.text()
    row = gateway.wait_for_line(lambda r: r.get("operation") == operation)
    assert row["dialect"] == "openai_chat" and row["backend"] == "openai" and row["attempts"][0]["verbatim"]
    assert row["bytes_in"] == len(body or b"") and row["bytes_out"] == len(reply.body)


OTHERS = [
    ("POST", "/v1/messages/batches", [("anthropic-version", "2023-06-01")], "claude"),
    ("GET", "/v1/messages/batches/msgbatch_1/results", [("anthropic-version", "2023-06-01")], "claude"),
    ("GET", "/v1/files/file_1/content", [("anthropic-version", "2023-06-01"), ("anthropic-beta", "files-1")], "claude"),
    ("POST", "/v1beta/models/text-embedding-004:embedContent", [], "gemini"),
    ("POST", "/v1beta/models/imagen-4.0:predict", [], "gemini"),
    ("GET", "/v1beta/files/abc", [], "gemini"),
    ("PATCH", "/v1beta/cachedContents/c1?updateMask=ttl", [], "gemini"),
    ("POST", "/upload/v1beta/files?uploadType=media", [], "gemini"),
]


@pytest.mark.parametrize(("method", "path", "headers", "backend"), OTHERS, ids=[f"{m} {p}" for m, p, *_ in OTHERS])
def test_other_vendors_calls_pass_to_their_own(start, depot, method, path, headers, backend):
    at = backends(depot)
    at["gemini"]["models"] = ["*"]
    at["openai"]["models"] = ["gpt-4"]
    gateway = start({"backends": at})
    body = b'{"content": {"parts": [{"text": "x"}]}}' if method in ("POST", "PATCH") else None
    joined = "&" if "?" in path else "?"
    asked = path + f"{joined}key={CLIENT_KEY}" if backend == "gemini" else path
    with gateway.connect() as connection:
        reply = connection.ask(method, asked, headers + [("x-api-key", CLIENT_KEY)] + (JSON if body else []), body)
    assert reply.status == 200, reply.text
    got = depot.last()
    assert (got.method, got.target) == (method, path) and got.body == (body or b"")
    assert got.header("x-goog-api-key" if backend == "gemini" else "x-api-key") == KEYS[backend]
    assert CLIENT_KEY not in got.text() and got.header("authorization") is None
    for name, value in headers:
        assert got.header(name) == value
    assert reply.header("x-sluice-backend") == backend


def test_the_model_decides_and_is_renamed(start, depot):
    other = {"type": "openai", "base_url": depot.url("/other/v1"), "api_key": "sk-other-canary"}
    at = backends(depot, other=other | {"models": [{"name": "draw", "upstream": "gpt-image-1"}]})
    at["openai"]["models"] = ["dall-e-2"]
    gateway = start({"backends": at})
    gateway.post("/v1/images/generations", b'{"prompt":"a", "model" : "draw","n":1}')
    assert depot.last().path == "/other/v1/images/generations"
    assert depot.last().body == b'{"prompt":"a", "model" : "gpt-image-1","n":1}'
    body, headers = form([("image", "a.png", b"\x89PNG\r\n--xYzZ"), ("model", "draw"), ("prompt", "b")])
    gateway.post("/v1/images/edits", body, headers)
    assert depot.last().path == "/other/v1/images/edits"
    assert depot.last().body == body.replace(b"draw", b"gpt-image-1")
    # Without a model the vendor's default counts, at the first backend.
    gateway.post("/v1/moderations", b'{"input":"x"}')
    assert depot.last().path == "/v1/moderations"
    missing = gateway.post("/v1/images/generations", b'{"prompt":"a","model":"none"}')
    assert missing.status == 404 and missing.error["code"] == "model_not_found"
    stranger = gateway.post("/v1/audio/speech", b'{"input":"a","model":"claude-sonnet-4-5"}')
    assert stranger.status == 400 and "claude-sonnet-4-5" in stranger.error["message"]
    assert len(depot.seen) == 3


def test_azures_paths_name_the_model(gateway, depot):
    gateway.post("/openai/deployments/emb%2F3/embeddings?api-version=2024-10-21", b'{"input":"x"}', [("api-key", CLIENT_KEY)])
    got = depot.last()
    assert got.target == "/v1/embeddings" and json.loads(got.body) == {"input": "x", "model": "emb/3"}
    assert CLIENT_KEY not in got.text()
    body, headers = form([("file", "a.wav", b"RIFF")])
    gateway.post("/openai/deployments/whisper/audio/transcriptions?api-version=1", body, headers)
    got = depot.last()
    assert got.target == "/v1/audio/transcriptions" and b'name="model"\r\n\r\nwhisper\r\n' in got.body
    assert int(got.header("content-length")) == len(got.body)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/filesx", 404),
        ("GET", "/v1/images/edits", 405),
        ("PUT", "/v1/files/x", 405),
        ("GET", "/openai", 404),
        ("GET", "/openai/../admin", 400),
        ("GET", "/v1/files/%2e%2e/models", 400),
        ("GET", "/%6fpenai/v1/models", 400),
        ("POST", "/v1beta/models/x:explode", 405),
        ("POST", "/v1/images", 404),
    ],
)
def test_doors_are_strict(gateway, depot, method, path, status):
    reply = gateway.get(path, method=method)
    assert reply.status == status, reply.text
    assert depot.seen == []


def test_strangers_are_refused_at_every_door(gateway, depot):
    for method, path, *_ in OPENAI + OTHERS + [("GET", "/openai/v1/models")]:
        reply = gateway.get(path, [("Host", "gateway.example"), ("Authorization", f"Bearer {CLIENT_KEY}")], method)
        assert reply.status == 401, path
    assert depot.seen == []


# -- answers


def test_binary_ranges_redirects_and_bodyless_answers(gateway, depot):
    sound = bytes(range(256)) * 4
    depot.answer = lambda got: (206, [("Content-Type", "audio/mpeg"), ("Content-Range", "bytes 0-1023/9999")], sound)
    part = gateway.get("/v1/files/f/content", [("Range", "bytes=0-1023")])
    assert part.status == 206 and part.body == sound and part.header("content-range") == "bytes 0-1023/9999"
    assert depot.last().header("range") == "bytes=0-1023" and part.header("content-type") == "audio/mpeg"
    depot.answer = lambda got: (302, [("Location", "https://cdn.example/x?sig=1")], b"")
    moved = gateway.get("/v1/files/f/content")
    assert moved.status == 302 and moved.header("location") == "https://cdn.example/x?sig=1"
    depot.answer = lambda got: (304, [("ETag", '"e"')], b"")
    with gateway.connect() as connection:
        same = connection.ask("GET", "/v1/files/f", [("If-None-Match", '"e"')])
        assert same.status == 304 and same.header("etag") == '"e"'
        depot.answer = lambda got: (204, [], b"")
        assert connection.ask("DELETE", "/v1/files/f").status == 204
        depot.answer = lambda got: (200, [("Content-Type", "audio/wav"), ("Content-Length", "77")], b"")
        head = connection.ask("HEAD", "/v1/files/f/content")
        assert head.status == 200 and head.header("content-length") == "77" and depot.last().method == "HEAD"
        depot.answer = lambda got: (200, [("Content-Type", "audio/wav")], iter([b"ab", b"cd"]))
        assert connection.ask("GET", "/v1/files/f/content").body == b"abcd"


def test_fields_of_the_connection_stay_behind(gateway, depot):
    depot.answer = lambda got: (
        200,
        [("Set-Cookie", "a=b"), ("Connection", "x-hop"), ("X-Hop", "1"), ("Alt-Svc", "h3"), ("x-request-id", "req_9")],
        b"x",
    )
    reply = gateway.get(
        "/v1/files/f",
        [
            ("Cookie", "c=1"),
            ("Connection", "keep-alive, accept-language"),
            ("Accept-Language", "de"),
            ("X-Api-Key", CLIENT_KEY),
            ("X-Goog-Api-Key", CLIENT_KEY),
            ("Api-Key", CLIENT_KEY),
            ("Prefer", f"token={CLIENT_KEY}"),
            ("X-Own", "mine"),
            ("x-sluice-anything", "1"),
            ("OpenAI-Organization", "org-of-the-client"),
        ],
    )
    names = {n.lower() for n, _ in reply.headers}
    assert not names & {"set-cookie", "x-hop", "alt-svc"}
    assert reply.header("x-sluice-upstream-request-id") == "req_9" and reply.header("x-request-id") != "req_9"
    sent = {n.lower() for n, _ in depot.last().headers}
    assert not sent & {"cookie", "accept-language", "x-api-key", "x-goog-api-key", "api-key", "prefer", "x-own"}
    assert not sent & {"x-sluice-anything", "openai-organization"}
    assert CLIENT_KEY not in depot.last().text()


def test_events_pass_byte_for_byte_and_are_counted(gateway, depot):
    events = (
        b': hi\r\nevent: image_generation.partial_image\r\ndata: {"b64_json":"' + b"A" * 100_000 + b'"}\r\n\r\n'
        b'data: {"type":"image_generation.completed","usage":{"input_tokens":14,"output_tokens":272,'
        b'"input_tokens_details":{"image_tokens":4,"text_tokens":10},"output_tokens_details":{"image_tokens":272}}}\n\n'
    )
    pieces = [events[i : i + 999] for i in range(0, len(events), 999)]
    depot.answer = lambda got: (200, [("Content-Type", "text/event-stream")], iter(pieces))
    reply = gateway.post("/v1/images/generations", b'{"model":"gpt-image-1","prompt":"x","stream":true}')
    assert reply.body == events and reply.header("content-type") == "text/event-stream"
    row = gateway.wait_for_line(lambda r: r.get("operation") == "images.generations")
    assert row["tokens"] == {"input": 14, "output": 272} and row["units"] == {"images": 1}
    assert row["media_tokens"] == {"image_input": 4, "image_output": 272}
    assert row["stream"] is True


def test_usage_of_whole_answers(gateway, depot):
    told = {
        "/v1/embeddings": (b'{"data":[{"embedding":[0.1]}],"model":"e-3","usage":{"prompt_tokens":7,"total_tokens":7}}', 7),
        "/v1/audio/transcriptions": (b'{"text":"x","usage":{"type":"tokens","input_tokens":37,"output_tokens":12}}', 37),
        "/v1/moderations": (b'{"id":"modr-1","model":"omni","results":[]}', None),
    }
    for path, (answer, tokens) in told.items():
        depot.answer = lambda got, answer=answer: (200, JSON, answer)
        assert gateway.post(path, b'{"model":"m","input":"x"}').body == answer
        row = gateway.wait_for_line(lambda r, path=path: r["door"] == path)
        assert (row["tokens"]["input"] if tokens else row.get("tokens")) == tokens, row
    assert gateway.wait_for_line(lambda r: r["door"] == "/v1/embeddings")["served"] == "e-3"


def test_what_is_no_token_is_counted_too(gateway, depot):
    """In the log, and added up in the metrics."""
    told = {
        "/v1/rerank": (b'{"results":[],"meta":{"billed_units":{"search_units":2}}}', {"search_units": 2}),
        "/v1/audio/transcriptions": (b'{"text":"x","usage":{"type":"duration","seconds":9}}', {"audio_seconds": 9.0}),
        "/v1/audio/translations": (b'{"task":"translate","duration":8.47,"text":"x"}', {"audio_seconds": 8.47}),
        "/v1/images/edits": (b'{"data":[{"b64_json":"' + b"A" * 100_000 + b'"},{"url":"https://x"}]}', {"images": 2}),
        "/v1/moderations": (b'{"id":"modr-1","model":"omni","results":[]}', None),
    }
    for path, (answer, units) in told.items():
        depot.answer = lambda got, answer=answer: (200, JSON, answer)
        assert gateway.post(path, b'{"model":"m","input":"x"}').body == answer
        row = gateway.wait_for_line(lambda r, path=path: r["door"] == path)
        assert row.get("units") == units and "tokens" not in row, row
    page = gateway.get("/metrics").text
    sums = {line.split('type="')[1].split('"')[0]: float(line.split()[-1]) for line in page.splitlines() if line.startswith("sluice_units_total{")}
    assert sums == {"search_units": 2, "audio_seconds": 17.47, "images": 2}


def test_errors_are_the_vendors_own_without_our_key(gateway, depot):
    words = json.dumps({"error": {"message": f"no, {KEYS['openai']}!", "type": "x", "param": None, "code": "c"}}).encode()
    depot.answer = lambda got: (400, JSON + [("x-ratelimit-remaining-requests", "9")], words)
    reply = gateway.post("/v1/images/generations", b'{"model":"m","prompt":"x"}')
    assert reply.status == 400 and reply.body == words.replace(KEYS["openai"].encode(), b"[key]")
    assert reply.header("x-ratelimit-remaining-requests") == "9"
    depot.answer = lambda got: (404, [("Content-Type", "text/plain")], b"no such file")
    plain = gateway.get("/v1/files/none")
    assert plain.status == 404 and plain.body == b"no such file" and plain.header("content-type") == "text/plain"
    depot.answer = lambda got: (401, JSON, b'{"error":{"message":"bad key"}}')
    denied = gateway.get("/v1/files/none")
    assert denied.status == 502 and denied.error["message"]
    depot.answer = lambda got: (429, JSON + [("Retry-After", "7")], b'{"error":{"message":"slow"}}')
    limited = gateway.get("/v1/files/none")
    assert limited.status == 429 and limited.header("retry-after") == "7" and b"slow" in limited.body


def test_our_own_errors_are_in_the_clients_words(gateway, depot):
    depot.close()
    reply = gateway.get("/v1/files/f", [("anthropic-version", "2023-06-01")])
    assert reply.status == 502 and reply.json["type"] == "error"
    reply = gateway.get("/v1beta/files/f")
    assert reply.status == 502 and reply.json["error"]["code"] == 502


def test_another_target_steps_in_while_the_body_is_here(start, depot):
    second = {"type": "openai", "base_url": depot.url("/second/v1"), "api_key": "sk-second-canary", "models": ["*"]}
    gateway = start({"backends": backends(depot, second=second)})
    depot.answer = lambda got: (200, JSON, b'{"ok":2}') if got.path.startswith("/second") else (500, JSON, b"{}")
    reply = gateway.post("/v1/embeddings", b'{"model":"m","input":"x"}')
    assert reply.status == 200 and reply.header("x-sluice-backend") == "second"
    row = gateway.wait_for_line(lambda r: r.get("operation") == "embeddings")
    assert [a["backend"] for a in row["attempts"]] == ["openai", "second"]


# -- objects


def test_an_id_leads_back_to_its_issuer(start, depot):
    def backend(name):
        return {"type": "openai", "base_url": depot.url(f"/{name}/v1"), "api_key": f"sk-{name}-canary", "models": ["*"]}

    config = {"backends": {"one": backend("one"), "two": backend("two")}}
    gateway = start(config)
    depot.answer = lambda got: (200, JSON, b'{"object":"file","id":"file-abc","status":"ok"}')
    body, headers = form([("purpose", "batch"), ("file", "a.jsonl", b"{}")])
    assert gateway.post("/v1/files", body, headers).status == 200 and depot.last().path == "/one/v1/files"
    gateway.write({"backends": {"two": backend("two"), "one": backend("one")}})
    gateway.reload()
    gateway.wait_for_words("read again")
    depot.answer = lambda got: (200, JSON, b'{"id":"batch_1","output_file_id":"file-out","error_file_id":null}')
    gateway.post("/v1/batches", {"input_file_id": "file-abc", "endpoint": "/v1/chat/completions"})
    assert depot.last().path == "/one/v1/batches"
    for path, there in (
        ("/v1/files/file-abc/content", "one"),
        ("/v1/batches/batch_1", "one"),
        ("/v1/files/file-out", "one"),
        ("/v1/files/file-unknown", "two"),
        ("/v1/files", "two"),
    ):
        gateway.get(path)
        assert depot.last().path == f"/{there}{path}"


def test_an_object_is_its_makers(start, depot):
    """Whoever made a file, a batch or an upload is its owner; to another caller it is as if it were not there."""
    at = backends(depot)
    gateway = start({"backends": at, "auth": "open"})
    ann, bob = gateway.connect(), gateway.connect()
    afar = [("Host", "gateway.example")]

    def answers(body, fields=()):
        depot.answer = lambda got: (200, [*JSON, *fields], json.dumps(body).encode())

    answers({"object": "file", "id": "file-ann"})
    upload, headers = form([("purpose", "batch"), ("file", "a.jsonl", b"{}")])
    assert ann.ask("POST", "/v1/files", headers, upload).status == 200
    answers({"id": "batch_ann", "output_file_id": "file-out"})
    assert ann.ask("POST", "/v1/batches", JSON, {"input_file_id": "file-ann"}).status == 200
    assert ann.ask("GET", "/v1/batches/batch_ann").status == 200
    url = depot.url("/upload/v1beta/files?upload_id=u_ann")
    answers({}, [("X-Goog-Upload-URL", url)])
    assert ann.ask("POST", "/upload/v1beta/files", JSON, {"file": {}}).status == 200
    answers({"file": {"name": "files/gann"}})
    assert ann.ask("POST", "/upload/v1beta/files?upload_id=u_ann", [("Content-Type", "text/csv")], b"a,b").status == 200

    calls = [
        ("GET", "/v1/files/file-ann", None),
        ("GET", "/v1/files/file%2Dann/content", None),
        ("DELETE", "/v1/files/file-ann", None),
        ("GET", "/openai/files/file-ann", None),
        ("GET", "/v1/files/file-out/content", None),
        ("POST", "/v1/batches/batch_ann/cancel", {}),
        ("POST", "/v1/batches", {"input_file_id": "file-ann"}),
        ("POST", "/openai/batches", {"input_file_id": "file-ann"}),
        ("POST", "/v1/vector_stores", {"file_ids": ["file-other", "file-ann"]}),
        ("POST", "/upload/v1beta/files?upload_id=u_ann", {}),
        ("GET", "/v1beta/files/gann", None),
        ("GET", "/v1beta/files/gann:download", None),
    ]
    answers({})
    seen = len(depot.seen)
    for method, path, body in calls:
        refused = bob.ask(method, path, afar, body)
        assert refused.status == 404 and "no object" in refused.text, path
        google = "v1beta" in path
        error = json.loads(refused.body)["error"]
        assert error["status" if google else "type"] == ("NOT_FOUND" if google else "invalid_request_error")
    assert len(depot.seen) == seen, "no vendor was asked"
    for method, path, body in calls:
        assert ann.ask(method, path, [], body).status == 200, path
    # What nobody is known to have made is asked for as ever, and is nobody's by that.
    answers({"id": "file-old"})
    assert bob.ask("GET", "/v1/files/file-old", afar).status == 200 and ann.ask("GET", "/v1/files/file-old").status == 200
    answers({"id": "batch_old", "status": "cancelling"})
    assert bob.ask("POST", "/v1/batches/batch_old/cancel", afar, {}).status == 200
    assert ann.ask("GET", "/v1/batches/batch_old").status == 200


def test_googles_resumable_upload_goes_on_here(gateway, depot):
    def begin(got):
        url = depot.url(f"/upload/v1beta/files?upload_id=u1&key={KEYS['gemini']}&upload_protocol=resumable")
        return 200, [("X-Goog-Upload-URL", url), ("X-Goog-Upload-Status", "active")], b""

    depot.answer = begin
    headers = [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start"), *JSON]
    reply = gateway.post("/upload/v1beta/files", b'{"file":{"display_name":"x"}}', headers)
    url = reply.header("x-goog-upload-url")
    assert url == f"http://127.0.0.1/upload/v1beta/files?upload_id=u1&upload_protocol=resumable", url
    assert depot.last().header("x-goog-upload-command") == "start"


# -- the SDK


def test_openais_sdk(gateway, depot):
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0)
    vector = "AACAPwAAAEA="
    answers = {
        "/v1/embeddings": {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
            "model": "e",
            "usage": {"prompt_tokens": 2, "total_tokens": 2},
        },
        "/v1/images/generations": {"created": 1, "data": [{"b64_json": "aGk="}]},
        "/v1/images/edits": {"created": 1, "data": [{"url": "https://x"}]},
        "/v1/audio/transcriptions": {"text": "heard"},
        "/v1/moderations": {"id": "modr", "model": "m", "results": []},
        "/v1/files": {"id": "file-9", "object": "file", "bytes": 3, "created_at": 1, "filename": "f", "purpose": "batch"},
        "/v1/files/file-9": {"id": "file-9", "object": "file", "deleted": True},
    }

    def answer(got):
        if got.path in ("/v1/audio/speech", "/v1/files/file-9/content"):
            return 200, [("Content-Type", "audio/mpeg")], b"\x00\xff sound"
        return 200, JSON, json.dumps(answers[got.path]).encode()

    depot.answer = answer
    assert client.embeddings.create(model="e", input="x").data[0].embedding == [1.0, 2.0]
    assert depot.last().body.count(b"base64") == 1
    assert client.images.generate(model="gpt-image-1", prompt="x").data[0].b64_json == "aGk="
    assert client.images.edit(model="gpt-image-1", prompt="x", image=("a.png", b"\x89PNG")).data[0].url == "https://x"
    assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF")).text == "heard"
    assert client.audio.speech.create(model="tts-1", input="x", voice="alloy").content == b"\x00\xff sound"
    assert client.moderations.create(input="x").id == "modr"
    assert client.files.create(file=("f", b"abc"), purpose="batch").id == "file-9"
    assert client.files.content("file-9").content == b"\x00\xff sound"
    assert client.files.delete("file-9").deleted
    depot.answer = lambda got: (400, JSON, b'{"error":{"message":"Nope","type":"t","param":"p","code":"c"}}')
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="gpt-image-1", prompt="x")
    assert refused.value.code == "c"
    assert all(CLIENT_KEY not in got.text() and KEYS["openai"] in got.text() for got in depot.seen)
