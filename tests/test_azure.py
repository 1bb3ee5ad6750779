"""Azure's spelling of OpenAI: deployments in paths with an api-version in front, and Azure as a backend behind.
SPDX-License-Identifier: MIT
"""

import json
import subprocess

import pytest

from harness.depot import JSON
from harness.gateway import BINARY, CLIENT_KEY
from harness.vendors import VENDORS

openai = pytest.importorskip("openai")
QUESTION = [{"role": "user", "content": "Say hello."}]


def client(gateway):
    return openai.AzureOpenAI(azure_endpoint=gateway.url, api_key=CLIENT_KEY, api_version="2024-10-21", max_retries=0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_deployment_is_a_model(gateway, upstream, vendor, stream):
    upstream.say(text="Hello.")
    got = client(gateway).chat.completions.create(model=VENDORS[vendor], messages=QUESTION, stream=stream)
    text = "".join(c.choices[0].delta.content or "" for c in got if c.choices) if stream else got.choices[0].message.content
    assert text == "Hello."
    seen = upstream.last()
    assert "api-version" not in seen.target and "deployments" not in seen.target and CLIENT_KEY not in str(seen.headers)


def test_the_path_counts_not_the_body(gateway, upstream):
    for body in ({}, {"model": "something-else"}, {"model": "gpt-4o"}):
        upstream.say(text="Hello.")
        path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
        reply = gateway.post(path, body | {"messages": QUESTION}, [("api-key", CLIENT_KEY)])
        assert reply.status == 200, reply.text
        assert upstream.last().json["model"] == "gpt-4o"


def test_a_deployment_must_be_on_a_list(gateway, upstream):
    with pytest.raises(openai.NotFoundError) as refused:
        client(gateway).chat.completions.create(model="nobody-serves-this", messages=QUESTION)
    assert refused.value.code == "model_not_found"


def test_azure_as_a_backend(start, depot):
    azure = {"base_url": depot.url("/openai/v1"), "api_key": "azure-canary", "models": ["mine"]}
    gateway = start({"backends": {"azure": azure}})
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    depot.answer = lambda got: (200, JSON, json.dumps(answer).encode())
    reply = gateway.post("/v1/chat/completions", {"model": "mine", "messages": QUESTION})
    assert reply.json["choices"][0]["message"]["content"] == "Hello."
    seen = depot.last()
    assert seen.target == "/openai/v1/chat/completions" and seen.header("api-key") == "azure-canary"
    assert seen.header("authorization") is None and json.loads(seen.body)["model"] == "mine"
    gateway.post("/v1/embeddings", {"model": "mine", "input": "a"})
    assert depot.last().target == "/openai/v1/embeddings"
    gateway.post("/openai/deployments/mine/images/generations?api-version=1", {"prompt": "a"})
    assert depot.last().target == "/openai/v1/images/generations"


def test_azure_has_no_address_of_its_own(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("backends: {azure: {api_key: k, models: [m]}}")
    told = subprocess.run([BINARY, "check", path], capture_output=True, text=True, timeout=30)
    assert told.returncode != 0 and "needs a base_url" in told.stdout + told.stderr
