"""Strict routes: what a target cannot be told is refused before anything is sent, in the words of the caller; the same
request passes on a route that is not strict. SPDX-License-Identifier: MIT"""

import json

import pytest

from harness.gateway import KEYS, command

CLAUDE, OPENAI = "claude-sonnet-4-5", "gpt-4o"


@pytest.fixture
def gateway(start, upstream):
    def names(*pairs):
        return [{"name": name, "upstream": there} for name, there in pairs]

    return start(
        {
            "backends": {
                "claude": {
                    "base_url": upstream.url(),
                    "api_key": KEYS["claude"],
                    "models": names(("lax", CLAUDE), ("strict", CLAUDE), ("strict-both", CLAUDE)),
                },
                "openai": {
                    "base_url": upstream.url("/v1"),
                    "api_key": KEYS["openai"],
                    "models": names(("strict-both", OPENAI), ("strict-openai", OPENAI), ("lax-openai", OPENAI)),
                },
            },
            "routes": [{"model": "strict*", "strict": True}, {"model": "*"}],
        }
    )


def test_a_field_that_would_be_lost_is_named(gateway, upstream):
    upstream.say(text="lax")
    lax = gateway.chat("lax", max_tokens=9, seed=7, logit_bias={"1": 2})
    assert lax.status == 200 and lax.header("x-sluice-notes") == "lost /seed; lost /logit_bias"
    seen = len(upstream.seen)
    strict = gateway.chat("strict", seed=7, logit_bias={"1": 2})
    error = strict.json["error"]
    assert strict.status == 400 and error["param"] == "/seed" and error["code"] == "unsupported_parameter"
    assert "anthropic has no seed" in error["message"] and "claude" in error["message"] and "1 more" in error["message"]
    assert len(upstream.seen) == seen


def test_streams_are_refused_before_they_begin(gateway, upstream):
    strict = gateway.chat("strict", seed=7, stream=True)
    assert strict.status == 400 and strict.json["error"]["param"] == "/seed" and upstream.seen == []


def test_what_loses_nothing_passes(gateway, upstream):
    """Also what is said in other words: a limit above the model's own."""
    upstream.say(text="fine")
    reply = gateway.chat("strict", max_tokens=10_000_000)
    assert reply.status == 200 and "restated /max_tokens" in reply.header("x-sluice-notes")


def test_another_target_that_can_say_it_is_tried(gateway, upstream):
    upstream.say(text="seeded")
    reply = gateway.chat("strict-both", seed=7)
    assert reply.status == 200 and reply.header("x-sluice-backend") == "openai"
    assert upstream.last().json["seed"] == 7 and len(upstream.seen) == 1
    row = gateway.wait_for_line(lambda row: row.get("model") == "strict-both")
    assert [a.get("fault") for a in row["attempts"]] == ["unsupported", None]


def test_unknown_members_pass_to_their_own_dialect(gateway, upstream):
    upstream.strict = False
    upstream.say(text="own")
    assert gateway.chat("strict-openai", x_future={"a": 1}).status == 200
    assert upstream.last().json["x_future"] == {"a": 1}


def test_it_is_told_in_anthropics_words(gateway, upstream):
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "top_k": 5}
    version = [("anthropic-version", "2023-06-01")]
    upstream.say(text="lax")
    assert gateway.post("/v1/messages", body | {"model": "lax-openai"}, version).status == 200
    strict = gateway.post("/v1/messages", body | {"model": "strict-openai"}, version)
    assert strict.status == 400 and strict.json["error"]["type"] == "invalid_request_error"
    assert "/top_k" in strict.json["error"]["message"] and len(upstream.seen) == 1


def test_it_is_told_in_googles_words(gateway, upstream):
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"topK": 5}}
    strict = gateway.post("/v1beta/models/strict-openai:generateContent", body)
    assert strict.status == 400 and strict.json["error"]["status"] == "INVALID_ARGUMENT"
    assert "/generationConfig/topK" in strict.json["error"]["message"] and upstream.seen == []


def test_check_knows_routes(tmp_path):
    def check(routes):
        file = tmp_path / "config.yaml"
        file.write_text(json.dumps({"routes": routes}))
        done = command("check", file)
        return done.returncode, done.stdout + done.stderr

    assert check([{"model": "gpt-*", "strict": True}])[0] == 0
    code, said = check([{"model": "gpt-*", "strikt": True}])
    assert code != 0 and "strikt" in said and "strict" in said
    code, said = check([{"strict": True}])
    assert code != 0 and "a route needs a model" in said
    assert check({"model": "x"})[0] != 0
