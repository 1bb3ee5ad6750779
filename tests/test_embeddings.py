"""Vectors: the official SDKs of OpenAI, Google, Cohere and AWS, Python's and Node's, each against an upstream of each
shape. The upstream's vector is made of the text it was given, so that a mixed-up order or a lost digit shows.
SPDX-License-Identifier: MIT
"""

import base64
import json
import struct
import subprocess

import pytest

from harness.depot import JSON, backends
from harness.gateway import CLIENT_KEY, KEYS
from square import mouths

MODELS = {"openai": "text-embedding-3-small", "gemini": "gemini-embedding-001", "cohere": "embed-v4.0"}
TEXTS = ["Ruby", "Fortran, the first", "Ünïcode 語"]


def vector(text):
    """Four numbers that are exact as float32 and need all their digits."""
    seed = sum(text.encode())
    return [struct.unpack("<f", struct.pack("<f", (seed * k % 97 - 48) / 131))[0] for k in (1, 2, 3, 5)]


def tokens(texts):
    return sum(len(text.split()) for text in texts)


def openai_answer(got):
    asked = json.loads(got.body)
    assert set(asked) <= {"model", "input", "encoding_format", "dimensions"}, asked
    assert got.path == "/v1/embeddings" and asked["encoding_format"] == "float"
    texts = asked["input"]
    rows = [{"object": "embedding", "index": i, "embedding": vector(t)[: asked.get("dimensions")]} for i, t in enumerate(texts)]
    usage = {"prompt_tokens": tokens(texts), "total_tokens": tokens(texts)}
    return {"object": "list", "data": rows[::-1], "model": asked["model"] + "-2", "usage": usage}


def gemini_answer(got):
    asked = json.loads(got.body)
    model = MODELS["gemini"]
    assert got.target == f"/v1beta/models/{model}:batchEmbedContents" and set(asked) == {"requests"}
    texts = []
    for one in asked["requests"]:
        assert set(one) <= {"model", "content", "taskType", "outputDimensionality", "title"}, one
        assert one["model"] == "models/" + model
        texts.append("".join(part["text"] for part in one["content"]["parts"]))
    size = asked["requests"][0].get("outputDimensionality")
    return {"embeddings": [{"values": vector(t)[:size]} for t in texts], "usageMetadata": {"promptTokenCount": tokens(texts)}}


def cohere_answer(got):
    asked = json.loads(got.body)
    known = {"model", "texts", "input_type", "embedding_types", "output_dimension", "truncate"}
    assert got.path == "/v2/embed" and set(asked) <= known, asked
    assert asked["input_type"] in ("search_query", "search_document", "classification", "clustering")
    assert asked["embedding_types"] == ["float"]
    vectors = [vector(t)[: asked.get("output_dimension")] for t in asked["texts"]]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens(asked["texts"])}}
    return {"id": "c-1", "texts": asked["texts"], "embeddings": {"float": vectors}, "meta": meta, "response_type": "embeddings_by_type"}


ANSWERS = {"openai": openai_answer, "gemini": gemini_answer, "cohere": cohere_answer}


@pytest.fixture
def gateway(start, depot):
    at = backends(depot, cohere={"base_url": depot.url(), "api_key": KEYS["cohere"], "dialects": ["cohere"]})
    at["openai"]["models"] = [MODELS["openai"], "text-embedding-ada-002"]
    return start({"backends": at})


def of_others(own):
    """Each vendor but the one whose shape the client speaks: that one gets it untouched."""
    return pytest.mark.parametrize("vendor", [name for name in MODELS if name != own], indirect=True)


@pytest.fixture
def vendor(request, depot):
    """The upstream answers as this vendor; a request that it would refuse fails the test."""
    failures = []

    def answer(got):
        try:
            return 200, JSON, json.dumps(ANSWERS[request.param](got)).encode()
        except (AssertionError, KeyError, TypeError) as error:
            failures.append(error)
            return 400, JSON, b'{"error":{"message":"refused"},"message":"refused"}'

    depot.answer = answer
    yield request.param
    assert not failures, failures


def near(got, expected):
    return [struct.pack("<f", x) for x in got] == [struct.pack("<f", x) for x in expected]


def noted(gateway):
    row = gateway.wait_for_line(lambda r: r.get("operation") == "embeddings")
    return row, row["backend"]


@of_others("openai")
@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_openais_sdk(gateway, depot, vendor, encoding):
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0)
    asked = {"encoding_format": encoding} if encoding else {}
    got = client.embeddings.create(model=MODELS[vendor], input=TEXTS, dimensions=3, **asked)
    assert [row.index for row in got.data] == [0, 1, 2]
    for row, text in zip(got.data, TEXTS):
        values = row.embedding
        if encoding == "base64":
            values = struct.unpack("<3f", base64.b64decode(values))
        assert near(values, vector(text)[:3])
    assert got.model == MODELS[vendor] and got.usage.prompt_tokens == got.usage.total_tokens == tokens(TEXTS)
    row, backend = noted(gateway)
    assert backend == vendor and row["tokens"]["input"] == tokens(TEXTS) and "verbatim" not in row["attempts"][0]
    assert CLIENT_KEY not in depot.last().text() and KEYS[vendor] in depot.last().text()


@of_others("gemini")
def test_googles_sdk(gateway, vendor):
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key=CLIENT_KEY, http_options={"base_url": gateway.url})
    config = {"task_type": "RETRIEVAL_QUERY", "output_dimensionality": 3}
    got = client.models.embed_content(model=MODELS[vendor], contents=TEXTS, config=config)
    assert len(got.embeddings) == 3
    for one, text in zip(got.embeddings, TEXTS):
        assert near(one.values, vector(text)[:3])
    with gateway.connect() as connection:
        one = {"content": {"parts": [{"text": TEXTS[1]}]}, "taskType": "RETRIEVAL_QUERY"}
        single = connection.ask("POST", f"/v1beta/models/{MODELS[vendor]}:embedContent", [], one)
    assert near(single.json["embedding"]["values"], vector(TEXTS[1])), single.text
    assert single.json["usageMetadata"]["promptTokenCount"] == tokens(TEXTS[1:2])
    assert single.header("x-sluice-notes") == ("lost /taskType" if vendor == "openai" else None)


@of_others("cohere")
def test_coheres_sdk(gateway, vendor):
    cohere = pytest.importorskip("cohere")
    client = cohere.ClientV2(api_key=CLIENT_KEY, base_url=gateway.url)
    asked = {"input_type": "search_document", "embedding_types": ["float", "base64"], "output_dimension": 3}
    got = client.embed(model=MODELS[vendor], texts=TEXTS, **asked)
    assert got.texts == TEXTS and len(got.embeddings.float_) == 3
    for floats, packed, text in zip(got.embeddings.float_, got.embeddings.base64, TEXTS):
        assert near(floats, vector(text)[:3]) and near(struct.unpack("<3f", base64.b64decode(packed)), vector(text)[:3])
    assert got.meta.billed_units.input_tokens == tokens(TEXTS)
    old = cohere.Client(api_key=CLIENT_KEY, base_url=gateway.url)
    plain = old.embed(model=MODELS[vendor], texts=TEXTS, input_type="search_query")
    assert near(plain.embeddings[2], vector(TEXTS[2]))


def aws_client(gateway):
    boto3 = pytest.importorskip("boto3", reason="SDK: boto3 is not installed")
    from botocore.config import Config

    return boto3.client(
        "bedrock-runtime",
        region_name="eu-central-1",
        endpoint_url=gateway.url,
        aws_access_key_id="AKIAOFTHECLIENT00000",
        aws_secret_access_key=CLIENT_KEY,
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )


@pytest.mark.parametrize(
    ("sdk", "vendor"),
    [(s, v) for s in ("openai", "openai-float", "gemini", "cohere", "bedrock") for v in MODELS if not s.startswith(v)],
    indirect=["vendor"],
)
def test_sdks_for_node(gateway, depot, sdk, vendor):
    """Each against each other shape; OpenAI's asks for base64 by itself."""
    packages = {"gemini": "@google/genai", "cohere": "cohere-ai", "bedrock": "@aws-sdk/client-bedrock-runtime"}
    if not (mouths.MODULES / packages.get(sdk, "openai")).exists():
        pytest.skip(f"SDK: {packages.get(sdk, 'openai')} is not installed")
    asked = {"sdk": sdk, "url": gateway.url, "key": CLIENT_KEY, "model": MODELS[vendor], "texts": TEXTS, "dimensions": 3}
    program = [mouths.node_program(), str(mouths.HERE.parent / "node/embeddings.mjs")]
    child = subprocess.run(program, input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 0, child.stderr
    got = json.loads(child.stdout)
    assert len(got["vectors"]) == 3 and got.get("tokens", tokens(TEXTS)) == tokens(TEXTS)
    for one, text in zip(got["vectors"], TEXTS):
        assert near(one, vector(text)[:3])
    assert CLIENT_KEY not in depot.last().text() and KEYS[vendor] in depot.last().text()


INVOKED = {
    "titan": {"inputText": TEXTS[2], "dimensions": 3, "normalize": True},
    "titan-image": {"inputText": TEXTS[2], "embeddingConfig": {"outputEmbeddingLength": 3}},
    "nova": {
        "schemaVersion": "nova-multimodal-embed-v1",
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_INDEX",
            "embeddingDimension": 3,
            "text": {"truncationMode": "NONE", "value": TEXTS[2]},
        },
    },
    "cohere": {"texts": TEXTS, "input_type": "search_query", "truncate": "NONE", "output_dimension": 3},
    "cohere-typed": {"texts": TEXTS, "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 3},
}


@pytest.mark.parametrize("vendor", list(MODELS), indirect=True)
@pytest.mark.parametrize("words", list(INVOKED))
def test_boto3_invokes(gateway, depot, vendor, words):
    """The body's members tell the words, whatever the model is called."""
    reply = aws_client(gateway).invoke_model(modelId=MODELS[vendor], body=json.dumps(INVOKED[words]))
    assert reply["contentType"] == "application/json" and reply["ResponseMetadata"]["RequestId"]
    got = json.loads(reply["body"].read())
    match words:
        case "titan" | "titan-image":
            vectors = [got["embedding"]]
            assert got["inputTextTokenCount"] == tokens(TEXTS[2:])
        case "nova":
            assert got["embeddings"][0]["embeddingType"] == "TEXT"
            vectors = [one["embedding"] for one in got["embeddings"]]
        case "cohere":
            assert got["response_type"] == "embeddings_floats" and got["texts"] == TEXTS
            vectors = got["embeddings"]
        case "cohere-typed":
            assert got["response_type"] == "embeddings_by_type"
            vectors = got["embeddings"]["float"]
    texts = TEXTS if "cohere" in words else TEXTS[2:]
    assert len(vectors) == len(texts)
    for one, text in zip(vectors, texts):
        assert near(one, vector(text)[:3])
    row = gateway.wait_for_line(lambda r: r.get("operation") == "invoke")
    assert row["backend"] == vendor and row["tokens"]["input"] == tokens(texts) and row["dialect"] == "bedrock_converse"
    assert CLIENT_KEY not in depot.last().text() and KEYS[vendor] in depot.last().text()


def test_what_cannot_be_invoked_elsewhere_is_said(gateway, depot):
    boto3 = aws_client(gateway)
    for body, words in (
        ({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": []}, "Converse"),
        ({"inputText": "write", "textGenerationConfig": {"topP": 1}}, "Converse"),
        ({"inputText": "a", "embeddingTypes": ["binary"]}, "list of bits"),
        ({"inputImage": "iVBORw0KGgoAAAAN"}, "not images"),
        ({"texts": ["a"], "input_type": "search_query", "embedding_types": ["int8"]}, "floats only"),
    ):
        with pytest.raises(boto3.exceptions.ValidationException, match=words):
            boto3.invoke_model(modelId=MODELS["openai"], body=json.dumps(body))
    for body in (b"", b"[", b"[]", b"text"):
        assert gateway.post(f"/model/{MODELS['openai']}/invoke", body).status == 400
    assert depot.seen == []


def test_invoked_on_bedrock_passes_untouched(start, depot):
    """Whatever the body is; signed anew, and counted where a field or the body tells it."""
    aws = {"region": "eu-central-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "canary/secret"}
    models = ["amazon.titan-embed-text-v2:0", {"name": "mine", "upstream": "us.cohere.embed-v4:0"}, "anthropic.claude-x"]
    gateway = start({"backends": {"bedrock": {"base_url": depot.url(), "aws": aws, "models": models}}})
    boto3 = aws_client(gateway)
    for model, upstream, body, answer, fields, counted in (
        (models[0], models[0], b'{"inputText": "a","odd":[1 ]}', b'{"embedding":[0.5 ],"inputTextTokenCount":5}', [], {"input": 5}),
        ("mine", "us.cohere.embed-v4:0", b'{"texts":["a"]}', b'{"embeddings":[[1]]}', [("x-amzn-bedrock-input-token-count", "7")], {"input": 7}),
        (models[2], models[2], b'{"messages":[]}', b'{"content":[],"usage":{"input_tokens":3,"output_tokens":4}}', [], {"input": 3, "output": 4}),
    ):
        depot.answer = lambda got: (200, [*JSON, *fields], answer)
        reply = boto3.invoke_model(modelId=model, body=body, trace="ENABLED")
        assert reply["body"].read() == answer
        got = depot.last()
        assert got.body == body and got.target == f"/model/{upstream.replace(':', '%3A')}/invoke"
        assert got.header("authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        assert got.header("x-amzn-bedrock-trace") == "ENABLED" and "AKIAOFTHECLIENT" not in got.text()
        row = gateway.wait_for_line(lambda r: r.get("operation") == "invoke" and r["model"] == model)
        assert row["tokens"] == counted and row["attempts"][0]["verbatim"]


def test_a_boto3_client_without_words_in_common_falls_over(start, depot):
    """Not every target takes every body: the next may."""
    at = backends(depot) | {"bedrock": {"base_url": depot.url("/aws"), "api_key": KEYS["openai"], "aws": {"region": "eu-central-1"}}}
    at["openai"]["models"] = at["bedrock"]["models"] = ["m"]
    gateway = start({"backends": at})
    depot.answer = lambda got: (200, JSON, b'{"completion":"x"}')
    reply = aws_client(gateway).invoke_model(modelId="m", body=b'{"prompt":"x"}')
    assert reply["body"].read() == b'{"completion":"x"}' and [got.path for got in depot.seen] == ["/aws/model/m/invoke"]


def test_what_cannot_cross_is_said(gateway, depot):
    reply = gateway.post("/v1/embeddings", {"model": MODELS["gemini"], "input": [[1, 2]]})
    assert reply.status == 400 and reply.error["param"] == "input", reply.text
    body = {"model": MODELS["openai"], "texts": ["a"], "input_type": "search_query", "embedding_types": ["int8"]}
    refused = gateway.post("/v2/embed", body)
    assert refused.status == 400 and "floats only" in refused.json["message"], refused.text
    assert gateway.post("/v1/embeddings", {"model": "claude-sonnet-4-5", "input": "a"}).status == 400
    assert depot.seen == []
    depot.answer = lambda got: (200, JSON, json.dumps(gemini_answer(got)).encode())
    reply = gateway.post("/v1/embeddings", {"model": MODELS["gemini"], "input": "a", "user": "u"})
    assert reply.status == 200 and reply.header("x-sluice-notes") == "lost /user"


def test_bedrock_embeds_too(start, depot):
    """As a way out, signed: Titan in its own words, Cohere's models in Cohere's."""
    aws = {"region": "eu-central-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "canary/secret"}
    gateway = start({"backends": {"bedrock": {"base_url": depot.url(), "aws": aws}}})
    titan = {"embedding": vector("a"), "inputTextTokenCount": 5}
    depot.answer = lambda got: (200, JSON, json.dumps(titan).encode())
    reply = gateway.post("/v1/embeddings", {"model": "amazon.titan-embed-text-v2:0", "input": "a", "dimensions": 256})
    assert reply.status == 200 and near(reply.json["data"][0]["embedding"], vector("a")), reply.text
    assert reply.json["usage"]["prompt_tokens"] == 5
    got = depot.last()
    assert got.target == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert json.loads(got.body) == {"inputText": "a", "dimensions": 256}
    assert got.header("authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") and got.header("x-amz-date")
    nova = {"embeddings": [{"embeddingType": "IMAGE", "embedding": vector("a")}]}
    depot.answer = lambda got: (200, [*JSON, ("x-amzn-bedrock-input-token-count", "9")], json.dumps(nova).encode())
    body = {"model": "amazon.nova-2-multimodal-embeddings-v1:0", "images": ["data:image/png;base64,iVBORw0KGgoAAAAN"]}
    reply = gateway.post("/v2/embed", body | {"input_type": "image"})
    assert near(reply.json["embeddings"]["float"][0], vector("a")), reply.text
    assert reply.json["meta"]["billed_units"]["input_tokens"] == 9
    image = {"format": "png", "source": {"bytes": "iVBORw0KGgoAAAAN"}}
    assert json.loads(depot.last().body)["singleEmbeddingParams"] == {"embeddingPurpose": "GENERIC_INDEX", "image": image}
    depot.answer = lambda got: (200, JSON, json.dumps({"embeddings": {"float": [vector("a"), vector("b")]}}).encode())
    body = {"texts": ["a", "b"], "input_type": "search_query"}
    reply = gateway.post("/v2/embed", body | {"model": "cohere.embed-english-v3"})
    assert near(reply.json["embeddings"]["float"][1], vector("b")), reply.text
    assert json.loads(depot.last().body) == body | {"embedding_types": ["float"]}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {"message": "model 'x' not found"}, 404),
        (429, {"message": "slow down"}, 429),
        (401, {"message": f"bad key {KEYS['cohere']}"}, 502),
        (200, {"embeddings": {"float": [[1], [2]]}}, 502),
        (200, {"embeddings": {"float": [["x"]]}}, 502),
        (200, {}, 502),
    ],
)
def test_a_vendors_error_is_told_in_the_clients_words(gateway, depot, status, body, expected):
    depot.answer = lambda got: (status, JSON, json.dumps(body).encode())
    reply = gateway.post("/v1/embeddings", {"model": MODELS["cohere"], "input": "a"})
    assert reply.status == expected and reply.error["message"], reply.text
    assert KEYS["cohere"] not in reply.text + gateway.said()


def test_another_shape_steps_in(start, depot):
    """The first target fails; the next speaks otherwise."""
    at = backends(depot)
    at["openai"] |= {"base_url": depot.url("/broken/v1"), "models": ["e"]}
    at["gemini"]["models"] = [{"name": "e", "upstream": MODELS["gemini"]}]
    gateway = start({"backends": at})

    def answer(got):
        if got.path.startswith("/broken"):
            return 503, JSON, b'{"error":{"message":"down"}}'
        return 200, JSON, json.dumps(gemini_answer(got)).encode()

    depot.answer = answer
    reply = gateway.post("/v1/embeddings", {"model": "e", "input": "a"})
    assert reply.status == 200 and near(reply.json["data"][0]["embedding"], vector("a")), reply.text
    assert [got.path for got in depot.seen] == ["/broken/v1/embeddings", "/v1beta/models/gemini-embedding-001:batchEmbedContents"]


def test_the_same_shape_passes_untouched(start, depot):
    """Base64 stays as it came, and Cohere's two front doors are each reached by their own path."""
    at = backends(depot, cohere={"base_url": depot.url(), "api_key": KEYS["cohere"]})
    at["openai"]["models"] = ["text-embedding-3-small"]
    gateway = start({"backends": at})
    answer = b'{"object":"list" ,"data":[{"embedding":"AACAPw==","index":0}],"usage":{"prompt_tokens":7,"total_tokens":7}}'
    depot.answer = lambda got: (200, JSON, answer)
    for model, there in (("text-embedding-3-small", "/v1/embeddings"), ("embed-v4.0", "/compatibility/v1/embeddings")):
        body = b'{"model":"%s", "input":[[1,2]],"encoding_format":"base64","odd":1}' % model.encode()
        reply = gateway.post("/v1/embeddings", body)
        assert reply.body == answer and depot.last().body == body and depot.last().target == there
    assert noted(gateway)[0]["tokens"]["input"] == 7
    for path, body in (("/v2/embed", {"texts": ["a"], "embedding_types": ["int8"]}), ("/v1/rerank", {"query": "a"})):
        assert gateway.post(path, body | {"model": "embed-v4.0"}).status == 200 and depot.last().target == path


def test_azures_deployment_embeds_anywhere(gateway, depot):
    openai = pytest.importorskip("openai")
    depot.answer = lambda got: (200, JSON, json.dumps(gemini_answer(got)).encode())
    client = openai.AzureOpenAI(azure_endpoint=gateway.url, api_key=CLIENT_KEY, api_version="2024-10-21", max_retries=0)
    got = client.embeddings.create(model=MODELS["gemini"], input="a")
    assert near(got.data[0].embedding, vector("a"))
