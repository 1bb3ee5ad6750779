"""AWS Bedrock: boto3 as client of each vendor, whole, streamed and with tools; and other clients in front of a Bedrock
upstream, which judges by botocore's own model of the service and checks who asks. SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness import asked, aws_frames, bedrock_replies, replies
from harness.gateway import CLIENT_KEY, KEYS, Gateway, backends
from harness.replies import Call
from harness.rules_bedrock import ACCESS_KEY, SECRET_KEY
from harness.upstream import Answer
from harness.vendors import VENDORS

boto3 = pytest.importorskip("boto3", reason="SDK: boto3 is not installed")
botocore = pytest.importorskip("botocore", reason="SDK: botocore is not installed")

from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError, EventStreamError  # noqa: E402

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
MODELS = VENDORS | {"cohere": "command-a-plus-05-2026", "bedrock": NOVA, "bedrock-claude": CLAUDE}
QUESTION = "Weather in Zürich? 🌤"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"toolSpec": {"name": "weather", "description": "Tells it", "inputSchema": {"json": PARAMETERS}}}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def started(session_upstream, tmp_path_factory):
    more = {
        "cohere": {"base_url": session_upstream.url(), "api_key": KEYS["cohere"], "dialects": ["cohere"]},
        "bedrock": {"base_url": session_upstream.url(), "api_key": KEYS["bedrock"], "aws": {"region": "eu-central-1"}},
    }
    gateway = Gateway(tmp_path_factory.mktemp("bedrock"), {"backends": backends(session_upstream) | more})
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(started, upstream):
    yield started
    assert started.process.poll() is None, f"the gateway died:\n{started.said()[-8000:]}"


def sdk(gateway, service="bedrock-runtime"):
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=gateway.url,
        aws_access_key_id="AKIAOFTHECLIENT00000",
        aws_secret_access_key=CLIENT_KEY,
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )


@pytest.fixture
def client(gateway):
    return sdk(gateway)


@pytest.fixture(params=list(MODELS))
def vendor(request):
    return request.param


def user(*blocks):
    return {"role": "user", "content": [{"text": b} if isinstance(b, str) else b for b in blocks]}


def told(events):
    """The message that a stream's events amount to, as a whole answer has it; its end; what it cost."""
    blocks, stop, cost = {}, None, None
    for event in events:
        kind, value = next(iter(event.items()))
        match kind:
            case "contentBlockStart":
                blocks[value["contentBlockIndex"]] = {"toolUse": value["start"]["toolUse"] | {"input": ""}}
            case "contentBlockDelta":
                delta = value["delta"]
                if "text" in delta:
                    block = blocks.setdefault(value["contentBlockIndex"], {"text": ""})
                    block["text"] += delta["text"]
                elif "toolUse" in delta:
                    blocks[value["contentBlockIndex"]]["toolUse"]["input"] += delta["toolUse"]["input"]
                elif "reasoningContent" in delta:
                    empty = {"reasoningContent": {"reasoningText": {"text": ""}}}
                    block = blocks.setdefault(value["contentBlockIndex"], empty)
                    for name, piece in delta["reasoningContent"].items():
                        text = block["reasoningContent"]["reasoningText"]
                        text[name] = text.get(name, "") + piece
            case "messageStop":
                assert cost is None, "the usage stands behind the stop"
                stop = value["stopReason"]
            case "metadata":
                cost = value["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return [blocks[i] for i in sorted(blocks)], stop, cost


def ask(client, stream, **words):
    if stream:
        return told(client.converse_stream(**words)["stream"])
    reply = client.converse(**words)
    return reply["output"]["message"]["content"], reply["stopReason"], reply["usage"]


def counted(usage):
    return usage["inputTokens"], usage["outputTokens"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_text_and_what_it_cost(client, upstream, vendor, stream):
    upstream.say(text="Sunny, and warm by noon. 苏黎世", input=40, output=20, stop="length")
    content, stop, usage = ask(
        client,
        stream,
        modelId=MODELS[vendor],
        system=[{"text": "Be brief."}],
        messages=[user(QUESTION)],
        inferenceConfig={"maxTokens": 300, "temperature": 0.5, "stopSequences": ["END"]},
    )
    assert content == [{"text": "Sunny, and warm by noon. 苏黎世"}]
    assert stop == "max_tokens" and counted(usage) == (40, 20)
    assert asked.said(upstream.last()) == [("system", "Be brief."), ("user", QUESTION)]
    stops = ["END"] if vendor != "openai" else asked.sampling(upstream.last())["stop"]
    assert asked.sampling(upstream.last()) == {"temperature": 0.5, "most": 300, "stop": stops}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_loop_with_parallel_calls(client, upstream, vendor, stream):
    upstream.say(text="I look it up.", calls=[Call("weather", {"city": "Zürich"}), Call("weather", {"city": "Bern"})])
    messages = [user(QUESTION)]
    words = {"modelId": MODELS[vendor], "messages": messages, "toolConfig": {"tools": [WEATHER]}}
    content, stop, _ = ask(client, stream, **words)
    calls = [b["toolUse"] for b in content if "toolUse" in b]
    assert [(c["name"], c["input"]) for c in calls] == [("weather", {"city": "Zürich"}), ("weather", {"city": "Bern"})]
    assert stop == "tool_use" and "I look it up." in json.dumps(content)
    assert asked.tools(upstream.last())["weather"]["required"] == ["city"]

    upstream.say(text="22 and 19 degrees.")
    messages.append({"role": "assistant", "content": content})
    results = [
        {"toolUseId": calls[1]["toolUseId"], "content": [{"text": "no such town"}], "status": "error"},
        {"toolUseId": calls[0]["toolUseId"], "content": [{"json": {"degrees": 22}}]},
    ]
    messages.append(user(*({"toolResult": r} for r in results)))
    content, stop, _ = ask(client, stream, **words)
    assert content == [{"text": "22 and 19 degrees."}] and stop == "end_turn"
    found = [text for _, _, text in asked.items(upstream.last(), "result")]
    assert any(json.loads(r) == {"degrees": 22} for r in found if r.startswith("{"))
    assert any("no such town" in r for r in found)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("vendor", ["claude", "bedrock-claude"])
def test_signed_thinking_survives_a_tool_loop(client, upstream, vendor, stream):
    signed = {"thinking": "It wants the weather.", "signature": "EqoBSIGNED+of/claude=="}
    upstream.say(calls=[Call("weather", {"city": "Zürich"})], **signed)
    messages = [user(QUESTION)]
    words = {
        "modelId": MODELS[vendor],
        "messages": messages,
        "toolConfig": {"tools": [WEATHER]},
        "inferenceConfig": {"maxTokens": 4000},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    }
    content, _, _ = ask(client, stream, **words)
    assert content[0]["reasoningContent"]["reasoningText"]["text"] == signed["thinking"]
    body = upstream.last().json
    thinking = body.get("thinking") or body["additionalModelRequestFields"]["thinking"]
    assert thinking == {"type": "enabled", "budget_tokens": 2048}
    call = next(b["toolUse"] for b in content if "toolUse" in b)
    upstream.say(text="22 degrees.")
    messages.append({"role": "assistant", "content": content})
    messages.append(user({"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "22"}]}}))
    ask(client, stream, **words)
    assert asked.items(upstream.last(), "thinking") == [("thinking", signed["thinking"], signed["signature"])]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_gemini_gets_its_signatures_back(client, upstream, stream):
    upstream.say(calls=[Call("weather", {"city": "Zürich"}, signature="c2lnbmVkIGJ5IGdlbWluaQ==")])
    messages = [user(QUESTION)]
    words = {"modelId": MODELS["gemini"], "messages": messages, "toolConfig": {"tools": [WEATHER]}}
    if stream:
        # The proof travels in a block of its own, which the SDK decodes and encodes.
        events = list(client.converse_stream(**words)["stream"])
        proofs = [e["contentBlockDelta"]["delta"].get("reasoningContent") for e in events if "contentBlockDelta" in e]
        content = [{"reasoningContent": p} for p in proofs if p] + told(_calls_of(events))[0]
    else:
        content = client.converse(**words)["output"]["message"]["content"]
    call = next(b["toolUse"] for b in content if "toolUse" in b)
    upstream.say(text="22 degrees.")
    messages.append({"role": "assistant", "content": content})
    messages.append(user({"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "22"}]}}))
    client.converse(**words)
    assert "c2lnbmVkIGJ5IGdlbWluaQ==" in json.dumps(upstream.last().json)


def _calls_of(events):
    return [e for e in events if "reasoningContent" not in e.get("contentBlockDelta", {}).get("delta", {})]


def test_a_picture_a_document_and_a_forced_call(client, upstream, vendor):
    upstream.say(calls=[Call("weather", {"city": "Bern"})])
    log = b"%PDF-1.4 the log"
    files = [{"image": {"format": "png", "source": {"bytes": PNG}}}]
    if vendor != "cohere":  # its models read no files
        files.append({"document": {"format": "pdf", "name": "Log", "source": {"bytes": log}}})
    client.converse(
        modelId=MODELS[vendor],
        messages=[user("When?", *files)],
        toolConfig={"tools": [WEATHER], "toolChoice": {"any": {}}},
    )
    assert asked.items(upstream.last(), "image") == [("image", "image/png", "iVBORw0KGgo=")]
    assert len(asked.items(upstream.last(), "file")) == (vendor != "cohere")
    assert asked.tool_choice(upstream.last()) == "any"


def test_structured_output(client, upstream, vendor):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    form = {"type": "json_schema", "structure": {"jsonSchema": {"name": "number", "schema": json.dumps(schema)}}}
    upstream.say(text='{"n": 4}')
    client.converse(modelId=MODELS[vendor], messages=[user("2 + 2?")], outputConfig={"textFormat": form})
    assert asked.schema(upstream.last())["required"] == ["n"]


def test_bedrock_is_relayed_byte_for_byte(gateway, upstream):
    body = {"messages": [user("?")], "additionalModelRequestFields": {"inferenceConfig": {"topK": 5}}}
    upstream.say(text="as it came")
    reply = gateway.post(f"/model/{NOVA.replace(':', '%3A')}/converse", body)
    assert upstream.last().json == body and upstream.last().path == "/model/us.amazon.nova-pro-v1%3A0/converse"
    assert reply.json == bedrock_replies.whole(replies.Say(text="as it came"), "")
    upstream.say(text="as it came")
    reply = gateway.post(f"/model/{NOVA}/converse-stream", body)
    assert reply.body == b"".join(bedrock_replies.stream(replies.Say(text="as it came"), ""))
    assert reply.header("content-type") == bedrock_replies.MEDIA_TYPE
    assert upstream.last().path == "/model/us.amazon.nova-pro-v1%3A0/converse-stream"


def test_a_profile_s_name_may_hold_slashes(client, upstream):
    upstream.say(text="ok")
    reply = client.converse(modelId=ARN, messages=[user("?")])
    assert reply["output"]["message"]["content"] == [{"text": "ok"}]
    assert upstream.last().path.startswith("/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3A")
    assert upstream.last().path.endswith("%2Fabc/converse")


def test_errors_come_as_the_sdk_knows_them(client, upstream, vendor):
    upstream.answer(lambda request: replies.error(request.dialect, 400, "that cannot be done"))
    with pytest.raises(client.exceptions.ValidationException, match="that cannot be done"):
        client.converse(modelId=MODELS[vendor], messages=[user("?")])
    upstream.answer(lambda request: replies.error(request.dialect, 429, "slower", headers=[("retry-after", "1")]))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse_stream(modelId=MODELS[vendor], messages=[user("?")])


def test_what_is_not_here_is_named(client, gateway):
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="demo"):
        client.converse(modelId="dmo", messages=[user("?")])
    reply = gateway.post("/model/demo/converse", {"messages": [{"role": "user", "content": "?"}]})
    assert reply.status == 400 and reply.header("x-amzn-errortype") == "ValidationException"
    assert reply.header("x-amzn-requestid")
    names = [m["modelId"] for m in sdk(gateway, "bedrock").list_foundation_models()["modelSummaries"]]
    assert "demo" in names


def test_a_quota_keeps_its_name(client, upstream):
    upstream.answer(lambda request: replies.error(request.dialect, 400, "too much", "ServiceQuotaExceededException"))
    with pytest.raises(client.exceptions.ServiceQuotaExceededException, match="too much"):
        client.converse(modelId=NOVA, messages=[user("?")])


def test_our_own_key_is_not_the_client_s_fault(client, upstream):
    upstream.answer(lambda request: replies.error(request.dialect, 403, "signed for nobody", "ExpiredTokenException"))
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=NOVA, messages=[user("?")])
    assert refused.value.response["Error"]["Code"] == "InternalServerException"
    assert "signed for nobody" not in str(refused.value)


@pytest.mark.parametrize("vendor", ["claude", "openai"])
def test_a_cut_stream_never_ends_well(client, upstream, vendor):
    def cut(request):
        answer = replies.answer(request, replies.Say(text="half of the answer and then no more"))
        return answer.with_(pieces=answer.pieces[:5], end="fin")

    upstream.answer(cut)
    events = []
    with pytest.raises((EventStreamError, botocore.exceptions.ResponseStreamingError)):
        for event in client.converse_stream(modelId=MODELS[vendor], messages=[user("?")])["stream"]:
            events.append(event)
    content, stop, _ = told(events)
    assert "half of the answer and then no more".startswith(content[0]["text"]) and stop is None


def test_an_exception_in_the_stream_is_told(client, gateway, upstream):
    start = list(bedrock_replies.stream(replies.Say(text="Sunny"), ""))[:2]
    headers = [("Content-Type", bedrock_replies.MEDIA_TYPE)]
    late = Answer(headers=headers, framing="chunked", pieces=[*start, aws_frames.exception("throttlingException", "slower")])
    upstream.answer(late, late)
    with pytest.raises(EventStreamError, match="slower"):
        list(client.converse_stream(modelId=NOVA, messages=[user("?")])["stream"])
    # Another dialect's client hears it in its own words.
    reply = gateway.post("/v1/chat/completions", {"model": NOVA, "messages": [{"role": "user", "content": "?"}], "stream": True})
    assert "slower" in reply.text and "[DONE]" not in reply.text
    # Before anything was said it is a plain answer.
    upstream.answer(Answer(headers=headers, framing="chunked", pieces=[aws_frames.exception("throttlingException", "slower")]))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse_stream(modelId=NOVA, messages=[user("?")])


# -- other clients in front of Bedrock


CHAT_TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": PARAMETERS}}


@pytest.mark.parametrize("model", [NOVA, CLAUDE, "meta.llama3-70b-instruct-v1:0", "openai.gpt-oss-120b-1:0"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_chat_client_reaches_bedrock(gateway, upstream, stream, model):
    upstream.say(text="I look it up.", calls=[Call("weather", {"city": "Zürich"})], thinking="hm", input=30, cached=12)
    body = {
        "model": model,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": QUESTION}, {"type": "text", "text": ""}]},
            {"role": "user", "content": "Please."},
        ],
        "tools": [CHAT_TOOL],
        "tool_choice": "required",
        "temperature": 1.5,
        "seed": 7,
        "user": "user-1",
        "stream": stream,
    }
    reply = gateway.post("/v1/chat/completions", body)
    assert reply.status == 200, reply.text
    assert upstream.last().path.endswith("/converse-stream" if stream else "/converse")
    said = asked.said(upstream.last())
    assert said[0] == ("system", "Be brief.") and said[-1] == ("user", QUESTION + "Please.")
    notes = reply.header("x-sluice-notes")
    assert "restated /temperature" in notes and "lost /seed" in notes and "restated /user" in notes
    if stream:
        assert '"finish_reason":"tool_calls"' in reply.text and "[DONE]" in reply.text
    else:
        message = reply.json["choices"][0]["message"]
        assert message["content"] == "I look it up." and message["reasoning_content"] == "hm"
        assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"city": "Zürich"}
        assert reply.json["usage"]["prompt_tokens"] == 42
        assert reply.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 12


CLAUDE_ASKS = {
    "model": CLAUDE,
    "max_tokens": 300,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": QUESTION}],
    "top_k": 5,
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_claude_client_keeps_its_words_on_bedrock(gateway, upstream, stream):
    say = replies.Say(text="Sunny.", thinking="hm", signature="EqoBSIGNED==", input=30, cached=12)
    upstream.say(say)
    body = CLAUDE_ASKS | {"stream": stream}
    headers = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "context-1m-2025-08-07,unheard-of-2031-01-01")]
    reply = gateway.post("/v1/messages", body, headers)
    assert reply.status == 200, reply.text
    sent = dict(upstream.last().json)
    assert sent.pop("anthropic_version") == "bedrock-2023-05-31"
    assert sent.pop("anthropic_beta") == ["context-1m-2025-08-07"]
    assert reply.header("x-sluice-notes") == "lost /anthropic-beta"
    assert sent == {k: v for k, v in CLAUDE_ASKS.items() if k != "model"}
    way = "invoke-with-response-stream" if stream else "invoke"
    assert upstream.last().path == f"/model/{CLAUDE.replace(':', '%3A')}/{way}"
    if stream:
        assert reply.header("content-type").startswith("text/event-stream")
        wanted = [json.loads(e.split("data: ", 1)[1]) for e in replies.anthropic_stream(say, CLAUDE.replace(":", "%3A"))]
        got = [json.loads(e.split("data: ", 1)[1]) for e in reply.text.split("\n\n") if e]
        assert got[-1].pop("amazon-bedrock-invocationMetrics") == {"inputTokenCount": 30, "outputTokenCount": 7}
        assert got == wanted and reply.text.startswith("event: message_start\n")
    else:
        assert reply.json == replies.anthropic_whole(say, CLAUDE.replace(":", "%3A"))


def test_a_claude_client_reaches_other_models_of_bedrock(gateway, upstream):
    upstream.say(text="Sunny.")
    reply = gateway.post("/v1/messages", CLAUDE_ASKS | {"model": NOVA}, [("anthropic-version", "2023-06-01")])
    assert reply.json["content"] == [{"type": "text", "text": "Sunny."}]
    assert upstream.last().dialect == "bedrock_converse"
    assert upstream.last().json["system"][1] == {"cachePoint": {"type": "default"}}
    assert upstream.last().json["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}


def test_errors_of_bedrock_reach_a_claude_client_in_its_words(gateway, upstream):
    refusals = [
        replies.error("claude_on_bedrock", 400, "too much", "ServiceQuotaExceededException"),
        Answer(
            headers=[("Content-Type", bedrock_replies.MEDIA_TYPE)],
            framing="chunked",
            pieces=[aws_frames.exception("throttlingException", "slower")],
        ),
    ]
    for refusal, stream in zip(refusals, (False, True)):
        upstream.answer(refusal)
        reply = gateway.post("/v1/messages", CLAUDE_ASKS | {"stream": stream}, [("anthropic-version", "2023-06-01")])
        assert reply.status == 429 and reply.json["error"]["type"] == "rate_limit_error", reply.text
    late = [aws_frames.chunk(json.loads(e.split("data: ")[1])) for e in list(replies.anthropic_stream(replies.Say(text="Sunny"), "m"))[:4]]
    upstream.answer(refusals[1].with_(pieces=[*late, aws_frames.exception("modelStreamErrorException", "broke")]))
    reply = gateway.post("/v1/messages", CLAUDE_ASKS | {"stream": True}, [("anthropic-version", "2023-06-01")])
    assert "event: error" in reply.text and "broke" in reply.text and "message_stop" not in reply.text


# -- who asks


AWS = {"region": "eu-central-1", "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}


@pytest.mark.parametrize("token", [None, "IQoJtemporary//token=="])
def test_requests_are_signed(start, upstream, token):
    upstream.keys |= {"bedrock_converse": ACCESS_KEY, "claude_on_bedrock": ACCESS_KEY}
    aws = AWS | ({"session_token": token} if token else {})
    gateway = start({"backends": {"bedrock": {"base_url": upstream.url("/below"), "aws": aws}}})
    for model in (NOVA, ARN):
        for way in ("converse", "converse-stream"):
            upstream.say(text="signed")
            reply = gateway.post(f"/model/{model.replace(':', '%3A').replace('/', '%2F')}/{way}", {"messages": [user("ä")]})
            assert reply.status == 200 and b"signed" in reply.body, reply.text
            assert upstream.last().header("x-amz-security-token") == token
    upstream.say(text="signed")
    reply = gateway.post("/v1/messages", CLAUDE_ASKS, [("anthropic-version", "2023-06-01")])
    assert reply.json["content"] == [{"type": "text", "text": "signed"}]
    assert SECRET_KEY not in gateway.said()


def test_credentials_come_from_the_environment(start, upstream):
    upstream.keys["bedrock_converse"] = ACCESS_KEY
    env = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    gateway = start({"backends": {"bedrock": {"base_url": upstream.url()}}}, env=env)
    upstream.say(text="signed")
    assert gateway.post(f"/model/{NOVA}/converse", {"messages": [user("?")]}).status == 200
    assert "/eu-west-1/bedrock/aws4_request" in upstream.last().header("authorization")
    # A server of another name gets nobody's credentials.
    stranger = start({"backends": {"other": {"type": "bedrock", "base_url": upstream.url(), "models": ["m"]}}}, env=env)
    upstream.keys, upstream.strict = {}, False
    upstream.say(text="unsigned")
    assert stranger.post("/model/m/converse", {"messages": [user("?")]}).status == 200
    assert upstream.last().header("authorization") is None


def test_without_a_region_it_is_off(start):
    gateway = start({"backends": {"bedrock": {"api_key": "ABSK-canary"}}})
    reply = gateway.post(f"/model/{NOVA}/converse", {"messages": [user("?")]})
    assert reply.status == 404 and "AWS_REGION" in reply.json["message"]
    assert "has no region" in gateway.said()
