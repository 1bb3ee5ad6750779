"""How budgets and most tokens of output are set: by file, admin API and command line, and what a request then asks for.
SPDX-License-Identifier: MIT
"""

import json

import pytest

from harness.budgets import (
    MODEL,
    MODELS,
    catalogue,
    chat,
    gateway_of_keys,
    month,
    places,
    secret,
    shows,
)
from harness.gateway import command
from harness.mouthpieces import CLIENTS


@pytest.fixture
def budgeted(start, upstream, tmp_path):
    return gateway_of_keys(start, upstream, tmp_path)


# -- tokens of output


@pytest.mark.parametrize("client", [*CLIENTS])
def test_most_tokens_of_output_are_kept_in_each_dialect(budgeted, upstream, client):
    gateway = budgeted({"a": {"limits": {"output_tokens": 40}}})
    model = MODELS[client if client in MODELS else "openai_chat"][1]
    fields = [*CLIENTS[client].fields, *([("x-goog-api-key", secret("a"))] if client == "gemini" else shows())]
    field, place, wanted = {
        "openai_chat": ("max_completion_tokens", (), "max_completion_tokens"),
        "openai_responses": ("max_output_tokens", (), "max_output_tokens"),
        "openai_completions": ("max_tokens", (), "max_completion_tokens"),
        "anthropic": ("max_tokens", (), "max_tokens"),
        "gemini": ("maxOutputTokens", ("generationConfig",), "maxOutputTokens"),
        "bedrock_converse": ("maxTokens", ("inferenceConfig",), "maxTokens"),
        "cohere": ("max_tokens", (), "max_tokens"),
    }[client]
    path = CLIENTS[client].path.format(model=model)

    def post(most):
        body = {k: v for k, v in CLIENTS[client].body.items() if k != "max_tokens"}
        if "{model}" not in CLIENTS[client].path:
            body["model"] = model
        inside = body
        for name in place:
            inside = inside.setdefault(name, {"temperature": 0.5})
        if most is not None:
            inside[field] = most
        return gateway.post(path, body, fields)

    refused = post(41)
    assert refused.status == 400 and ".".join([*place, field]) in refused.text and "at most 40" in refused.text
    assert not upstream.seen
    assert post(40).status == 200
    if client != "anthropic":  # which must say it
        assert post(None).status == 200
        sent = upstream.last().json
        for name in place:
            sent = sent[name]
        assert sent[wanted] == 40, sent


@pytest.mark.parametrize("model", [model for _, model in MODELS.values()])
def test_most_tokens_of_output_are_set_in_the_upstreams_dialect(budgeted, upstream, model):
    gateway = budgeted({"a": {"group": "g", "limits": {"output_tokens": 900}}}, [{"name": "g", "limits": {"output_tokens": 40}}])
    assert chat(gateway, model=model).status == 200
    assert ":40" in upstream.last().body.decode().replace(" ", "").replace("Tokens\":40", "_tokens\":40")


# -- settings


def test_budgets_are_said_to_the_admin_api_and_the_command_line(start, upstream, tmp_path):
    config = {"backends": places(upstream), "storage": f"sqlite:{tmp_path}/keys.db", "catalogue": catalogue(tmp_path)}
    gateway = start(config)
    file = gateway.folder / "config.yaml"

    def sluice(*words):
        return command(*words, "--config", str(file), folder=gateway.folder)

    made = sluice("keys", "create", "team", "--budget", "month=12.50,hard_stop,alert_at=80%,alert_at=100%", "--budget", "day=1,time_zone=Europe/Berlin", "--unknown-price", "refuse", "--json")
    assert made.returncode == 0, made.stderr
    row = json.loads(made.stdout)
    assert row["budgets"] == [
        {"per": "month", "dollars": 12.5, "hard_stop": True, "alert_at": ["80%", "100%"]},
        {"per": "day", "dollars": 1, "time_zone": "Europe/Berlin"},
    ]
    assert row["unknown_price"] == "refuse"
    changed = sluice("keys", "update", "team", "--budget", "total=0.000000001", "--json")
    assert json.loads(changed.stdout)["budgets"] == [{"per": "total", "dollars": 0.000000001}]
    wrong = sluice("keys", "create", "other", "--budget", "mounth=1")
    assert wrong.returncode == 1 and 'did you mean "month"?' in wrong.stderr
    key = [("Authorization", f"Bearer {row['key']}")]
    refused = gateway.chat(MODEL, headers=key)
    assert refused.status == 429 and "($0.000000001 in all)" in refused.text
    explained = command("explain", MODEL, "--key", "team", "--url", gateway.url, SLUICE_KEY=row["key"])
    assert '"team" may use $0.000000001 in all: $0 spent, $0 set aside' in explained.stdout, explained.stdout + explained.stderr


@pytest.mark.parametrize(
    "words, hint",
    [
        ("[{per: mounth, dollars: 1}]", 'did you mean "month"?'),
        ("[{per: month, dollars: $12.50}]", "did you mean 12.50?"),
        ("[{per: month, dollars: 0.0000000001}]", "up to nine decimals"),
        ("[{per: month, dollars: 1, hardstop: true}]", 'did you mean "hard_stop"?'),
        ("[{per: month, dollars: 1, time_zone: Europe/Berln}]", "no time zone"),
        ("[{per: month, dollars: 1, alert_at: [180%]}]", "from 1% to 100%"),
        ("[{dollars: 1}]", 'needs "per"'),
        ("{per: month, dollars: 1}", "must be a list"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path, words, hint):
    file = tmp_path / "config.yaml"
    file.write_text(f"groups:\n- name: acme\n  budgets: {words}\n")
    said = command("check", file)
    assert said.returncode == 1 and hint in said.stderr + said.stdout, said.stderr + said.stdout
    assert f"{file}:3:" in said.stderr + said.stdout
