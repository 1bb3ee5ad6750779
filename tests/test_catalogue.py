"""The catalogue: whose a model is, what it costs, the cheapest target, and a table of one's own. SPDX-License-Identifier: MIT"""

import json
import os
import pathlib
import time

import pytest

from harness import replies
from harness.gateway import KEYS, backends, command
from harness.replies import Say

HEADER = "# sluice models 1\n"


@pytest.fixture(autouse=True)
def answering(upstream):
    upstream.default = lambda request: replies.answer(request, Say(text="ok"))


def explain(gateway, query):
    reply = gateway.get("/admin/api/explain?" + query)
    assert reply.status == 200, reply.body
    return reply.json


def table(folder, *rows):
    file = pathlib.Path(folder) / "own.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".beside")
    beside.write_text(HEADER + "".join(sorted(f"{row}\n" for row in rows)))
    beside.rename(file)
    return file


def row(name, price, window=1000):
    return f"{name}\tchat\t{window}\t100\t\ttools\t{price}"


# -- whose a model is


def test_models_go_to_their_vendor_without_routes(gateway):
    for model, vendor in {
        "gpt-4o": "openai",
        "o4-mini": "openai",
        "claude-sonnet-4-5": "claude",
        "gemini-2.5-pro": "gemini",
        "ft:gpt-4o-2024-08-06:acme::1": "openai",  # by no pattern, but by the catalogue
        "learnlm-1.5-pro-experimental": "gemini",
    }.items():
        reply = gateway.chat(model)
        assert reply.status == 200, reply.body
        assert reply.header("x-sluice-backend") == vendor


def test_a_list_of_models_is_not_widened(start, upstream):
    settings = backends(upstream)
    settings["openai"]["models"] = ["gpt-4o"]
    settings["near"] = {"type": "compatible", "base_url": upstream.url("/v1"), "models": ["o4-*"], "api_key": KEYS["openai"]}
    gateway = start({"backends": settings})
    assert gateway.chat("gpt-4o").header("x-sluice-backend") == "openai"
    assert gateway.chat("o4-mini").header("x-sluice-backend") == "near"
    for model in ("ft:gpt-4o-2024-08-06:acme::1", "openai/ft:gpt-4o-2024-08-06:acme::1", "gpt-4.1"):
        reply = gateway.chat(model)
        assert reply.status == 404, reply.body
    assert 'not among the models of the backend "openai"' in reply.json["error"]["message"]
    assert "a model of mistral" in gateway.chat("open-mixtral-8x7b").json["error"]["message"]
    assert [one["id"] for one in gateway.get("/v1/models").json["data"]] == ["gpt-4o", "demo"]


# -- the cheapest


def cheapest(upstream, *over):
    settings = backends(upstream)
    settings["near"] = {"type": "compatible", "base_url": upstream.url("/v1"), "models": ["*"], "api_key": KEYS["openai"]}
    return {
        "backends": settings,
        "routes": [{"model": "cheap", "try": [{"balance": "cheapest", "over": [{"backend": b, "model": m} for b, m in over]}]}],
    }


def test_the_cheapest_target_answers(start, upstream):
    gateway = start(cheapest(upstream, ("near", "own"), ("claude", "claude-opus-4-1"), ("openai", "gpt-4o-mini"), ("gemini", "gemini-2.5-pro")))
    for _ in range(4):
        assert gateway.chat("cheap").header("x-sluice-backend") == "openai"
    told = explain(gateway, "model=cheap&tokens=1000")["targets"]
    assert [one["backend"] for one in told] == ["openai", "gemini", "claude", "near"]
    # 1,000 x $0.15 and 500 x $0.60 a million
    assert told[0]["place"] == "about $0.00045 for this request"
    assert told[0]["price"] == {"input": 0.15, "output": 0.6}
    assert told[0]["window"] == 128000
    assert told[3]["place"] == "price not known" and told[3]["price"] is None
    text = gateway.get("/admin/api/explain?model=cheap&format=text").body.decode()
    assert "$0.15 in, $0.6 out per million tokens" in text and "price not known" in text


def test_the_cheapest_depends_on_the_request(start, upstream):
    gateway = start(cheapest(upstream, ("openai", "gpt-4.1"), ("gemini", "gemini-2.5-pro")))
    assert gateway.chat("cheap", max_tokens=500).header("x-sluice-backend") == "openai"
    # Much to read and little to say.
    assert gateway.chat("cheap", text="many words " * 3000, max_tokens=5).header("x-sluice-backend") == "gemini"


def test_the_cheapest_of_nothing_known_is_a_fault(upstream, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(cheapest(upstream, ("near", "a"), ("near", "b"))))
    told = command("check", file)
    assert told.returncode == 1
    assert "no price is known of any target" in told.stderr and "sluice models list" in told.stderr


# -- a table of one's own


def test_a_catalogue_of_ones_own_is_read_again_when_it_changes(start, upstream, tmp_path):
    file = table(tmp_path, row("openai/gpt-4.1", "input=1 output=1"), row("gemini/gemini-2.5-pro", "input=2 output=2"))
    gateway = start(cheapest(upstream, ("openai", "gpt-4.1"), ("gemini", "gemini-2.5-pro")) | {"catalogue": str(file)})
    assert gateway.chat("cheap").header("x-sluice-backend") == "openai"
    assert explain(gateway, "model=cheap")["targets"][0]["window"] == 1000
    table(tmp_path, row("openai/gpt-4.1", "input=3 output=3"), row("gemini/gemini-2.5-pro", "input=2 output=2"))
    end = time.monotonic() + 5
    while gateway.chat("cheap").header("x-sluice-backend") != "gemini" and time.monotonic() < end:
        time.sleep(0.05)
    assert gateway.chat("cheap").header("x-sluice-backend") == "gemini"
    # A broken one leaves the old one serving, and says where it is broken.
    file.write_text(HEADER + "what?\n")
    gateway.wait_for_words("line 2")
    assert gateway.chat("cheap").header("x-sluice-backend") == "gemini"
    assert "line 2" in json.dumps(gateway.get("/health").json)


@pytest.mark.parametrize("content", [None, "{}", HEADER + "openai/x\tchat\n"])
def test_a_catalogue_that_cannot_be_read_is_told_with_its_place(tmp_path, content):
    file = tmp_path / "own.txt"
    if content is not None:
        file.write_text(content)
    config = tmp_path / "config.yaml"
    config.write_text(f"server: {{port: 1}}\n\ncatalogue: {file}\n")
    told = command("check", config)
    assert told.returncode == 1
    assert f"{config}:3:" in told.stderr and str(file) in told.stderr and "sluice models update" in told.stderr


# -- `sluice models`


def test_models_are_listed_and_shown(tmp_path):
    told = command("models", "list", "--vendor", "anthropic", folder=tmp_path)
    assert told.returncode == 0
    line = next(one for one in told.stdout.splitlines() if one.startswith("anthropic/claude-sonnet-4-5 "))
    assert line.split() == ["anthropic/claude-sonnet-4-5", "200000", "64000", "$3", "$15"]
    assert len(command("models", "list", folder=tmp_path).stdout.splitlines()) > 2500
    told = command("models", "list", "--vendor", "nobody", folder=tmp_path)
    assert told.returncode == 1 and "there are:" in told.stderr and " openai " in told.stderr
    told = command("models", "show", "anthropic/claude-sonnet-4-5", folder=tmp_path)
    assert told.returncode == 0
    assert "$3.75 per million tokens of cache_write" in told.stdout and "with more than 200000 tokens" in told.stdout
    told = command("models", "show", "gpt-4o", folder=tmp_path)
    assert "openai/gpt-4o\n" in told.stdout and "azure/gpt-4o\n" in told.stdout
    told = command("models", "show", "gpt-4oo", folder=tmp_path)
    assert told.returncode == 1 and 'did you mean "gpt-4o' in told.stderr


def test_a_table_is_made_from_the_public_one(tmp_path):
    public = tmp_path / "prices.json"
    public.write_text(json.dumps({"gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6}}))
    config = tmp_path / "config.yaml"
    config.write_text("catalogue: mine.txt\n")  # which is only to be made
    told = command("models", "update", public, folder=tmp_path)
    assert told.returncode == 0 and "mine.txt: 1 models, 1 of them with a price; 1 new," in told.stdout, told.stderr
    assert (tmp_path / "mine.txt").read_text().endswith("openai/gpt-x\tchat\t\t\t\t\tinput=1\n")
    assert "MIT License, Copyright (c) 2023 Berri AI" in (tmp_path / "mine.txt").read_text()
    told = command("models", "list", folder=tmp_path)
    assert told.stdout.splitlines()[1:] == ["openai/gpt-x          -          -            $1             -"]
    told = command("models", "update", public, "--out", "other.txt", folder=tmp_path)
    assert "`catalogue: other.txt`" in told.stdout
    assert (tmp_path / "other.txt").read_text() == (tmp_path / "mine.txt").read_text()
    public.write_text("[]")
    told = command("models", "update", public, folder=tmp_path)
    assert told.returncode == 2 and "no table of prices" in told.stderr
    assert (tmp_path / "mine.txt").read_text().endswith("input=1\n")
    assert command("models", "update", tmp_path / "none.json", folder=tmp_path).returncode == 2


def test_the_built_in_table_is_the_public_one(tmp_path):
    shared = os.environ.get("SLUICE_SHARED")
    public = pathlib.Path(shared or "/nowhere") / "pricing" / "model_prices.json"
    if not public.exists():
        pytest.skip("there is no public table here")
    told = command("models", "update", public, "--out", "made.txt", folder=tmp_path)
    assert told.returncode == 0 and "0 new, 0 gone, 0 with another price" in told.stdout, told.stdout
