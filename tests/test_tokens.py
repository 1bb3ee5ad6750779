"""Tokens that are counted here are those of tiktoken, on texts in many languages and of any characters: asked of the real
binary, in front of a backend that has no call for it. SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness import tokens

pytest.importorskip("tiktoken", reason="tiktoken is not installed")

TEXTS = 2_100
MODELS = {"o200k": "gpt-4o", "cl100k": "gpt-4"}


@pytest.fixture
def count(start, upstream):
    backend = {"type": "compatible", "base_url": upstream.url("/v1"), "models": list(MODELS.values())}
    gateway = start({"backends": {"chat": backend}})
    with gateway.connect() as connection:

        def ask(model, text):
            reply = connection.ask("POST", "/v1/responses/input_tokens", [], {"model": model, "input": text})
            assert reply.status == 200 and reply.header("x-sluice-estimate") == "true", reply.text
            return reply.json["input_tokens"]

        yield ask
    assert upstream.seen == []


@pytest.mark.parametrize("encoding", list(MODELS))
def test_texts_have_as_many_tokens_as_tiktoken_says(count, encoding):
    words, model = tokens.encoding(encoding), MODELS[encoding]
    around = count(model, "hello world") - 2  # the message about it
    assert 0 < around < 20
    wrong = []
    for text in tokens.texts(TEXTS)[1:]:
        expected = len(words.encode_ordinary(text))
        got = count(model, text) - around
        if got != expected:
            wrong.append((got, expected, text))
    assert not wrong, f"{len(wrong)} of {TEXTS}: {json.dumps(wrong[:5], ensure_ascii=False)}"


@pytest.mark.parametrize("encoding", list(MODELS))
def test_a_long_run_without_a_cut_takes_no_square_of_its_length(count, encoding):
    model = MODELS[encoding]
    around = count(model, "hello world") - 2
    run = "a" * 60_000
    assert count(model, run) - around == len(tokens.encoding(encoding).encode_ordinary(run))
