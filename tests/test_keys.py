"""Callers' keys: every SDK with the right one and a wrong one, every door without one, whose is what.
SPDX-License-Identifier: MIT
"""

import time

import pytest

from harness import replies
from harness.depot import backends as depot_backends
from harness.gateway import CLIENT_KEY, Gateway, backends
from harness.upstream import Gate
from harness.vendors import VENDORS
from square import clients, mouths
from square.talk import Ask

# The SDKs' own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ACCESS_KEY_ID = "AKIAOFTHECLIENT00000"
OTHER_KEY = "sk-canary-of-another-client"
TEAMS = [
    {"name": "team", "key": CLIENT_KEY, "access_key_id": ACCESS_KEY_ID},
    {"name": "other", "key": OTHER_KEY},
]


def bearer(key=CLIENT_KEY):
    return [("Authorization", f"Bearer {key}")]


@pytest.fixture(scope="module")
def started(session_upstream, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("keys"), {"backends": backends(session_upstream), "keys": TEAMS})
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(started, upstream):
    yield started
    assert started.process.poll() is None, f"the gateway died:\n{started.said()[-8000:]}"


@pytest.fixture
def speaker(gateway):
    made = []

    def make(language, name, key):
        if why := mouths.missing(name, language):
            pytest.skip(f"SDK: {why}")
        made.append(getattr(mouths, language)(name, gateway.url, key))
        return made[-1]

    yield make
    for one in made:
        one.close()


# -- the SDKs


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", clients.NAMES)
@pytest.mark.parametrize("language", ["Python", "Node"])
def test_the_right_key_is_served(gateway, upstream, speaker, language, client, stream):
    upstream.say(text="welcome")
    before = {row["id"] for row in gateway.lines()}
    got = speaker(language, client, CLIENT_KEY).ask(VENDORS["claude"], Ask(stream=stream))
    assert got.error is None, got.error
    assert got.text == "welcome"
    (asked,) = upstream.seen
    assert CLIENT_KEY not in str(vars(asked)), "the caller's key went upstream"
    assert gateway.wait_for_line(lambda row: row["id"] not in before and row.get("model"))["caller"] == "team"


REFUSED = {
    "openai_chat": {"Python": "AuthenticationError", "Node": "AuthenticationError"},
    "openai_responses": {"Python": "AuthenticationError", "Node": "AuthenticationError"},
    "anthropic": {"Python": "AuthenticationError", "Node": "AuthenticationError"},
    "gemini": {"Python": "ClientError", "Node": "ApiError"},
    "cohere": {"Python": "UnauthorizedError", "Node": "UnauthorizedError"},
    "bedrock_converse": {"Python": "ClientError", "Node": "BedrockRuntimeServiceException"},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", clients.NAMES)
@pytest.mark.parametrize("language", ["Python", "Node"])
def test_a_wrong_key_is_told_by_the_sdks_own_error(gateway, upstream, speaker, language, client, stream):
    wrong = CLIENT_KEY[:-1] + "x"
    error = speaker(language, client, wrong).ask(VENDORS["claude"], Ask(stream=stream)).error
    aws = client == "bedrock_converse"
    assert (error["class"], error["status"]) == (REFUSED[client][language], 403 if aws else 401), error
    if not aws:
        assert "none of this gateway's" in error["message"]
    elif language == "Node":
        assert error["name"] == "InvalidSignatureException"
    assert upstream.seen == []


# -- AWS's signatures


def boto(gateway, key=CLIENT_KEY, access_key_id=ACCESS_KEY_ID, service="bedrock-runtime", **more):
    boto3 = pytest.importorskip("boto3", reason="SDK: boto3 is not installed")
    from botocore.config import Config

    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=gateway.url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=key,
        config=Config(retries={"max_attempts": 0}, proxies={}),
        **more,
    )


def converse(client, text="hello", stream=False):
    ask = client.converse_stream if stream else client.converse
    return ask(modelId=VENDORS["claude"], messages=[{"role": "user", "content": [{"text": text}]}])


def aws_error(call):
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_signatures_are_checked(gateway, upstream, stream):
    code, status, message = aws_error(lambda: converse(boto(gateway, CLIENT_KEY[:-1] + "x"), stream=stream))
    assert (code, status) == ("InvalidSignatureException", 403) and "secret access key" in message
    code, status, message = aws_error(lambda: converse(boto(gateway, access_key_id="AKIANOBODY"), stream=stream))
    assert (code, status) == ("UnrecognizedClientException", 403) and "access_key_id" in message
    temporary = boto(gateway, aws_session_token="token")
    code, status, message = aws_error(lambda: converse(temporary, stream=stream))
    assert (code, status) == ("UnrecognizedClientException", 403) and "X-Amz-Security-Token" in message
    assert upstream.seen == []


def test_signed_calls_of_any_size_and_kind(gateway, upstream):
    upstream.say(text="large")
    said = converse(boto(gateway), "Grüezi 🌤 " * 40_000)
    assert said["output"]["message"]["content"] == [{"text": "large"}]
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    with pytest.raises(Exception, match="ResourceNotFound"):
        boto(gateway).converse(modelId=arn, messages=[{"role": "user", "content": [{"text": "x"}]}])
    assert boto(gateway, service="bedrock").list_foundation_models()["modelSummaries"]
    with pytest.raises(Exception, match="InvalidSignature"):
        boto(gateway, OTHER_KEY, service="bedrock").list_foundation_models()


def test_a_signed_invoke_model_is_checked_and_answered(start, depot):
    """A call that may pass untouched, but a body that is held: its signature counts."""
    gateway = start({"backends": depot_backends(depot), "keys": TEAMS})
    vector = b'{"data":[{"embedding":[0.5],"index":0}],"usage":{"prompt_tokens":1,"total_tokens":1}}'
    depot.answer = lambda got: (200, [("Content-Type", "application/json")], vector)
    ask = {"modelId": "m", "body": b'{"inputText":"a"}'}
    assert b'"embedding":[0.5]' in boto(gateway).invoke_model(**ask)["body"].read()
    assert gateway.wait_for_line(lambda row: row.get("operation") == "invoke")["caller"] == "team"
    code, status, _ = aws_error(lambda: boto(gateway, CLIENT_KEY[:-1] + "x").invoke_model(**ask))
    assert (code, status) == ("InvalidSignatureException", 403) and len(depot.seen) == 1


def signed(gateway, method, path, body, age=0, **fields):
    """Field lines that sign it."""
    auth = pytest.importorskip("botocore.auth", reason="SDK: botocore is not installed")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(method=method, url=gateway.url + path, data=body, headers=fields)
    if age:
        now = auth.get_current_datetime
        import datetime

        auth.get_current_datetime = lambda *a, **w: now(*a, **w) - datetime.timedelta(seconds=age)
    try:
        auth.SigV4Auth(Credentials(ACCESS_KEY_ID, CLIENT_KEY), "bedrock", "eu-central-1").add_auth(request)
    finally:
        if age:
            auth.get_current_datetime = now
    kept = ("Authorization", "X-Amz-Date", *fields)
    return [("Host", gateway.url.split("//")[1])] + [(name, value) for name, value in request.headers.items() if name in kept]


PATH = "/model/claude-sonnet-4-5/converse"
BODY = b'{"messages": [{"role": "user", "content": [{"text": "hi"}]}]}'


def test_a_bedrock_api_key_is_a_key(gateway, upstream):
    """As AWS_BEARER_TOKEN_BEDROCK sends it, which boto3 does over HTTPS only."""
    upstream.say(text="by token")
    assert gateway.post(PATH, BODY, bearer()).json["output"]["message"]["content"] == [{"text": "by token"}]
    refused = gateway.post(PATH, BODY, bearer("sk-of-nobody-whatever"))
    assert refused.status == 403 and refused.header("x-amzn-errortype") == "UnrecognizedClientException"


def test_chunks_are_signed_as_what_they_carry(gateway, upstream):
    fields = [*signed(gateway, "POST", PATH, BODY), ("Transfer-Encoding", "chunked")]
    lines = "".join(f"{n}: {v}\r\n" for n, v in fields)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (BODY[:9], BODY[9:])) + b"0\r\n\r\n"
    upstream.say(text="put together")
    with gateway.connect() as connection:
        connection.send(f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + chunks)
        assert connection.read().json["output"]["message"]["content"] == [{"text": "put together"}]
        # The connection goes on with the next request.
        assert connection.ask("GET", "/v1/models", bearer()).status == 200


@pytest.mark.parametrize("age", [-400, 400])
def test_old_signatures_are_refused(gateway, upstream, age):
    reply = gateway.post(PATH, BODY, signed(gateway, "POST", PATH, BODY, age))
    assert reply.status == 403 and reply.header("x-amzn-errortype") == "InvalidSignatureException"
    assert "clock" in reply.json["message"]


def test_a_signature_is_for_one_body(gateway, upstream):
    fields = signed(gateway, "POST", PATH, BODY)
    reply = gateway.post(PATH, BODY.replace(b"hi", b"ho"), fields)
    assert reply.status == 403 and reply.header("x-amzn-errortype") == "InvalidSignatureException"
    assert gateway.wait_for_line(lambda row: row["status"] == 403 and row.get("caller") != "team")
    upstream.say(text="as signed")
    assert gateway.post(PATH, BODY, fields).status == 200


def test_what_the_head_tells_is_refused_before_the_body(gateway):
    fields = signed(gateway, "POST", PATH, BODY, 400)
    with gateway.connect() as connection:
        lines = "".join(f"{n}: {v}\r\n" for n, v in fields)
        connection.send(f"POST {PATH} HTTP/1.1\r\n{lines}Content-Length: 1000\r\n\r\n".encode())
        connection.sock.settimeout(5)
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 403 ")


def test_a_signature_covers_no_upload(gateway, upstream):
    path, body = "/v1/files", b"x" * 100
    reply = gateway.post(path, body, signed(gateway, "POST", path, body))
    assert reply.status == 401 and "Authorization: Bearer KEY" in reply.error["message"]


# -- every door


PUBLIC = {"/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json"}
GEMINIS = ("/v1alpha/models", "/v1/publishers/google/models", "/v1beta1/publishers/google/models", "/v1/models")


def said_as(path, reply):
    """Whose words a refusal is in."""
    told = reply.json
    if reply.header("x-amzn-errortype") == "UnrecognizedClientException" and set(told) == {"message"}:
        return "bedrock"
    if told.get("type") == "error" and told["error"]["type"] == "authentication_error":
        return "anthropic"
    if isinstance(told.get("error"), dict):
        if told["error"].get("status") == "UNAUTHENTICATED" and told["error"]["code"] == 401:
            return "gemini"
        return "openai" if told["error"]["code"] == "invalid_api_key" else None
    return "cohere" if "message" in told else None


def words_of(path):
    if path.startswith(("/model/", "/foundation-models")):
        return "bedrock"
    if path.startswith(("/v1/messages", "/anthropic", "/v1/skills")):
        return "anthropic"
    if path.startswith(("/v1beta", "/v1alpha", "/upload", "/download", "/gemini", "/v1/publishers")) or ":" in path:
        return "gemini"
    if path.startswith(("/v2/", "/cohere", "/v1/tokenize", "/v1/detokenize", "/v1/classify")) or path == "/v1/embed":
        return "cohere"
    return "openai"


def test_no_door_opens_without_a_key(gateway, upstream):
    table = [(method.upper(), path) for path, item in gateway.get("/openapi.json").json["paths"].items() for method in item
             if method != "parameters"]  # fmt: skip
    actions = ("generateContent", "streamGenerateContent", "countTokens")
    table += [("POST", f"{at}/{{model}}:{action}") for at in GEMINIS for action in actions]
    assert len(table) > 100
    for method, path in table:
        asked = path.replace("{model}", "gpt-4").replace("{rest}", "/x").replace("{id}", "x")
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        for credentials in ([], bearer("sk-a-key-of-nobody"), bearer("")):
            with gateway.connect() as connection:
                reply = connection.ask(method, asked, credentials, body)
            if path in PUBLIC:
                assert reply.status == 200, path
                continue
            words = words_of(asked)
            assert reply.status == (403 if words == "bedrock" else 401), (method, asked, reply.status)
            if asked != "/metrics":
                assert said_as(asked, reply) == words, (method, asked, reply.text)
    assert upstream.seen == []


def test_model_lists_need_a_key_in_their_own_form(gateway):
    for path, field in (("/v1/models", ("anthropic-version", "2023-06-01")), ("/v1beta/models", ("x-goog-api-key", ""))):
        assert gateway.get(path, [field]).status == 401
    for path, fields in (
        ("/v1/models", bearer()),
        ("/v1/models", [("anthropic-version", "2023-06-01"), ("x-api-key", CLIENT_KEY)]),
        ("/v1beta/models", [("x-goog-api-key", CLIENT_KEY)]),
        (f"/v1beta/models?key={CLIENT_KEY}", []),
        ("/v1/models", [("api-key", CLIENT_KEY)]),
        ("/metrics", bearer()),
    ):
        assert gateway.get(path, fields).status == 200, path


def test_two_keys_are_none(gateway):
    both = gateway.get("/v1/models", [*bearer(), ("x-api-key", OTHER_KEY)])
    assert both.status == 401 and "two different keys" in both.error["message"]
    assert gateway.get("/v1/models", [*bearer(), ("x-api-key", CLIENT_KEY)]).status == 200


def test_a_preflight_needs_none(start, upstream):
    origin = "https://app.example"
    config = {"backends": backends(upstream), "keys": TEAMS, "server": {"cors": {"origins": [origin]}}}
    gateway = start(config)
    asked = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
    assert gateway.get("/v1/chat/completions", asked, "OPTIONS").status == 204
    assert gateway.chat("gpt-4", headers=[("Origin", origin)]).status == 401
    # Whoever shows a key may come from anywhere.
    upstream.say(text="from afar")
    assert gateway.chat("gpt-4", headers=[*bearer(), ("Host", "gateway.example"), ("Via", "1.1 proxy")]).status == 200


# -- keys stay here


PASSED = [
    ("POST", "/v1/chat/completions", b'{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}'),
    ("POST", "/v1/embeddings", b'{"model":"gpt-4","input":"x"}'),
    ("GET", "/v1/files/file-1", None),
    ("GET", "/openai/v1/anything?x=1", None),
    ("POST", "/openai/v1/anything", b'{"x":1}'),
    ("GET", "/anthropic/v1/anything", None),
    ("GET", "/gemini/v1beta/anything", None),
    ("POST", "/v1beta/models/gemini-2.5-flash:predict", b"{}"),
    ("POST", "/v1/messages/batches", b'{"requests":[]}'),
]
FORMS = ["bearer", "x-api-key", "x-goog-api-key", "api-key", "query"]


@pytest.mark.parametrize("form", FORMS)
def test_keys_never_go_upstream(start, depot, form):
    gateway = start({"backends": depot_backends(depot), "keys": TEAMS})
    for method, path, body in PASSED:
        before = len(depot.seen)
        fields = [("Authorization", f"Bearer {CLIENT_KEY}")] if form == "bearer" else [(form, CLIENT_KEY)]
        if form == "query":
            path, fields = path + ("&" if "?" in path else "?") + f"key={CLIENT_KEY}", []
        with gateway.connect() as connection:
            reply = connection.ask(method, path, fields + [("Content-Type", "application/json")], body)
        assert reply.status not in (401, 403), (path, reply.text)
        assert len(depot.seen) > before, (path, reply.text)
        for got in depot.seen[before:]:
            assert CLIENT_KEY not in got.text(), got.text()


# -- whose is what


def test_limits_are_each_keys_own(start, upstream):
    limits = {"per_caller": {"requests_per_minute": 1}}
    gateway = start({"backends": backends(upstream), "keys": TEAMS, "limits": limits})
    for key in (CLIENT_KEY, OTHER_KEY):
        upstream.say(text="once")
        assert gateway.chat("gpt-4", headers=bearer(key)).status == 200
        assert gateway.chat("gpt-4", headers=bearer(key)).status == 429
    # The same key in another form is the same caller.
    assert gateway.post(PATH, BODY, signed(gateway, "POST", PATH, BODY)).status == 429


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_responses_are_seen_by_their_key_only(start, upstream, tmp_path, storage):
    upstream.strict = False
    more = {"storage": f"sqlite:{tmp_path}/held.db"} if storage == "sqlite" else {}
    gateway = start({"backends": backends(upstream), "keys": TEAMS} | more)
    upstream.say(text="a secret of the team")
    body = {"model": VENDORS["claude"], "input": "hi", "store": True}
    made = gateway.post("/v1/responses", body, bearer())
    assert made.status == 200, made.text
    path = f"/v1/responses/{made.json['id']}"
    assert gateway.get(path, bearer()).status == 200
    assert gateway.get(path).status == 401
    assert gateway.get(path, bearer(OTHER_KEY)).status == 404
    assert gateway.get(path, bearer(OTHER_KEY), "DELETE").status == 404
    on = gateway.post("/v1/responses", body | {"previous_response_id": made.json["id"]}, bearer(OTHER_KEY))
    assert on.status in (400, 404), on.text
    assert gateway.get(path, bearer()).status == 200


def test_files_are_their_keys_own(start, depot):
    gateway = start({"backends": depot_backends(depot), "keys": TEAMS})
    depot.answer = lambda got: (200, [("Content-Type", "application/json")], b'{"id":"file-of-the-team","object":"file"}')
    made = gateway.post("/v1/files", b'{"x":1}', [*bearer(), ("Content-Type", "application/json")])
    assert made.status == 200, made.text
    assert gateway.get("/v1/files/file-of-the-team", bearer()).status == 200
    assert gateway.get("/v1/files/file-of-the-team", bearer(OTHER_KEY)).status == 404


# -- reload


def test_a_key_goes_at_once_and_its_stream_ends_well(start, upstream):
    config = {"backends": backends(upstream), "keys": TEAMS}
    gateway = start(config)
    gate = Gate()

    def held(request):
        answer = replies.answer(request, replies.Say(text="one two three"))
        return answer.with_(pieces=[*answer.pieces[:2], gate, *answer.pieces[2:]])

    upstream.answer(held)
    ask = {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with gateway.connect() as connection:
        connection.request("POST", "/v1/chat/completions", bearer(), ask)
        assert gate.reached.wait(5)
        gateway.write(config | {"keys": TEAMS[1:] + [{"name": "new", "key": "sk-canary-of-a-new-client"}]})
        gateway.reload()
        end = time.monotonic() + 5
        while gateway.get("/v1/models", bearer()).status == 200:
            assert time.monotonic() < end, "the key still counts"
            time.sleep(0.02)
        assert gateway.get("/v1/models", bearer(OTHER_KEY)).status == 200
        assert gateway.get("/v1/models", bearer("sk-canary-of-a-new-client")).status == 200
        gate.open()
        assert connection.read().events[-1] == "[DONE]"
    # A file that would leave the keys unenforced changes nothing.
    gateway.write(config | {"auth": "open"})
    gateway.reload()
    gateway.wait_for_words("there are keys")
    assert gateway.get("/v1/models").status == 401
