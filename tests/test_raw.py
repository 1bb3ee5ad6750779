"""Raw calls: a vendor's own path behind its name, with our key. They widen no backend's list of models.
SPDX-License-Identifier: MIT
"""

import pytest

from harness.depot import backends
from harness.gateway import CLIENT_KEY, KEYS


@pytest.fixture
def gateway(start, depot):
    return start({"backends": backends(depot)})


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


def test_a_raw_call_widens_no_list_of_models(start, depot):
    at = backends(depot)
    at["openai"]["models"] = ["gpt-4", {"name": "mini", "upstream": "o4-mini"}]
    gateway = start({"backends": at})
    for model, status in (("gpt-4", 200), ("o4-mini", 200), ("gpt-5", 404)):
        reply = gateway.post("/openai/v1/chat/completions", {"model": model, "messages": []})
        assert reply.status == status, model
    assert len(depot.seen) == 2
